"""Large arrays of a shipped graph are handed to the engine where they lie: the same outputs, no copies, nothing looked up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamella.graphs import OnnxGraph, wire
from lamella.graphs.apart import LEAST, apart
from lamella.model import shipped

GRAPHS = sorted(shipped.FOLDER.glob("*/*.onnx"))
SIZES = {"batch": 2, "beam": 1, "candidates": 60}


def feeds(graph: OnnxGraph) -> dict[str, np.ndarray]:
    """Inputs of any kind: tokens, states, masks."""
    rng, made = np.random.default_rng(0), {}
    for name, (kind, axes) in graph.axes.items():
        shape = [SIZES.get(axis, 9) if isinstance(axis, str) else axis for axis in axes]
        numbers = rng.integers(4, 50, shape) if kind is np.int64 else rng.standard_normal(shape)
        made[name] = numbers.astype(kind)
    return made


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_outputs_are_those_of_the_whole_file(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # where there is no file that the small graph could name
    raw = path.read_bytes()
    whole, trusted = OnnxGraph(raw, path.name), OnnxGraph(raw, path.name, trusted=True)
    assert trusted._beside and not whole._beside, "only what came with the package"
    given = feeds(whole)
    for name, value in whole(**given).items():
        assert value.tobytes() == trusted(**given)[name].tobytes(), name


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_is_copied_and_nothing_left_out(path: Path) -> None:
    raw = path.read_bytes()
    small, arrays = apart(raw)
    stored, left = wire.read(raw).stored, wire.read(small).stored
    large = {
        name for name, one in stored.items() if one.kind in (2, 3) and one.data and one.data[1] - one.data[0] >= LEAST
    }
    assert large and arrays.keys() == large and left.keys() == stored.keys()
    for name, array in arrays.items():
        begin, end = stored[name].data or (0, 0)
        assert array.shape == stored[name].shape and array.tobytes() == raw[begin:end]
        assert np.shares_memory(array, np.frombuffer(raw, np.uint8)) and left[name].data is None
    assert len(small) + sum(array.nbytes for array in arrays.values()) < len(raw) + 200 * len(arrays)


def test_what_is_no_graph() -> None:
    with pytest.raises(ValueError, match="longer than what it stands in"):
        apart(b"\x3a\xff\x01")
