"""From a model's JSON schema to what Kubernetes calls a structural schema.

Structural means: every field has one type, nothing is a reference, and null is not a type but absence
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
"""

from __future__ import annotations

from typing import Final, cast

from pydantic import BaseModel, JsonValue

from fairlead.api.v1alpha1.schema import IMMUTABLE, INT_OR_STRING, LIST_TYPE, VALIDATIONS, Rule

Schema = dict[str, JsonValue]
_LEFT_OUT: Final = frozenset({
    "title", "$defs", "$ref", "anyOf", "const", "properties", "items", "additionalProperties", "default", "description", IMMUTABLE,
})

_UNCHANGED: Final = "has(self.{0}) ? has(oldSelf.{0}) && self.{0} == oldSelf.{0} : !has(oldSelf.{0})"


def structural_schema(model: type[BaseModel]) -> Schema:
    """Make the structural schema of a model, with its rules and with the defaults that the API server is to fill in.

    Raises:
        ValueError: the model holds a union that is neither optional nor marked as integer or string.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _structural(schema, cast("Schema", schema.get("$defs", {})))


def _structural(schema: Schema, definitions: Schema) -> Schema:
    schema = _resolved(schema, definitions)
    made: Schema = {}
    if "description" in schema:
        made["description"] = " ".join(str(schema["description"]).split()) + (" Cannot be changed." if IMMUTABLE in schema else "")
    made |= {key: value for key, value in schema.items() if key not in _LEFT_OUT}
    if schema.get(INT_OR_STRING):
        for string_only in ("type", "maxLength"):
            made.pop(string_only, None)
    if "const" in schema:
        made["enum"] = [schema["const"]]
    if schema.get("type") == "array":
        made["items"] = _structural(cast("Schema", schema["items"]), definitions)
        made.setdefault(LIST_TYPE, "atomic")
    if isinstance(values := schema.get("additionalProperties"), dict):
        made["additionalProperties"] = _structural(values, definitions)
    if isinstance(properties := schema.get("properties"), dict):
        made |= _with_properties(made, cast("dict[str, Schema]", properties), definitions)
    return made | _default(schema)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """Replace a reference by what it refers to, and `X or null` by X; what stands beside the reference wins."""
    if isinstance(reference := schema.get("$ref"), str):
        schema = cast("Schema", definitions[reference.rpartition("/")[2]]) | schema
        return {key: value for key, value in schema.items() if key != "$ref"}
    if isinstance(union := schema.get("anyOf"), list) and not schema.get(INT_OR_STRING):
        members = [cast("Schema", member) for member in union if cast("Schema", member) != {"type": "null"}]
        if len(members) != 1:
            message = f"a field has {len(members)} types, and a structural schema allows one: {union}"
            raise ValueError(message)
        return _resolved(members[0] | {key: value for key, value in schema.items() if key != "anyOf"}, definitions)
    return schema


def _with_properties(made: Schema, properties: dict[str, Schema], definitions: Schema) -> Schema:
    """Add the properties of an object, and to its rules one for each property that may not change.

    A rule on the property itself would not be asked when the property is added or taken away.
    """
    rules = list(cast("list[JsonValue]", made.get(VALIDATIONS, [])))
    for name, schema in properties.items():
        if sentence := _resolved(schema, definitions).get(IMMUTABLE):
            rules.append(Rule(_UNCHANGED.format(name), str(sentence), f".{name}").as_json())
    changed: Schema = {"properties": {name: _structural(schema, definitions) for name, schema in properties.items()}}
    return changed | ({VALIDATIONS: rules} if rules else {})


def _default(schema: Schema) -> Schema:
    """Give the default that the API server is to write: none for what may be absent, {} where the fields below have their own."""
    default = schema.get("default")
    if default in (None, [], ()):
        return {}
    if isinstance(default, dict):
        return {"default": {}}
    if isinstance(default, float) and default.is_integer():
        return {"default": int(default)}
    return {"default": default}
