"""Answer: a text on the command line, lines from standard input, tables and whole documents.

lamella predict my-model "Hello, world!"
lamella predict my-model rows.csv -o answers.csv        the answers are new columns
lamella predict my-model README.md -o README.fr.md      for tasks that know documents
lamella predict my-model pictures/ -o answers.csv       a row for each file of a folder, where an example is a file
lamella predict my-model docs/ -o docs-fr/              else each file of a folder by itself, in the same tree
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella import model as folder
from lamella.errors import UsageError
from lamella.model import Model
from lamella.model.answering import example_of, opened, predict_file
from lamella.model.notes import notes_of
from lamella.model.values import are_rows, several_of
from lamella.options import refuse_unasked, refuse_unfit


def predict(
    model: str | Model,
    *inputs: Any,
    ask: str = "",
    corpus: Sequence[str | Path] = (),
    index: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    task: str | None = None,
    as_frame: bool = False,
    **options: Any,
) -> Any:
    """Values -> answers: one for one, a list for several or for a list of them; the word "sample" is the task's first test example.

    A data frame of pandas or polars is read as a table is, by the columns that training used: a list with an answer for
    each row; as_frame: the same frame with the answers as new columns, or of series a frame of the values ahead. A Series of
    texts is a frame of one column.

    ask: which question is answered, of a model of several. corpus, index: what is searched, see `lamella.model.index`.
    An example of several fields is a dict, or a tuple of them in order.
    """
    from lamella.model.reading import is_frame  # imported late, as below: the command line needs no frames

    trained = opened(model, task, options)
    if ask or corpus or index:
        from lamella.model.index import asked

        trained = asked(trained, ask, [corpus] if isinstance(corpus, str) else corpus, index, columns)
    if not inputs:
        raise UsageError('expected a value to answer, received none. The word "sample" is an example of the task.')
    texts = all(field.prose for field in trained.task.fields.values())  # else a Series may be one value, of numbers
    if (as_frame or texts) and hasattr(inputs[0], "to_frame") and not is_frame(inputs[0]):
        inputs = (inputs[0].to_frame(), *inputs[1:])
    if any(map(is_frame, inputs)):
        if len(inputs) > 1:
            raise UsageError("expected one data frame, received it among other inputs. Ask for each by itself.")
        return _of_frame(trained, inputs[0], columns, as_frame)
    if len(inputs) == 1 and (are_rows(trained.task, inputs[0]) or are_rows(trained.task, [inputs[0]])):
        return trained.predict(inputs[0])
    if as_frame:
        raise UsageError(
            f"as_frame: expected a data frame to put the answers into, received {type(inputs[0]).__name__}."
        )
    refuse_unfit(type(trained.task.config), options, [""])
    refuse_unasked(type(trained.task.config), options, trained.task.state.asked, trained.task.questions)
    several = several_of(trained.task, inputs[0]) if len(inputs) == 1 else None
    if several == []:
        return []
    examples = [example_of(trained.task, value) for value in several or inputs]
    answers = trained.predict(examples)
    for note in notes_of(
        trained.task, [(f"input {i}" if len(examples) > 1 else "", e) for i, e in enumerate(examples, 1)]
    ):
        warnings.warn(note.removeprefix("note: "), stacklevel=2)
    return answers[0] if len(inputs) == 1 and several is None else answers


def _of_frame(trained: Model, frame: Any, columns: Mapping[str, str] | None = None, as_frame: bool = False) -> Any:
    """A data frame -> a list with an answer for each row, or the rows of its answers; as_frame: as a frame."""
    import json  # late, as the command line reads no frames

    from lamella.model.answering import predict_rows
    from lamella.model.notebook import DrawnList, DrawnText, together
    from lamella.model.reading import as_files, with_columns
    from lamella.model.whole_tables import answer_whole, notes_on

    job = trained.task
    with as_files([frame]) as paths:
        path = Path(paths[0])
        raw, seen, answered = answer_whole(trained, path, columns)
        if raw is not None and raw.startswith(b"<svg"):
            if as_frame:
                raise UsageError(
                    "as_frame: expected answers for the rows of a frame, received a drawing of all of them."
                )
            return DrawnText(raw.decode())
        if raw is None and not as_frame:
            return predict_rows(trained, path, columns)
        raw = predict_file(trained, path, columns, lambda line: None)[0] if raw is None else raw
    for note in notes_on(job, seen):
        warnings.warn(note, stacklevel=3)
    rows = [json.loads(line) for line in raw.splitlines()]
    return with_columns(frame, rows) if as_frame else DrawnList(rows, lambda: together(job, seen, answered))


def write_answer(raw: bytes, out: Path, force: bool) -> None:
    """Write a file in one step; an existing one only by force."""
    folder.free(out, force)
    folder.write_file(raw, out)


def output_paths(names: Sequence[Path], out: str | None, tree: bool) -> list[Path]:
    """Where each input's answers go: a file for one input, a folder for several and for the files of a folder (`tree`).

    names: of the answers, relative to that folder.
    """
    if out is None:
        raise UsageError("several files: expected -o FOLDER for the answers.")
    place = Path(out)
    if len(names) == 1 and not tree and not place.is_dir():
        return [place]
    if place.is_file():
        raise UsageError(f"{out}: is a file, and {len(names)} inputs need a folder. Choose another -o.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(f"-o {out}: several inputs are named {sorted(twice)[0]}. Give them folders of their own.")
    for folder_of in {place, *((place / name).parent for name in names)}:
        folder_of.mkdir(parents=True, exist_ok=True)
    return [place / name for name in names]
