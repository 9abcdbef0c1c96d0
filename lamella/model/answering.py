"""Answer values, lines, tables, folders and whole documents with a model. Shared by `predict` and the server."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella.data.readers.suffixes import PACKED, TABLES, is_table, table_suffix
from lamella.data.text.encoding import read_text, split_lines
from lamella.errors import DataError, LamellaError, UsageError
from lamella.model import Model, as_example, load
from lamella.model.below import files_below
from lamella.model.notebook import DrawnList, together
from lamella.model.notes import notes_of
from lamella.model.words import of_line
from lamella.options import replace_config
from lamella.task import Answer, Example, Task

LINES_AT_ONCE = 256  # lines of standard input: enough for a batch, few enough to answer while more arrive
LINES = ("", ".txt", ".md")  # suffixes of outputs that hold an answer as a line
Tell = Callable[[str], None]
"""Gets a line for each part of an input that has no answer, and why."""
Written = tuple[bytes, str, dict[str, int]]
"""The bytes of the answers, the suffix they should have, and counts for people."""


def opened(model: str | Model, task: str | None, options: Mapping[str, Any]) -> Model:
    """Open a model and set the options that may change in prediction; a model object is copied, not changed."""
    trained = model if isinstance(model, Model) else load(model, task)
    return trained.with_config(replace_config(trained.task.config, options, trained.manifest.task))


def example_of(job: Task, value: Any) -> Example:
    """A value as an example; the word "sample" is the task's first test example."""
    return sample_of(job) if isinstance(value, str) and value == "sample" else as_example(job, value)


def sample_of(job: Task) -> Example:
    """The task's first test example, in the form of the model's current question."""
    example = job.sample("test")[0]
    return example if set(job.fields) <= set(example) else job.given(example)


def all_values(job: Task, words: Sequence[str]) -> bool:
    """Whether words are values of a task of several fields, in their order, and none is a file that holds examples."""
    several = len(job.fields) > 1 and len(words) % len(job.fields) == 0
    return several and not any(word.lower().endswith(suffixes_of(job)) or Path(word).is_dir() for word in words)


def answer_all(trained: Model, examples: Sequence[Example]) -> list[Answer | LamellaError]:
    """Examples -> an answer or an error for each; a bad example does not affect the others."""
    if not examples:
        return []
    try:
        answers: list[Answer | LamellaError] = trained.predict(list(examples))
        return answers
    except (DataError, UsageError) as error:
        if len(examples) == 1:
            return [error]
    half = len(examples) // 2
    return [*answer_all(trained, examples[:half]), *answer_all(trained, examples[half:])]


def answer_lines(trained: Model, lines: Sequence[str]) -> list[Answer | LamellaError]:
    """Lines -> an answer or an error for each."""
    examples: list[Example | LamellaError] = []
    for line in lines:
        try:
            examples.append(as_example(trained.task, of_line(trained.task, line)))
        except UsageError as error:
            examples.append(error)
    answers = iter(answer_all(trained, [e for e in examples if not isinstance(e, LamellaError)]))
    return [e if isinstance(e, LamellaError) else next(answers) for e in examples]


def predict_file(
    trained: Model,
    path: Path,
    columns: Mapping[str, str] | None = None,
    tell: Tell | None = None,
    suffix: str = "",
) -> Written:
    """A file -> its answers: a table with new columns, a document, a line for each line, or the answer to a picture.

    In: `tell` gets a line for each row, line or file without an answer, and for what is odd; `suffix`: that of the
    table to write, else the same as the input's. Raises DataError where nothing has an answer.
    """
    own, job = table_suffix(path), trained.task
    tell = tell or (lambda line: None)
    columns = _columns_for(job, path, columns)
    if path.is_dir():
        return _folder(trained, path, columns, tell, suffix)
    from lamella.model.whole_tables import is_whole

    document = job.output.document if is_whole(job, path) else None
    whole = document(job, path, trained.run, columns) if document else None
    if whole is not None:
        if suffix in (*job.output.suffixes, *TABLES) and suffix != own:
            tell(f"note: the answers are in the form of a {own} file, like the input, whatever the name of the output")
        return _packed(path, whole[0]), own, whole[1]
    if is_table(path) or own in (".txt", ".dat") and columns:
        return _table(trained, path, columns, tell, suffix)
    only = list(job.fields.values())
    if len(only) == 1 and only[0].prose and own in (".txt", ""):
        lines = split_lines(read_text(path)[0])
        answered = "".join(line + "\n" for line in predict_lines(trained, iter(lines), tell))
        return answered.encode(errors="backslashreplace"), ".txt", {"lines": len(lines)}
    if len(only) == 1 and not only[0].prose:
        name = next(iter(job.fields))
        example = {name: only[0].open(name, path)}
        answer = trained.predict(example)
        for line in notes_of(job, [("", example)]) + (
            [f"note: {remark}"] if (remark := job.answer.remark(answer)) else []
        ):
            tell(line)
        if (raw := job.output.written(job, suffix, [example], [answer])) is not None:
            return raw, suffix, {"files": 1}
        if only[0].media and suffix in TABLES:
            from lamella.data.readers.answer_table import new_table

            return new_table(name, [str(path)], [_columns(job, answer)], suffix), suffix, {"files": 1}
        if only[0].media and suffix not in LINES:
            raise _unwritten(suffix, LINES)
        return (job.render(answer) + "\n").encode(errors="backslashreplace"), ".txt", {"files": 1}
    expected = ", ".join(sorted({*job.output.suffixes, *TABLES}))
    raise DataError(f"{path}: unknown format {own or '(none)'}. Expected one of {expected}, or text as an argument.")


