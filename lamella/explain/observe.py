"""Run examples through a net one by one and record its hidden layers.

One by one, so that neither padding nor other examples affect what is recorded. The observed graph is the first one that is
called once an example and has hidden layers; for a net that only has steps, the step.
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png
from lamella.errors import DataError
from lamella.explain.pictures import picture
from lamella.graphs import wire
from lamella.graphs.anatomy import Anatomy, Product
from lamella.graphs.probe import Arrays, Enough, Probe, attach, flat
from lamella.model import Model
from lamella.task import Example

Floats = NDArray[np.float32]
LETTERS = 400  # characters of a text that are read
NUMBERS = 50_000_000  # limit on the recorded numbers


@dataclass
class Layer:
    """A hidden layer: its value, its graph, the product that reads it, and its activations for each example (N_i, U)."""

    graph: str
    product: Product
    seen: list[Floats] = field(default_factory=list)

    @property
    def strongest(self) -> Floats:
        """The maximum of each unit over time or space, for each example: (N, U)."""
        return np.stack([s.max(axis=0) for s in self.seen])

    @property
    def mean(self) -> Floats:
        """(N, U)."""
        return np.stack([s.mean(axis=0) for s in self.seen])


@dataclass
class Observed:
    """Examples with the activations of each hidden layer, and their latent points if the net has any."""

    trained: Model
    layers: list[Layer]  # the last layer first
    examples: list[Example] = field(default_factory=list)
    pieces: list[NDArray[np.int64] | None] = field(
        default_factory=list
    )  # the numbers that were read, one after another
    latent: list[Floats] = field(default_factory=list)
    _letters: dict[int, NDArray[np.int64] | None] = field(default_factory=dict)

    def places(self, layer: Layer, example: int) -> NDArray[np.int64] | None:
        """For each character of an example's text, its row in a layer; None if rows are not tokens of the text."""
        read = self.pieces[example]
        if read is None or len(layer.seen[example]) != len(read):
            return None
        if example not in self._letters:
            self._letters[example] = letters(self.trained, self.examples[example], read)
        return self._letters[example]


@dataclass
class Looked:
    """Facts about the graphs from one answer: shapes of values, number of calls of each graph, and their order."""

    shapes: dict[str, dict[str, tuple[int, ...]]]
    counts: dict[str, int]
    order: list[str]
    rows: dict[str, int]  # the first axis of what went in


def look(trained: Model, example: Example) -> Looked:
    """Answer one example and collect these facts."""
    wanted: dict[str, list[str]] = {}
    for name, raw in _graphs(trained).items():
        anatomy = Anatomy(wire.read(raw))
        joined = [value for j in anatomy.joined() for value in j.values]
        wanted[name] = list(dict.fromkeys([h.weights for h in anatomy.heads()] + joined + anatomy.graph.outputs))
    probes = attach(trained.files, wanted)
    _answer(trained, probes, example)
    called = {name: p for name, p in probes.items() if p.calls}
    return Looked(
        {name: {k: v.shape for k, v in p.calls[-1].items()} for name, p in called.items()},
        {name: len(p.calls) for name, p in called.items()},
        sorted(called, key=lambda n: called[n].first),
        {name: max([len(a) for a in p.calls[0].values() if a.ndim] or [1]) for name, p in called.items()},
    )


def observe(trained: Model, examples: Sequence[Example], looked: Looked, seconds: float) -> Observed | None:
    """Record the last hidden layer and a middle one; None if the graphs have none. Stops after `seconds` of processor time."""
    layers = _layers(trained, looked)
    if not layers:
        return None
    graph = layers[0].graph
    observed = Observed(trained, layers)
    latent = _latent(trained, looked)
    once = looked.counts[graph] == 1
    names = [layer.product.x for layer in layers] + ([latent] if latent else [])
    probes = attach(trained.files, {graph: names}, graph if once else "")
    limit, end, kept = LETTERS, time.process_time() + seconds, 0
    for example in examples:
        while True:
            short = clip(trained, example, limit)
            for probe in probes.values():
                probe.calls.clear()
            try:
                _answer(trained, probes, short)
            except DataError:  # a bad example is skipped
                break
            calls = probes[graph].calls
            if calls and max(len(a) for a in calls[0].values() if a.ndim) > 1 and limit > 20 and _has_text(trained):
                limit //= 2  # it reads several windows at once: one is enough
                continue
            break
        if not calls:
            continue
        rows = [np.concatenate([flat(c[layer.product.x], layer.product.axis) for c in calls]) for layer in layers]
        if observed.examples and any(
            r.shape[1] != layer.seen[0].shape[1] for r, layer in zip(rows, layers, strict=True)
        ):
            continue
        kept += sum(r.size for r in rows)
        observed.examples.append(short)
        for layer, row in zip(layers, rows, strict=True):
            layer.seen.append(row)
        observed.pieces.append(_tokens(calls))
        if latent:
            observed.latent.append(calls[0][latent][0])
        if time.process_time() > end or kept > NUMBERS:
            break
    return observed if observed.examples else None


def clip(trained: Model, example: Example, letters: int) -> Example:
    """The example with its texts cut to this many characters."""
    texts = {name for name, field in trained.task.fields.items() if field.prose}
    return {k: v[:letters] if k in texts and isinstance(v, str) else v for k, v in example.items()}


