"""The kind of value `Audio`: a sound."""

from pathlib import Path
from typing import Any, ClassVar

from lamella.fields.base import Field, Limits
from lamella.fields.media import beside, data_uri, kept_uri, medium

TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}


class Audio(Field, frozen=True, tag="audio"):
    """A sound: a path, a `data:audio/...` URI, the bytes of a file, or an array of samples."""

    media: ClassVar[str] = "audio"
    suffixes: ClassVar[frozenset[str]] = frozenset(TYPES)
    control: ClassVar[str] = "audio"

    def open(self, name: str, path: Path) -> str:
        return str(path)

    def locate(self, value: Any, folder: Path) -> Any:
        return beside(value, folder)

    def check(self, name: str, value: Any) -> Any:
        return medium(name, value)

    def receive(self, name: str, value: Any, limits: Limits) -> str:
        return data_uri(name, value, "audio")

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "string", "pattern": "^data:audio/"}

    def show(self, value: Any) -> dict[str, Any]:
        return (
            {"text": str(value)} if isinstance(value, str | Path) and str(value)[:5] != "data:" else {"text": "a sound"}
        )

    def keep(self, value: Any, most: int) -> Any:
        return kept_uri(value, most, TYPES)
