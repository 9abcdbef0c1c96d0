"""Files of a model folder that are shown although its checksums do not cover them: the training curves.

A model folder may come from anywhere. `training/curves.svg` may be a link to a private file, a pipe that never answers,
a file of gigabytes, or a drawing with a script in it. So it is opened without following links, must be a regular file
with one name, is read up to a limit, and is shown only if it holds nothing but what lamella itself draws.
"""

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

LARGEST = 256 << 10  # bytes; lamella's own drawings have about 20 kB
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {SVG + name for name in ("svg", "g", "rect", "line", "polyline", "path", "circle", "text", "title")}
ATTRIBUTES = {
    *("width", "height", "viewBox", "font-family", "font-size", "font-weight", "text-anchor", "transform", "opacity"),
    *("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "d", "points", "fill", "stroke", "stroke-width"),
    *("stroke-dasharray", "stroke-linecap", "stroke-linejoin"),
}


def drawing(folder: Path, *parts: str) -> str:
    """The SVG file at `parts` below a folder; "" if there is none, or it may not be shown."""
    raw = read_below(folder, parts, LARGEST)
    if raw is None:
        return ""
    try:
        root = fromstring(raw, forbid_dtd=True)
        text = raw.decode()
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return ""
    return text if root.tag == SVG + "svg" and all(map(_is_plain, root.iter())) else ""


def _is_plain(element: Element) -> bool:
    """Whether an SVG only draws: no script, no link, no style sheet, no external resource."""
    values = element.attrib.values()
    return (
        element.tag in ELEMENTS and set(element.attrib) <= ATTRIBUTES and not any("(" in v and ":" in v for v in values)
    )


def read_below(folder: Path, parts: Sequence[str], most: int) -> bytes | None:
    """The bytes of a regular file below a folder; None where there is none, it is larger, or a link leads there.

    The folder itself was named by the person who serves it and may be a link; nothing below it may.
    """
    no_follow = getattr(os, "O_NOFOLLOW", 0)
    with contextlib.ExitStack() as stack:
        try:
            if os.open not in os.supports_dir_fd or not no_follow:
                return _read_checked(folder, parts, most)
            place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, place)
            for part in parts[:-1]:
                place = os.open(part, os.O_RDONLY | os.O_DIRECTORY | no_follow, dir_fd=place)
                stack.callback(os.close, place)
            # Without O_NONBLOCK the opening of a pipe waits until someone writes into it.
            file = os.open(parts[-1], os.O_RDONLY | os.O_NONBLOCK | no_follow, dir_fd=place)
            stack.callback(os.close, file)
            about = os.fstat(file)
            if not _may_be_read(about, most):
                return None
            return _read(file, most)
        except (OSError, ValueError):  # ValueError: a NUL in a name
            return None


def _read_checked(folder: Path, parts: Sequence[str], most: int) -> bytes | None:
    """The same for systems that cannot open a file relative to a folder: every part of the path is checked first."""
    place = folder
    for part in parts:
        place = place / part
        if place.is_symlink():
            return None
    if not _may_be_read(place.lstat(), most):
        return None
    file = os.open(place, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return _read(file, most)
    finally:
        os.close(file)


def _may_be_read(about: os.stat_result, most: int) -> bool:
    """Whether the file is regular and has one name; with a second one it may be a hard link to somebody else's file."""
    return stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and about.st_size <= most


def _read(file: int, most: int) -> bytes | None:
    parts, size = [], 0
    while part := os.read(file, 1 << 16):
        parts.append(part)
        size += len(part)
        if size > most:  # it has grown since it was looked at
            return None
    return b"".join(parts)
