"""Gettext catalogues, .po and .mo, one or a whole tree of them -> pairs of a text and its translation.

    table = read_catalogues(["locale/"], src="en", dst="fr")

In a tree the catalogues of the wanted language are found by where they lie (fr/LC_MESSAGES/app.mo, fr/app.po, fr.po,
app.fr.po), and where none lies so, by their own header. Strings that nobody translated, that are marked as doubtful
(fuzzy) or no longer used (obsolete) are left out and counted. Plurals give two pairs.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import polib  # type: ignore[import-untyped]

from lamella.data.languages import NAMES, base_code
from lamella.data.records import BadRow
from lamella.data.tables import LISTED, Report, Row, Source, Table
from lamella.data.text import StrPath, read_bytes, show_path
from lamella.errors import DataError

SUFFIXES = (".po", ".mo", ".pot")


def read_catalogues(paths: Sequence[StrPath], src: str, dst: str) -> Table:
    """The pairs of catalogues.

    In: .po and .mo files, and folders that hold them; the two languages. A catalogue's own texts (msgid) are English by
    custom, so from French to English the French catalogues are read and the pairs turned round.
    Out: a `Table` of rows {"src", "dst"}, not yet cleaned; its report counts what was left out.
    Raises DataError where a folder holds no catalogue of the language, a named file is one of another language, or more
    than one catalogue in a hundred cannot be read.
    """
    turned = base_code(dst) == "en"
    language = src if turned else dst
    report = Report()
    rows: list[Row] = []
    files = [(path, False) for path in paths if not Path(path).is_dir()]
    for folder in paths:
        if Path(folder).is_dir():
            files += [(path, True) for path in _find(folder, language, report)]
    bad = []
    for path, found in files:
        name = show_path(path)
        try:
            catalogue = _open(path)
        except DataError as error:
            if not found:
                raise
            bad.append(BadRow(name, 0, "a gettext catalogue", str(error)))
            continue
        declared = _declared(catalogue)
        if declared and base_code(declared) != base_code(language):
            if not found:
                raise DataError(
                    f"{name}: expected a catalogue in {_called(language)}, received one in {_called(declared)} by its "
                    f"header. Change {'--from' if turned else '--to'}, or correct its Language: line"
                )
            report.notes.append(f"{name}: left out, in {_called(declared)} by its header")
            continue
        before = len(rows)
        for source, target, line in _pairs(catalogue, report):
            pair = (target, source) if turned else (source, target)
            rows.append(Row({"src": pair[0], "dst": pair[1]}, name, line))
        encoding = str(catalogue.encoding).upper()
        kind = "compiled catalogue" if isinstance(catalogue, polib.MOFile) else "catalogue"
        report.sources.append(Source(name, kind, encoding, rows=len(rows) - before))
    if len(bad) > 0.01 * len(files):
        raise DataError(
            f"expected gettext catalogues, received {len(bad):,} of {len(files):,} that cannot be read, the first: "
            f"{bad[0].received}",
            [row.received for row in bad[:10]],
        )
    report.bad = bad[:LISTED]
    report.drop("unreadable catalogue", len(bad))
    report.kept = len(rows)
    return Table(rows, report)


def _called(code: str) -> str:
    known = NAMES.get(base_code(code))
    return f"{known[0]} ({code})" if known else code


def _find(folder: StrPath, language: str, report: Report) -> list[str]:
    """The catalogues of a language in a tree, in a fixed order."""
    everything = []
    for place, folders, names in os.walk(folder):  # links to folders are not followed: they may lead round in circles
        folders.sort()
        everything += [os.path.join(place, name) for name in sorted(names) if name.lower().endswith((".po", ".mo"))]
    if not everything:
        raise DataError(
            f"{show_path(folder)}: expected gettext catalogues (.po, .mo) in the folder, received none. "
            "Name a table or two aligned text files instead"
        )
    # fr before fr_CA: a region's catalogue is read only where the language itself has none.
    for wanted in (language, base_code(language)):
        found = [path for path in everything if _speaks(os.path.relpath(path, folder), wanted)]
        found = found or [path for path in everything if _speaks(os.path.relpath(path, folder), wanted, regions=True)]
        if found:
            break
    else:
        named = {code for path in everything for code in NAMES if _speaks(os.path.relpath(path, folder), code, True)}
        if named:
            raise DataError(
                f"{show_path(folder)}: expected catalogues in {_called(language)}, received only "
                f"{', '.join(map(_called, sorted(named)))}. Change --from or --to"
            )
        found = everything
    # A compiled catalogue beside its source holds the same texts.
    sources = {path for path in found if path.endswith(".po")}
    compiled = [path for path in found if path.endswith(".mo") and path[:-3] + ".po" in sources]
    if compiled:
        report.notes.append(f"{show_path(folder)}: {len(compiled):,} .mo files left out, their .po lies beside them")
    return [path for path in found if path not in set(compiled)]


def _speaks(path: str, language: str, regions: bool = False) -> bool:
    """Whether a path inside a tree names a language: a folder of that name, or the last part of the file's name.

    >>> _speaks("fr/LC_MESSAGES/app.mo", "fr"), _speaks("po/app.fr.po", "fr"), _speaks("po/fr_CA.po", "fr")
    (True, True, False)
    >>> _speaks("po/fr_CA.po", "fr", regions=True), _speaks("po/de.po", "fr", regions=True)
    (True, False)
    """
    *folders, name = re.split(r"[/\\]", path)
    stem = name.rpartition(".")[0]
    code = re.escape(language).replace("_", "[_-]").replace(r"\-", "[_-]")
    region = r"([_@-][A-Za-z]{2,9})?(\.utf-?8)?" if regions else r"(\.utf-?8)?"
    # "-" separates a name from its language (app-fr.po); "_" does too, but also a language from its region (pt_BR).
    return any(re.fullmatch(code + region, part, re.IGNORECASE) for part in folders) or bool(
        re.fullmatch(f"(.*[.-])?{code}{region}", stem, re.IGNORECASE)
    )


def _declared(catalogue: polib.POFile | polib.MOFile) -> str:
    """The code in the header's Language field, or "" where there is none that could be one."""
    value = str(catalogue.metadata.get("Language") or "").strip()
    for code, names in NAMES.items():
        if value.casefold() in (name.casefold() for name in names):
            return code
    return value if re.fullmatch(r"[A-Za-z]{2,3}([_@.-][\w.@-]+)?", value) else ""


