"""Facts in the forms that people have them -> (head, relation, tail), and an account of every row that was not used.

    read_facts(["train.txt"])             head, relation, tail with tabs between, without a header (pykeen, AnyBURL, LibKGE)
    read_facts(["facts.csv"])             a header: head, relation, tail; subject, predicate, object; source, type, target
    read_facts(["facts.nt"])              N-Triples: IRIs by their last part, literals counted and left out
    read_facts(["train2id.txt"])          OpenKE, beside its entity2id.txt and relation2id.txt: numbers, the tail second
    read_facts(["facts.tsv", "labels.tsv"])    a table of two columns holds labels: an id, and what it is called

Files of labels that stand beside the facts under a usual name (entity2text.txt, relations.json, ...) are read unasked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from lamella.data.readers import used_columns
from lamella.data.readers.bad_rows import BadRow, refuse_many
from lamella.data.readers.records import Cells, Sheet, common_width, fold, read_sheet
from lamella.data.readers.report import Report, Source, counted
from lamella.data.readers.tables import find_columns
from lamella.data.readers.triples import (
    CALLED,
    Fact,
    clean,
    is_ntriples,
    note_read,
    read_ntriples,
    read_numbered,
)
from lamella.data.text.encoding import quote, read_text, show_path, split_lines
from lamella.errors import DataError, UsageError

_ENDS = {
    "head": ("head", "subject", "source", "h", "s", "subj", "from", "start", "start_id", ":start_id", "entity1", "node1", "arg1", "item", "x"),
    "tail": ("tail", "object", "target", "t", "o", "obj", "to", "end", "end_id", ":end_id", "entity2", "node2", "arg2", "value", "y"),
}  # fmt: skip
_RELATION = (
    *("relation", "predicate", "rel", "r", "p", "pred", "type", ":type", "relationship", "property", "edge", "label"),
    *("relation_id", "relation_type", "rel_type", "edge_type", "relationship_type", "relation_name", "predicate_name"),
    *("metaedge", "interaction", "prop"),
)
_BEHIND = ("index", "id", "uri", "iri")  # behind the name of a column: ids, which another column may have labels of
_LABELS = ("label", "name", "text")  # behind the name of a column, or of what is left of it without one of these


def _aliases(names: Sequence[str]) -> tuple[str, ...]:
    """Names of a column, then the same with what people put behind them: head_id, head_name."""
    return (*names, *(f"{name}_{end}" for end in (*_BEHIND, *_LABELS) for name in names if ":" not in name))


WANTED = {"head": _aliases(_ENDS["head"]), "relation": _RELATION, "tail": _aliases(_ENDS["tail"])}
BESIDE = (
    *("labels.tsv", "labels.txt", "entity2text.txt", "relation2text.txt", "entity2label.txt", "entities.json"),
    *("relations.json", "entity2wikidata.json", "entities.tsv", "relations.tsv", "entity_ids.del", "relation_ids.del"),
)
CONCEPTNET = ("/a/", "/r/", "/c/", "/c/", "{")  # how the cells of its rows begin: statement, relation, start, end, more
LONGEST = 1000  # characters of a name
FOREIGN = {
    ".ttl": "Turtle",
    ".trig": "TriG",
    ".rdf": "RDF/XML",
    ".owl": "OWL",
    ".jsonld": "JSON-LD",
    ".n3": "Notation3",
}
IDS = {
    "id",
    "key",
    "entity",
    "relation",
    "mid",
    "qid",
    "iri",
    "uri",
    "code",
    "synset",
}  # above ids in a table of labels
LABEL = {*CALLED, "text", "labels"}  # above labels in a table of them
Labels = dict[str, dict[str, str]]
"""Id -> label, by what is called so: "entity", "relation", or "" for both."""

__all__ = ["LONGEST", "Fact", "clean", "read_facts"]
_MADE_DECIMAL = re.compile(r"\d+\.0")
_NEO4J = re.compile(r"(:(?:start_id|end_id|type))\(.*\)", re.IGNORECASE)  # :START_ID(Person), of a group of ids


def read_facts(paths: Sequence[str], columns: Mapping[str, str] | None = None) -> tuple[list[Fact], list[str]]:
    """Read facts, each once, with labels in the place of ids where there are any; and say what was understood.

    columns: which column is `head`, `relation` or `tail`, by name or by number. Raises DataError where a file is missing or
    damaged, has two columns and no other file has three, or has more than a tenth bad rows; UsageError for unknown columns.
    """
    if unknown := set(columns or ()) - set(WANTED):
        raise UsageError(f"--columns: expected {', '.join(WANTED)}, received {', '.join(sorted(unknown))}.")
    report, labels = Report(), Labels({"": {}, "entity": {}, "relation": {}})
    facts: list[Fact] = []
    for path in paths:
        facts += _read(Path(path), columns or {}, report, labels)
    for place in dict.fromkeys(Path(path).parent for path in paths):
        for name in BESIDE:
            if (beside := place / name).is_file() and str(beside) not in {str(Path(p)) for p in paths}:
                _read_beside(beside, report, labels)
    if not facts:
        expected = "expected facts of three columns: head, relation, tail"
        literal = any(source.format == "N-Triples" for source in report.sources)
        what = (
            "literals alone, and a fact leads from one thing to another"
            if literal
            else "two columns, which are taken for ids and their labels"
            if any(labels.values())
            else "none"
        )
        raise DataError(f"{', '.join(map(str, paths))}: {expected}, received {what}.")
    if any(labels.values()):
        facts = _labelled(facts, labels, report)
    unique = list(dict.fromkeys(facts))
    report.drop("a fact that is there already", len(facts) - len(unique))
    report.kept = len(unique)
    entities, relations = {e for h, _, t in unique for e in (h, t)}, {r for _, r, _ in unique}
    lines = report.lines()
    lines.append(f"{counted(len(unique), 'fact')}, {len(entities):,} entities, {counted(len(relations), 'relation')}")
    return unique, lines


def _read(path: Path, columns: Mapping[str, str], report: Report, labels: Labels) -> list[Fact]:
    """The facts of one file; where it holds labels, these are put to the others."""
    if path.is_dir():
        raise DataError(
            f"{path}: expected a file of facts, or a folder with train.txt, valid.txt and test.txt. Of OpenKE give train2id.txt."
        )
    if path.suffix.lower() in FOREIGN:
        raise DataError(
            f"{show_path(str(path))}: expected N-Triples, TSV, CSV or JSONL, received {FOREIGN[path.suffix.lower()]}. Convert it to "
            "N-Triples (.nt), a fact a line; riot of Apache Jena and rapper do that."
        )
    if path.stem.endswith("2id"):
        return read_numbered(path, report)
    if is_ntriples(path):
        return read_ntriples(path, report, labels[""])
    sheet = _sheet(path)
    if not sheet.rows:
        refuse_many(sheet.file, 0, sheet.bad, "rows", "Expected three columns: head, relation, tail")
        raise DataError(f"{sheet.file}: expected facts, received nothing.")
    if not columns and sheet.keys is None and common_width(sheet.rows) == 2:
        return _read_labels(sheet, report, labels[_kind(path)])
    return _read_columns(sheet, columns, report, labels)


def _sheet(path: Path) -> Sheet:
    """The rows of a table of three columns, or of two, which are labels."""
    names = {name for known in WANTED.values() for name in known}
    try:
        return read_sheet(str(path), 3, names)
    except DataError:
        try:
            sheet = read_sheet(str(path), 2, names)
        except DataError:
            sheet = None
        if sheet is None or common_width(sheet.rows) != 2:
            raise
        return sheet


# ---- tables --------------------------------------------------------------------------------------------------------


def _read_columns(sheet: Sheet, columns: Mapping[str, str], report: Report, labels: Labels) -> list[Fact]:
    """Rows of at least three columns -> facts. The first row is a header where it names two of the columns.

    Where beside a column of ids there is one of what they are called (subject, subjectLabel), these are put to the labels.
    """
    first = sheet.rows[0][1]
    if isinstance(first, list):
        first[:] = [_NEO4J.sub(r"\1", str(cell)) for cell in first]
    known = {fold(name) for names in WANTED.values() for name in names} | set(map(fold, columns.values()))
    header = sheet.keys is not None or sum(fold(cell) in known for cell in first) >= 2
    width = common_width(sheet.rows)
    if header or not all(column.isdigit() for column in columns.values()):
        keys, source, body = find_columns(sheet, WANTED, columns, list(WANTED), None)
    else:
        at = [int(columns.get(name, n)) - 1 for n, name in enumerate(WANTED, 1)]
        if (
            width == len(CONCEPTNET)
            and not columns
            and all(str(c).startswith(b) for c, b in zip(first, CONCEPTNET, strict=True))
        ):
            at = [2, 1, 3]  # its first column names the whole statement
        if width < 3 or max(at) >= width or min(at) < 0:
            expected = "three columns: head, relation, tail" if width < 3 else f"columns from 1 to {width}"
            raise DataError(
                f"{sheet.file}: expected {expected}, received {width if width < 3 else max(at) + 1}. "
                "Separate head, relation and tail by tabs, or choose with --columns head=1,relation=2,tail=3"
            )
        keys, body = dict(zip(WANTED, at, strict=True)), 0
        names = {name: f"column {i + 1}" for name, i in zip(WANTED, at, strict=True)}
        source = Source(sheet.file, sheet.format, sheet.encoding, sheet.delimiter, None, names)
        for name, i in zip(WANTED, at, strict=True):
            used_columns.note(name, "", i + 1, width)
        if width > 3 and not columns and at == [0, 1, 2]:
            report.notes.append(f"{sheet.file}: {width} columns without names; the first three are taken")
    facts, bad = [], list(sheet.bad)
    for line, cells in sheet.rows[body:]:
        fact = _fact(cells, [keys[name] for name in WANTED])
        if isinstance(fact, str):
            bad.append(BadRow(sheet.file, line, "head, relation and tail", fact))
        else:
            facts.append(fact)
    facts = note_read(source, facts, bad, report, "Write head, relation and tail, with tabs between")
    if not facts:
        raise DataError(f"{sheet.file}: expected facts, received a header only.")
    if header and not columns:
        _find_labels(sheet, body, keys, labels, report)
    return _whole(facts)


def _find_labels(sheet: Sheet, body: int, keys: Mapping[str, Any], labels: Labels, report: Report) -> None:
    """Put to the labels what stands in columns that are called as those of the facts, with a word for labels behind."""
    names: Sequence[str] = sheet.keys or list(map(str, sheet.rows[0][1]))
    folded = [fold(name) for name in names]
    for field, key in keys.items():
        own = fold(key if isinstance(key, str) else names[key])
        bases = [own, *(own.removesuffix(end) for end in _BEHIND if own.endswith(end) and own != end)]
        beside = next((n for base in bases for end in _LABELS if (n := base + end) in folded), "")
        if not beside:
            continue
        at = folded.index(beside)
        other: Any = names[at] if isinstance(key, str) else at
        kind = "relation" if field == "relation" else "entity"
        for _, cells in sheet.rows[body:]:
            pair = [
                cells.get(k) if isinstance(cells, dict) else cells[k] if k < len(cells) else None for k in (key, other)
            ]
            if all(isinstance(one, str | int) and clean(str(one)) for one in pair):
                labels[kind].setdefault(clean(str(pair[0])), clean(str(pair[1])))
        report.notes.append(f"{sheet.file}: what is in {quote(names[at])} is what {field}s are called")


def _whole(facts: list[Fact]) -> list[Fact]:
    """Facts whose ends are numbers, in a column of which a table made 7.0 of 7, as they were."""
    columns = [list(column) for column in zip(*facts, strict=True)]
    for column in (columns[0], columns[2]):
        if all(_MADE_DECIMAL.fullmatch(name) for name in column):
            column[:] = [name[:-2] for name in column]
    return list(zip(*columns, strict=True)) if facts else facts


def _fact(cells: Cells, keys: Sequence[Any]) -> Fact | str:
    """A row's fact, or what was received instead."""
    if isinstance(cells, list) and len(cells) <= max(keys):
        return f"{counted(len(cells), 'column')}: {quote(' | '.join(map(str, cells)))}"
    values = [cells.get(key) if isinstance(cells, dict) else cells[key] for key in keys]
    if nested := next((value for value in values if isinstance(value, list | dict)), None):
        return f"several values in one cell: {quote(str(nested))}"
    names = [clean(str(value)) if value is not None else "" for value in values]
    if not all(names):
        return "an empty cell"
    if max(map(len, names)) > LONGEST:
        return f"a name of {max(map(len, names)):,} characters"
    return names[0], names[1], names[2]


