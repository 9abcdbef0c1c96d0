"""Structured pruning of exported graphs: whole units are removed, so that products become smaller, not sparse.

Three kinds can be removed: units between two products (the width of feed-forward layers), channels between two
convolutions (inside residual blocks), both in `prune_layers.py`, and whole attention heads (`prune_heads.py`). Which ones
to remove follows from second moments on a calibration set, without gradients: the weight behind them is fitted again by
least squares, so that its output changes as little as possible (`least_squares.py`).

Works on the ONNX files of a model folder, so it needs neither the net's code nor torch, and knows no task.
"""

import io
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lamella.graphs import Arrays, OnnxGraph, int8_convolutions, prune_heads, prune_layers
from lamella.graphs.least_squares import Floats, fit
from lamella.graphs.prune_layers import key

KINDS = ("units", "heads", "channels")


class Calibrator:
    """A graph that answers as before and collects the statistics that compression needs.

    Those are the second moments of units that can be removed, and the ranges of values around convolutions.
    """

    def __init__(self, raw: bytes, name: str) -> None:
        self.graph = _opened(raw).graph
        self.layers = prune_layers.find(self.graph)
        self.heads = prune_heads.find(self.graph)
        model = onnx.load_model_from_string(raw)
        self.watched = int8_convolutions.watched(model.graph)
        self.ranges: dict[str, tuple[float, float]] = {}
        stored = {t.name: key(t) for t in self.graph.initializer}
        # Whose moments are taken -> of which value, and where it holds units.
        self.noted = {stored[x.second]: (x.hidden, x.rows) for x in self.layers}
        self.noted |= {stored[w]: (value, _rows) for h in self.heads for w, value in h.outs}
        outside = {v.name for v in (*model.graph.input, *model.graph.output)}
        wanted = [*(value for value, _ in self.noted.values()), *self.watched]
        self.added = [n for n in dict.fromkeys(wanted) if n not in outside]
        for value in self.added:
            model.graph.output.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, None))
        self._graph = OnnxGraph(_written(model), name)
        self.moments: dict[str, Floats] = {}
        self.counts: dict[str, int] = {}

    def __call__(self, **inputs: NDArray[np.generic]) -> Arrays:
        out = self._graph(**inputs)
        for value in self.watched:
            seen = out.get(value, inputs.get(value))
            if seen is None:
                continue
            low, high = self.ranges.get(value, (0.0, 0.0))
            self.ranges[value] = min(low, float(seen.min(initial=0))), max(high, float(seen.max(initial=0)))
        for name, (value, rows_of) in self.noted.items():
            rows = rows_of(out[value])
            self.moments[name] = self.moments.get(name, 0.0) + rows.T @ rows
            self.counts[name] = self.counts.get(name, 0) + len(rows)
        return {key: value for key, value in out.items() if key not in self.added}

    def empty(self, **sizes: int) -> Arrays:
        """The state before the first step."""
        return self._graph.empty(**sizes)


def _rows(hidden: NDArray[np.generic]) -> Floats:
    return hidden.reshape(-1, hidden.shape[-1]).astype(np.float64)


def calibrate(graphs: Mapping[str, bytes], run: Callable[[Mapping[str, Calibrator]], object]) -> dict[str, Calibrator]:
    """ONNX files by name -> calibrators by graph name, after `run` has answered examples through them.

    Graphs of one net share weights; what one saw of a layer counts for all, so that it is pruned alike in all.
    """
    probes = {name.removesuffix(".onnx"): Calibrator(raw, name) for name, raw in graphs.items()}
    run(probes)
    moments: dict[str, Floats] = {}
    counts: dict[str, int] = {}
    for probe in probes.values():
        for name, seen in probe.moments.items():
            moments[name] = moments.get(name, 0.0) + seen
            counts[name] = counts.get(name, 0) + probe.counts[name]
    for probe in probes.values():
        probe.moments = {name: seen / max(1, counts[name]) for name, seen in moments.items()}
    return probes


