"""Train another model further on a user's data, so that it learns what is new and forgets little: `--init`.

Three things keep what it knew. The learning rate is a third of the usual one. Examples of what it was made for are trained
on beside the new ones (replay; Robins, 1995). And what ships lies between the weights of before and after, as near to the
new ones as the old data allow (Wortsman et al., 2022, "Robust fine-tuning of zero-shot models"). The scores before and
after are told for both.

A task may also begin from the encoder of another task's model, such as one of masked words: vocabulary and weights travel.
What is new learns at the usual rate, what was taken at a lower one, the lower the nearer to the input (Howard and Ruder, 2018).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from lamella import model, registry
from lamella.errors import DataError, UsageError
from lamella.fields.text import letters_per_piece
from lamella.graphs.weights import named_weights
from lamella.model import named, shipped
from lamella.options import make_config
from lamella.storage import disk
from lamella.storage.tensors import read_tensors
from lamella.task import Example, Task, Transfer
from lamella.train.adopt import fill
from lamella.train.engine import Run
from lamella.train.gather import Gathered, hold_out
from lamella.train.watch import metric_of

WARMUP = 10  # steps
RATE = 0.3  # of the learning rate that a net takes which begins at random weights
LAYER_DECAY = 0.8  # of that rate is left one layer further down, where another task's encoder is begun from
LETTERS = 2.2  # letters a piece, at least, of texts in a language that an encoder's vocabulary was learned from
READ, READ_EACH = 200, 2000  # examples from which that is told, and characters of each
SHARES = (1.0, 0.75, 0.5, 0.25)  # of the way from the old weights to the new ones, tried in this order
TOLERANCE = 0.01  # of the metric on the old data may be lost
MEASURED = 100  # examples of each side
WEIGHTS = "weights.safetensors"  # in the folder of the training
MOST_WEIGHTS = 8 << 30  # bytes


@dataclass(frozen=True)
class Origin:
    """The model that a training begins from, and examples of what it was made for."""

    model: model.Model
    old: Sequence[Example] = ()  # never trained on now, to measure what is forgotten
    transfer: bool = False  # a model of another task, of which the encoder is taken
    reach: float = 1.0  # of the way to the new weights, what ships at most

    @property
    def digest(self) -> str:
        """Of the model: a checkpoint goes on from the same only."""
        return model.digest(msgspec.json.encode(self.model.manifest.files, order="sorted"))


def open_origin(word: str, task: str) -> Origin:
    """A model by its path, or by its name or pair of languages where it came with the package. UsageError where there is none."""
    try:
        opened = named.load(word, task if task.endswith(".py") else None)
    except UsageError as error:
        if Path(word).exists():
            raise
        names = ", ".join(sorted(names_of_shipped() | {*shipped.pairs()}))
        raise UsageError(
            f"--init {word}: no such model. Expected a model's folder or .zip, or one of {names}."
        ) from error
    if same_task(opened, task):
        return Origin(opened, transfer=opened.task.transfer.headless(opened.task))
    cls = registry.find(task)
    theirs, ours = type(opened.task.transfer), type(cls.transfer)
    if ours.adopt is Transfer.adopt and (ours.begin is Transfer.begin or theirs.encoder is Transfer.encoder):
        raise UsageError(f"--init {word}: a model of {opened.manifest.task}, and {task} is to be trained.")
    return Origin(opened, transfer=True)


def names_of_shipped() -> set[str]:
    """The models that came with the package, by their folders."""
    return {place.name for place in _shipped().iterdir() if (place / "model.json").is_file()}


def _shipped() -> Path:
    return Path(model.__file__).parent.parent / "models"


def usual_origin(job: Task, task: str, options: Mapping[str, Any], gathered: Gathered) -> Origin | None:
    """The model that came with the package, where a task with so few examples begins from it by itself; else None.

    Not where the user chose what hangs on that: a vocabulary, and options that the task sets when it begins from another
    task's net. Nor where its vocabulary does not fit the texts: those of a language that it never read fall into pieces of
    two letters, and what it knows of its own languages is of no use there. Which it was is said in the gathered lines.
    """
    place, count = _shipped() / job.transfer.usual, len(gathered.learn)
    hangs = {"vocabulary_size", *job.transfer.begun}
    if not 0 < count <= job.transfer.few or {*options} & hangs or not (place / "model.json").is_file():
        return None
    origin = open_origin(str(place), task)
    some = gathered.learn[:: max(1, count // READ)]
    texts = [value[:READ_EACH] for e in some for name in job.fields if isinstance(value := e.get(name), str)]
    letters = letters_per_piece(_vocabulary(origin.model), texts)
    if letters < LETTERS:
        gathered.lines.append(
            f"begun from none: the vocabulary of {place.name}, which came with lamella, does not fit these texts ({letters:.1f} "
            f"letters a piece, expected {LETTERS} or more)"
        )
        return None
    gathered.lines.append(
        f"begins from {place.name}, which came with lamella, {origin.model.manifest.parameters / 1e6:.1f} million parameters, "
        f"since there are at most {job.transfer.few:,} examples; --init none turns that off"
    )
    return origin


def _vocabulary(opened: model.Model) -> bytes:
    vocabulary = getattr(opened.task, "vocabulary_", None)
    if not isinstance(vocabulary, bytes):
        raise UsageError(f"{opened.where}: no vocabulary of text. Install lamella again.")
    return vocabulary


def same_task(opened: model.Model, task: str) -> bool:
    """Whether a model is of this task, and not of another one that the task can begin from."""
    return opened.manifest.task.replace("_", "-") == task.replace("_", "-")


def config_of(origin: Origin, cls: type[Task], options: Mapping[str, Any], task: str) -> Any:
    """The other model's configuration, with what the user wants otherwise.

    Of another task's model what both tasks have, where most of the net is taken; where the encoder alone is, nothing.
    """
    known = msgspec.to_builtins(origin.model.task.config)
    if origin.transfer:
        fields = (
            msgspec.structs.fields(cls.Config) if type(origin.model.task.transfer).encoder is Transfer.encoder else ()
        )
        names = {field.encode_name for field in fields}
        shared = {name: value for name, value in known.items() if name in names}
        try:  # an option of the same name may be another thing there
            make_config(cls.Config, shared, task)
        except UsageError:
            shared = {}
        known = {**shared, **cls.transfer.begun}
    return make_config(cls.Config, {**known, **options}, task)


def with_replay(
    job: Task, origin: Origin, gathered: Gathered, keep: Sequence[str], columns: Mapping[str, str] | None, seed: int
) -> tuple[Origin, Gathered]:
    """Old examples beside the new ones, at most as many; a part of them is never trained on, to measure with.

    keep: files of old data; where there are none, what the task has for models like this one, if it has anything.
    """
    if origin.transfer and keep:
        raise UsageError("--keep: expected with --init and a model of the same task, whose knowledge is to be kept.")
    if list(keep) == ["sample"]:
        old = job.sample("train")
    else:
        old = job.read(list(keep), columns)[0] if keep else job.transfer.replay(job)
    new = {key for e in (*gathered.learn, *gathered.watched, *gathered.held) for key in job.keys(e)}
    old = [e for e in old if not new.intersection(job.keys(e))]
    opened = origin.model
    line = f"begun from {Path(opened.where).name}, a model of {opened.manifest.parameters / 1e6:.1f} million parameters"
    gathered = replace(gathered, lines=[*gathered.lines, line])
    if origin.transfer:
        return origin, gathered
    if len(old) < 2:
        note = (
            "note: nothing of what the model knows is trained on again; --keep FILE names data that it must not forget"
        )
        return origin, replace(gathered, lines=[*gathered.lines, note])
    again, kept = hold_out(job, old, 0.2, MEASURED, seed)
    again = again[: len(gathered.learn)]
    line = f"replay: {len(again)} old examples beside {len(gathered.learn)} new ones, {len(kept)} to measure what is forgotten"
    reach = 1.0 if keep else job.transfer.reach(job, len(gathered.learn))
    return replace(origin, old=kept, reach=reach), replace(
        gathered, learn=gathered.learn + again, lines=[*gathered.lines, line]
    )


def adopt(
    job: Task, origin: Origin, learn: Sequence[Example], tell: Callable[[str], None]
) -> tuple[nn.Module, dict[str, float]]:
    """The task with what the other one learned, in the place of `fit`, and its net with the other one's weights.

    Besides, where that is a model of another task, the factor on the learning rate of each weight that was taken.
    UsageError where that cannot be: another net, or examples of what the other model does not know, such as a new label.
    """
    where, transfer = origin.model.where, origin.transfer
    if transfer:  # what the other task does not learn
        job.fit(learn)
    known = weights_of(origin.model)
    weights = job.transfer.adopt(job, origin.model.task, known)
    if not transfer:
        job.transfer.renew(job, learn)
    try:
        for example in learn:
            job.targets(example)
    except DataError as error:
        raise UsageError(f"--init {where}: the model cannot learn this: {error}") from error
    net = job.build()
    filled = fill(net, weights)
    if not filled.taken or filled.odd:
        raise UsageError(
            f"--init {where}: its net is another one ({filled.lines()[0]}). Leave out the options that make the net, or "
            "train without --init."
        )
    if filled.missing and not transfer:
        raise UsageError(
            f"--init {where}: its graphs do not hold {filled.missing[0]} by that name, since the export has put it together "
            f"with what follows. Begin from the folder that lamella train wrote, which holds training/{WEIGHTS}."
        )
    tell(filled.lines()[0])
    if not transfer:
        return net, {}
    left = sorted({_part(name) for name in known} - {_part(name) for name in weights})
    also = ["the vocabulary"] if "table" in filled.taken else []
    tell(f"taken: {', '.join([*also, *_parts(filled.taken)])}; not taken: {', '.join(_parts(left)) or 'nothing'}")
    tell(f"new: {', '.join(_parts(filled.missing)) or 'nothing'}")
    share = job.transfer.settle(job, net, learn)
    # An encoder under a new net, not most of a net.
    ours, theirs = type(job.transfer), type(origin.model.task.transfer)
    layered = ours.adopt is Transfer.adopt or (
        ours.begin is not Transfer.begin and theirs.encoder is not Transfer.encoder
    )
    factors = layer_factors(filled.taken) if layered else dict.fromkeys(filled.taken, RATE)
    if share != 1:
        factors = dict.fromkeys((name for name, _ in net.named_parameters()), share)
        tell(
            f"new, and set by what was taken: a head that fits the examples; all of it moves at {share:.2g} of the usual learning rate"
        )
        return net, factors
    tell(
        f"learning rate of what was taken: {min(factors.values()):.2g} to {max(factors.values()):.2g} of the usual one"
    )
    return net, factors


def layer_factors(names: Sequence[str]) -> dict[str, float]:
    """The factor on the learning rate of each weight that was taken, by its layer: the number in its name.

    >>> factors = layer_factors(["table", "blocks.0.feed.up.weight", "blocks.1.feed.up.weight", "norm.weight"])
    >>> [round(f, 3) for f in factors.values()]
    [0.192, 0.24, 0.3, 0.3]
    """
    numbers = {name: int(found[1]) for name in names if (found := re.search(r"\.(\d+)\.", name))}
    depth = max(numbers.values(), default=-1) + 1
    below = {n: depth - 1 - numbers[n] if n in numbers else depth if n.endswith("table") else 0 for n in names}
    return {name: RATE * LAYER_DECAY**layers for name, layers in below.items()}


def _part(name: str) -> str:
    """The part of a net that a weight belongs to: "blocks.0" of "blocks.0.feed.up.weight"."""
    first, _, rest = name.partition(".")
    number = rest.partition(".")[0]
    return f"{first}.{number}" if number.isdigit() else first


def _parts(names: Sequence[str]) -> list[str]:
    """The parts of a net, each once, several numbered ones together.

    >>> _parts(["table", "blocks.0.out.bias", "blocks.1.out.bias", "norm.bias"])
    ['table', '2 blocks', 'norm']
    """
    parts = list(dict.fromkeys(map(_part, names)))
    firsts = [part.partition(".")[0] for part in parts]
    count = Counter(first for part, first in zip(parts, firsts, strict=True) if "." in part)
    return list(dict.fromkeys(f"{count[first]} {first}" if count[first] else first for first in firsts))


def weights_file(net: nn.Module) -> bytes:
    """The weights of a net by name, as safetensors: graphs keep most of them by name, but not all."""
    from safetensors.torch import save

    return save({name: tensor.detach().cpu().float().contiguous() for name, tensor in net.state_dict().items()})


def weights_of(opened: model.Model) -> dict[str, Any]:
    """A model's weights by the names of its net: of the file that its training left beside it, else out of its graphs."""
    path = Path(opened.where) / "training" / WEIGHTS
    wanted = opened.manifest.training.get("weights")
    try:
        raw = disk.read_regular(path, MOST_WEIGHTS)
    except OSError:  # a .zip, or a model that was made smaller
        return named_weights(opened.files)
    if model.digest(raw) != wanted:  # of a training since
        return named_weights(opened.files)
    return dict(read_tensors(raw, str(path)))