# ---- labels --------------------------------------------------------------------------------------------------------


def _read_labels(sheet: Sheet, report: Report, labels: dict[str, str]) -> list[Fact]:
    """A table of two columns: ids and what they are called. A first row that says which is which is a header."""
    rows = [cells for _, cells in sheet.rows if isinstance(cells, list) and len(cells) == 2 and all(cells)]
    report.drop("a label without an id, or an id without a label", len(sheet.rows) - len(rows) + len(sheet.bad))
    first = [fold(str(cell)) for cell in rows[0]] if rows else []
    swapped = bool(first) and first[0] in LABEL and first[1] in IDS
    header = swapped or bool(first) and first[0] in IDS and first[1] in LABEL
    for cells in rows[header:]:
        key, label = reversed(cells) if swapped else cells
        labels[clean(str(key))] = clean(str(label))
    columns = {"id": f"column {1 + swapped}", "label": f"column {2 - swapped}"}
    names = [str(cell) for cell in rows[0]] if header else None
    report.sources.append(
        Source(sheet.file, sheet.format, sheet.encoding, sheet.delimiter, names, columns, len(rows) - header)
    )
    return []


def _kind(path: Path) -> str:
    """What a file of labels is of, by its name: ids of entities and of relations may be the same numbers."""
    return next(
        (
            kind
            for kind, start in (("entity", "entit"), ("relation", "relation"))
            if path.name.lower().startswith(start)
        ),
        "",
    )


