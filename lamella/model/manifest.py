"""The contents of `model.json`, with checksums of all files and of itself."""

import hashlib
from typing import Any

import msgspec

FORMAT = 1


class Manifest(msgspec.Struct, kw_only=True):
    """The contents of `model.json`."""

    format: int = FORMAT
    lamella: str  # version that wrote it
    task: str
    task_digest: str = ""  # of a task's file outside the package: its code is never run unasked
    config: dict[str, Any]
    size: str
    fields: dict[str, Any]
    learned: dict[str, Any]  # what fit learned; {"file": name} where it is bytes
    precision: str = "float32"  # or "int8"
    parameters: int = 0
    scores: dict[str, Any] = {}
    training: dict[str, Any] = {}
    files: dict[str, str] = {}  # name -> sha256
    digest: str = ""  # of this file's own content, digest left empty

    @property
    def examples(self) -> list[dict[str, Any]]:
        """A few held-out examples without their answers, for the model's page; in `training`, which other readers know."""
        examples = self.training.get("examples")
        return [e for e in examples if isinstance(e, dict)][:3] if isinstance(examples, list) else []


def digest(raw: bytes) -> str:
    """sha256 in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def own_digest(manifest: Manifest) -> str:
    """The digest of a manifest's canonical content, its digest left empty."""
    blank = msgspec.structs.replace(manifest, digest="")
    return digest(msgspec.json.encode(blank, order="sorted"))