def _columns_for(job: Task, path: Path, given: Mapping[str, str] | None) -> dict[str, str] | None:
    """The columns to read a table by, see `lamella.model.reading.columns_for`."""
    if not job.state.columns:
        return dict(given) if given else None
    # Imported late: a short answer needs no tables.
    from lamella.model.reading import columns_for

    return columns_for(job, [path], given)


def _of_example(job: Task, columns: Mapping[str, str] | None) -> dict[str, str] | None:
    """The columns of the input fields, without the answer's."""
    known = {*job.fields, *job.optional}
    if columns is None or not set(columns) & {job.target, *job.state.columns} - known:
        return dict(columns) if columns else None
    return {name: column for name, column in columns.items() if name in known} or None


def out_suffix(path: Path) -> str:
    """The suffix of the answers to a file: the file's own, unless tables of that kind are read but not written."""
    own = path.suffix.lower()
    return ".csv" if path.is_dir() else ".jsonl" if own == ".parquet" else path.suffix


def _plain_suffix(path: Path) -> str:
    """That of the answers to a table where no output names another: a spreadsheet becomes CSV, which can be shown."""
    return ".csv" if path.suffix.lower() == ".xlsx" else out_suffix(path)


def _packed(path: Path, raw: bytes) -> bytes:
    """Compress the answers to a `.gz` file like the file itself."""
    if path.suffix.lower() != ".gz":
        return raw
    import gzip

    return gzip.compress(raw, mtime=0)


def suffixes_of(job: Task) -> tuple[str, ...]:
    """The suffixes of files that are answered as a whole."""
    return (*job.output.suffixes, *TABLES, *PACKED)


def writes_pictures(job: Task) -> bool:
    """Whether a task writes a picture for each picture, such as one with boxes."""
    return job.output.write is not None and any(field.media == "image" for field in job.fields.values())


def takes_folders(job: Task) -> bool:
    """Whether each example is a file, so that a folder holds many examples."""
    return any(field.media for field in job.fields.values())


def _folder(trained: Model, path: Path, columns: Mapping[str, str] | None, tell: Tell, suffix: str) -> Written:
    """A folder -> a table with the path and answer of each file in it, or the task's own kind of output."""
    job = trained.task
    if job.output.document and (whole := job.output.document(job, path, trained.run, columns)) is not None:
        return whole[0], ".csv", whole[1]
    return predict_media(trained, [path], tell, suffix)


def all_media(job: Task, paths: Sequence[Path]) -> bool:
    """Whether all paths are folders, pictures or sounds, and the task's examples are such files."""
    suffixes = {suffix for field in job.fields.values() if field.media for suffix in field.suffixes}
    return bool(suffixes) and all(path.is_dir() or path.suffix.lower() in suffixes for path in paths)


