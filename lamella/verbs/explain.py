"""Say why: which words, patches, steps or columns an answer hangs on, or, without an input, what a model has learned.

lamella explain my-model "Not a good film." -o report.html
lamella explain my-model sample                             a picture in the terminal
lamella explain my-model                                    of the whole model
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamella import model as folder
from lamella.data.readers.suffixes import TABLES, is_table
from lamella.errors import DataError, UsageError
from lamella.explain.explain import explain as explain  # the verb itself; the server asks it too
from lamella.explain.explanation import Explanation
from lamella.fields.row import rows_of
from lamella.model import Model, as_example
from lamella.model.answering import read_rows, sample_of
from lamella.model.reading import columns_for
from lamella.options import refuse_unasked, replace_config
from lamella.task import Example, Task

FORMS = (".html", ".json")  # of reports


def question(
    trained: Model,
    words: Sequence[str],
    columns: Mapping[str, str] | None = None,
    as_text: bool = False,
    options: Mapping[str, Any] | None = None,
) -> tuple[Model, Example | None]:
    """What stands on a command line -> the model with these options, and the example, None where there is none."""
    trained = trained.with_config(replace_config(trained.task.config, options or {}, trained.manifest.task))
    refuse_unasked(type(trained.task.config), options or {}, trained.task.state.asked, trained.task.questions)
    fields = trained.task.fields
    if len(words) == len(fields) > 1:
        return trained, as_example(trained.task, tuple(words))
    if len(words) > 1:
        raise UsageError(f"expected one input, received {len(words)}. Put a text with spaces in quotes.")
    return trained, _example(trained.task, words[0], columns, as_text) if words else None


def _example(job: Task, word: str, columns: Mapping[str, str] | None, as_text: bool) -> Example:
    """A text, the word sample, a file that is a field's value, the first row of a table, or a JSON object of fields."""
    if word == "sample" and not as_text:
        return sample_of(job)
    only = next(iter(job.fields.values())) if len(job.fields) == 1 else None
    path = Path(word)
    if not as_text and len(word) < 1000 and "\0" not in word and path.is_file():
        if is_table(path):
            whole = path.suffix.lower() in job.output.suffixes  # its rows are no examples
            columns = columns_for(job, [word], columns)
            rows = rows_of(job.fields, path) or (
                job.read([word], columns)[0] if whole else read_rows(job, path, columns)
            )
            if not rows:
                raise DataError(f"{word}: no row to explain.")
            return rows[0]
        return as_example(job, only.open(next(iter(job.fields)), path) if only else word)
    if not as_text and " " not in word and word.lower().endswith((*job.output.suffixes, *TABLES)):
        raise UsageError(f"{word}: no such file. If it is a text, say --text.")
    if only is None:
        try:
            found = json.loads(word)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"expected a JSON object with {', '.join(job.fields)}, received {word[:80]!r}.") from error
        return as_example(job, found)
    return as_example(job, word)


def form(out: str | None, force: bool) -> str:
    """The suffix of a report that may be written, or an error before anything is computed."""
    if out is None:
        return ""
    suffix = Path(out).suffix.lower()
    if suffix not in FORMS:
        raise UsageError(f"-o {out}: expected a name that ends in {' or '.join(FORMS)}.")
    folder.free(Path(out), force)
    return suffix


def write(found: Explanation, out: str, suffix: str) -> None:
    """Write a report in one step."""
    text = found.to_html() if suffix == ".html" else found.to_json() + "\n"
    folder.write_file(text.encode(errors="backslashreplace"), Path(out))
