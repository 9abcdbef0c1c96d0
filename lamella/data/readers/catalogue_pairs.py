"""Gettext catalogues, .po and .mo, one or a whole tree of them -> pairs of a text and its translation.

    table = read_catalogues(["locale/"], src="en", dst="fr")

In a tree the catalogues of the wanted language are found by where they lie (fr/LC_MESSAGES/app.mo, fr/app.po, fr.po,
app.fr.po), and where none lies so, by their own header. Strings that nobody translated, that are marked as doubtful
(fuzzy) or no longer used (obsolete) are left out and counted. Plurals give two pairs.
The pairs themselves are read by `lamella.data.documents.catalogue`.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path

from lamella.data.documents.catalogue import compiled_header, read_pairs
from lamella.data.documents.po import charset_of, parse
from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.report import LISTED, Report, Source
from lamella.data.readers.tables import Row, Table
from lamella.data.text.encoding import StrPath, read_bytes, show_path
from lamella.data.text.languages import NAMES, base_code
from lamella.errors import DataError

SUFFIXES = (".po", ".mo")


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
            declared, encoding, left_out = _survey(path)
            pairs = list(read_pairs(path))
        except DataError as error:
            if not found:
                raise
            bad.append(BadRow(name, 0, "a gettext catalogue", str(error)))
            continue
        if declared and base_code(declared) != base_code(language):
            if not found:
                raise DataError(
                    f"{name}: expected a catalogue in {_called(language)}, received one in {_called(declared)} by its "
                    f"header. Change {'--from' if turned else '--to'}, or correct its Language: line"
                )
            report.notes.append(f"{name}: left out, in {_called(declared)} by its header")
            continue
        for source, target, line in pairs:
            pair = (target, source) if turned else (source, target)
            rows.append(Row({"src": pair[0], "dst": pair[1]}, name, line))
        for reason, count in left_out.items():
            report.drop(reason, count)
        report.sources.append(Source(name, "catalogue", encoding, rows=len(pairs)))
    where = ", ".join(show_path(path) for path in paths[:3])
    refuse_many(where, len(files) - len(bad), [row.received for row in bad], "catalogues", "Correct or remove them.")
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


def _survey(path: StrPath) -> tuple[str, str, dict[str, int]]:
    """What `read_pairs` does not tell: the language in the header or "", the encoding, what is left out and why.

    Raises DataError where the file is no catalogue, and where a compiled one claims more than it holds.
    """
    name = show_path(path)
    raw = read_bytes(path)
    if not raw.strip():
        raise DataError(f"{name}: expected a gettext catalogue, received an empty file. Name one with translations")
    if Path(path).suffix.lower() == ".mo":
        try:
            header = compiled_header(raw)
        except (ValueError, struct.error) as error:
            raise DataError(
                f"{name}: expected a compiled gettext catalogue, received a damaged one ({error}). "
                "Compile it again with msgfmt"
            ) from error
        return _code(_field(header, "Language:")), _field(header, "charset=").upper() or "UTF-8", {}
    charset = charset_of(raw)
    entries = parse(raw.splitlines(keepends=True), charset, name)
    header = "".join(entry.strings.get(0, "") for entry in entries if entry.is_header)
    messages = [entry for entry in entries if not entry.is_header]
    fuzzy = sum(entry.is_fuzzy for entry in messages)
    left_out = {
        "fuzzy": fuzzy,
        "untranslated": sum(not entry.is_fuzzy and not all(entry.strings.values()) for entry in messages),
        "obsolete": len(re.findall(rb"^#~\s*msgid\s", raw, re.MULTILINE)),
    }
    return _code(_field(header, "Language:")), charset.upper(), left_out


def _field(header: str, name: str) -> str:
    found = re.search(rf"\b{name}[ \t]*([^\s;]+)", header)
    return found[1] if found else ""


def _code(value: str) -> str:
    """A language code from a header's Language field, or "" where it holds none.

    >>> _code(" pt_BR"), _code("French"), _code("LANGUAGE")
    ('pt_BR', 'fr', '')
    """
    value = value.strip()
    for code, names in NAMES.items():
        if value.casefold() in (name.casefold() for name in names):
            return code
    return value if re.fullmatch(r"[A-Za-z]{2,3}([_@.-][\w.@-]+)?", value) else ""