def _read_beside(path: Path, report: Report, every: Labels) -> None:
    """A file of labels beside the facts; one that holds something else is left alone."""
    labels = every[_kind(path)]
    if path.suffix == ".json":
        try:
            found = msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError, RecursionError):
            return
        if not isinstance(found, dict):
            return
        named = {key: value.get("label") if isinstance(value, dict) else value for key, value in found.items()}
        texts = {clean(key): clean(value) for key, value in named.items() if isinstance(value, str) and clean(value)}
        labels |= texts
        report.sources.append(Source(show_path(path), "JSON", columns={"id": "key", "label": "label"}, rows=len(texts)))
        return
    try:
        sheet = read_sheet(str(path), 2, set())
    except DataError:
        sheet = _by_tabs(path)
    if sheet.rows and sheet.keys is None and common_width(sheet.rows) == 2:
        _read_labels(sheet, report, labels)


def _by_tabs(path: Path) -> Sheet:
    """Lines of an id, a tab and a label, in which any may be missing."""
    text, encoding = read_text(str(path))
    lines = [(n, line.split("\t", 1)) for n, line in enumerate(split_lines(text), start=1) if line.strip()]
    if 2 * sum(len(cells) == 2 for _, cells in lines) <= len(lines):
        lines = []
    return Sheet(show_path(str(path)), "TSV", encoding, "\t", None, lines, [], 0)  # type: ignore[arg-type]


def _labelled(facts: Sequence[Fact], labels: Labels, report: Report) -> list[Fact]:
    """Facts with labels in the place of ids; what two ids are called alike keeps its id behind the label."""
    entities = _called({e for h, _, t in facts for e in (h, t)}, labels[""] | labels["entity"])
    relations = _called({r for _, r, _ in facts}, labels[""] | labels["relation"])
    count = sum(len(names) for names in (entities, relations))
    known = sum(name != label for names in (entities, relations) for name, label in names.items())
    report.notes.append(f"labels for {known:,} of {count:,} ids")
    return [(entities[h], relations[r], entities[t]) for h, r, t in facts]


def _called(ids: set[str], labels: Mapping[str, str]) -> dict[str, str]:
    """What each of these ids is called."""
    many = Counter(labels[name] for name in ids if name in labels)
    alone = {name: many[label] == 1 and label not in ids for name, label in labels.items()}
    return {
        name: name if name not in labels else labels[name] if alone[name] else f"{labels[name]} ({name})"
        for name in ids
    }
