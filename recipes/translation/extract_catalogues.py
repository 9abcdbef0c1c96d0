"""Pairs from message catalogues: gettext .mo and .po files, Qt .qm files and MediaWiki's JSON.

Run by `python -m recipes.translation.corpus extract`. A catalogue's message is English; one marked fuzzy is not used,
the context (msgctxt) is dropped, a plural message gives two pairs: the singular with the first form of the translation,
the plural with the second.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

import polib

from recipes.translation.common import Folders, Pair, is_reserved
from recipes.translation.fetch import STORIES

# The sections of a .qm file and the fields of a message, as Qt numbers them.
_QM_MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
_QM_MESSAGES = 0x69
_QM_END, _QM_TRANSLATION, _QM_SOURCE = 1, 3, 6
_QM_SIZED = {2, 3, 4, 6, 7, 8}


# Packages whose catalogues hold names of places and languages, not messages.
_NAMES = ("iso-codes", "libgeonames-common", "libgweather-4-common", "libgweather-common", "kgeography-data")


def kind_of(package: str) -> str:
    """Games with a plot tell stories; every other catalogue is the text of an interface, or a list of names."""
    if package in _NAMES:
        return "words"
    return "stories" if package in STORIES or package.startswith("wesnoth-") else "interface"


def read_mo(data: bytes) -> Iterator[tuple[str, str]]:
    """The messages of a compiled gettext catalogue with their translations."""
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    charset = "utf-8"
    count, sources, targets = struct.unpack_from(f"{order}3I", data, 8)
    for index in range(count):
        length, start = struct.unpack_from(f"{order}2I", data, sources + 8 * index)
        source = data[start : start + length]
        length, start = struct.unpack_from(f"{order}2I", data, targets + 8 * index)
        target = data[start : start + length]
        if not source or not target:  # the empty message is the header; it sorts first
            match = re.search(rb"charset=([\w-]+)", target)
            charset = match[1].decode() if match else charset
            continue
        message = source.rpartition(b"\x04")[2].decode(charset, "replace")
        translation = target.decode(charset, "replace")
        yield from zip(message.split("\0"), translation.split("\0"), strict=False)


def read_po(path: Path) -> Iterator[tuple[str, str]]:
    """The translated messages of a gettext source catalogue."""
    for entry in polib.pofile(str(path)):
        if "fuzzy" in entry.flags or entry.obsolete:
            continue
        if entry.msgid_plural:
            forms = [entry.msgstr_plural[index] for index in sorted(entry.msgstr_plural)]
            yield from zip((entry.msgid, entry.msgid_plural), forms, strict=False)
        else:
            yield entry.msgid, entry.msgstr


def read_qm(data: bytes) -> Iterator[tuple[str, str]]:
    """The messages of a compiled Qt catalogue that keeps its source texts."""
    if not data.startswith(_QM_MAGIC):
        return
    position, messages = len(_QM_MAGIC), b""
    while position + 5 <= len(data):
        section, length = struct.unpack_from(">BI", data, position)
        if section == _QM_MESSAGES:
            messages = data[position + 5 : position + 5 + length]
        position += 5 + length
    position, source, forms = 0, "", []
    while position < len(messages):
        tag = messages[position]
        position += 1
        if tag == _QM_END:
            if source and forms:
                yield source, forms[-1]  # English has the plural as its source; a count of one is a form of its own
            source, forms = "", []
        elif tag in _QM_SIZED:
            (length,) = struct.unpack_from(">I", messages, position)
            length = 0 if length == 0xFFFFFFFF else length
            field = messages[position + 4 : position + 4 + length]
            position += 4 + length
            if tag == _QM_TRANSLATION:
                forms.append(field.decode("utf-16-be", "replace"))
            elif tag == _QM_SOURCE:
                source = field.decode("utf-8", "replace").rstrip("\0")
        else:  # an obsolete field: four bytes
            position += 4


def read_json(path: Path) -> Iterator[tuple[str, str]]:
    """The messages of MediaWiki: one file for each language, a name for each message; templates are left out."""
    english = path.with_name("en.json")
    sides = [json.loads(file.read_text(encoding="utf-8")) if file.exists() else {} for file in (english, path)]
    for name, source in sides[0].items():
        target = sides[1].get(name)
        if isinstance(source, str) and isinstance(target, str) and not re.search(r"\{\{|\[\[", source + target):
            yield source, target


def _read(task: tuple[str, str]) -> list[Pair]:
    """The pairs of one catalogue; none if it cannot be read."""
    package, name = task
    path = Path(name)
    readers = {
        ".mo": lambda: read_mo(path.read_bytes()),
        ".po": lambda: read_po(path),
        ".qm": lambda: read_qm(path.read_bytes()),
        ".json": lambda: read_json(path),
    }
    kind = kind_of(package)
    try:
        messages = readers[path.suffix]()
        if kind == "stories":  # a few packages hold many tales: each catalogue counts as one when they are split
            package = f"{package}/{path.stem}"
        return [Pair(kind, package, source, target) for source, target in messages if source and target]
    except (struct.error, OSError, ValueError, LookupError) as error:
        print(f"extract: {package}/{path.name}: {error}", flush=True)
        return []


def catalogues(folders: Folders) -> Iterator[Pair]:
    """The pairs of every catalogue of the fetched packages, in the order of their names."""
    tasks: list[tuple[str, str]] = []
    suffixes = (".mo", ".po", ".qm")
    for package in sorted((folders.packages / f"debian-{folders.lang}").iterdir()):
        if not is_reserved(package.name) and package.suffix != ".part":
            for folder, _, names in os.walk(package):
                kept = [name for name in names if name.endswith(suffixes) or name == f"{folders.lang}.json"]
                tasks += [(package.name, f"{folder}/{name}") for name in kept]
    with Pool() as pool:
        for pairs in pool.imap(_read, sorted(tasks), chunksize=16):
            yield from pairs
