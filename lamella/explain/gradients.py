"""Integrated gradients (Sundararajan et al., 2017): gradients summed along the path from an empty example to this one.

The attributed function is minus the training loss of this answer: every task has a loss, so it works for all tasks. The
net is rebuilt with the weights of the graphs, and it is an error if it does not answer as they do. For ids the path
leads from zeros to their embeddings; for numbers, from the example with every unit removed.
"""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lamella.errors import MissingExtra, UsageError
from lamella.explain.ablation import Floats, Question
from lamella.graphs import torch_graphs, wire
from lamella.model import Model
from lamella.task import EXPLAINED, Answer, Array, Arrays, Example, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS = 24  # steps of the path (midpoint rule)
CLOSE = 0.01  # by this share the focus of the rebuilt net may differ
INSTEAD = "Explain it by ablation, which needs the graphs alone."


def integrate(question: Question) -> tuple[Floats, dict[str, Any]]:
    """The weights (N,) of the units; and the name of the attributed function, its value, and the part explained.

    The weights add up to the explained part, except for what belongs to no unit. Raises MissingExtra without torch, and
    UsageError if the net cannot be rebuilt from the model.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("--method gradients", "train") from error
    net, task = rebuilt(question), copy.copy(question.task)
    task.state = task.state.changed(phase=EXPLAINED)
    full, every = question.inputs(), set(range(len(question.units)))
    example = with_answer(task, question.example, question.answer)
    try:
        prompt, others = task.prompt(example), {**task.prompt(example), **task.targets(example)}
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"--method gradients: this answer has no loss ({error}). {INSTEAD}") from error
    start, end = (_tensors(task, {**arrays, **others}) for arrays in (question.inputs(every), full))
    names = [*full, *prompt]
    slopes_of: dict[str, Floats] = {}
    for step in range(STEPS):
        for key, slopes in _slopes(net, task, start, end, list(full), names, (step + 0.5) / STEPS).items():
            slopes_of[key] = slopes_of.get(key, 0.0) + slopes / STEPS
    if not slopes_of:
        raise UsageError(f"--method gradients: this net does not read its input in a way that has slopes. {INSTEAD}")
    with torch.no_grad():
        here = -float(task.loss(net(**{k: end[k] for k in names}), end))
    total = sum(float(v.sum()) for v in slopes_of.values())
    what = "the example itself" if task.target in task.fields else "this answer"
    return spread(question, full, slopes_of), {"of": f"minus the loss of {what}", "here": here, "explained": total}


def _tensors(task: Task, arrays: Arrays) -> "dict[str, Tensor]":
    """A batch of one, as training has it."""
    import torch

    batch = task.collate([{k: np.asarray(v) for k, v in arrays.items()}])
    return {k: torch.from_numpy(v.astype(np.float32) if v.dtype == np.float64 else v) for k, v in batch.items()}


def _slopes(
    net: "nn.Module", task: Task, start: "dict[str, Tensor]", end: "dict[str, Tensor]", names: list[str], inputs: list[str],
    share: float,
) -> dict[str, Floats]:  # fmt: skip
    """At this share of the path, for each array: the gradient at each place times the length of the path there."""
    import torch

    leaves = {}
    for key in names:
        if end[key].is_floating_point() and start[key].shape == end[key].shape:
            leaves[key] = (start[key] + share * (end[key] - start[key])).requires_grad_()
    looked: dict[str, tuple[Tensor, Tensor, int]] = {}
    torch.manual_seed(0)
    with lookups({k: end[k] for k in names}, share, looked):
        value = -task.loss(net(**{k: leaves.get(k, end[k]) for k in inputs}), {**end, **leaves})
    if not value.requires_grad:
        return {}
    value.backward()  # type: ignore[no-untyped-call]
    slopes = {}
    for key, leaf in leaves.items():
        if leaf.grad is not None:
            slopes[key] = (leaf.grad * (end[key] - start[key]))[0].detach().numpy().astype(np.float64)
    for key, (embedded, leaf, late) in looked.items():
        if leaf.grad is not None:
            each = (leaf.grad * embedded)[0].sum(dim=-1).numpy().astype(np.float64)  # (T,)
            each = np.append(each[1:], 0.0) if late else each  # the last id was only read after the last prediction
            slopes[key] = each.reshape(tuple(end[key].shape[1:]))
    return slopes


def with_answer(task: Task, example: Example, answer: Answer) -> Example:
    """The example with this answer as its target; of a dict or a list, the first value."""
    if task.target in task.fields:
        return example
    while isinstance(answer, dict | list) and answer:
        if isinstance(answer, list):
            if isinstance(answer[0], int | float):
                break
            answer = answer[0]
        else:
            answer = answer.get(task.target, next(iter(answer.values())))
    return {**example, task.target: answer}


def spread(question: Question, full: Arrays, slopes: Mapping[str, Floats]) -> Floats:
    """Attributions of array places -> of units (N,): a place belongs to the units whose removal changes it."""
    weights = np.zeros(len(question.units))
    without = [question.inputs({i}) for i in range(len(question.units))]
    for key, values in slopes.items():
        changed = np.stack([changes(full[key], arrays[key]).reshape(values.shape) for arrays in without])
        total = changed.sum(axis=0)
        shares = np.divide(changed, total, out=np.zeros_like(changed), where=total > 0)
        weights += (shares * values).reshape(len(weights), -1).sum(axis=1)
    return weights


def changes(one: Array, other: Array) -> Floats:
    """How much each place of an array changes in the second one: the difference of numbers; 1 for an id that is gone.

    >>> changes(np.array([4, 5, 6]), np.array([4, 6])).tolist()
    [0.0, 1.0, 0.0]
    """
    if one.dtype.kind == "f" or one.dtype == np.uint8:
        return np.abs(one.astype(np.float64) - other) if one.shape == other.shape else np.ones(one.shape)
    from difflib import SequenceMatcher

    flat, changed = one.ravel().tolist(), np.zeros(one.size)
    for word, a, b, _, _ in SequenceMatcher(None, flat, other.ravel().tolist(), False).get_opcodes():
        changed[a:b] = word != "equal"
    return np.where(one.ravel() != 0, changed, 0.0).reshape(one.shape)


def lookups(
    given: "Mapping[str, Tensor]", share: float, embedded_by_name: "dict[str, tuple[Tensor, Tensor, int]]"
) -> Any:
    """A context in which embeddings of the given ids are scaled by `share` and recorded: whole, scaled, and their shift.

    A net may read a text shifted by one, after a start token: then the shift is 1.
    """
    import torch
    from torch.nn import functional as F
    from torch.overrides import TorchFunctionMode

    def name_of(ids: Any) -> tuple[str, int] | None:
        seen = ids.flatten(1)
        for name, wanted in given.items():
            flat = wanted.flatten(1)
            if wanted.is_floating_point() or name in embedded_by_name or seen.shape != flat.shape:
                continue
            if bool((seen == flat).all()):
                return name, 0
            if seen.shape[1] > 2 and bool((seen[:, 1:] == flat[:, :-1]).all()):
                return name, 1
        return None

    class Lookups(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            if func is not F.embedding or (which := name_of(args[0])) is None:
                return out
            embedded = out.detach().flatten(1, -2)  # (1, T, D)
            leaf = (share * embedded).requires_grad_()
            embedded_by_name[which[0]] = embedded, leaf, which[1]
            with torch._C.DisableTorchFunction():
                return leaf.view(out.shape)

    return Lookups()


# ---- the net again -----------------------------------------------------------------------------------------------


def rebuilt(question: Question) -> "nn.Module":
    """The task's net with the weights of the graphs, checked against the focus of the question."""
    import torch

    model = question.model
    if model.manifest.precision != "float32":
        raise UsageError(
            f"--method gradients: {model.where} is of {model.manifest.precision}, whose steps have no slopes. "
            f"Use the model that it was made from. {INSTEAD}"
        )
    net = question.task.build()
    state, arrays = net.state_dict(), stored(model)
    kept = checkpoint(model)
    for name, wanted in state.items():
        array = arrays.get(f"net.{name}", kept.get(name))
        if array is None or array.shape != tuple(wanted.shape):
            array = _folded(arrays, state, tuple(wanted.shape))
        if array is None:
            raise UsageError(
                f"--method gradients: {model.where} holds {name} in another form, and no checkpoint. {INSTEAD}"
            )
        state[name] = torch.from_numpy(np.array(array))
    net.load_state_dict(state)
    net = net.float().eval()
    batch = question.task.collate([question.inputs()])
    again = np.asarray(question.task.focus(torch_graphs(net), batch, question.answer).values, np.float64).reshape(-1)
    if not np.allclose(again, question.start, rtol=CLOSE, atol=CLOSE * max(1.0, float(np.abs(question.start).max()))):
        raise UsageError(f"--method gradients: the net of {model.where} could not be built again. {INSTEAD}")
    return net


