"""The description of the API, made from the typed fields of the models that are served."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

Schema = dict[str, Any]
JSON = "application/json"
Words = Annotated[str, msgspec.Meta(min_length=1)]


class Detect(msgspec.Struct):
    """The body of /detect."""

    q: Words | Annotated[list[str], msgspec.Meta(min_length=1)]


class Translate(Detect):
    """The body of /translate; fields besides these are ignored."""

    source: Words
    target: Words
    format: Literal["text", "html"] = "text"
    alternatives: Annotated[int, msgspec.Meta(ge=0)] = 0


TABLE: Schema = {
    "type": ["array", "object"],
    "additionalProperties": {"type": "array"},
    "description": "Examples; also rows by the names of the columns that training read, rows as lists of values in the order of "
    "the fields, or an object of columns.",
}
ERROR: Schema = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def describe(models: Sequence[Mapping[str, Any]], schemas: Mapping[str, tuple[Schema, Schema]], version: str) -> Schema:
    """Facts of models, and for each the schemas of an example and of the options -> OpenAPI 3.1."""
    _, components = msgspec.json.schema_components([Translate, Detect], ref_template="#/components/schemas/{name}")
    paths: Schema = {
        "/health": {"get": _answered("Whether the server answers, and each of its models.", {"type": "object"})},
        "/models": {"get": _answered("Every model, its fields and options.", {"type": "object"})},
        "/languages": {"get": _answered("Languages and what they are translated to.", {"type": "array"})},
        "/frontend/settings": {"get": _answered("What a page should know.", {"type": "object"})},
        "/translate": {
            "post": _asked("Translate texts.", {"$ref": "#/components/schemas/Translate"}, {"type": "object"})
        },
        "/detect": {"post": _asked("Tell languages.", {"$ref": "#/components/schemas/Detect"}, {"type": "array"})},
        "/translate_file": {
            "post": _file("Translate a file.", {name: {"type": "string"} for name in ("source", "target", "columns")})
        },
        "/download_file/{key}": {
            "get": {**_answered("Fetch a translated file.", None), "parameters": [_parameter("key")]},
        },
        "/suggest": {"post": _asked("Not offered.", {"type": "object"}, {"type": "object"})},
        "/spec": {"get": _answered("The LibreTranslate API in Swagger 2.0.", {"type": "object"})},
    }
    for facts in models:
        paths |= _of_model(facts, *schemas[facts["name"]])
    return {
        "openapi": "3.1.0",
        "info": {"title": "lamella", "version": version, "description": "Small neural nets on this machine."},
        "paths": paths,
        "components": {"schemas": components},
    }


def _of_model(facts: Mapping[str, Any], example: Schema, options: Schema) -> Schema:
    name, summary = facts["name"], facts["summary"]
    ask: Schema = {
        "type": "object",
        "properties": {
            "examples": {**TABLE, "items": example, "maxItems": 1000},
            "options": options,
        },
        "required": ["examples"],
        "additionalProperties": False,
    }
    why: Schema = {
        "type": "object",
        "properties": {"example": example, "options": options, "method": {"type": "string"}},
        "additionalProperties": False,
    }
    if facts["questions"]:
        names = {"type": "string", "enum": [question["name"] for question in facts["questions"]]}
        for body in (ask, why):
            body["properties"]["ask"] = names
    if facts["examples"]:
        ask["examples"] = [{"examples": [facts["examples"][0]]}]
        why["examples"] = [{"example": facts["examples"][0]}]
    answers = {
        "type": "object",
        "properties": {
            "answers": {"type": "array", "description": facts["answer"]["description"]},
            "rendered": {"type": "array", "items": {"type": "string"}},
            "notes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What must be known of each answer, where there is anything.",
            },
        },
        "required": ["answers", "rendered"],
    }
    place = f"/models/{name}"
    return {
        place: {"get": _answered(f"{name}: its card, scores and training.", {"type": "object"})},
        f"{place}/predict": {"post": _asked(f"{name}: {summary}", ask, answers)},
        f"{place}/document": {
            "post": _file(f"{name}: a whole file.", {part: {"type": "string"} for part in ("options", "columns")})
        },
        f"{place}/explain": {
            "post": _asked(
                f"{name}: why it answers as it does; without an example, the whole model.", why, {"type": "object"}
            ),
        },
    }


def _parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _answered(summary: str, schema: Schema | None) -> Schema:
    kind = {JSON: {"schema": schema}} if schema else {"application/octet-stream": {"schema": {}}}
    replies: Schema = {"200": {"description": "As asked.", "content": kind}}
    replies["default"] = {"description": "One line that says what is wrong.", "content": {JSON: {"schema": ERROR}}}
    return {"summary": summary, "responses": replies}


def _asked(summary: str, body: Schema, schema: Schema) -> Schema:
    return {**_answered(summary, schema), "requestBody": {"required": True, "content": {JSON: {"schema": body}}}}


def _file(summary: str, fields: Schema) -> Schema:
    file = {"type": "string", "contentMediaType": "application/octet-stream", "contentEncoding": "binary"}
    form = {"type": "object", "properties": {"file": file, **fields}, "required": ["file"]}
    content = {"multipart/form-data": {"schema": form}}
    return {**_answered(summary, None), "requestBody": {"required": True, "content": content}}
