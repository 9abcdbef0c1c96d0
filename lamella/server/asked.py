"""The fields of a request as LibreTranslate's server reads and refuses them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from lamella.server.replies import Refused

HTML = "html"


class Ask(NamedTuple):
    """What /translate is asked for."""

    texts: list[str]
    source: str
    target: str
    format: str
    alternatives: int
    several: bool  # whether the texts came as a list, and so do the answers


def ask_of(fields: Mapping[str, Any]) -> Ask:
    """Refused with 400 for a field that is missing or of another kind, in LibreTranslate's words."""
    texts, several = texts_of(fields)
    source, target = text_of(fields, "source"), text_of(fields, "target")
    alternatives = _count(fields, "alternatives")
    kind = text_of(fields, "format", "text")
    if kind not in ("text", HTML):
        raise Refused(400, f"{kind[:60]} format is not supported")
    return Ask(texts, source, target, kind, alternatives, several)


def texts_of(fields: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The field `q`, as a list, and whether it came as one."""
    given = fields.get("q")
    if not isinstance(given, list):
        return [text_of(fields, "q")], False
    if not given:
        raise Refused(400, "Invalid request: missing q parameter")
    return [_as_text(one, "q") for one in given], True


def text_of(fields: Mapping[str, Any], name: str, default: str = "") -> str:
    given = fields.get(name)
    text = _as_text(default if given is None or given == "" else given, name)
    if not text:
        raise Refused(400, f"Invalid request: missing {name} parameter")
    return text


def _as_text(given: Any, name: str) -> str:
    """A text, or a number as it is written."""
    if isinstance(given, str):
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        return msgspec.json.encode(given).decode()
    also = " or a list of texts" if name == "q" else ""
    raise Refused(400, f"Invalid request: {name} parameter is not a text{also}, but {_kind(given)}")


def _kind(given: Any) -> str:
    kinds = {bool: "a truth value", list: "a list", dict: "an object", type(None): "null"}
    return kinds.get(type(given), type(given).__name__)


def _count(fields: Mapping[str, Any], name: str) -> int:
    """A number from 0, as a number or as text; a missing one is 0."""
    given = fields.get(name)
    try:
        return max(0, int(given or 0)) if not isinstance(given, bool) else int("")
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused(400, f"Invalid request: {name} parameter is not a number") from error