def _open(path: StrPath) -> polib.POFile | polib.MOFile:
    """The parsed file. Raises DataError, one line, with the line where it is known."""
    name = show_path(path)
    raw = read_bytes(path)
    if not raw.strip():
        raise DataError(f"{name}: expected a gettext catalogue, received an empty file")
    compiled = raw[:4] in (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde")
    try:
        if compiled:
            _check_sizes(raw)
            return polib.mofile(os.fspath(path))
        marked = raw.startswith(b"\xef\xbb\xbf")
        return polib.pofile(os.fspath(path), **({"encoding": "utf-8-sig"} if marked else {}))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: expected text in {error.encoding} as its header says, received other bytes. "
            "Correct the charset in its header, or save it as UTF-8"
        ) from error
    except (OSError, ValueError, LookupError, AttributeError, TypeError, struct.error) as error:
        line = re.search(r"\(line (\d+)\)", str(error))
        raise DataError(
            f"{name}{f', line {line[1]}' if line else ''}: expected a gettext catalogue, received "
            f"{'a damaged compiled one' if compiled else 'text of another form'}. Check it with msgfmt --check"
        ) from error


def _check_sizes(raw: bytes) -> None:
    """Refuse a compiled catalogue that claims more than it holds: a small one could else ask for gigabytes."""
    order = "<" if raw[:4] == b"\xde\x12\x04\x95" else ">"
    _, count, sources, targets = struct.unpack_from(order + "4I", raw, 4)
    if count > len(raw) // 16:
        raise ValueError("more strings than fit")
    total = 0
    for table in (sources, targets):
        lengths = struct.unpack_from(f"{order}{2 * count}I", raw, table)
        total += sum(lengths[0::2])
        if any(at + length > len(raw) for length, at in zip(lengths[0::2], lengths[1::2], strict=True)):
            raise ValueError("a string beyond the end")
    if total > 4 * len(raw):
        raise ValueError("overlapping strings")


def _pairs(catalogue: polib.POFile | polib.MOFile, report: Report) -> Iterator[tuple[str, str, int]]:
    """(text, translation, line) of each usable entry; the line is the entry's number in a compiled catalogue."""
    for number, entry in enumerate(catalogue, start=1):
        line = getattr(entry, "linenum", None) or number
        if entry.obsolete:
            report.drop("obsolete")
        elif getattr(entry, "fuzzy", False):  # a compiled entry has no such mark
            report.drop("fuzzy")
        elif entry.msgid_plural:
            forms = [entry.msgstr_plural[form] for form in sorted(entry.msgstr_plural)]
            if not forms or not all(forms):
                report.drop("untranslated")
                continue
            # The first form is for one; the last for many, in every language of two forms or more.
            yield entry.msgid, forms[0], line
            yield entry.msgid_plural, forms[-1], line
        elif not entry.msgstr:
            report.drop("untranslated")
        else:
            yield entry.msgid, entry.msgstr, line