def begin(run: Run, weights: Mapping[str, Tensor]) -> None:
    """Begin at these weights exactly, where the net computes in a narrower type."""
    with torch.no_grad():
        for i, name in enumerate(run.optimizer.names):
            run.optimizer.masters[i].copy_(weights[name])
            run.average[i].copy_(weights[name])
    run.current()


def blend(run: Run, job: Task, origin: Origin, before: Mapping[str, Tensor], watched: Sequence[Example]) -> list[str]:
    """Put what ships between the weights of before and after, and say what is gained and lost.

    Of `SHARES` of the `reach` of the origin the first is taken with which the metric on the old data is at most `TOLERANCE` of it worse than before;
    where none is, the last. Without old data the new weights ship as they are.
    """
    after = [mean.clone() for mean in run.average]
    start = [before[name].to(run.device) for name in run.optimizer.names]
    sides = {"new": metric_of(job, watched[:MEASURED])}
    if origin.old:
        sides["old"] = metric_of(job, origin.old)

    def at(share: float) -> dict[str, float]:
        run.average = [torch.lerp(a, b, share) for a, b in zip(start, after, strict=True)]
        return {side: measure(run) for side, measure in sides.items()}

    first = at(0.0)
    lines = [f"before: {_said(job, first)}"]
    for share in (share * origin.reach for share in SHARES):
        now = at(share)
        lines.append(f"{share:.0%} of the way to the new weights: {_said(job, now)}")
        if "old" not in now:
            break
        lost = now["old"] - first["old"] if job.training.less_is_better else first["old"] - now["old"]
        if lost <= TOLERANCE * abs(first["old"]):
            break
    return [*lines, f"taken: {share:.0%} of the way"]


def _said(job: Task, values: Mapping[str, float]) -> str:
    return ", ".join(f"{job.metric} {value:.4g} on {side} data" for side, value in values.items())
