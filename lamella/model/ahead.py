"""Open a model in a second thread while the first one imports what answers with it.

    with opened_ahead():        a command that opens a model in order to answer
        trained = load(path)

Files, checksums and the engine let other threads run, which imports do not: on two cores a short command is done in three
quarters of the time. `load` waits until every byte is verified, so nothing is answered before that.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from lamella import registry
from lamella.errors import LamellaError
from lamella.graphs import OnnxGraph, load_graphs
from lamella.graphs.compiled import runs
from lamella.machine import cores
from lamella.model.manifest import Manifest
from lamella.model.parse import MOST, parse
from lamella.model.undo import read_whole
from lamella.storage.checksums import SHIPPED
from lamella.storage.disk import read_regular

NAME = "lamella ahead"  # of the thread
_wanted: ContextVar[bool] = ContextVar("opened_ahead", default=False)


@contextmanager
def opened_ahead() -> Iterator[None]:
    """Models that are loaded inside open their graphs at once."""
    before = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(before)


def trusted(manifest: Manifest) -> frozenset[str]:
    """The names of the files that came with the package."""
    return frozenset(name for name, checksum in manifest.files.items() if checksum in SHIPPED)


def open_graphs(files: Mapping[str, bytes], own: frozenset[str], threads: int = 0) -> dict[str, OnnxGraph]:
    """The graphs among a model's files. threads: of each; 0: as many as there are cores. own: see `trusted`."""
    graphs = {name: raw for name, raw in files.items() if name.endswith(".onnx")}
    return load_graphs(graphs, threads=threads or cores(), trusted=own)


class Ahead:
    """A model folder that is read, verified and opened by a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = threading.Event()
        self._whole: tuple[dict[str, bytes], Manifest] | None = None
        self._failed: BaseException | None = None
        self._graphs: dict[str, OnnxGraph] | None = None
        # No daemon: Python may not end while the engine holds a thread, see `lamella.cli.interrupt.leave`.
        self._thread = threading.Thread(target=self._work, name=NAME)
        self._thread.start()

    def _work(self) -> None:
        try:
            files, manifest = self._whole = read_whole(self._folder)
        except BaseException as error:  # raised where it is waited for
            self._failed = error
            return
        finally:
            self._read.set()
        with suppress(Exception):  # where the graphs are needed they are opened again, and this is raised
            self._graphs = open_graphs(files, trusted(manifest))

    def whole(self) -> tuple[dict[str, bytes], Manifest]:
        """The files, verified; raises what `read_whole` does. The engine and the task are imported meanwhile."""
        with suppress(OSError, LamellaError):
            manifest = parse(read_regular(self._folder / "model.json", MOST), str(self._folder))
            if not runs(trusted(manifest)):
                import onnxruntime  # noqa: F401  # here, since the thread reads, and needs it next
            if not manifest.task.endswith(".py"):
                registry.find(manifest.task)
        self._read.wait()
        if self._whole is None:
            assert self._failed is not None
            raise self._failed
        return self._whole

    def graphs(self) -> dict[str, OnnxGraph] | None:
        """The graphs, once they are open; None where they could not be opened."""
        self._thread.join()
        return self._graphs


def begin(folder: Path) -> Ahead | None:
    """Begin to open a model folder, inside `opened_ahead`; else None."""
    return Ahead(folder) if _wanted.get() else None