def kinds(probes: Mapping[str, Calibrator]) -> list[str]:
    """The kinds of units in these graphs that can be removed, of `KINDS`."""
    present = {layer.kind for probe in probes.values() for layer in probe.layers}
    return [kind for kind in KINDS if kind in present or (kind == "heads" and any(_free(probes)))]


def count(files: Mapping[str, bytes]) -> int:
    """The number of weights in the matrices of the ONNX files; what several graphs share is counted once."""
    sizes: dict[str, int] = {}
    for name, raw in files.items():
        if name.endswith(".onnx"):
            graph = onnx.load_model_from_string(raw).graph
            sizes |= {key(t): int(np.prod(t.dims)) for t in graph.initializer if len(t.dims) >= 2}
    return sum(sizes.values())


def prune(
    files: Mapping[str, bytes], probes: Mapping[str, Calibrator], shares: Mapping[str, float]
) -> dict[str, bytes]:
    """A model's files -> the same with a share of units, heads and channels removed and the others fitted again."""
    pruned = dict(files)
    models = {name: _opened(files[f"{name}.onnx"]) for name in probes}
    for name, probe in probes.items():
        stored = {t.name: key(t) for t in models[name].graph.initializer}
        for layer in probe.layers:
            moments = probe.moments.get(stored[layer.second])
            share = shares.get(layer.kind, 0.0)
            if moments is not None and share:  # else no example reached it: nothing is known about its units
                prune_layers.narrow(models[name].graph, layer, moments, share)
    if shares.get("heads"):
        for group in _free(probes):
            (kept, fitted) = _heads_to_keep(group, probes, shares["heads"])
            for name, own in group.items():
                for heads in own:
                    if len(kept) < heads.count:
                        prune_heads.cut(models[name].graph, heads, kept, fitted)
    for name, model in models.items():
        del model.graph.value_info[:]
        pruned[f"{name}.onnx"] = _written(model)
    return pruned


def _free(probes: Mapping[str, Calibrator]) -> Iterator[dict[str, list[prune_heads.HeadGroup]]]:
    """Groups of heads to prune together; if no example reached one of them, all that share its state are left out."""
    groups = prune_heads.together({name: probe.heads for name, probe in probes.items()})
    seen = [_moments(group, probes) is not None for group in groups]
    unseen = {
        s for g, ok in zip(groups, seen, strict=True) if not ok for hs in g.values() for h in hs for s in h.states()
    }
    for group, ok in zip(groups, seen, strict=True):
        if ok and not unseen.intersection(s for own in group.values() for h in own for s in h.states()):
            yield group


def _moments(group: Mapping[str, list[prune_heads.HeadGroup]], probes: Mapping[str, Calibrator]) -> Floats | None:
    name, weight = _reader(group)
    (tensor,) = (t for t in probes[name].graph.initializer if t.name == weight)
    return probes[name].moments.get(key(tensor))


def _reader(group: Mapping[str, list[prune_heads.HeadGroup]]) -> tuple[str, str]:
    """The graph and the weight in it that read the heads."""
    return next((name, weight) for name, own in group.items() for h in own for weight, _ in h.outs)


def _heads_to_keep(
    group: Mapping[str, list[prune_heads.HeadGroup]], probes: Mapping[str, Calibrator], share: float
) -> tuple[NDArray[np.int64], Floats]:
    name, weight = _reader(group)
    (tensor,) = (t for t in probes[name].graph.initializer if t.name == weight)
    heads = group[name][0]
    keep = max(1, round((1 - share) * heads.count))
    moments = probes[name].moments[key(tensor)]
    return fit(moments, numpy_helper.to_array(tensor).astype(np.float64), keep, heads.size)


def _opened(raw: bytes) -> onnx.ModelProto:
    model = onnx.load_model_from_string(raw)
    prune_layers.unfold(model.graph)
    return model


def _written(model: onnx.ModelProto) -> bytes:
    out = io.BytesIO()
    onnx.save_model(model, out)
    return out.getvalue()
