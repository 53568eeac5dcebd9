"""`values.schema.json`: a name that does not exist is refused, and Helm's message lists those that do."""

from __future__ import annotations

import json
from typing import Any

from generator.chart.values import Values

Schema = dict[str, Any]
_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest that every Helm 3 reads."""
_GLOBAL: Schema = {"type": "object", "description": "What a chart that includes this one tells all its parts. Not used here."}


def schema() -> Schema:
    """The schema of the values."""
    whole = Values.model_json_schema(by_alias=True)
    made = _closed(whole, whole.get("$defs", {}))
    made["properties"]["global"] = _GLOBAL
    made["propertyNames"]["enum"].append("global")
    return {"$schema": _DIALECT, "title": "Values of the chart fairlead", **made}


def render() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), indent=2) + "\n"


def _closed(schema: Schema, definitions: Schema) -> Schema:
    """The schema with all that it refers to in its place, and nothing required.

    `additionalProperties` refuses a misspelt name and is what editors look at; `propertyNames` says what could have been meant.
    """
    if "$ref" in schema:
        named = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**named, **{key: value for key, value in schema.items() if key != "$ref"}}
    made = {key: value for key, value in schema.items() if key not in ("$defs", "title", "required", "default")}
    if properties := schema.get("properties"):
        made["properties"] = {name: _closed(each, definitions) for name, each in properties.items()}
        made["additionalProperties"] = False
        made["propertyNames"] = {"enum": list(properties)}
    elif "default" in schema:
        made["default"] = schema["default"]
    for word in ("items", "additionalProperties"):
        if isinstance(made.get(word), dict):
            made[word] = _closed(made[word], definitions)
    return made
