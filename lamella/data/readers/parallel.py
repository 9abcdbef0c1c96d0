"""Texts and their translations, from the files people have, cleaned mildly and with an account of every pair left out.

    table = read_parallel("pairs.tsv", src="en", dst="fr")
    table = read_parallel(["news.en", "news.fr"], src="en", dst="fr")       line by line
    table = read_parallel("locale/", src="en", dst="fr")                    gettext catalogues, .po and .mo
    table = read_parallel("memory.tmx", src="en", dst="fr")                 translation memories
    table.rows[0]                                                           {"src": "Hello", "dst": "Bonjour"}

The user's data are the user's: only pairs that cannot teach translation are left out. Columns that are swapped, or in
another language than was said, are an error: a model would train on them for an hour without complaint.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from lamella.data.readers import windows
from lamella.data.readers.catalogue_pairs import SUFFIXES, read_catalogues
from lamella.data.readers.report import Report, Source
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import Paths, Row, Table, list_paths, read_table
from lamella.data.text.encoding import StrPath, goes_on, read_text, show_path, spanned, split_lines
from lamella.data.text.languages import NAMES, base_code, guess, scores
from lamella.errors import DataError, UsageError

MAX_CHARS = 1_000
MAX_RATIO = 4.0
CLEAR = 0.1  # share of words that are common ones of a language: real text has 0.25 to 0.5

_SRC_NAMES = (
    *("source", "src", "source_text", "src_text", "text_src"),
    *("input", "sentence1", "original", "msgid"),
)
_DST_NAMES = (
    *("target", "dst", "tgt", "trg", "target_text", "translation"),
    *("translated", "output", "sentence2", "msgstr"),
)
_NOT_ALNUM = re.compile(r"[\W_]+")
_ASIAN = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


def read_parallel(
    paths: Paths,
    src: str = "en",
    dst: str = "fr",
    columns: Mapping[str, str | int] | None = None,
    *,
    check_language: bool = True,
) -> Table:
    """Read pairs of a text and its translation.

    In: a table or several (TSV, CSV, JSONL; columns named by the languages or as source and target; without names: two
    in order, of more those that are in the two languages), or two plain text files aligned by line, or gettext catalogues
    (.po, .mo) or folders of them, or translation memories (.tmx); the codes of the two languages; `columns`: which
    column is `src` and which `dst`, by name or number from 1; `check_language`: whether to stop at text that is clearly in another language.
    Out: a `Table` of rows {"src", "dst"}; its report counts what was left out, by reason.
    Raises DataError as `read_table` does, where two files have not the same number of lines, where columns are swapped
    or in another language, and where no pair is left; UsageError where the languages are one and the same.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "pairs.tsv")
    >>> _ = path.write_text("en\\tfr\\nYes\\tOui\\nNo\\tNon\\nYes\\tOui\\nMaybe\\t\\n")
    >>> table = read_parallel(path, "en", "fr")
    >>> table.rows, table.report.dropped
    ([{'src': 'Yes', 'dst': 'Oui'}, {'src': 'No', 'dst': 'Non'}], {'exact duplicate': 1, 'empty side': 1})
    """
    if src.casefold() == dst.casefold():
        raise UsageError(f"expected two languages, received {src} twice. Change --from or --to")
    listed = list_paths(paths)
    folders = [path for path in listed if Path(path).is_dir()]
    catalogues = [path for path in listed if Path(path).suffix.lower() in SUFFIXES and path not in folders]
    memories = [path for path in listed if Path(path).suffix.lower() == ".tmx" and path not in folders]
    rest = [path for path in listed if path not in (*folders, *catalogues, *memories)]
    table = Table([], Report())
    if memories:
        from lamella.data.readers.tmx import read_memories

        _add(table, read_memories(memories, src, dst))
    if folders or catalogues:
        _add(table, read_catalogues([*folders, *catalogues], src, dst))
    if rest:
        if len(rest) == 2 and columns is None and all(map(_is_plain, rest)):
            _add(table, _read_aligned(rest[0], rest[1], src, dst))
        else:
            wanted = {"src": (*_names(src), *_SRC_NAMES), "dst": (*_names(dst), *_DST_NAMES)}
            choose = partial(_choose, base_code(src), base_code(dst))
            words = [*_names(src), *_names(dst)]
            _add(table, read_table(rest, wanted, columns, allow_empty=True, choose=choose, words=words))
    where = show_path(listed[0]) if len(listed) == 1 else f"{show_path(listed[0])} and {len(listed) - 1} more"
    table.rows = clean(table.rows, table.report)
    if not table.rows:
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in table.report.dropped.items())
        raise DataError(f"{where}: expected pairs of texts, received none that can be used: {reasons or 'no entries'}")
    if check_language and not goes_on():
        by_file: defaultdict[str, list[Row]] = defaultdict(list)
        for row in table.rows:
            by_file[row.file].append(row)
        # Catalogues can be thousands, and small: they are judged together.
        groups = [(where, table.rows)] if folders or len(by_file) > 20 else list(by_file.items())
        for name, rows in groups:
            check_languages(name, rows, src, dst)
    return table


def _add(table: Table, other: Table) -> None:
    table.rows += other.rows
    report, more = table.report, other.report
    report.sources += more.sources
    report.bad += more.bad
    report.notes += more.notes
    for reason, count in more.dropped.items():
        report.drop(reason, count)


def _names(code: str) -> tuple[str, ...]:
    """What a column of a language may be called: its code, with and without region, and its names."""
    return tuple(dict.fromkeys((code, re.split(r"[_\-.@]", code)[0], base_code(code), *NAMES.get(base_code(code), ()))))


def _choose(src: str, dst: str, rows: list[list[str]]) -> dict[str, int] | None:
    """Of three columns or more without telling names, those that are clearly in the two languages.

    Two columns are taken in order, so that swapped ones are noticed and not quietly put right.
    """
    if not rows or len(rows[0]) < 3:
        return None
    sample = rows[:: max(1, len(rows) // 1000)]
    languages = [guess(column)[0] for column in zip(*sample, strict=True)][:100]
    if languages.count(src) == 1 and languages.count(dst) == 1:
        return {"src": languages.index(src), "dst": languages.index(dst)}
    return None


# --- two aligned files


def parts_of(paths: Sequence[str], columns: Mapping[str, str] | None = None) -> list[windows.Part]:
    """Large tables, or two aligned files, in parts that `read_parallel` reads one by one; [] where they cannot be cut."""
    aligned = False
    if len(paths) == 2 and columns is None and all(map(windows.by_line, paths)):
        heads = [windows.head(path) for path in paths]
        with spanned({path: part.spans[0] for path, part in zip(paths, heads, strict=True)}):
            aligned = all(map(_is_plain, paths))
    if any(Path(path).suffix.lower() in SUFFIXES for path in paths):
        return []
    return [msgspec.structs.replace(part, distinct=True) for part in windows.cut(paths, aligned)]


def _is_plain(path: StrPath) -> bool:
    """Whether a file is lines of text: not named like a table, and not tabs or JSON on nearly every line."""
    if is_table(path):
        return False
    lines = split_lines(read_text(path)[0])[:200]
    tabs = sum("\t" in line.strip() or line.startswith('{"') for line in lines)
    return tabs <= 0.8 * len(lines)


def _read_aligned(first: StrPath, second: StrPath, src: str, dst: str) -> Table:
    """Line n of one file with line n of the other."""
    if _language_of_name(first, src, dst) == "dst" or _language_of_name(second, src, dst) == "src":
        first, second = second, first
    report = Report()
    sides = []
    for field, path in (("src", first), ("dst", second)):
        text, encoding = read_text(path)
        sides.append(split_lines(text))
        code = src if field == "src" else dst
        report.sources.append(Source(show_path(path), "lines", encoding, columns={field: code}, rows=len(sides[-1])))
    counts = [len(side) for side in sides]
    names = [source.file for source in report.sources]
    if counts[0] != counts[1]:
        raise DataError(
            f"{names[0]} and {names[1]}: expected the same number of lines, received {counts[0]:,} and {counts[1]:,}. "
            "Line n of one must be the translation of line n of the other"
        )
    if not any(line.strip() for line in sides[0]):
        raise DataError(
            f"{names[0]}: expected lines of text, received an empty file. Give a file with at least one line"
        )
    pairs = enumerate(zip(*sides, strict=True), start=1)
    return Table([Row({"src": one, "dst": two}, names[0], line) for line, (one, two) in pairs], report)


def _language_of_name(path: StrPath, src: str, dst: str) -> str:
    """The side a file's name speaks of ("news.fr", "news_fr.txt"): "src", "dst" or ""."""
    parts = re.split(r"[._\-]", Path(path).name.casefold())
    # The last part that is a language decides: "texte.de.fr" is the French side.
    for part in reversed(parts):
        for field, code in (("src", src), ("dst", dst)):
            if part in (code.casefold(), re.split(r"[_\-.@]", code.casefold())[0]):
                return field
    return ""


