"""Make a model of a net that another program has trained.

    lamella import opus-mt-en-de -o my-model

Each task says what it can read (`Transfer.imported`). The net is built, filled with the weights, exported and compared with
itself as after a training, and the model folder is written when all of it is done.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from lamella import model, registry
from lamella.errors import MissingExtra, UsageError
from lamella.model import card
from lamella.model.learned import restore
from lamella.options import make_config
from lamella.task import Imported, Task
from lamella.version import __version__

SIZE = "base"  # of `--size`, for the learning rate and the batches where the model is trained further


def import_model(
    source: str,
    out: str,
    *,
    task: str | None = None,
    int8: bool = False,
    force: bool = False,
    tell: Callable[[str], None] | None = None,
    **options: Any,
) -> model.Model:
    """Read another program's model from a folder or a file, and write it as the model folder `out`.

    task: whose, where several tasks could read it. int8: store weights in bytes, a scale for each output. options: fields of
    the task's own, such as "from" and "to". Returns the model, opened. Raises UsageError where no task knows the files,
    and ModelError where they are damaged, incomplete or not supported; then nothing is written.
    """
    try:
        import onnxscript  # noqa: F401

        from lamella.train.adopt import fill
        from lamella.train.export import export_graphs
    except ImportError as error:
        raise MissingExtra("import", "train") from error
    tell = tell or (lambda line: print(line, file=sys.stderr))
    place = Path(out)
    model.free(place, force, whole=True)
    name, cls, found = _read(Path(source), [task] if task else registry.names(), options)
    for line in found.notes:
        tell(line)
    job = cls(make_config(cls.Config, {**found.config, **options}, name), SIZE)
    restore(job, found.learned)
    net = job.build()
    fill(net, found.weights).all_or_error(source)
    tell("exporting, and comparing the exported graphs with the net")
    files = export_graphs(net)
    if int8:
        from lamella.graphs.int8 import quantize

        files = {file: quantize(raw) for file, raw in files.items()}
    values: dict[str, Any] = {}
    for key, value in found.learned.items():
        file = f"{key.rstrip('_')}.model"
        values[key] = {"file": file} if isinstance(value, bytes) else value
        files.update({file: value} if isinstance(value, bytes) else {})
    manifest = model.Manifest(
        lamella=__version__,
        task=name,
        config=msgspec.to_builtins(job.config),
        size=SIZE,
        fields={k: msgspec.to_builtins(v) for k, v in job.fields.items()},
        learned=values,
        parameters=sum(p.numel() for p in net.parameters()),
        precision="int8" if int8 else "float32",
        training={"data": found.notes},
    )
    manifest.files = {file: model.digest(raw) for file, raw in files.items()}  # the card speaks of them
    files["card.md"] = card.write(manifest, sum(map(len, files.values()))).encode()
    model.write(manifest, files, place)
    return model.load(place)


def _read(source: Path, names: list[str], options: dict[str, Any]) -> tuple[str, type[Task], Imported]:
    """The task that knows these files, by its name, and what it made of them."""
    if not source.exists():
        raise UsageError(f"{source}: no such file or folder. Expected a model of another program.")
    readable = []
    for name in names:
        cls = registry.find(name)
        if found := cls.transfer.imported(source, options):
            return name, cls, found
        if cls.transfer.importable:
            readable.append(f"{name} reads {cls.transfer.importable}")
    held = ", ".join(sorted(p.name for p in source.iterdir())[:8]) if source.is_dir() else "a file"
    raise UsageError(
        f"{source}: nothing that can be imported was recognised; it holds {held or 'nothing'}. "
        f"{'; '.join(readable) or f'{names[0]} imports no models of other programs'}."
    )
