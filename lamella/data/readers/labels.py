"""Texts with labels, from the tables people have, and what is odd about the labels.

    table = read_labelled("reviews.csv")
    table.rows[0]                   {"text": "Fine.", "label": "4"}
    table.report.notes              ['label "positve" (3 rows) may be a misspelling of "positive" (400 rows)']

Nothing is corrected here, and nothing but unreadable rows is left out: labels are the user's own. What looks like a slip
is said in the report's notes.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.readers.records import Sheet, fold, read_sheet
from lamella.data.readers.report import Report, Source
from lamella.data.readers.stamp_columns import looks_like_time
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.table_text import unescaped
from lamella.data.readers.tables import Paths, Row, Table, list_paths, read_table
from lamella.data.readers.text_folders import read_class_folders
from lamella.data.text.encoding import StrPath, quote, quote_all, read_text, show_path, split_lines
from lamella.errors import DataError

TEXT_NAMES = (
    *("text", "review", "sentence", "comment", "content", "message", "tweet", "document", "body", "utterance", "query"),
    *(
        "question",
        "phrase",
        "review_text",
        "review_body",
        "reviewtext",
        "comment_text",
        "description",
        "headline",
        "title",
    ),
)
LABEL_NAMES = (
    *("label", "labels", "class", "category", "sentiment", "stars", "rating", "score", "target", "topic", "intent"),
    *("emotion", "polarity", "tag", "label_text", "airline_sentiment", "class_name", "y", "kind", "type", "section"),
)
MARK = "__label__"  # before each label in files of fastText
_FLAGS = {"0", "1", "0.0", "1.0", ""}
_LISTED = 5  # examples named in one note
_LOOKED_AT = 200  # cells that tell what a column without a name holds
_LONGEST = 60  # characters of a label that is compared with others: of longer ones it would take minutes


def read_labelled(paths: Paths, columns: Mapping[str, str | int] | None = None, to_learn: bool = True) -> Table:
    """Read texts and their labels.

    In: the path or paths of TSV, CSV, JSONL, or of folders with a folder a class in them; `columns`: which column is `text` and which `label`, by name or number,
    where neither the header nor the content tells (the label: the column with the fewest different values); `to_learn`:
    whether a model is to learn from them, which needs labels that differ and come back.
    Out: a `Table` of rows {"text", "label"}; its report notes misspelt and rare labels, repeated and contradictory rows.
    Raises DataError as `read_table` does, and where there is one label only or nearly every row has a label of its own.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "reviews.tsv")
    >>> _ = path.write_text("good\\tI liked it\\nbad\\tToo long\\ngood\\tLovely\\n")
    >>> table = read_labelled(path)
    >>> table.rows[0], table.report.notes
    ({'text': 'I liked it', 'label': 'good'}, ['label "bad" has a single example (reviews.tsv, line 2)'])
    """
    listed = list_paths(paths)
    folders = [path for path in listed if Path(path).is_dir()]
    marked = [p for p in listed if columns is None and not is_table(p) and p not in folders and _is_marked(p)]
    rest = [path for path in listed if path not in marked and path not in folders]
    if folders and columns and not rest:
        raise DataError(f"{show_path(folders[0])}: a folder has no columns. Leave out --columns, or name a table")
    table = (
        read_table(rest, {"text": TEXT_NAMES, "label": LABEL_NAMES}, columns, choose=_choose, nested=["label"])
        if rest
        else Table([], Report())
    )
    for path in marked:
        _read_marked(path, table)
    for path in folders:
        table.rows += read_class_folders(Path(path), table.report)
        table.report.kept = len(table.rows)
    _unlist(table.rows)
    if "label" not in (columns or {}):
        for path in rest:
            _read_flags(path, table)
    table.report.notes += unify_labels(table.rows)
    counts = Counter(row["label"] for row in table.rows)
    where = " and ".join(source.file for source in table.report.sources[:3])
    column = table.report.sources[0].columns.get("label", "")
    if not to_learn:
        return table
    if len(counts) == 1:
        raise DataError(
            f"{where}: expected at least two different labels in {column}, received one, {quote(next(iter(counts)))}, on "
            f"all {len(table):,} rows. Add examples of another label, or choose the column: --columns label=NAME"
        )
    if len(table) >= 20 and len(counts) > len(table) / 2:
        raise DataError(
            f"{where}: expected labels that come back, received {len(counts):,} different ones on {len(table):,} rows in "
            f"{column}, such as {quote(table.rows[0]['label'])}. Choose the column: --columns label=NAME"
        )
    table.report.notes += _about_labels(counts, table.rows) + _about_texts(table.rows)
    return table


def _is_marked(path: StrPath) -> bool:
    """Whether nearly all lines of a file begin with `__label__`, as fastText has them."""
    lines = [line for line in split_lines(read_text(path)[0])[:200] if line.strip()]
    return bool(lines) and sum(line.startswith(MARK) for line in lines) > 0.9 * len(lines)


def _read_marked(path: StrPath, table: Table) -> None:
    """Add lines such as `__label__good __label__long I liked it` to a table; of several labels the first is taken."""
    text, encoding = read_text(path)
    file, several, before = show_path(path), 0, len(table.rows)
    for number, line in enumerate(split_lines(text), 1):
        words = line.split()
        labels = list(itertools.takewhile(lambda word: word.startswith(MARK), words))
        body = line.strip()
        for label in labels:
            body = body.removeprefix(label).lstrip()
        if not words:
            table.report.drop("blank line")
        elif not labels or not body:
            table.report.drop("no label" if not labels else "an empty text")
        else:
            several += len(labels) > 1
            table.rows.append(Row({"text": body, "label": labels[0].removeprefix(MARK)}, file, number))
    table.report.sources.append(Source(file, "fastText", encoding, rows=len(table.rows) - before))
    table.report.kept = len(table.rows)
    if several:
        table.report.notes.append(f"{file}: {_rows(several)} have more than one label; the first is taken")
    if not table.rows:
        raise DataError(f"{file}: expected lines with a label and a text, received none. Write {MARK}good and a text")


def _unlist(rows: Sequence[Row]) -> None:
    """Take labels out of lists of one, as data sets write them. Raises DataError for lists of several."""
    for row in rows:
        if not row["label"].startswith(("[", "{")):
            continue
        value = unescaped(row["label"])
        if not isinstance(value, list | dict):
            continue
        if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], str | int):
            raise DataError(
                f"{row.where}: expected one label a text, received nested JSON, {quote(row['label'])}. Keep one label each, "
                "or choose another column: --columns label=NAME"
            )
        row["label"] = str(value[0])


def _drop_rejected(sheet: Sheet, table: Table) -> None:
    """Leave out the rows that whoever annotated them rejected or passed over, as Prodigy writes them: `"answer": "reject"`."""
    answers = {line: str(cells.get("answer") or "") for line, cells in sheet.rows if isinstance(cells, dict)}
    if not {"accept"} < set(answers.values()) <= {"accept", "reject", "ignore"}:
        return
    kept = [r for r in table.rows if r.file != sheet.file or answers.get(r.line, "accept") == "accept"]
    table.report.drop('an "answer" other than "accept"', len(table.rows) - len(kept))
    table.rows[:] = kept
    table.report.kept = len(kept)


def _read_flags(path: StrPath, table: Table) -> None:
    """Where a table has a column of 0 and 1 for each label, put the name of the one that is 1 as the label of its rows.

    Raises DataError where rows have several, or none: a text has one label here.
    """
    sheet = read_sheet(path, 1, {"label"})
    _drop_rejected(sheet, table)
    first = sheet.keys or (list(map(str, sheet.rows[0][1])) if sheet.rows else [])
    source = next((s for s in table.report.sources if s.file == sheet.file), None)
    if source is None or not source.header or any(fold(n) == fold(a) for n in first for a in LABEL_NAMES):
        return
    used = source.columns.get("text", "")
    body = dict(sheet.rows if sheet.keys else sheet.rows[1:])
    cells = {
        line: [str(c.get(n) or "") for n in first] if isinstance(c, dict) else [str(x) for x in c]
        for line, c in body.items()
    }
    rows = [row for row in cells.values() if len(row) == len(first)]
    columns = list(zip(*rows, strict=True))
    flags = [
        at
        for at, column in enumerate(columns)
        if set(column) <= _FLAGS and len(set(column)) > 1 and quote(first[at]) not in used
    ]
    if len(flags) < 2:
        return
    names = quote_all((first[at] for at in flags), 8)
    if any(sum(float(row[at] or 0) for at in flags) != 1 for row in rows):
        raise DataError(
            f"{sheet.file}: expected one label a text, received columns of 0 and 1, of which rows have several or none: {names}. "
            f"Choose one: --columns label={first[flags[0]]}"
        )
    for row in table.rows:
        if row.file == sheet.file and row.line in cells:
            row["label"] = next(first[at] for at in flags if float(cells[row.line][at] or 0) == 1)
    source.columns["label"] = f"the one of {names} that is 1"


def unify_labels(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Write labels that mean the same alike, and say so: 1.0 as 1, True as true. Returns notes.

    Data frames turn whole numbers into 1.0 where a value is missing. A column's labels are changed only where all of them
    are numbers, or all are truth values.

    >>> rows = [{"label": "1"}, {"label": "1.0"}, {"label": "0"}]
    >>> unify_labels(rows), [row["label"] for row in rows]
    (['label "1.0" is read as "1"'], ['1', '1', '0'])
    """
    known = sorted({row["label"] for row in rows})
    if all(re.fullmatch(r"[-+]?\d{1,15}(\.0*)?", label) for label in known):
        same = {label: str(int(float(label))) for label in known}
    elif all(label.lower() in ("true", "false") for label in known):
        same = {label: label.lower() for label in known}
    else:
        return []
    changed = {label: new for label, new in same.items() if label != new}
    for row in rows:
        row["label"] = same[row["label"]]
    return [f"label {quote(label)} is read as {quote(new)}" for label, new in list(changed.items())[:_LISTED]]