# --- cleaning


def clean(rows: Sequence[Row], report: Report) -> list[Row]:
    """Leave out pairs that cannot teach translation.

    In: rows {"src", "dst"}, and the report to count in, by reason: an empty side, more than MAX_CHARS characters, the
    same three words or more on both sides, one side more than MAX_RATIO times as long as the other (where it has more
    than 20 characters; one of Chinese, Japanese or Korean counts for three), an exact duplicate.
    Out: the other rows in their order; white space around their texts is removed in place.

    >>> report = Report()
    >>> rows = [Row({"src": " Yes ", "dst": "Oui"}), Row({"src": "Copyright by Ann", "dst": "Copyright by Ann"})]
    >>> clean(rows, report), report.dropped
    ([{'src': 'Yes', 'dst': 'Oui'}], {'untranslated copy': 1})
    """
    kept = []
    seen: set[tuple[str, str]] = set()
    dropped: Counter[str] = Counter()
    for row in rows:
        src, dst = row["src"], row["dst"] = row["src"].strip(), row["dst"].strip()
        if reason := _fault(src, dst, seen):
            dropped[reason] += 1
            continue
        seen.add((src, dst))
        kept.append(row)
    for reason, count in dropped.items():
        report.drop(reason, count)
    report.kept = len(kept)
    return kept


