"""The description of the LibreTranslate API at /spec, in Swagger 2.0, from which its clients are generated.

/openapi.json describes the whole server, in a newer form.
"""

from typing import Any

from lamella.version import __version__

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
ERROR: Schema = {"type": "object", "properties": {"error": TEXT}}
GUESS: Schema = {
    "type": "object",
    "properties": {"confidence": {"type": "number", "minimum": 0, "maximum": 100}, "language": TEXT},
}
LANGUAGE: Schema = {
    "type": "object",
    "properties": {"code": TEXT, "name": TEXT, "targets": {"type": "array", "items": TEXT}},
}
Q = ("q", TEXT, True, "Text, or in JSON a list of texts.")
SOURCE = ("source", TEXT, True, "Code of the language of the text, or auto.")
TARGET = ("target", TEXT, True, "Code of the language of the translation.")
KEY = ("api_key", TEXT, False, "Not read.")
FORMAT = ("format", {"type": "string", "enum": ["text", "html"], "default": "text"}, False, "Text, or HTML markup.")
OTHERS = ("alternatives", {"type": "integer", "default": 0}, False, "Further translations of each text, at most 7.")
COLUMNS = ("columns", TEXT, False, "Of a table: the column that holds the texts, where it cannot be told.")
FILE = ("file", {"type": "file"}, True, "The file.")


def describe() -> Schema:
    """The routes of the LibreTranslate API, in Swagger 2.0."""
    translated = _object(translatedText=TEXT, detectedLanguage=GUESS, alternatives=_list(TEXT))
    settings = _object(charLimit={"type": "integer"}, suggestions={"type": "boolean"}, supportedFilesFormat=_list(TEXT))
    paths = {
        "/detect": _post("Detect the language of a text.", _list(GUESS), [Q, KEY]),
        "/download_file/{key}": {"get": _download()},
        "/frontend/settings": {"get": _operation("What a page should know.", settings)},
        "/health": {"get": _operation("Whether the server answers.", _object(status=TEXT))},
        "/languages": {"get": _operation("Languages, and those that each is translated to.", _list(LANGUAGE))},
        "/suggest": _post(
            "Not taken: 403.",
            _object(success={"type": "boolean"}),
            [Q, ("s", TEXT, True, "A better translation."), SOURCE, TARGET],
        ),
        "/translate": _post("Translate texts.", translated, [Q, SOURCE, TARGET, FORMAT, OTHERS, KEY]),
        "/translate_file": _post(
            "Translate a file.", _object(translatedFileUrl=TEXT), [FILE, SOURCE, TARGET, COLUMNS, KEY], file=True
        ),
    }
    info = {"title": "lamella", "version": __version__, "description": "The LibreTranslate API of this server."}
    return {"swagger": "2.0", "info": info, "basePath": "/", "produces": ["application/json"], "paths": paths}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _operation(summary: str, schema: Schema) -> Schema:
    replies = {
        "200": {"description": "As asked.", "schema": schema},
        "400": {"description": "What is wrong, in one line.", "schema": ERROR},
    }
    return {"summary": summary, "tags": ["translate"], "responses": replies}


def _post(summary: str, schema: Schema, fields: list[tuple[str, Schema, bool, str]], file: bool = False) -> Schema:
    kinds = (
        ["multipart/form-data"]
        if file
        else ["application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
    )
    parameters = [
        {"name": n, "in": "formData", "required": must, "description": text, **kind} for n, kind, must, text in fields
    ]
    return {"post": {**_operation(summary, schema), "consumes": kinds, "parameters": parameters}}


def _download() -> Schema:
    key = {"name": "key", "in": "path", "required": True, "type": "string"}
    return {**_operation("Fetch a translated file.", {"type": "file"}), "parameters": [key]}
