"""Texts and how alike they mean -> pairs: graded ones, pairs that belong together, triplets, or plain text.

    read_similar(["sts.csv"])            first, second, score: 0 to 1 or 0 to 5, whichever it is
    read_similar(["questions.jsonl"])    query and positive, maybe a negative
    read_similar(["notes.txt"])          one text a line, each paired with itself

Out come examples {"first", "second"} and, where it is known, "score" and "highest", the highest score of its scale.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.suffixes import is_table
from lamella.data.readers.tables import Row, Table, read_table
from lamella.data.text.encoding import quote, read_text, split_lines
from lamella.errors import DataError

FIRST = (
    "first",
    "sentence1",
    "sentence_1",
    "text1",
    "text_1",
    "s1",
    "text",
    "anchor",
    "query",
    "question",
    "question1",
)
SECOND = ("second", "sentence2", "sentence_2", "text2", "text_2", "s2", "positive", "paraphrase", "answer", "question2")
NEGATIVE = ("negative", "hard_negative", "neg")
SCORE = ("score", "similarity", "similarity_score", "grade", "label", "rating", "is_duplicate", "relatedness_score")
WANTED = {"first": FIRST, "second": SECOND, "negative": NEGATIVE, "score": SCORE}
SCALES = (1.0, 5.0)  # highest scores that are recognised
Example = dict[str, Any]


def read_similar(
    paths: Sequence[str], columns: Mapping[str, str] | None = None, highest: float = 0.0
) -> tuple[list[Example], list[str]]:
    """Read pairs, triplets, graded pairs or plain texts, and say what was understood.

    columns: which column is `first`, `second`, `negative` or `score`; highest: of the scores, 0: found out. A row may
    have a score or a negative or neither: two texts by themselves belong together. A triplet becomes two graded pairs,
    the positive with the highest score and the negative, which is marked, with 0.
    Raises DataError for a table of one column, for scores that are no numbers or on an unknown scale, and as
    `read_table` does.
    """
    examples: list[Example] = []
    lines: list[str] = []
    for path in paths:
        if Path(path).suffix.lower() in (".txt", ".text", "") and not is_table(path) and not _has_tabs(path):
            texts = [line.strip() for line in split_lines(read_text(path)[0]) if line.strip()]
            lines.append(f"{path}: plain text, {len(texts):,} lines; each is a pair with itself")
            examples += [{"first": text, "second": text} for text in texts]
            continue
        table = read_table([path], WANTED, columns, optional=("negative", "score"), choose=_choose)
        lines += table.report.lines()
        found, more = _pairs(str(path), table, highest)
        examples += found
        lines += more
    if not examples:
        raise DataError(f"{', '.join(map(str, paths))}: expected texts, received none.")
    return examples, lines


def _has_tabs(path: str) -> bool:
    """Whether the first lines of a text have columns after all."""
    lines = [line for line in split_lines(read_text(path)[0])[:50] if line.strip()]
    return bool(lines) and all("\t" in line for line in lines)


def _choose(rows: list[list[str]]) -> dict[str, int] | None:
    """Without a header: two texts, and a third column that is a score or a negative."""
    if not rows or len(rows[0]) < 2:
        return None
    numeric = [all(_number(cell) is not None for cell in column) for column in zip(*rows, strict=True)]
    texts = [at for at, is_number in enumerate(numeric) if not is_number]
    scores = [at for at, is_number in enumerate(numeric) if is_number]
    if len(texts) < 2:
        return None
    chosen = {"first": texts[0], "second": texts[1]}
    if scores and scores[-1] > texts[1]:
        chosen["score"] = scores[-1]
    elif len(texts) == 3 and not scores:
        chosen["negative"] = texts[2]
    return chosen


def _pairs(path: str, table: Table, highest: float) -> tuple[list[Example], list[str]]:
    """Rows of one file -> examples, and the lines that say what kind they are."""
    scores = _scores(path, table.rows)
    top = _scale(path, [score for score in scores if score is not None], highest)
    examples: list[Example] = []
    kinds = Counter[str]()
    for row, score in zip(table.rows, scores, strict=True):
        pair = {"first": row["first"], "second": row["second"]}
        if negative := row.get("negative", ""):
            kinds["triplets"] += 1
            other = {"first": row["first"], "second": negative, "negative": True}
            examples += [{**pair, "score": top, "highest": top}, {**other, "score": 0.0, "highest": top}]
        elif score is None:
            kinds["pairs"] += 1
            examples.append(pair)
        else:
            kinds["graded"] += 1
            examples.append({**pair, "score": score, "highest": top})
    said = {
        "triplets": "triplets: each is a pair with the highest score and one with 0",
        "graded": f"graded pairs, scores from 0 to {top:g}",
        "pairs": "pairs without a score, which belong together",
    }
    return examples, [f"{path}: {kinds[kind]:,} {what}" for kind, what in said.items() if kinds[kind]]


def _scores(path: str, rows: Sequence[Row]) -> list[float | None]:
    """The score of each row, None where its cell is empty. DataError where too many are no numbers."""
    scores: list[float | None] = []
    bad = []
    for row in rows:
        cell = row.get("score", "")
        value = _number(cell) if cell else None
        if cell and value is None:
            bad.append(BadRow(row.file, row.line, "a number as score", quote(cell)))
        scores.append(value)
    if bad:
        refuse_many(path, 0, bad, "scores", "Choose the column: --columns score=NAME; name its texts first and second")
    return scores


def _scale(path: str, scores: Sequence[float], highest: float) -> float:
    """The highest score of the scale that these are on. DataError where that cannot be known."""
    if not scores:
        return 1.0
    low, high = min(scores), max(scores)
    expected = f"from 0 to {highest:g}" if highest else " or ".join(f"from 0 to {top:g}" for top in SCALES)
    fits = [top for top in ([highest] if highest else SCALES) if low >= 0 and high <= top]
    if not fits:
        raise DataError(
            f"{path}: expected scores {expected}, received {low:g} to {high:g}. "
            "Say what the highest score is with --max-score NUMBER; scores begin at 0."
        )
    return fits[0]


def _number(cell: str) -> float | None:
    """A finite number, with a point or a comma.

    >>> _number("3,8"), _number("many")
    (3.8, None)
    """
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def held_out(keys: Sequence[Sequence[str]], graded: Sequence[bool], wanted: int, seed: int) -> list[int] | None:
    """The places of about `wanted` graded pairs to hold out, with all that shares a text with them; None without such.

    keys: the texts of each pair. Where only few of many pairs are graded, others would measure nothing, so these alone are
    counted. Groups are taken in an order by a hash of their texts; large ones, a quarter of what is wanted, stay.
    """
    if not any(graded) or all(graded):
        return None
    parent: dict[str, str] = {}

    def root(text: str) -> str:
        while (above := parent.setdefault(text, text)) != text:
            parent[text] = parent[above]
            text = above
        return text

    for texts in keys:
        for text in texts[1:]:
            one, other = sorted((root(texts[0]), root(text)))
            parent[other] = one
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for at, texts in enumerate(keys):
        groups[root(texts[0])].append(at)
    usable = [(name, places) for name, places in groups.items() if any(graded[at] for at in places)]
    usable.sort(key=lambda group: hashlib.blake2b(f"{seed} {group[0]}".encode("utf-8", "replace")).digest())
    chosen: list[int] = []
    count = 0
    for _, places in usable:
        more = sum(graded[at] for at in places)
        if len(places) <= max(2, wanted // 4) and count + more <= wanted:
            chosen += places
            count += more
    return sorted(chosen) or None
