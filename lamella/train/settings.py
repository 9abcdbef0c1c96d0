"""How a net is trained, whatever its task: what `lamella train` takes besides the task's own options."""

import os
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lamella.errors import UsageError
from lamella.options import make_config


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to train: all that is neither the task's nor its data's."""

    minutes: Annotated[
        float | None,
        Meta(
            description="Train so long, all from reading to measuring included, with a quarter of it for steps at least; 5 where no length is given."
        ),
    ] = None
    steps: Annotated[int | None, Meta(description="Train so many steps.")] = None
    epochs: Annotated[float | None, Meta(description="Train so many times through the data.")] = None
    resume: Annotated[bool, Meta(description="Go on from the last checkpoint, at the exact step.")] = False
    rate: Annotated[float | None, Meta(description="Peak learning rate; by --size where it is not given.")] = None
    seed: Annotated[int, Meta(description="Of the split, the first weights and the order.")] = 0
    threads: Annotated[int, Meta(description="Processor threads; 0: as many as there are cores.")] = 0
    processes: Annotated[int, Meta(description="Processes on this machine that share each batch.")] = 1
    fsdp: Annotated[
        bool, Meta(description="Divide net and optimizer among the processes, where they do not fit on one device.")
    ] = False
    accumulate: Annotated[int, Meta(description="Batches whose gradients make one update.")] = 1
    patience: Annotated[
        int | None, Meta(description="Stop when so many looks at the metric found no better one; ship the best.")
    ] = None
    schedule: Annotated[
        str | None, Meta(description="How the learning rate falls: linear (at the end) or cosine (throughout).")
    ] = None
    shards: Annotated[
        str | None, Meta(description="Folder for encoded examples in memory maps, of corpora beyond memory too.")
    ] = None
    augment: Annotated[
        str | None,
        Meta(description="Noise in training examples: some kinds, all, or their names with commas between them."),
    ] = None
    tensorboard: Annotated[bool, Meta(description="Write event files into MODEL/training/tensorboard.")] = False
    device: Annotated[str, Meta(description="cpu, cuda, cuda:1, mps, or auto: the first accelerator there is.")] = "cpu"

    def check(self) -> "Settings":
        """These settings, where all of them make sense; else UsageError."""
        if any(given is not None and not given > 0 for given in (self.minutes, self.steps, self.epochs)):
            raise UsageError("--minutes, --steps and --epochs: expected a number above 0.")
        if self.shards == "":
            raise UsageError("--shards: expected the name of a folder, received an empty one.")
        if self.augment == "":
            raise UsageError("--augment: expected some, all, or names of noises, received an empty one.")
        if self.augment and self.shards:
            raise UsageError(
                "--augment: does not fit --shards, whose examples are encoded once. Leave one of them out."
            )
        if self.accumulate < 1 or (self.patience is not None and self.patience < 1):
            raise UsageError("--accumulate and --patience: expected a whole number above 0.")
        if not 1 <= self.processes <= 1024:
            raise UsageError(f"--processes {self.processes}: expected a whole number from 1 to 1024.")
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise UsageError(f"--rate {self.rate}: expected a number above 0.")
        if self.schedule not in (None, "linear", "cosine"):
            raise UsageError(f"--schedule {self.schedule}: expected linear or cosine.")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed}: expected a whole number, 0 or more.")
        if self.threads < 0:
            raise UsageError(f"--threads {self.threads}: expected a whole number, 0 or more.")
        return self


def split(options: dict[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """Options of a training -> its settings, checked, and what is left over for the task.

    >>> split({"steps": 5, "vocabulary_size": 200, "threads": None})
    (Settings(..., steps=5, ...), {'vocabulary_size': 200})
    """
    own = {name: value for name, value in options.items() if name in Settings.__struct_fields__}
    rest = {name: value for name, value in options.items() if name not in own}
    given = {name: value for name, value in own.items() if value is not None}  # None: as if it had not been given
    if isinstance(given.get("shards"), os.PathLike):
        given["shards"] = os.fspath(given["shards"])
    if isinstance(given.get("augment"), bool):
        given["augment"] = "some" if given["augment"] else None
    elif isinstance(given.get("augment"), list | tuple):
        given["augment"] = ",".join(given["augment"])
    settings: Settings = make_config(Settings, given, "train")
    return settings.check(), rest
