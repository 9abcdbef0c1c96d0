"""What several tests share: models are trained and exported once for all of them, and once for all workers."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# Before numpy and torch are imported: the tests run beside each other, a core each.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session", autouse=True)
def operators_once() -> Iterator[None]:
    """The exporter reads its table of operators anew for each graph, 0.4 s each time: here once for each version."""
    from functools import cache

    with pytest.MonkeyPatch.context() as patch:
        if "torch" in sys.modules:
            from torch.onnx._internal.exporter import _registration

            read = cache(_registration.ONNXRegistry.from_torchlib)
            patch.setattr(_registration.ONNXRegistry, "from_torchlib", staticmethod(read))
        yield


STEPS = 45  # of a shared training: enough to beat the trivial answer, few enough to wait for


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """once("name", make): the folder that `make(folder)` wrote, whichever test or worker asked first."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name: str, make: Callable[[Path], object]) -> Path:
        folder = base / "shared" / name
        folder.parent.mkdir(exist_ok=True)
        with (folder.parent / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                make(folder)
        return folder

    return get


@pytest.fixture(scope="session")
def trained(once) -> Callable[[str], Path]:
    """trained("translation"): a model of that task, or of a task's file, from its sample. Nobody may write in it."""

    def get(task: str) -> Path:
        def make(folder: Path) -> None:
            import lamella

            lamella.train(task, "sample", out=str(folder), size="tiny", steps=STEPS, threads=1, tell=lambda line: None)

        return once(f"trained-{Path(task).stem}", make)

    return get


@pytest.fixture(scope="session")
def tiny_model(trained) -> Path:
    """A translator of the sample's sentences."""
    return trained("translation")


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object that it printed."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def cli() -> Callable[..., Done]:
    """cli("predict", "my-model", "text"): the command line, in this process."""
    from click.testing import CliRunner

    from lamella.cli.commands import main

    def run(*args: object, stdin: str | bytes | None = None) -> Done:
        done = CliRunner().invoke(main, [str(a) for a in args], input=stdin, catch_exceptions=False)
        return Done(done.exit_code, done.stdout, done.stderr)

    return run


class Disk:
    """A disk that fails at its nth use, counted from 1: making, opening, writing, flushing or renaming."""

    def __init__(self, patch: pytest.MonkeyPatch, nth: int) -> None:
        self.nth, self.uses = nth, 0
        for owner, name in ((os, "rename"), (os, "replace"), (os, "mkdir"), (os, "fsync")):
            patch.setattr(owner, name, self._counted(getattr(owner, name)))
        plain = Path.open

        def opened(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if "w" not in mode:
                return plain(path, mode, *args, **kwargs)
            self.use(str(path))
            file = plain(path, mode, *args, **kwargs)
            return _File(file, self)

        patch.setattr(Path, "open", opened)

    def use(self, path: str | None = None) -> None:
        self.uses += 1
        if self.uses == self.nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.use()
            return function(*args, **kwargs)

        return call

    @property
    def failed(self) -> bool:
        return self.uses >= self.nth


class _File:
    """A file of such a disk: a write that fails leaves the half of it."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def write(self, data: Any) -> Any:
        try:
            self._disk.use(self._file.name)
        except OSError:
            self._file.write(data[: len(data) // 2])
            self._file.flush()
            raise
        return self._file.write(data)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.fixture
def full_disk() -> Callable[[int], Any]:
    """with full_disk(3) as disk: the third use of the disk fails."""

    @contextmanager
    def get(nth: int) -> Iterator[Disk]:
        with pytest.MonkeyPatch.context() as patch:
            yield Disk(patch, nth)

    return get


@pytest.fixture
def copied(tiny_model, tmp_path):
    """A model of its own for each test, in a folder with a space in its name."""
    folder = tmp_path / "some one's models" / "tiny"
    shutil.copytree(tiny_model, folder)
    return folder
