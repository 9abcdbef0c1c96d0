"""Repeat a training: what decided it stands in model.json, and `lamella train TASK DATA --like MODEL` takes it from there.

The same data, settings, versions, number of threads and kind of machine give the same bytes. Where the bytes are others, what
differs among these is named.
"""

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from lamella import model
from lamella.errors import UsageError
from lamella.train import further
from lamella.train.settings import Settings
from lamella.version import __version__

LIBRARIES = ("torch", "numpy", "onnx", "onnxscript", "sentencepiece")
# Of a length by the clock the steps are repeated; whether to go on, to draw curves or to keep examples on a disk changes no byte.
LENGTHS = {"minutes", "steps", "epochs"}
NO_MATTER = {"resume", "tensorboard", "shards"}


def facts(settings: Settings, data: str, init: str = "") -> dict[str, Any]:
    """What decided a training, besides the task and its options: for `model.json`, under training.run.

    data: a digest of the examples; init: of the model that it began from.
    """
    given = msgspec.to_builtins(settings)
    return {
        "settings": {k: v for k, v in given.items() if v is not None and k not in NO_MATTER},
        "data": data,
        **({"init": init} if init else {}),
        "versions": {
            "lamella": __version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            **{name: version(name) for name in LIBRARIES},
        },
        "machine": f"{platform.system()} {platform.machine()}",
    }


class Repeat(msgspec.Struct, frozen=True):
    """A training that is repeated."""

    place: str
    manifest: model.Manifest
    usual: str = ""  # the model that ships which its task begins from by itself

    @classmethod
    def of(cls, place: str, task: str) -> "Repeat":
        """From a model's folder or file. UsageError where the model does not say how it was trained, or is of another task."""
        opened = model.load(place, task=task if task.endswith(".py") else None)
        manifest = opened.manifest
        if Path(manifest.task).name != Path(task).name:
            raise UsageError(f"--like {place}: expected a model of {task}, received one of {manifest.task}.")
        if "run" not in manifest.training:
            raise UsageError(
                f"--like {place}: its model.json does not say how it was trained. Train it again by its options."
            )
        return cls(place, manifest, opened.task.transfer.usual)

    @property
    def by_the_clock(self) -> bool:
        """Whether a number of minutes decided its length, so that even the same machine may have ended elsewhere."""
        return not LENGTHS & {"steps", "epochs"} & set(self.manifest.training["run"]["settings"])

    def init(self, given: str | None) -> str | None:
        """The model to begin from: the one that is named, or the one that came with the package, where it began from that.

        UsageError where it began from a model that has to be named.
        """
        digest = self.manifest.training["run"].get("init")
        if not digest or given not in (None, "none"):
            return given
        ships = given is None and self.usual in further.names_of_shipped()
        if ships and further.open_origin(self.usual, self.manifest.task).digest == digest:
            return self.usual
        raise UsageError(f"--like {self.place}: it began from another model. Name that one with --init.")

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All options of the training, with those in the place of its own that are given besides."""
        run = self.manifest.training["run"]
        settings = dict(run["settings"])
        if self.by_the_clock:
            settings = {
                **{k: v for k, v in settings.items() if k not in LENGTHS},
                "steps": self.manifest.training["steps"],
            }
        if LENGTHS & {name for name, value in given.items() if value is not None}:
            settings = {k: v for k, v in settings.items() if k not in LENGTHS}
        own = {k.replace("-", "_"): v for k, v in self.manifest.config.items()}
        return {**own, **settings, **{name: value for name, value in given.items() if value is not None}}

    def compared(self, manifest: model.Manifest) -> list[str]:
        """For people: whether the bytes are the same, and what differs where they are not."""
        before, after = (m.files for m in (self.manifest, manifest))
        names = sorted({*before, *after} - {"card.md"})  # the card says how long it took
        other = [name for name in names if before.get(name) != after.get(name)]
        causes = self._causes(manifest)
        if not other:
            lines = [f"like {self.place}: the same bytes in {', '.join(names)}"]
        else:
            lines = [f"like {self.place}: other bytes in {', '.join(other)}"]
            if not causes and not self.by_the_clock:
                causes = ["nothing that model.json holds; it may be the processor"]
        if self.by_the_clock:
            lines.append("its length was given in minutes: the steps were repeated, and the learning rate fell by them")
        return lines + [f"differs: {cause}" for cause in causes]

    def _causes(self, manifest: model.Manifest) -> list[str]:
        one, other = self.manifest.training["run"], manifest.training["run"]
        pairs: list[tuple[str, Any, Any]] = [("size", self.manifest.size, manifest.size)]
        pairs += [(f"--{k}", v, manifest.config.get(k)) for k, v in self.manifest.config.items()]
        names = {*one["settings"], *other["settings"]} - LENGTHS
        pairs += [(f"--{k}", one["settings"].get(k), other["settings"].get(k)) for k in sorted(names)]
        pairs += [("steps", self.manifest.training["steps"], manifest.training["steps"])]
        pairs += [(k, v, other["versions"].get(k)) for k, v in one["versions"].items()]
        pairs += [("machine", one["machine"], other["machine"])]
        causes = [f"{name} was {before}, is {after}" for name, before, after in pairs if before != after]
        causes += ["the data: other examples, or another order"] if one["data"] != other["data"] else []
        return causes + (["the model that it began from"] if one.get("init") != other.get("init") else [])
