"""Ship a model: as one zip, or as bare ONNX graphs with an example that needs numpy and onnxruntime alone.

lamella export my-model -o model.zip
lamella export my-model --to onnx -o folder
"""

from pathlib import Path
from typing import Any

from lamella import model as folder
from lamella.errors import DataError, UsageError
from lamella.graphs import OnnxGraph
from lamella.model import Model, fingerprint
from lamella.model.named import load
from lamella.storage import disk

EXAMPLE = '''"""Run the graphs of a {task} model with numpy and onnxruntime alone. python example.py"""

import os
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # has to be there before onnxruntime is imported

import numpy as np
import onnxruntime

HERE = Path(__file__).parent
{calls}'''

SIZE = 16  # of free axes in the example: enough for the shortest list of candidates that a translator can search

CALL = """
session = onnxruntime.InferenceSession(HERE / "{file}")
# free axes, here of size {size}: {axes}
inputs = {{
{inputs}
}}
for output, array in zip(session.get_outputs(), session.run(None, inputs)):
    print("{file}", output.name, array.shape, array.dtype)
"""


def export(model: str | Model, out: str, to: str = "zip", task: str | None = None, force: bool = False) -> Path:
    """Write a model as a zip (`to="zip"`) or as a folder of bare graphs (`to="onnx"`); returns where."""
    trained = model if isinstance(model, Model) else load(model, task)
    place = Path(out)
    folder.free(place, force)
    if to == "zip":
        if place.is_dir():
            raise UsageError(f"{out}: is a folder. Expected the name of a zip file.")
        folder.write_zip(trained.manifest, trained.files, place)
        return place
    if to != "onnx":
        raise UsageError(f"--to {to}: expected zip or onnx.")
    if (place / "model.json").exists():
        raise UsageError(f"{out}: is a model, which graphs beside it would damage. Choose another folder.")
    try:
        disk.make_folder(place)
    except OSError as error:
        raise DataError(f"{out}: could not be made ({error.strerror or error}).") from error
    calls = []
    for name, raw in sorted(trained.files.items()):
        if name not in ("model.json", fingerprint.FILE):
            disk.write_file(raw, place / name)
        if name.endswith(".onnx"):
            calls.append(_call(name, OnnxGraph(raw, name)))
    text = EXAMPLE.format(task=trained.manifest.task, calls="".join(calls))
    disk.write_file(text.encode(), place / "example.py")  # last: where it is, all is there
    return place


def _call(name: str, graph: OnnxGraph) -> str:
    """A call of a graph with every free axis of one size, as Python."""
    lines: list[str] = []
    axes: set[str] = set()
    for key, (kind, shape) in graph.axes.items():
        axes.update(a for a in shape if isinstance(a, str))
        size: tuple[Any, ...] = tuple(SIZE if isinstance(a, str) else a for a in shape)
        value = f"np.ones({size}, np.int64)" if kind.__name__ == "int64" else f"np.zeros({size}, np.{kind.__name__})"
        lines.append(f'    "{key}": {value},')
    return CALL.format(file=name, size=SIZE, axes=", ".join(sorted(axes)), inputs="\n".join(lines))