def predict_media(trained: Model, paths: Sequence[Path], tell: Tell, suffix: str) -> Written:
    """Pictures or sounds, and folders of them -> one table with a row for each, or what the task writes for `suffix`.

    Paths in the table are relative to the one folder that was given, or as they were given. Raises DataError where a folder
    holds none, or nothing has an answer.
    """
    from lamella.data.readers.answer_table import new_table

    job = trained.task
    name = next(name for name, field in job.fields.items() if field.media)
    files: list[Path] = []
    for path in paths:
        inside, others = files_below(path, job.fields[name].suffixes) if path.is_dir() else ([path], None)
        if not inside:
            raise DataError(
                f"{path}: expected pictures or sounds, received a folder without any. Give the folder they are in."
            )
        files += inside
        if others:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(others.items()))
            tell(f"note: left out, of other kinds: {kinds}")
    whole = paths[0] if len(paths) == 1 and paths[0].is_dir() else None
    results = answer_all(trained, [{name: str(file)} for file in files])
    places = [str(file) if whole is None else os.path.relpath(file, whole) for file in files]
    where = ", ".join(map(str, paths[:3]))
    counts = _counted("files", where, [(p, "", a) for p, a in zip(places, results, strict=True)], tell)
    answered = [({name: str(f)}, a) for f, a in zip(files, results, strict=True) if not isinstance(a, LamellaError)]
    for note in notes_of(job, [(os.path.relpath(e[name], whole) if whole else e[name], e) for e, _ in answered]):
        tell(note)
    if (raw := job.output.written(job, suffix, [e for e, _ in answered], [a for _, a in answered])) is not None:
        return raw, suffix, counts
    if suffix not in (*TABLES, ""):
        raise _unwritten(suffix)
    answers = [_columns(job, a) for a in results]
    return new_table(name, places, answers, suffix), suffix or ".csv", counts


def _unwritten(suffix: str, more: Sequence[str] = ()) -> UsageError:
    """What is said of an output whose suffix is neither a table's nor one of the kinds that the task writes."""
    known = ", ".join(filter(None, (*more, *TABLES)))
    several = "" if more else " for several files, a folder"
    return UsageError(f"-o with {suffix}: expected {known}, or a kind of file that the task writes{several}.")


def _answered(trained: Model, path: Path, columns: Mapping[str, str] | None, tell: Tell) -> tuple[Any, dict[int, Any]]:
    """An opened table and, by line number, the answers to its rows or the errors; nothing for empty rows."""
    # Imported late: a short answer needs no tables.
    from lamella.data.readers.answer_table import open_table
    from lamella.fields.row import rows_of

    job = trained.task
    texts = {name: field.prose for name, field in job.fields.items()}
    table = open_table(path, texts, list(job.optional), _of_example(job, columns), rows_of(job.fields, path))
    for note in table.notes:
        tell(f"note: {note.removeprefix(f'{path}: ')}")
    waiting = [
        row for row in table.rows if row.fields and (not all(texts.values()) or any(row.fields[n] for n in texts))
    ]
    examples = [_beside(job, row.fields or {}, path) for row in waiting]
    answers = answer_all(trained, examples)
    places = zip(waiting, examples, answers, strict=True)
    for note in notes_of(job, [(f"line {r.line}", e) for r, e, a in places if not isinstance(a, LamellaError)]):
        tell(note)
    return table, dict(zip((row.line for row in waiting), answers, strict=True))


def predict_rows(trained: Model, path: Path, columns: Mapping[str, str] | None = None) -> list[Answer]:
    """A table -> an answer for each of its rows, None for an empty one. Raises what the first bad row raises."""
    table, answers = _answered(trained, path, _columns_for(trained.task, path, columns), lambda line: None)
    for row in table.rows:
        if row.problem:
            raise DataError(f"row {row.line}: {row.problem}")
        if isinstance(answer := answers.get(row.line), LamellaError):
            raise answer
    answered = [(row.fields or {}, answers[row.line]) for row in table.rows if row.line in answers]
    every = [answers.get(row.line) for row in table.rows]
    return DrawnList(every, lambda: together(trained.task, *map(list, zip(*answered, strict=True))))


def _table(trained: Model, path: Path, columns: Mapping[str, str] | None, tell: Tell, suffix: str) -> Written:
    """A table -> the same with its answers as new columns; a row that cannot be answered has empty ones."""
    job = trained.task
    book = suffix == path.suffix.lower() == ".xlsx"
    if suffix in (".xlsx", ".parquet") and not book:
        raise UsageError(
            f"-o with {suffix}: expected one of {', '.join(TABLES)}. A table of this kind is read, not written."
        )
    if suffix == path.suffix.lower() and not book:
        suffix = ""
    if suffix not in (*TABLES, "") and not book:
        tell(f"note: the answers are in the form of the input, {path.suffix}; {', '.join(TABLES)} as -o choose another")
        suffix = ""
    table, answers = _answered(trained, path, columns, tell)
    rows = [(f"line {row.line}", row.problem, answers.get(row.line)) for row in table.rows]
    counts = _counted("rows", str(path), rows, tell)
    seen = len(table.notes)
    columns_of = [_columns(job, answers.get(row.line)) for row in table.rows]
    if book:
        from lamella.data.readers.workbook import with_columns

        raw = with_columns(path, table, columns_of)
    else:
        raw = table.render(columns_of, suffix)
    for note in table.notes[seen:]:
        tell(f"note: {note.removeprefix(f'{path}: ')}")
    return (raw, suffix, counts) if suffix else (_packed(path, raw), _plain_suffix(path), counts)