def stored(model: Model) -> dict[str, Array]:
    """All float32 arrays in the model's graphs by name, in the order of the files."""
    weights: dict[str, Array] = {}
    for file, raw in sorted(model.files.items()):
        if file.endswith(".onnx"):
            for name, kept in wire.read(raw).stored.items():
                if kept.kind == 1 and kept.data is not None:
                    weights[name] = np.frombuffer(raw[slice(*kept.data)], "<f4").reshape(kept.shape)
    return weights


def _folded(arrays: dict[str, Array], state: Mapping[str, Any], shape: tuple[int, ...]) -> Array | None:
    """The first array without a matching name that fits, possibly transposed or reshaped; it is removed from the list."""
    for name, array in arrays.items():
        if name.removeprefix("net.") in state or array.ndim < 2 or array.size != int(np.prod(shape)):
            continue
        turned = len(shape) == 2 and array.shape == shape[::-1] and shape[0] != shape[1]
        if turned or array.shape[0] == shape[0]:
            del arrays[name]
            return array.T if turned else array.reshape(shape)
    return None


def checkpoint(model: Model) -> dict[str, Array]:
    """The averaged weights of the newest complete checkpoint, if the model's folder still has one."""
    from hashlib import sha256
    from pathlib import Path

    import msgspec

    from lamella.errors import ModelError
    from lamella.storage import disk
    from lamella.storage.tensors import read_tensors

    for place in sorted((Path(model.where) / "training" / "checkpoint").glob("step-*"), reverse=True):
        try:
            wanted = msgspec.json.decode(disk.read_regular(place / "run.json", 16 << 20))["sha256"]
            raw = disk.read_regular(path := place / "run.safetensors", 8 << 30)
            tensors = read_tensors(raw, str(path)) if sha256(raw).hexdigest() == wanted else {}
        except (OSError, ValueError, TypeError, KeyError, RecursionError, ModelError):
            continue  # damaged or incomplete: try the one before
        kept = {name.removeprefix("average."): a for name, a in tensors.items() if name.startswith("average.")}
        if kept:
            return kept
    return {}
