"""Texts with their summaries, from the files that people have -> examples.

    read_summaries(["reviews.csv"])         a column of texts and one of summaries; JSONL may hold several summaries a text
    read_summaries(["cnn/stories/"])        CNN / Daily Mail: .story files, each ending with its @highlight lines
    read_summaries(["articles/", "short/"]) a folder of texts and one of summaries with the same file names
    read_summaries(["bbc/"])                the same, where the two stand in one folder and their names say which is which

Out come examples {"text", "summary"}, and "references", all summaries of a text, where there are several. What has
no summary, or one that is longer than its text, is left out and counted.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.records import common_width, fold, read_sheet
from lamella.data.readers.report import LISTED, Report, Source
from lamella.data.readers.tables import EMPTY, find_columns, list_paths, pick
from lamella.data.text.encoding import quote, read_text, show_path
from lamella.errors import DataError, UsageError

TEXT = (
    "text",
    "article",
    "article_text",
    "document",
    "dialogue",
    "dialog",
    "source",
    "content",
    "body",
    "report",
    "description",
)
# A title is a summary where a row has no other: abstracts with one-sentence summaries have titles too.
SUMMARY = (
    "summary",
    "summaries",
    "highlights",
    "abstract",
    "abstract_text",
    "tldr",
    "synopsis",
    "target",
    "targets",
    "references",
    "headline",
    "title",
)
WANTED = {"text": TEXT, "summary": SUMMARY}
TEXT_FOLDERS = {"text", "texts", "article", "articles", "news articles", "document", "documents", "source", "sources"}
SUMMARY_FOLDERS = {"summary", "summaries", "highlights", "abstracts", "target", "targets", "references"}
HIGHLIGHT = "@highlight"  # before each sentence of the summary in a .story
LONGER = "a summary longer than its text"
MARKED = (".md", ".markdown", ".htm", ".html")
Example = dict[str, Any]
Unmark = Callable[[Path], str]


def read_summaries(
    paths: Sequence[str], columns: Mapping[str, str] | None = None, unmark: Unmark | None = None
) -> tuple[list[Example], list[str]]:
    """Read texts and their summaries, and say what was understood.

    columns: which column is `text` and which `summary`; unmark: reads Markdown and web pages of a folder without their
    markup. Raises DataError where files are missing, hold no such pairs,
    have more than a tenth bad rows, or summaries that are mostly longer than their texts; UsageError for other columns.
    """
    if unknown := set(columns or ()) - set(WANTED):
        raise UsageError(f"columns: expected {', '.join(WANTED)}, received {', '.join(sorted(unknown))}")
    listed = [Path(path) for path in list_paths(paths)]
    report = Report()
    examples: list[Example] = []
    if len(listed) == 2 and all(path.is_dir() and not _stories(path) for path in listed):
        examples = _two_folders(listed[0], listed[1], report, unmark)
    else:
        for path in listed:
            if path.is_dir():
                examples += _folder(path, report, unmark)
            elif path.suffix.lower() == ".story":
                examples += _read_stories(show_path(path), [path], report)
            else:
                examples += _table(path, columns or {}, report)
    where = ", ".join(map(show_path, listed[:3]))
    examples = _shorter(where, examples, report)
    report.kept = len(examples)
    return examples, report.lines()


def _shorter(where: str, examples: list[Example], report: Report) -> list[Example]:
    """The examples whose summary is no longer than the text; DataError where that is not even half of them."""
    if not examples:
        why = "; ".join(f"{count:,} with {reason}" for reason, count in report.dropped.items())
        raise DataError(f"{where}: expected texts with summaries, received none{f' ({why})' if why else ''}.")
    kept = [e for e in examples if len(e["summary"].split()) <= len(e["text"].split())]
    if 2 * len(kept) < len(examples):
        odd = next(e for e in examples if len(e["summary"].split()) > len(e["text"].split()))
        words = len(odd["summary"].split()), len(odd["text"].split())
        raise DataError(
            f"{where}: expected summaries shorter than their texts, received {len(examples) - len(kept):,} of "
            f"{len(examples):,} that are longer, such as one of {words[0]} words for a text of {words[1]}. Choose the columns: "
            "--columns text=NAME,summary=NAME"
        )
    report.drop(LONGER, len(examples) - len(kept))
    return kept


# ---- tables --------------------------------------------------------------------------------------------------------


def _table(path: Path, columns: Mapping[str, str], report: Report) -> list[Example]:
    names = {fold(name) for aliases in WANTED.values() for name in aliases}
    sheet = read_sheet(path, 2, names | {fold(column) for column in columns.values() if not column.isdigit()})
    if not sheet.rows:
        refuse_many(sheet.file, 0, sheet.bad, "rows", "Give CSV, TSV or JSONL with a text and a summary in each row")
        raise DataError(f"{sheet.file}: expected rows, received none")
    keys, source, body = find_columns(sheet, WANTED, columns, list(WANTED), _choose)
    more = _numbered(keys, source, sheet.keys is not None)
    if len(set(keys.values())) < 2:
        raise DataError(
            f"{sheet.file}: expected two columns, received one for both. Choose: --columns text=NAME,summary=NAME"
        )
    report.sources.append(source)
    report.notes += sheet.notes
    report.drop("blank line", sheet.blank)
    width = 0 if sheet.keys else len(source.header or ()) or common_width(sheet.rows)
    examples: list[Example] = []
    for line, cells in sheet.rows[body:]:
        fields, problem = pick(cells, keys | more, width, tuple(more), False, nested=(*WANTED, *more))
        if not problem and more:
            several = [fields["summary"], *(fields.pop(name) for name in more)]
            fields["summary"] = [one for value in several for one in (value if isinstance(value, list) else [value])]
        example, problem = ({}, problem) if problem else _example(fields)
        if problem and problem[1] == EMPTY:
            report.drop(problem[0])
        elif problem:
            sheet.bad.append(BadRow(sheet.file, line, *problem))
        else:
            examples.append(example)
    source.rows = len(examples)
    bad = sorted(sheet.bad, key=lambda row: row.line)
    report.bad += bad[:LISTED]
    report.drop("bad row", len(bad))
    refuse_many(
        sheet.file,
        len(examples),
        bad,
        "rows",
        "Correct or remove them, or choose other columns with --columns text=NAME,summary=NAME",
    )
    return examples


def _numbered(keys: Mapping[str, int | str], source: Source, keyed: bool) -> dict[str, int | str]:
    """The columns of further summaries, `summary_2` behind `summary` or `summary_1`; they are noted in the source."""
    header = source.header or []
    taken = keys["summary"]
    first = str(taken) if keyed else header[int(taken)] if header else ""
    alike = re.compile(re.escape(first.rstrip("0123456789").rstrip("_")) + r"[_ ]?\d+")
    more = [name for name in header if name != first and alike.fullmatch(name)] if first else []
    if more:
        source.columns["further summaries"] = ", ".join(map(quote, more))
    return {name: name if keyed else header.index(name) for name in more}


def _example(fields: Mapping[str, Any]) -> tuple[Example, tuple[str, str] | None]:
    """The fields of a row, of which either may be a list -> an example, or what was expected and received.

    A list of texts are the sentences of one; a list of summaries are several of the same text.
    """
    lists: dict[str, list[str]] = {}
    for name, value in fields.items():
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            return {}, (f"a text or a list of texts in {name}", quote(str(value)))
        lists[name] = [item.strip() for item in items if item.strip()]
        if not lists[name]:
            return {}, (f"{EMPTY} in {name}", EMPTY)
    example: Example = {"text": " ".join(lists["text"]), "summary": lists["summary"][0]}
    if len(lists["summary"]) > 1:
        example["references"] = lists["summary"]
    return example, None


def _choose(rows: list[list[str]]) -> dict[str, int] | None:
    """Without a header: the column with most letters is the text, the one with most of the others the summary."""
    if not rows or len(rows[0]) < 2:
        return None
    length = [sum(map(len, column)) for column in zip(*rows, strict=True)]
    text, summary = sorted(range(len(length)), key=lambda at: -length[at])[:2]
    return {"text": text, "summary": summary}


# ---- files ---------------------------------------------------------------------------------------------------------


def _stories(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.story") if path.is_file())


def _files(folder: Path) -> dict[str, Path]:
    """The text files below a folder, those of hidden names left out, by their place without the suffix."""
    inside = sorted(p for p in folder.rglob("*") if p.is_file())
    places = {p: p.relative_to(folder) for p in inside}
    return {str(q.with_suffix("")): p for p, q in places.items() if not any(part.startswith(".") for part in q.parts)}


def _folder(folder: Path, report: Report, unmark: Unmark | None) -> list[Example]:
    """Stories, or a folder of texts beside one of summaries, whose names say which is which."""
    if stories := _stories(folder):
        return _read_stories(show_path(folder), stories, report)
    inside = [p for p in folder.iterdir() if p.is_dir()]
    texts = [p for p in inside if p.name.lower() in TEXT_FOLDERS]
    summaries = [p for p in inside if p.name.lower() in SUMMARY_FOLDERS]
    if len(texts) != 1 or len(summaries) != 1:
        raise DataError(
            f"{show_path(folder)}: expected .story files, or a folder texts and a folder summaries in it, received "
            f"{', '.join(sorted(p.name for p in inside)[:8]) or 'no folders'}. Give two folders: first the texts, then the summaries"
        )
    return _two_folders(texts[0], summaries[0], report, unmark)


def _two_folders(texts: Path, summaries: Path, report: Report, unmark: Unmark | None) -> list[Example]:
    """Files of the same name, whatever their suffix: a text and its summary."""
    one, other = _files(texts), _files(summaries)
    where = f"{show_path(texts)} and {show_path(summaries)}"
    shared = [name for name in one if name in other]
    if not shared:
        raise DataError(
            f"{where}: expected files of the same name in both, received {len(one):,} and {len(other):,} files without any. "
            "Name each summary as its text"
        )
    examples: list[Example] = []
    bad: list[str] = []
    for name in shared:
        try:
            text, summary = (_content(path, unmark) for path in (one[name], other[name]))
        except DataError as error:
            bad.append(str(error))
            continue
        if text and summary:
            examples.append({"text": text, "summary": summary})
        else:
            report.drop("an empty file")
    refuse_many(where, len(examples), bad, "files", "Correct or remove them")
    report.sources.append(Source(where, "a folder of texts and one of summaries", rows=len(examples)))
    report.drop("a file that cannot be read", len(bad))
    report.drop("a text without a summary", len(one) - len(shared))
    report.drop("a summary without a text", len(other) - len(shared))
    return examples


def _content(path: Path, unmark: Unmark | None) -> str:
    marked = unmark is not None and path.suffix.lower() in MARKED and path.stat().st_size > 0
    return " ".join((unmark(path) if unmark and marked else read_text(path)[0]).split())


def _read_stories(where: str, paths: Sequence[Path], report: Report) -> list[Example]:
    """Stories as CNN / Daily Mail has them (Hermann et al., 2015): a text, then @highlight before each sentence of its summary."""
    examples: list[Example] = []
    bad: list[str] = []
    for path in paths:
        try:
            text, *highlights = (" ".join(part.split()) for part in read_text(path)[0].split(HIGHLIGHT))
        except DataError as error:
            bad.append(str(error))
            continue
        said = [part if part[-1] in ".!?" else f"{part}." for part in highlights if part]
        if not said:
            report.drop("a story without @highlight")
        elif not text:
            report.drop("a story without text")
        else:
            examples.append({"text": text, "summary": " ".join(said)})
    refuse_many(where, len(examples), bad, "stories", "Correct or remove them")
    report.sources.append(Source(where, "CNN / Daily Mail stories", rows=len(examples)))
    report.drop("a story that cannot be read", len(bad))
    return examples
