"""Noise in training examples: `lamella train TASK DATA --augment`.

Half of the examples of each epoch have up to three kinds of noise, each of any strength, by the same rooms that `evaluate --stress` measures
with. Several at once teach more than one: what a net learns of them carries over to noise that it has never met (AugMix, Hendrycks et
al., 2020). What is wanted stays the clean answer, so that the net learns to answer in spite of the noise. Without names every other
kind of each field is trained with: the others tell whether it helps against what is new to the net.

The draws depend on the seed, the epoch and the example alone: a resumed run makes the same, and so does any number of processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lamella.errors import UsageError
from lamella.metrics.noise import Noise, noises_of, of_fields, with_noise
from lamella.task import Arrays, Example, Task

SHARE = 0.5  # of the examples of an epoch
TOGETHER = 3  # the most kinds in one example
SOME, ALL = "some", "all"


class Encoded(Protocol):
    """Encoded examples by their places."""

    def __getitem__(self, index: int) -> Arrays: ...


def refuse(job: Task) -> None:
    """UsageError for a task whose examples cannot be trained on with noise in them."""
    if job.training.generative:
        raise UsageError(
            "--augment: does not fit this task, which learns what its examples are like: it would learn the noise. Leave it out."
        )
    if not of_fields(job):
        raise UsageError(
            f"--augment: expected a field that may be noisy, received {', '.join(job.fields)}. There is none; leave it out."
        )


def chosen(job: Task, words: str) -> list[Noise]:
    """The noises to train with: those named with commas between them, all, or of each field every other one ("some")."""
    refuse(job)
    every = of_fields(job)
    if words == ALL:
        return every
    if words == SOME:
        by_field = [[noise for noise in every if noise[0] == name] for name in job.fields]
        return [noise for noises in by_field for noise in noises[::2]]
    known = {noise for _, noise in every}
    names = [word.strip() for word in words.split(",") if word.strip()]
    if odd := [name for name in names if name not in known]:
        raise UsageError(
            f"--augment {odd[0][:60]}: expected {SOME}, {ALL}, or names among {', '.join(dict.fromkeys(n for _, n in every))}. "
            "Data stand before the option."
        )
    return [noise for noise in noises_of(job, names, "--augment") if noise[0]]


def names(noises: Sequence[Noise]) -> list[str]:
    """The names alone, each once."""
    return list(dict.fromkeys(noise for _, noise in noises))


@dataclass(frozen=True)
class Noisy:
    """The arrays of each example in each epoch, half of them with noise."""

    job: Task
    examples: Sequence[Example]
    noises: Sequence[Noise]
    seed: int
    clean: Encoded  # as they were encoded

    def __call__(self, index: int, epoch: int) -> Arrays:
        """The arrays of the example of this place."""
        rng = np.random.default_rng((self.seed, epoch, index))
        if rng.random() >= SHARE:
            return self.clean[index]
        count = int(rng.integers(1, min(TOGETHER, len(self.noises)) + 1))
        kinds = [self.noises[i] for i in rng.permutation(len(self.noises))[:count]]
        noisy = wanted = self.examples[index]
        # What moves a picture comes first: what is wanted moves along then, and is not touched by the others.
        for noise in sorted(kinds, key=lambda noise: not self._moves(noise)):
            noisy, moved = with_noise(self.job, noisy, noise, 1 - float(rng.random()), rng)
            wanted = moved if self._moves(noise) else wanted
        return {**self.job.inputs(noisy), **self.job.prompt(noisy), **self.job.targets(wanted)}

    def _moves(self, noise: Noise) -> bool:
        name, kind = noise
        return kind in self.job.fields[name].moves
