"""Answer: a text on the command line, lines from standard input, tables and whole documents.

lamella predict my-model "Hello, world!"
lamella predict my-model rows.csv -o answers.csv        the answers are new columns
lamella predict my-model README.md -o README.fr.md      for tasks that know documents
lamella predict my-model pictures/ -o answers.csv       a row for each file of a folder, where an example is a file
"""

import csv
import io
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella import fields, model
from lamella.data.text import read_text, split_lines
from lamella.errors import DataError, UsageError
from lamella.model import Model, as_example, load
from lamella.task import Answer, Audio, Example, Image, Task, Text

TABLES = (".csv", ".tsv", ".jsonl", ".json")
LINES_AT_ONCE = 256  # of standard input: enough to batch, few enough to answer while more is coming


def predict(
    model: str | Model, *inputs: Any, columns: Mapping[str, str] | None = None, task: str | None = None, **options: Any
) -> Any:
    """Values -> answers: one for one, a list for several; the word "sample" is the task's first test example."""
    trained = opened(model, task, options)
    examples = [_example(trained.task, value) for value in inputs]
    answers = trained.predict(examples)
    return answers[0] if len(inputs) == 1 else answers


def opened(model: str | Model, task: str | None, options: Mapping[str, Any]) -> Model:
    """A model with the options that may change when it answers; one that was given open stays as it is."""
    trained = model if isinstance(model, Model) else load(model, task)
    return trained.with_config(fields.replace(trained.task.config, options, trained.manifest.task))


def _example(job: Task, value: Any) -> Example:
    return job.sample("test")[0] if value == "sample" else as_example(job, value)


def predict_file(
    trained: Model, path: Path, columns: Mapping[str, str] | None = None
) -> tuple[bytes, str, dict[str, int]]:
    """A file -> the bytes of its answers, the suffix they should have, and counts for people."""
    suffix, job = path.suffix.lower(), trained.task
    if path.is_dir():
        return _folder(trained, path, columns)
    if suffix in job.suffixes and (whole := job.document(path, trained.run, columns)) is not None:
        return whole[0], suffix, whole[1]
    if suffix in TABLES:
        return _table(trained, path, suffix, columns)
    only = list(job.fields.values())
    if len(only) == 1 and isinstance(only[0], Text) and suffix in (".txt", ""):
        lines = split_lines(read_text(path)[0])
        return (
            "".join(line + "\n" for line in predict_lines(trained, iter(lines))).encode(),
            ".txt",
            {"lines": len(lines)},
        )
    if len(only) == 1 and not isinstance(only[0], Text):
        return (job.render(trained.predict(str(path))) + "\n").encode(), ".txt", {"files": 1}
    expected = ", ".join(sorted({*job.suffixes, *TABLES}))
    raise DataError(f"{path}: unknown format {suffix or '(none)'}. Expected one of {expected}, or text as an argument.")


def takes_folders(job: Task) -> bool:
    """Whether an example is a file of its own, so that a folder is many examples."""
    return any(isinstance(kind, Image | Audio) for kind in job.fields.values())


def _folder(trained: Model, path: Path, columns: Mapping[str, str] | None) -> tuple[bytes, str, dict[str, int]]:
    """A folder -> a table with a row for each file in it, its path and the answer; or what the task makes of the whole."""
    job = trained.task
    if job.suffixes and (whole := job.document(path, trained.run, columns)) is not None:
        return whole[0], ".csv", whole[1]
    examples = [{name: example[name] for name in job.fields} for example in job.read([str(path)], columns)[0]]
    places = [{name: os.path.relpath(str(value), path) for name, value in e.items()} for e in examples]
    rows = [place | _cells(_columns(job, a, place)) for place, a in zip(places, trained.predict(examples), strict=True)]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(), ".csv", {"files": len(rows)}