def _fault(src: str, dst: str, seen: set[tuple[str, str]]) -> str:
    if not src or not dst:
        return "empty side"
    if len(src) > MAX_CHARS or len(dst) > MAX_CHARS:
        return f"longer than {MAX_CHARS:,} characters"
    if src == dst and len(src.split()) > 2:
        return "untranslated copy"
    short, long = sorted((_length(src), _length(dst)))
    if long > 20 and long > MAX_RATIO * short:
        return f"one side more than {MAX_RATIO:g} times as long"
    return "exact duplicate" if (src, dst) in seen else ""


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text) + 2 * len(_ASIAN.findall(text))


def check_languages(where: str, rows: Sequence[Row], src: str, dst: str) -> None:
    """Raise DataError where the sides are swapped, or one is clearly in another language than was said.

    In: a name for the message, rows {"src", "dst"}, the codes that were asked for. Nothing is returned; where the text
    is too short to tell, or the language is not known to `lamella.data.text.languages`, nothing is raised.

    >>> french = ["Le chat est sur le toit et ne veut pas en descendre.", "Nous l'avons appelé toute la journée, mais "
    ...           "il reste là avec les oiseaux.", "Que faire si la nuit tombe ?", "On ne peut pas dormir ici."]
    >>> check_languages("pairs.tsv", [Row({"src": text, "dst": "-"}) for text in french], "en", "fr")
    Traceback (most recent call last):
    lamella.errors.DataError: pairs.tsv: expected English (en) in src, received French (fr). The columns are swapped: \
use --from fr --to en, or choose them with --columns src=...,dst=...
    """
    step = max(1, len(rows) // 1000)
    sides = {"src": [row["src"] for row in rows[::step]], "dst": [row["dst"] for row in rows[::step]]}
    codes = {"src": base_code(src), "dst": base_code(dst)}
    if codes["src"] == codes["dst"]:  # two varieties of one language: nothing here can tell them apart
        return
    if len(rows) >= 8 and _crossed(sides, codes):
        raise DataError(
            f"{where}: expected {_called(src)} in src and {_called(dst)} in dst, received the opposite. "
            f"The columns are swapped: use --from {dst} --to {src}, or choose them with --columns src=...,dst=..."
        )
    found = {side: guess(texts)[0] for side, texts in sides.items()}
    for side, opposite in (("src", "dst"), ("dst", "src")):
        code, received = codes[side], found[side]
        if received is None or received == code or found[opposite] == codes[opposite] and code not in NAMES:
            continue
        swapped = received == codes[opposite] and found[opposite] != codes[opposite]
        if code in NAMES:
            # Close relatives, and texts full of foreign names, score for both: only a clear case is an error.
            share = scores("\n".join(sides[side]))
            if share[received] < 3 * share[code]:
                continue
        elif not swapped:  # a language that is not known here may well look like a relative that is
            continue
        raise DataError(
            f"{where}: expected {_called(src if side == 'src' else dst)} in {side}, received {_called(received)}. "
            + (
                f"The columns are swapped: use --from {dst} --to {src}, or choose them with --columns src=...,dst=..."
                if swapped
                else f"Change {'--from' if side == 'src' else '--to'}, the file, or the columns (--columns {side}=...)"
            )
        )


def _crossed(sides: Mapping[str, Sequence[str]], codes: Mapping[str, str]) -> bool:
    """Whether each side clearly looks like the other's language: two weak signs that agree, where `guess` wants one
    strong one, which simple sentences of few different words do not give."""
    if not all(code in NAMES for code in codes.values()):
        return False
    for side, opposite in (("src", "dst"), ("dst", "src")):
        found = scores("\n".join(sides[side]))
        if found[codes[opposite]] < max(CLEAR, 3 * found[codes[side]]):
            return False
    return True


def _called(code: str) -> str:
    known = NAMES.get(base_code(code))
    return f"{known[0]} ({code})" if known else code