def read_rows(job: Task, path: Path, columns: Mapping[str, str] | None = None) -> list[Example]:
    """The rows of a table as examples; those that cannot be read or are empty are left out."""
    from lamella.data.readers.answer_table import open_table
    from lamella.fields.row import rows_of

    texts = {name: field.prose for name, field in job.fields.items()}
    columns = _of_example(job, _columns_for(job, path, columns))
    table = open_table(path, texts, list(job.optional), columns, rows_of(job.fields, path))
    rows = [
        row.fields for row in table.rows if row.fields and (not all(texts.values()) or any(map(row.fields.get, texts)))
    ]
    return [_beside(job, row, path) for row in rows]


def _counted(
    noun: str, file: str, parts: Sequence[tuple[str, str, Answer | LamellaError | None]], tell: Tell
) -> dict[str, int]:
    """Count the answered parts of a file; DataError if there are none.

    In: of each part where it is, why it could not be read (or ""), and its answer, None for an empty text.
    """
    problems = []
    for where, problem, answer in parts:
        if isinstance(answer, LamellaError):
            problem = str(answer).removeprefix(f"{file}, ").removeprefix(f"{where}: ")
        if problem:
            problems.append(f"{where}: {problem}")
    empty = sum(answer is None and not problem for _, problem, answer in parts)
    answered = len(parts) - len(problems) - empty
    if not answered:
        what = f"the first: {problems[0]}" if problems else "all of them empty"
        raise DataError(
            f"{file}: expected {noun} that can be answered, received {len(parts):,} without any, {what}", problems[:10]
        )
    for problem in problems:
        tell(problem)
    counts = {noun: len(parts), "answered": answered, "empty": empty, "not read": len(problems)}
    return {name: count for name, count in counts.items() if count or name == noun}


def _beside(job: Task, row: Mapping[str, Any], table: Path) -> Example:
    """Resolve a picture or sound named in a table: first relative to the table's folder."""
    located = {name: field.locate(row[name], table.parent) for name, field in job.fields.items() if name in row}
    return {**row, **located}


def _columns(job: Task, answer: Answer | LamellaError | None) -> dict[str, Any] | None:
    """An answer as new columns of a table; None where there is none."""
    if answer is None or isinstance(answer, LamellaError):
        return None
    answer = job.answer.cells(answer)
    if not isinstance(answer, dict):
        return {job.target or "answer": answer}
    return {f"predicted_{name}": value for name, value in answer.items()}


def predict_lines(trained: Model, lines: Iterator[str], tell: Tell | None = None) -> Iterator[str]:
    """Lines -> an answer a line, in order; an empty line stays empty.

    A line without an answer is empty too, and `tell` gets its number and why; without `tell` it is an error, as it is where
    no line has an answer.
    """
    waiting: list[str] = []
    first, answered = 1, False
    problem = ""
    noted: list[tuple[str, Example]] = []  # examples whose answers have a note
    notes = tell is not None and trained.task.output.note is not None

    def flush() -> Iterator[str]:
        nonlocal first, answered, problem
        answers = iter(answer_lines(trained, [line for line in waiting if line.strip()]))
        for number, line in enumerate(waiting, first):
            answer = next(answers) if line.strip() else None
            if isinstance(answer, LamellaError):
                problem = problem or f"line {number}: {answer}"
                if tell is None:
                    raise answer
                tell(f"line {number}: {answer}")
            answered = answered or answer is not None and not isinstance(answer, LamellaError)
            given = line.strip() and not isinstance(answer, LamellaError)
            if given and notes:
                example = as_example(trained.task, of_line(trained.task, line))
                noted.extend([(f"line {number}", example)] if trained.task.output.noted(trained.task, example) else [])
            yield trained.task.render(answer).replace("\n", " ") if given else ""
        first += len(waiting)
        waiting.clear()

    for line in lines:
        waiting.append(line.rstrip("\r\n"))
        if len(waiting) >= LINES_AT_ONCE:
            yield from flush()
    yield from flush()
    for note in notes_of(trained.task, noted):
        if tell is not None:
            tell(note)
    if problem and not answered:
        raise DataError(f"expected lines that can be answered, received none, the first: {problem}")
