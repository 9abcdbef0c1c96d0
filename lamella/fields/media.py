"""What pictures and sounds share: a path, a `data:` URI, bytes or an array, and the files that hold them."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from lamella.errors import UsageError
from lamella.fields.base import json_kind, wrong
from lamella.storage import disk


def medium(name: str, value: Any) -> Any:
    """A path, a `data:` URI, the bytes of a file or an array, as `data.media` opens it; UsageError for anything else."""
    if isinstance(value, str | PurePath | bytes | bytearray | list | np.ndarray):
        return value
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):  # a picture of another library, say
        try:
            return np.asarray(value)
        except Exception as error:
            raise wrong(name, "an array of numbers", value) from error
    raise wrong(name, "a file's path, bytes or an array", value)


def is_uri(value: Any) -> bool:
    return isinstance(value, str) and value[:5].lower() == "data:"


def data_uri(name: str, value: Any, media: str) -> str:
    """A `data:` URI of a request; a path or an address is refused, since nothing is loaded for a request."""
    if not isinstance(value, str) or not is_uri(value):
        raise UsageError(f"{name}: expected data:{media}/...;base64, and the bytes, received {json_kind(value)}.")
    return value


def beside(value: Any, folder: Path) -> Any:
    """The path of a file that a table in `folder` names, where there is one; else the value as it came."""
    if isinstance(value, str) and 0 < len(value) < 1000 and "\0" not in value and not is_uri(value):
        place = folder / value
        return str(place) if os.path.isfile(place) else value  # False for a name that no file can have
    return value


def kept_uri(value: Any, most: int, types: Mapping[str, str]) -> Any:
    """A file as a `data:` URI where its bytes fit into so many characters; None where they do not, or it has no type.

    In: types: the media type of each suffix.
    """
    if not isinstance(value, str | os.PathLike) or is_uri(value):
        return value
    media_type = types.get(Path(value).suffix.lower())
    try:
        raw = disk.read_regular(Path(value), most * 3 // 4)
    except OSError:
        return None
    return f"data:{media_type};base64,{base64.b64encode(raw).decode()}" if media_type else None