def _has_text(trained: Model) -> bool:
    return any(field.prose for field in trained.task.fields.values())


def _graphs(trained: Model) -> dict[str, bytes]:
    return {n.removesuffix(".onnx"): raw for n, raw in trained.files.items() if n.endswith(".onnx")}


def _answer(trained: Model, probes: dict[str, Probe], example: Example) -> None:
    task = trained.task
    with contextlib.suppress(Enough):
        task.decode(probes, task.collate([task.inputs(example)]))


def _layers(trained: Model, looked: Looked) -> list[Layer]:
    """The last hidden layer, and the middle one of those before it that follow an activation function."""
    graphs = {name: Anatomy(wire.read(raw)) for name, raw in _graphs(trained).items()}
    made = {o.removeprefix("next_") for a in graphs.values() for o in a.graph.outputs}
    hidden = {n: graphs[n].hidden(made.intersection(graphs[n].graph.inputs)) for n in looked.order}
    able = [n for n in looked.order if hidden[n]]
    if not able:
        return _vectors(graphs, looked)
    graph = next((n for n in able if looked.counts[n] == 1), able[0])
    last = hidden[graph][-1]
    bent = [p for p in hidden[graph] if graphs[graph].bent(p.x) and p.x != last.x]
    return [Layer(graph, last), *([Layer(graph, bent[len(bent) // 2])] if bent else [])]


def _vectors(graphs: dict[str, Anatomy], looked: Looked) -> list[Layer]:
    """For a net without hidden layers, its output vector, whose numbers are taken as units."""
    for name in looked.order:
        for output in graphs[name].graph.outputs:
            shape, node = looked.shapes[name].get(output, ()), graphs[name].maker.get(output)
            if node is not None and len(shape) == 2 and shape[1] > 1:
                return [Layer(name, Product(node, output, "", "", -1))]
    return []


def _latent(trained: Model, looked: Looked) -> str | None:
    """The latent output of the observed graph: the one that another graph decodes."""
    graphs = {name: wire.read(raw) for name, raw in _graphs(trained).items()}
    first = looked.order[0]
    if trained.task.answer.prose or looked.counts[first] != 1:
        return None
    for name, graph in graphs.items():
        axes = trained.graphs[name].axes
        if name != first and len(graph.inputs) == 1 and not set(graph.inputs) & set(graphs[first].inputs):
            shape = axes[graph.inputs[0]][1]
            for output in graphs[first].outputs:
                seen = looked.shapes[first].get(output, ())
                if len(seen) == 2 == len(shape) and seen[1] == shape[1]:
                    return output
    return None


def letters(trained: Model, example: Example, read: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """For each character of the text, the index of the token that contains it; None if that is not known."""
    names = [name for name, field in trained.task.fields.items() if field.prose]
    if len(names) != 1 or trained.task.fields[names[0]].demands:  # then a beginning of a text is no value
        return None
    text = str(example[names[0]])
    ids = _ids(trained, example)
    if ids is None or not text:
        return None
    shift = 0 if np.array_equal(read, ids[: len(read)]) else 1
    if shift and not np.array_equal(read[1:], ids[: len(read) - 1]):
        return None

    # How many tokens of the whole text a prefix has already: a token appears with its last character.
    def known(beginning: str) -> int:
        shorter = _ids(trained, {**example, names[0]: beginning})
        same = shorter[: len(ids)] == ids[: len(shorter)] if shorter is not None else np.zeros(0, bool)
        return len(same) if same.all() else int(same.argmin())

    done = np.array([known(text[: i + 1]) for i in range(len(text))])
    done[-1] = min(done[-1], known(f"{text} x"))  # an end token belongs to no character
    done = np.maximum.accumulate(done)
    ends = np.searchsorted(done, np.arange(1, len(ids) + 1))  # the last character of each token
    pieces = np.searchsorted(ends, np.arange(len(text)))
    ending = ends[np.minimum(pieces, len(ends) - 1)]
    pieces = np.maximum(
        pieces, np.searchsorted(ends, ending, side="right") - 1
    )  # of tokens that end together, the last
    return np.minimum(pieces + shift, len(read) - 1)


def _ids(trained: Model, example: Example) -> NDArray[np.int64] | None:
    arrays = [a for a in trained.task.inputs(example).values() if a.ndim == 1 and a.dtype.kind == "i"]
    return arrays[0].astype(np.int64) if arrays else None


def _tokens(calls: Sequence[Arrays]) -> NDArray[np.int64] | None:
    """The token ids read in all calls."""
    for name, array in calls[0].items():
        if array.dtype.kind == "i" and len(array) == 1 and array.ndim <= 2:
            return np.concatenate([np.ravel(c[name]) for c in calls]).astype(np.int64)
    return None


def shown(trained: Model, example: Example) -> dict[str, Any]:
    """An example for display, by its first field: {"text"}, {"image"} or {"series"}; a file as the net sees it."""
    name, field = next(iter(trained.task.fields.items()))
    if drawn := field.show(example[name]):
        return drawn
    arrays = [a[0] for a in trained.task.collate([trained.task.inputs(example)]).values() if a.ndim == 4]
    return {"image": encode_png(picture(arrays[0]))} if arrays else {"text": str(example[name])}
