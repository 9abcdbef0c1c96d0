"""Whether a model's folder still holds the model that was read from it."""

import stat
from pathlib import Path

from lamella.model import Model

Signature = tuple[int, int, int, int]  # device, inode, nanoseconds of the last change, bytes
UNKNOWN: Signature = (0, 0, 0, 0)


def signature(where: Path) -> Signature | None:
    """A signature that changes whenever a model is written; None if there is no model at the moment."""
    try:
        about = (where / "model.json").stat() if where.is_dir() else where.stat()
    except (OSError, ValueError):
        return None
    return (about.st_dev, about.st_ino, about.st_mtime_ns, about.st_size) if stat.S_ISREG(about.st_mode) else None


def signature_of(model: Model) -> Signature | None:
    """The signature of what was read; UNKNOWN where the folder holds another model already, so that it is read again."""
    where = Path(model.where)
    current = signature(where)
    try:
        if current and where.is_dir() and (where / "model.json").read_bytes() != model.files.get("model.json"):
            return UNKNOWN
    except OSError:
        return UNKNOWN
    return current