def _table(
    trained: Model, path: Path, suffix: str, columns: Mapping[str, str] | None
) -> tuple[bytes, str, dict[str, int]]:
    job = trained.task
    if suffix in (".jsonl", ".json"):
        rows = _json_rows(path)
        examples = job.rows(path) or [
            _beside(job, _json_example(job, row, columns or {}, f"{path}, row {i}"), path)
            for i, row in enumerate(rows, start=1)
        ]
        found = [_columns(job, a, {key for row in rows for key in row}) for a in trained.predict(examples)]
        lines = [json.dumps({**row, **new}, ensure_ascii=False) + "\n" for row, new in zip(rows, found, strict=True)]
        return "".join(lines).encode(), ".jsonl", {"rows": len(rows)}
    from lamella.data.tables import read_table  # only now: a short answer should not wait for it

    table_rows: Sequence[Example]
    if own := job.rows(path):
        table_rows, read = own, [f"{path}: {len(own)} rows were read"]
    else:
        table = read_table([path], wanted={name: (name,) for name in job.fields}, columns=columns)
        table_rows, read = [_beside(job, row, path) for row in table.rows], table.report.lines()
    text, _ = read_text(path)
    delimiter = (
        "\t"
        if suffix == ".tsv"
        else (";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ",")
    )
    try:
        rows_in = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False) if row]
    except csv.Error as error:
        raise DataError(f"{path}: expected a table, received one with {error}. Save it as JSONL.") from error
    header = len(rows_in) == len(table_rows) + 1
    found = [
        _cells(_columns(job, a, rows_in[0] if header else ()))
        for a in trained.predict([dict(row) for row in table_rows])
    ]
    if len(found) != len(rows_in) - header:
        raise DataError(
            f"{path}: {len(rows_in) - header} rows, of which {len(found)} could be read. Mend the others first: {read[-1]}"
        )
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    if header and found:
        writer.writerow([*rows_in[0], *found[0]])
    for row, new in zip(rows_in[header:], found, strict=True):
        writer.writerow([*row, *new.values()])
    return out.getvalue().encode(), suffix, {"rows": len(found)}


def _json_rows(path: Path) -> list[dict[str, Any]]:
    text, _ = read_text(path)
    try:
        rows = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in split_lines(text) if line.strip()]
        )
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected JSON, a row a line ({error}).") from error
    if not rows:
        raise DataError(f"{path}: expected rows, received an empty file.")
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: expected a JSON object a line.")
    return rows


def _json_example(job: Task, row: Mapping[str, Any], columns: Mapping[str, str], where: str) -> Example:
    example = {}
    for name, kind in job.fields.items():
        key = columns.get(name, name)
        if key not in row:
            raise DataError(
                f"{where}: expected {key!r}, received {', '.join(row) or 'nothing'}. Choose with --columns {name}=NAME."
            )
        value = row[key]
        example[name] = ("" if value is None else str(value)) if isinstance(kind, Text) else value
    return example | {name: row[key] for name in job.optional if (key := columns.get(name, name)) in row}


def _beside(job: Task, row: Mapping[str, Any], table: Path) -> Example:
    """A picture or sound that a table names is looked for in the table's folder first."""
    found = dict(row)
    for name, value in row.items():
        if isinstance(job.fields.get(name), Image | Audio) and isinstance(value, str) and len(value) < 1000:
            place = table.parent / value
            found[name] = str(place) if place.is_file() else value
    return found


def _columns(job: Task, answer: Answer, taken: Collection[str]) -> dict[str, Any]:
    """An answer as new columns of a table, none of them one that it has."""
    answer = job.cells(answer)
    if not isinstance(answer, dict):
        name = job.target or "answer"
        return {f"predicted_{name}" if name in taken else name: answer}
    return {f"predicted_{name}": value for name, value in answer.items()}


def _cells(columns: Mapping[str, Any]) -> dict[str, str]:
    """Columns as a CSV file holds them: what is no text as JSON."""
    return {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in columns.items()}


def predict_lines(trained: Model, lines: Iterator[str]) -> Iterator[str]:
    """Lines -> an answer a line, in order; an empty line stays empty."""
    waiting: list[str] = []

    def flush() -> Iterator[str]:
        found = iter(
            trained.predict([line for line in waiting if line.strip()]) if any(map(str.strip, waiting)) else []
        )
        for line in waiting:
            yield trained.task.render(next(found)).replace("\n", " ") if line.strip() else ""
        waiting.clear()

    for line in lines:
        waiting.append(line.rstrip("\r\n"))
        if len(waiting) >= LINES_AT_ONCE:
            yield from flush()
    yield from flush()


def write_answer(raw: bytes, out: Path, force: bool) -> None:
    """Write a file in one step; an existing one only by force."""
    model.free(out, force)
    model.write_file(raw, out)


def output_paths(inputs: Sequence[Path], out: str | None, suffixes: Sequence[str]) -> list[Path]:
    """Where each input's answers go: a file for one input, a folder for several."""
    if out is None:
        raise UsageError("several files: expected -o FOLDER for the answers.")
    place = Path(out)
    if len(inputs) == 1 and not place.is_dir():
        return [place]
    if place.is_file():
        raise UsageError(f"{out}: is a file, and {len(inputs)} inputs need a folder. Choose another -o.")
    names = [p.with_suffix(s).name for p, s in zip(inputs, suffixes, strict=True)]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise UsageError(f"-o {out}: several inputs are named {sorted(twice)[0]}. Give them folders of their own.")
    place.mkdir(parents=True, exist_ok=True)
    return [place / name for name in names]
