"""Examples with noise in them: for measuring under noise (`lamella.metrics.stress`) and for training with it.

Each kind of value has noises of its own (`Field.noises`), pictures those that move what they show, too (`Field.moves`): then what
was wanted moves along. A task may have noise in what it knows besides the example (`Training.noises`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import numpy as np

from lamella.errors import UsageError
from lamella.task import Example, Task

Noise = tuple[str, str]
"""The field with the noise, "" for what the task knows besides; and the noise's name."""


def noises_of(task: Task, chosen: Collection[str] = (), option: str = "--noises") -> list[Noise]:
    """All noises that examples of a task meet, or those chosen by name; UsageError for a name that is none of them."""
    every = of_fields(task) + [("", noise) for noise in task.training.noises]
    names = list(dict.fromkeys(noise for _, noise in every))
    if odd := [noise for noise in chosen if noise not in names]:
        raise UsageError(f"{option}: expected some of {', '.join(names) or 'none'}, received {odd[0][:60]}.")
    return [(name, noise) for name, noise in every if not chosen or noise in chosen]


def of_fields(task: Task) -> list[Noise]:
    """The noises of a task's fields.

    A picture is mirrored where the task's option `flip` says that it still is what it was. It is not moved where the picture itself
    is what is wanted: then a moved one is another example, and no worse.
    """
    mirrors = getattr(task.config, "flip", False) in (True, "across", "both", "all")
    found = []
    for name, field in task.fields.items():
        moves = [move for move in field.moves if move != "mirrored" or mirrors] if name != task.target else []
        found += [(name, noise) for noise in (*field.noises, *moves)]
    return found


def with_noise(
    task: Task, example: Example, noise: Noise, strength: float, rng: np.random.Generator
) -> tuple[Example, Example]:
    """An example with noise in one field as it is given, and the example by which the answer is judged.

    The latter is the clean one. Where the noise moves what is shown, it is the one given, with what is wanted moved along; where how
    likely an example is is what is scored (`Training.generative`), it is the one given too.
    """
    name, kind = noise
    if name not in example or not strength:
        return example, example
    field = task.fields[name]
    if kind not in field.moves:
        noisy = {**example, name: field.disturb(example[name], kind, strength, rng)}
        return noisy, noisy if task.training.generative else example
    value, move = field.move(example[name], kind, strength, rng)
    noisy = {**example, name: value}
    if task.target in example:
        noisy[task.target] = task.answer.follow(example[task.target], move)
    return noisy, noisy


def disturbed(
    task: Task, examples: Sequence[Example], noise: Noise, strength: float, seed: int = 0
) -> tuple[list[Example], list[Example]]:
    """Examples with noise in one field, and those by which answers are judged: see `with_noise`.

    What each one gets depends on the seed, the noise and its own keys alone; with a stronger noise it is the same, and more.
    """
    pairs = []
    for example in examples:
        digest = hashlib.sha256(repr((seed, *noise, task.keys(example))).encode(errors="surrogatepass")).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        pairs.append(with_noise(task, example, noise, strength, rng))
    return [noisy for noisy, _ in pairs], [wanted for _, wanted in pairs]