def _choose(rows: list[list[str]]) -> dict[str, int] | None:
    """The label is the column with fewest different values (two at least), the text the longest of the others.

    Times, and what is the same in every row, are texts only where there is nothing else, however long they are.
    """
    if not rows or len(rows[0]) < 2:
        return None
    columns = list(zip(*rows, strict=True))
    length = [sum(map(len, column)) for column in columns]
    distinct = [len(set(column)) for column in columns]
    filled = [sum(map(bool, column)) > len(rows) / 2 for column in columns]
    candidates = [at for at, number in enumerate(distinct) if 2 <= number <= max(2, len(rows) // 2) and filled[at]]
    if not candidates:
        return None
    label = min(candidates, key=lambda at: (distinct[at], length[at]))
    others = [at for at in range(len(columns)) if at != label]
    says = {at: distinct[at] > 1 and not looks_like_time(columns[at][:_LOOKED_AT]) for at in others}
    text = max(others, key=lambda at: (says[at], length[at]))
    return {"text": text, "label": label}


def _about_labels(counts: Counter[str], rows: Sequence[Row]) -> list[str]:
    notes = []
    common = counts.most_common()
    if common[0][1] > 0.95 * len(rows):
        share = 100 * common[0][1] / len(rows)
        notes.append(f"label {quote(common[0][0])} is on {share:.1f}% of rows: always to say it is as often right")
    single = [label for label, count in common if count == 1]
    for label in single[:_LISTED]:
        where = next(row.where for row in rows if row["label"] == label)
        notes.append(f"label {quote(label)} has a single example ({_short(where)})")
    if len(single) > _LISTED:
        notes.append(f"{len(single) - _LISTED:,} more labels have a single example")
    # Slips are rare beside what was meant. Quadratic in the number of labels, so not where there are thousands.
    for at, (label, count) in enumerate(common if len(common) <= 1000 else []):
        for other, often in common[:at]:
            if label.casefold() == other.casefold() or count <= max(1, 0.02 * often) and _alike(label, other):
                notes.append(
                    f"label {quote(label)} ({_rows(count)}) may be a misspelling of {quote(other)} ({_rows(often)})"
                )
                break
    return notes


def _alike(label: str, other: str) -> bool:
    """Whether two labels differ by a slip of the finger. Numbers do not: class 1 is not a misspelling of class 2.

    >>> _alike("positve", "positive"), _alike("negative", "positive"), _alike("class 1", "class 2")
    (True, False, False)
    """
    if (
        min(len(label), len(other)) < 4
        or max(len(label), len(other)) > _LONGEST
        or any(letter.isdigit() for letter in label + other)
    ):
        return False
    matcher = difflib.SequenceMatcher(None, label.casefold(), other.casefold())
    return matcher.real_quick_ratio() >= 0.85 and matcher.quick_ratio() >= 0.85 and matcher.ratio() >= 0.85


def _about_texts(rows: Sequence[Row]) -> list[str]:
    seen: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        seen[row["text"]].append(row)
    notes = []
    repeated = sum(len(same) - len({row["label"] for row in same}) for same in seen.values())
    if repeated:
        notes.append(f"{_rows(repeated)} repeat an earlier text and label; kept, and a split must keep them together")
    torn = [same for same in seen.values() if len({row["label"] for row in same}) > 1]
    if torn:
        examples = []
        for same in torn[:_LISTED]:
            other = next(row for row in same if row["label"] != same[0]["label"])
            examples.append(
                f"{quote(same[0]['label'])} at {_short(same[0].where)}, {quote(other['label'])} at {_short(other.where)}"
            )
        texts = "1 text has" if len(torn) == 1 else f"{len(torn):,} texts have"
        notes.append(f"{texts} more than one label: {'; '.join(examples)}")
    return notes


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _short(where: str) -> str:
    return where.replace("\\", "/").rpartition("/")[2]
