"""The page of one resource, from its CustomResourceDefinition: every field, and every sentence with which a manifest is refused."""

from collections.abc import Iterator
from typing import Any

from fairlead.api import crd
from fairlead.api.v1alpha1 import names
from generator.markdown import code, folded, table

Schema = dict[str, Any]
REFUSALS = """## What is refused, and in which words

The API server checks a manifest when it is applied. These are its sentences.
"""
MANY = 8
"""A list longer than this is looked up rather than read, so it is folded."""


def page(kind: str) -> str:
    """The whole page of the resource of this kind."""
    resource = next(each for each in crd.RESOURCES if each.kind == kind)
    definition: Any = crd.definition(resource)
    schema: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    parts = [
        f"# {kind}\n\n{resource.meaning}\n",
        f"- API version: {code(names.API_VERSION)}, namespaced\n"
        f"- Short name: {code(resource.short)}; `kubectl get {names.CATEGORY}` lists all of Fairlead's objects\n"
        + "".join(f"- Field selector: {code(path.lstrip('.'))}\n" for path in resource.selectable),
        "## Columns of `kubectl get`\n",
        table(["Column", "Shown", "What it is"],
              [[code(each.name.upper()), "with `-o wide`" if each.wide else "always", each.meaning] for each in resource.columns]),
    ]
    for part in ("spec", "status"):
        parts += [f"## {part}\n", *_objects(part, schema["properties"][part])]
    return "\n".join([*parts, REFUSALS, *_refusals(schema)])


def _objects(path: str, schema: Schema) -> Iterator[str]:
    """A table for the object at `path`, then one for each object inside it."""
    required = set(schema.get("required", ()))
    yield table(["Field", "Type", "Default", "What it says"],
                [[f"{code(name)}{' **required**' if name in required else ''}", _type(field), _default(field), field.get("description", "")]
                 for name, field in schema["properties"].items()])
    for name, field in schema["properties"].items():
        for inner, suffix in ((field, ""), (field.get("items", {}), "[]")):
            if "properties" in inner:
                yield f"### {path}.{name}{suffix}\n"
                yield from _objects(f"{path}.{name}{suffix}", inner)


def _type(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(code(each) for each in field["enum"])
    if field.get("x-kubernetes-int-or-string"):
        return "string"
    match field["type"]:
        case "array":
            return f"list of {_plural(field['items'])}{_range(field.get('minItems'), field.get('maxItems'))}"
        case "object" if "additionalProperties" in field:
            return f"map of {_plural(field['additionalProperties'])}{_range(None, field.get('maxProperties'))}"
        case "string" if field.get("format") == "date-time":
            return "time"
        case other:
            return f"{other}{_range(field.get('minimum'), field.get('maximum'))}"


def _plural(field: Schema) -> str:
    return f"{field['type']}s"


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if low == high:
        return f", exactly {low}"
    if low is None:
        return f", at most {high}"
    return f", {low} or more" if high is None else f", {low} to {high}"


def _default(field: Schema) -> str:
    default = field.get("default", "")
    if default == {}:
        return "see below"
    return code(str(default).lower() if isinstance(default, bool) else default)


def _refusals(schema: Schema) -> Iterator[str]:
    """The sentences under each field that has some, without those that say that a field cannot be changed."""
    for path, field in _fields("spec", schema["properties"]["spec"]):
        sentences = dict.fromkeys(str(rule["message"]) for rule in field.get("x-kubernetes-validations", ()))
        found = [each for each in sentences if "cannot be changed" not in each]
        if len(found) > MANY:
            yield folded(path, "".join(f"- {each}\n" for each in found))
        elif found:
            yield f"{code(path)}\n\n" + "".join(f"- {each}\n" for each in found)


def _fields(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from _fields(f"{path}.{name}", field)
        if "items" in field:
            yield from _fields(f"{path}.{name}[]", field["items"])
