"""Folders with a folder a class in them and a text in each file, as collections of documents are kept.

rows, source, notes = read_class_folders("reviews/")        [{"text": "I liked it.", "label": "pos"}, ...]
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

from lamella.data.readers.bad_rows import refuse_many
from lamella.data.readers.parts import inside, named_parts, visible
from lamella.data.readers.report import Report, Source
from lamella.data.readers.tables import Row
from lamella.data.text.encoding import quote, quote_all, read_text, show_path
from lamella.errors import DataError

UNLABELLED = {"unsup", "unlabeled", "unlabelled", "unsupervised", "unlabeled_data"}
"""Names of folders whose texts belong to no class."""
LISTED = 10  # files that are named one by one; all are counted


def is_text(path: Path) -> bool:
    """Whether a file is a text by its name: `a.txt`, or without a suffix, which may be a number.

    >>> [is_text(Path(name)) for name in ("a.txt", "51060", "cats.0001", "a.csv", "labeledBow.feat")]
    [True, True, True, False, False]
    """
    return path.suffix.lower() in ("", ".txt", ".text") or re.fullmatch(r"\.\d+", path.suffix) is not None


def read_class_folders(given: Path, report: Report) -> list[Row]:
    """The texts below a folder, each with the name of its class folder as the label; what was found goes into the report.

    A folder of nothing but texts is a class itself. Raises DataError where there is no text, or more than a tenth cannot be read.
    """
    place = inside(given) if any(p.is_dir() for p in visible(given)) else given
    beside = visible(place)
    every = [p for p in beside if p.is_dir()]
    parts = named_parts(every)
    bare = [p for p in every if p.name.lower() in UNLABELLED]
    classes = [p for p in every if p not in parts and p not in bare]
    rows: list[Row] = []
    bad: list[str] = []
    others = [p.name for p in beside if p.is_file()] if classes else []
    encodings: Counter[str] = Counter()
    for folder in classes if every else [place]:
        before = len(rows)
        for here, names, files in os.walk(folder):
            names[:] = sorted(n for n in names if not n.startswith("."))
            for path in (Path(here, file) for file in sorted(files) if not file.startswith(".")):
                if not is_text(path):
                    others.append(os.path.relpath(path, place))
                    continue
                try:
                    text, encoding = read_text(path)
                except DataError as error:
                    bad.append(str(error))
                    continue
                if text.strip():
                    encodings[encoding] += 1
                    rows.append(Row({"text": text.strip(), "label": folder.resolve().name}, show_path(path), 1))
                else:
                    report.drop("an empty text")
        if len(rows) == before and classes:
            report.notes.append(f"{show_path(folder)}: a class without a text; the net will not know it")
    refuse_many(show_path(given), len(rows), bad, "texts", "Correct or remove them.")
    if not rows:
        raise DataError(
            f"{show_path(given)}: expected texts (.txt) in one folder a class, or a table of texts and labels, received none"
            f"{f' among {len(others):,} files: {quote_all(others, LISTED)}' if others else ''}. Name the file inside it, or the "
            "folder that holds the class folders."
        )
    report.notes += [f"unreadable: {line}" for line in bad[:100]]
    for left, why in ((bare, "holds texts without a label"), (list(parts), "is a part of a data set, no class")):
        report.notes += [f"{show_path(p)} {why}, and is left out here" for p in left]
    if others:
        report.notes.append(
            f"{len(others):,} files are no texts by their suffix, left out: {quote_all(others, LISTED)}"
        )
    counts = Counter(row["label"] for row in rows)
    shown = ", ".join(f"{quote(label)} {count:,}" for label, count in sorted(counts.items())[:20])
    form = f"a folder a class: {shown}{', ...' if len(counts) > 20 else ''}"
    report.sources.append(Source(show_path(place), form, encodings.most_common(1)[0][0], rows=len(rows)))
    return rows
