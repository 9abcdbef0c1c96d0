"""Make a model smaller: narrower layers and int8 weights, as far as the task's own metric allows.

    lamella compress my-model -o small --data dev.tsv --tolerance 0.01

Settings are tried from mild to strong: int8 weights; then with a growing share of the units between two products taken
away, then of the heads of attention, then of the channels between two convolutions, each on top of what did well before
(`lamella.graphs.prune`). Convolutions are made of whole numbers (`lamella.graphs.int8_convolutions`); where that is refused, their
weights alone are. A third of the examples says what the units do, all others measure every setting beside the model it
came from. What is larger, slower, or worse by more than the tolerance is refused, and what takes parts away also where any other
measure of the task is worse by so much. Every setting tried is printed with its size, speed and score, and kept in the card.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from lamella import metrics
from lamella import model as folder
from lamella.errors import LamellaError, MissingExtra
from lamella.graphs import load_graphs
from lamella.model import Model, card, held_out
from lamella.model.named import load
from lamella.model.reading import columns_for
from lamella.task import Answer, Example, GraphLike, Task, as_measured

MOST = 500  # examples in all
TIMED = 24  # examples answered again and again to see how fast
SHARES = (0.25, 0.5, 0.625, 0.75, 0.875)  # of the units, heads or channels, taken away
SLOWER, NOTICED = 1.25, 0.1  # times as long as before, and milliseconds more, are slower; less is noise
WIDE = 58  # letters of a setting's name
AGAIN = 4  # times that what seems slow is timed again
LONG_ENOUGH = 0.3  # seconds of timing: short answers are timed often, or a time slice of another process decides

Files = dict[str, bytes]


@dataclass(frozen=True)
class Tried:
    """A setting and what came of it."""

    name: str
    files: Files
    value: float
    loss: float  # share of the metric lost, negative where it gained
    speed: float  # milliseconds an example
    result: dict[str, Any]
    removed: int = 0  # parameters less
    beside: tuple[str, float] = ("", 0.0)  # of the other measures the one that lost most, and the share that it lost
    verdict: str = ""

    @property
    def size(self) -> int:
        return graphs_size(self.files)


class Search:
    """Settings tried one after another on the same examples, each measured beside the model that it came from."""

    def __init__(self, trained: Model, examples: list[Example], tolerance: float, tell: Callable[[str], None]) -> None:
        self.trained, self.job, self.tolerance, self.tell = trained, as_measured(trained.task), tolerance, tell
        self.probing, self.examples = examples[::3], [e for i, e in enumerate(examples) if i % 3]
        self.settings: list[Tried] = []
        self.directions = directions(trained.manifest.scores, self.job.metric)
        tell(f"{'setting':{WIDE}} {'MB':>7} {self.job.metric:>12} {'lost':>7} {'ms each':>8}")
        self.before: Tried | None = None
        self.before = self.measure(trained.manifest.precision, dict(trained.files))
        tell(_line(self.before))

    def answers(self, graphs: Mapping[str, GraphLike], examples: list[Example]) -> list[Answer]:
        return self.job.answers(examples, lambda rows: folder.run_batches(self.job, graphs, rows))

    def measure(self, name: str, files: Files, removed: int = 0) -> Tried:
        """Score, size and speed of a setting, and what speaks against it."""
        graphs, before, less_is_better = load_graphs(_graphs(files)), self.before, self.job.training.less_is_better
        scores = self.job.score(self.answers(graphs, self.examples), self.examples)
        result = {"count": len(self.examples), "scores": metrics.intervals(scores), "notes": scores.notes}
        value = scores.values[self.job.metric]
        worse = 0.0 if before is None else (value - before.value if less_is_better else before.value - value)
        loss = worse / max(abs(before.value), 1e-9) if before else 0.0
        beside = self._beside(scores.values, before)
        timed = self.examples[:TIMED]
        speed = _speed(lambda: self.answers(graphs, timed))
        for _ in range(AGAIN):  # a busy moment of the machine is not slowness: look again
            if before and slower(speed, before.speed):
                speed = min(speed, _speed(lambda: self.answers(graphs, timed)))
        return judged(Tried(name, files, value, loss, speed, result, removed, beside), before, self.tolerance)

    def _beside(self, values: Mapping[str, float], before: Tried | None) -> tuple[str, float]:
        """Of the measures besides the headline, the one that lost the largest share, and the share."""
        if before is None:
            return "", 0.0
        old = {name: before.result["scores"][name]["value"] for name in self.directions if name in values}
        lost = {name: self.directions[name] * (old[name] - values[name]) / max(abs(old[name]), 1e-9) for name in old}
        return max(lost.items(), key=lambda pair: pair[1], default=("", 0.0))

    def attempt(self, name: str, narrow: Files, removed: int, ranges: Mapping[str, Any]) -> Tried:
        """This setting as int8, or the same with convolutions of floats, which are faster on some machines."""
        from lamella.graphs.int8 import quantize

        files = {k: quantize(v, ranges[k]) if k in ranges else v for k, v in narrow.items()}
        setting = self._note(self.measure(name, files, removed))
        if setting.verdict and any(ranges.values()):
            files = {k: quantize(v) if k in ranges else v for k, v in narrow.items()}
            setting = self._note(self.measure(f"{name}, convolving floats", files, removed))
        return setting

    def _note(self, setting: Tried) -> Tried:
        self.settings.append(setting)
        self.tell(_line(setting))
        return setting

    def best(self) -> Tried:
        """The smallest setting that is good enough; LamellaError where none is."""
        from lamella.graphs import prune

        trained = self.trained
        probes = prune.calibrate(_graphs(trained.files), lambda graphs: self.answers(graphs, self.probing))
        ranges = {f"{name}.onnx": probe.ranges for name, probe in probes.items()}
        whole = prune.count(trained.files)
        best, less = self.attempt("int8", dict(trained.files), 0, ranges), dict[str, float]()
        for kind in prune.kinds(probes):
            removed = best.removed
            for share in SHARES:
                shares = {**less, kind: share}
                narrow = prune.prune(trained.files, probes, shares)
                if whole - prune.count(narrow) == removed:  # of two heads a quarter is none
                    continue
                removed = whole - prune.count(narrow)
                setting = self.attempt(f"int8, {_in_words(shares)} less", narrow, removed, ranges)
                if not setting.verdict and (best.verdict or setting.size < best.size):
                    best, less = setting, shares
                if max(setting.loss, setting.beside[1]) > self.tolerance:  # what is stronger loses more
                    break
        if best.verdict:
            refused = "; ".join(f"{s.name} is {s.verdict}" for s in self.settings)
            raise LamellaError(
                f"{trained.where}: nothing smaller is good enough: {refused}. {100 * self.tolerance:.1f}% of "
                f"{self.job.metric} may be lost: keep the model as it is, or allow more with --tolerance."
            )
        return best


def compress(
    model: str | Model,
    out: str,
    *data: str,
    tolerance: float = 0.01,
    columns: Mapping[str, str] | None = None,
    task: str | None = None,
    force: bool = False,
    tell: Callable[[str], None] = print,
) -> Model:
    """Write the smallest model whose metric is at most `tolerance` (a share: 0.01 is 1%) worse, and open it.

    data: files to measure on; by default what was held out of the data that the model was trained on, or, for one of the task's
    sample, the other half of that. Raises LamellaError where nothing smaller is good enough, DataError where there is nothing to
    measure on.
    """
    try:
        from lamella.graphs import int8, prune  # noqa: F401 - said at once where it is missing
    except ImportError as error:
        raise MissingExtra("compress", "train") from error
    trained = model if isinstance(model, Model) else load(model, task)
    folder.free(Path(out), force, whole=True)
    job = as_measured(trained.task)
    examples, source = _examples(trained, job, data, columns)
    tell(f"measured on {source}")
    search = Search(trained, examples[:MOST], tolerance, tell)
    best, before = search.best(), search.before
    assert before is not None
    tell(f"kept: {best.name}, {before.size / best.size:.2f} times smaller")
    parameters = trained.manifest.parameters - best.removed
    manifest = msgspec.structs.replace(trained.manifest, precision="int8", parameters=parameters)
    manifest.scores = {**manifest.scores, f"after {best.name} (it was {before.value:.4g})": best.result}
    table = [
        "## Compression",
        "",
        "| setting | MB | " + job.metric + " | ms an example | |",
        "| --- | --- | --- | --- | --- |",
    ]
    table += [
        f"| {s.name} | {s.size / 1e6:.2f} | {s.value:.4g} | {s.speed:.2f} | {s.verdict or ('kept' if s is best else '')} |"
        for s in (before, *search.settings)
    ]
    files = dict(best.files)
    files["card.md"] = card.write(manifest, sum(len(v) for k, v in files.items() if k != "card.md"), table).encode()
    folder.write(manifest, files, Path(out))
    return Model(manifest, folder.seal(manifest, files), trained.task, out)


def _examples(
    trained: Model, job: Task, data: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[list[Example], str]:
    """The examples to measure on, and what they are in words."""
    if not data:
        return held_out.to_measure(trained, "measure smaller models on")
    if list(data) == ["sample"]:
        return job.sample("test"), "the task's own sample set"
    examples = job.read(list(data), columns_for(job, data, columns))[0]
    return examples, f"{len(examples):,} examples of {', '.join(data)}"


def directions(scores: Mapping[str, Any], metric: str) -> dict[str, float]:
    """Which way each measure besides the headline gets better: away from what the trivial answer scored, 1 or -1.

    >>> held_out = {"scores": {"mIoU": {"value": 0.9}, "AP50": {"value": 0.6}}, "trivial": {"mIoU": 0.4, "AP50": 0.0}}
    >>> directions({"held out": held_out}, "mIoU")
    {'AP50': 1.0}
    """
    for entry in scores.values():
        if trivial := entry.get("trivial"):
            gains = {name: one["value"] - trivial[name] for name, one in entry["scores"].items() if name in trivial}
            return {name: math.copysign(1.0, gain) for name, gain in gains.items() if gain and name != metric}
    return {}


def judged(found: Tried, before: Tried | None, tolerance: float) -> Tried:
    """What speaks against a setting, if anything does."""
    if before is None:
        return found
    against = []
    if found.size >= before.size:
        against.append("not smaller")
    if found.loss > tolerance:
        against.append(f"{100 * found.loss:.1f}% worse")
    elif found.removed and found.beside[1] > tolerance:
        # Rounding alone is judged by the headline: other measures of a small sample are noisy.
        against.append(f"{100 * found.beside[1]:.1f}% worse in {found.beside[0]}")
    if slower(found.speed, before.speed):
        against.append(f"{found.speed / before.speed:.1f} times slower")
    return replace(found, verdict=" and ".join(against))


def slower(speed: float, before: float) -> bool:
    """Whether an answer takes so much longer that it is not noise; both in milliseconds."""
    return speed > max(SLOWER * before, before + NOTICED)


def _speed(run: Callable[[], list[Answer]]) -> float:
    """Milliseconds an answer: the fastest of three runs or more, since others only ever make it slower."""
    times: list[float] = []
    until = time.perf_counter() + LONG_ENOUGH
    while len(times) < 3 or (time.perf_counter() < until and len(times) < 50):
        start = time.perf_counter()
        count = len(run())
        times.append((time.perf_counter() - start) / max(1, count))
    return 1000 * min(times)


def _in_words(shares: Mapping[str, float]) -> str:
    """
    >>> _in_words({"units": 0.5, "heads": 0.25})
    '50.0% of the units and 25.0% of the heads'
    """
    return " and ".join(f"{100 * share:.1f}% of the {kind}" for kind, share in shares.items())


def _line(s: Tried) -> str:
    verdict = f"  refused: {s.verdict}" if s.verdict else ""
    return f"{s.name:{WIDE}} {s.size / 1e6:7.2f} {s.value:12.4g} {100 * s.loss:6.1f}% {s.speed:8.2f}{verdict}"


def _graphs(files: Mapping[str, bytes]) -> Files:
    return {k: v for k, v in files.items() if k.endswith(".onnx")}


def graphs_size(files: Mapping[str, bytes]) -> int:
    """Bytes of the graphs together."""
    return sum(map(len, _graphs(files).values()))
