"""Flags that several commands have, or that belong together."""

from collections.abc import Callable
from typing import Any

import click

from lamella.cli.arguments import Switches

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
FORCE = click.option("--force", is_flag=True, help="Overwrite existing files.")
TASK_FILE = click.option(
    "--task", metavar="FILE.py", help="The Python file of the task, for a model whose task is not part of lamella."
)
ENCODING = click.option(
    "--encoding",
    default="",
    metavar="NAME",
    help="Encoding of the files: utf-8, cp1252, shift_jis ... (default: detected).",
)
COLUMNS = click.option(
    "--columns", metavar="FIELD=COLUMN,...", help="Which column holds which field: text=review,label=stars."
)
ASK = click.option(
    "--ask", default="", metavar="QUESTION", help="Which question to answer, if the model answers several."
)
CORPUS = click.option(
    "--corpus", multiple=True, metavar="FILE", help="File to search in; each line or row is an entry."
)
INDEX = click.option("--index", metavar="FILE", help="File that keeps the vectors of the entries; --corpus adds to it.")
EXAMPLES = click.option(
    "--no-examples",
    "examples",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not keep held-out examples in the model folder.",
)
# How to train: options of `train` and of `plan`.
TRAINING = (
    click.option(
        "--minutes",
        type=float,
        help="Minutes for all of it, from reading to measuring (default: 5, if neither --steps nor --epochs is given).",
    ),
    click.option("--steps", type=int, help="Number of training steps."),
    click.option("--epochs", type=float, help="Number of passes through the data."),
    click.option(
        "--size",
        help="tiny, small or base: width, depth and learning rate; by default small, or tiny where time is short.",
    ),
    click.option(
        "--init",
        metavar="MODEL",
        help="Begin from this model, of the task or of one with an encoder: a path or an installed one's name; none: from none.",
    ),
    click.option(
        "--keep", multiple=True, metavar="FILE", help="With --init: older data to replay, so that it is not forgotten."
    ),
    click.option("--test", multiple=True, metavar="FILE", help="Test file (default: a tenth of DATA is held out)."),
    click.option(
        "--seed",
        type=int,
        help="Random seed of the split, the initial weights and the order of examples (default: 0).",
    ),
    click.option("--rate", type=float, help="Peak learning rate (default: set by --size)."),
    click.option("--threads", type=int, help="Processor threads (default: one for each core)."),
    click.option("--accumulate", type=int, help="Gradient accumulation: batches for each update (default: 1)."),
    click.option(
        "--patience",
        type=int,
        help="Early stopping: evaluations without improvement before training stops; the best weights are kept.",
    ),
    click.option("--schedule", help="Learning rate schedule: linear (falls at the end; the default) or cosine."),
    click.option(
        "--shards",
        metavar="FOLDER",
        help="Keep encoded examples in this folder, and map them: for corpora beyond memory.",
    ),
    click.option(
        "--augment",
        is_flag=False,
        flag_value="some",
        metavar="[NAMES]",
        help="Noise in half of the training examples: of every other kind, of all, or of the named kinds (typos,blur).",
    ),
    click.option("--device", help="cpu (the default), cuda, cuda:1, mps, or auto: the first one available."),
)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with the options of a training, in their order."""
    for option in reversed(TRAINING):
        command = option(command)
    return command


EVALUATION = (
    click.option(
        "--stress",
        is_flag=True,
        help="Measure too with noise of rising strength in the examples, and with input that is not the model's own.",
    ),
    click.option(
        "--noises", default="", metavar="A,B", help="Kinds of noise for --stress; default: all that the task has."
    ),
    # Not --seed: tasks that draw have one of their own.
    click.option("--noise-seed", type=int, default=0, help="Seed of the noise for --stress."),
    click.option(
        "--outside",
        default="",
        metavar="FILE|TASK",
        help="Input that is not the model's own, for --stress: a file, or a task for its sample (default: one that fits).",
    ),
    click.option(
        "--group",
        default="",
        metavar="COLUMN",
        help="Score each group by this column and name the worst; of folders of files: folder, or prefix of the names.",
    ),
    click.option("--record", is_flag=True, help="Write the result into the model's folder and its card."),
)


def evaluation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `evaluate` that measure more than the score."""
    for option in reversed(EVALUATION):
        command = option(command)
    return command


def of_task(word: str) -> Switches:
    """The options of a task, by its name or file, that need no value."""

    def found() -> frozenset[str]:
        from lamella.options import switches
        from lamella.registry import find

        return switches(find(word).Config)

    return found


def of_model(model: Any, task: str | None = None) -> Switches:
    """The options of a model, or of the one in a folder, that need no value."""

    def found() -> frozenset[str]:
        from lamella.model.named import load
        from lamella.options import switches

        return switches(type((load(model, task) if isinstance(model, str) else model).task.config))

    return found
