"""Nothing is lost: a process killed, or a disk that fails, at every single use of the disk; and whose files stay whose."""

from __future__ import annotations

import errno
import hashlib
import importlib
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors.numpy import save as tensors_of

import lamella
from bench import crash
from lamella import model
from lamella.errors import DataError, LamellaError, ModelError, TrainingError, UsageError
from lamella.fields.text import KEPT
from lamella.model import examples, fingerprint, load, undo, write, write_zip
from lamella.registry import find
from lamella.storage import disk, tensors
from lamella.train import checkpoint, curves, loop, prepare, process
from tests.model.test_model import FILES, manifest
from tests.train.test_engine import ball, fill, go, squares, whole

WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")
verb = importlib.import_module("lamella.verbs.train")
shipping = importlib.import_module("lamella.train.ship")
USES = ("rename", "replace", "link", "unlink", "rmdir", "mkdir", "fsync")


class Faults:
    """Calls something at the nth use of the disk, counted from 1; a write is used when half of it is done."""

    def __init__(self, patch: pytest.MonkeyPatch, nth: int, fault: Callable[[Any], None]) -> None:
        self.nth, self.uses, self.fault = nth, 0, fault
        for name in USES:
            patch.setattr(os, name, self._counted(getattr(os, name)))
        plain = Path.open

        def opened(path: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if "w" not in mode:
                return plain(path, mode, *args, **kwargs)
            self.use(path)
            return _File(plain(path, mode, *args, **kwargs), self)

        patch.setattr(Path, "open", opened)

    def use(self, path: Any = None) -> None:
        self.uses += 1
        if self.uses == self.nth:
            self.fault(path)

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.use(args[0])
            return function(*args, **kwargs)

        return call


class _File:
    def __init__(self, file: Any, faults: Faults) -> None:
        self._file, self._faults = file, faults

    def write(self, data: Any) -> Any:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        self._faults.use(self._file.name)
        return self._file.write(data[len(data) // 2 :])

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def killed_at(nth: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed at its nth use of the disk; False where there are fewer."""

    def child() -> None:
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, nth, lambda path: os.kill(os.getpid(), signal.SIGKILL))
            work()

    status = os.waitpid(crash.child(child), 0)[1]
    assert os.WIFSIGNALED(status) or status == 0, "it ended with an error"
    return os.WIFSIGNALED(status)


def failing_at(nth: int, number: int, work: Callable[[], object]) -> tuple[LamellaError | None, bool]:
    """The error of some work whose nth use of the disk fails, and whether there were so many."""

    def fail(path: Any) -> None:
        raise OSError(number, os.strerror(number), str(path))

    with pytest.MonkeyPatch.context() as patch:
        faults = Faults(patch, nth, fail)
        try:
            work()
        except LamellaError as error:
            return error, True
        return None, faults.uses >= nth


def again(place: Path, start: Path) -> None:
    """A folder as it was at the start."""
    shutil.rmtree(place, ignore_errors=True)
    if start.exists():
        shutil.copytree(start, place, symlinks=True)


def tree(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


OLD = {**FILES, "old.onnx": b"of the old model alone"}
NEW = {**FILES, "encode.onnx": b"another", "net.onnx": b"one more", "card.md": b"new"}
OWN = {"notes.txt": b"mine", "photos/cat.png": b"mine too", ".hidden": b"mine as well"}


def settle(place: Path, kind: str) -> None:
    """What is in a folder before a model is written there."""
    if kind != "nothing":
        write(manifest(training={"steps": 1}), OLD, place)
        for name, raw in OWN.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(raw)
        (place / "training" / "checkpoint").mkdir(parents=True)
        (place / "training" / "log.jsonl").write_text("kept")


def put_new(place: Path, steps: int = 2) -> None:
    write(manifest(training={"steps": steps}), NEW, place)


# --- the model folder


@pytest.mark.parametrize("kind", ["nothing", "a model and a person's own files"])
def test_a_write_killed_at_every_moment(tmp_path, kind):
    """The old model or the new one loads, the person's files are there, and the next write leaves nothing over."""
    settle(tmp_path / "start", kind)
    place, seen, nth = tmp_path / "model", set(), 0
    while True:
        nth += 1
        again(place, tmp_path / "start")
        if not killed_at(nth, lambda: put_new(place)):
            break
        try:
            found = load(place)
            seen.add(found.manifest.training["steps"])
            assert found.files.items() >= (OLD if found.manifest.training["steps"] == 1 else NEW).items()
        except (ModelError, UsageError):
            assert kind == "nothing", f"killed at use {nth}, no model loads"
        if kind != "nothing":
            assert tree(place).items() >= OWN.items() and (place / "training" / "log.jsonl").exists(), nth
            if nth % 3 == 0:  # a check before a long training settles it too
                model.free(place, force=True, whole=True)
                assert load(place).manifest.training["steps"] in (1, 2)
        put_new(place, steps=3)
        assert load(place).manifest.training["steps"] == 3 and load(place).files.items() >= NEW.items()
        left = {p.name for p in place.iterdir()} - {n.split("/")[0] for n in OWN} - {"training"}
        assert left == {*NEW, "model.json"}, f"killed at use {nth}: {left}"
        assert [p.name for p in tmp_path.iterdir() if p.name not in ("start", "model")] == []
    assert nth > 40 and seen == ({2} if kind == "nothing" else {1, 2})


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("kind", ["nothing", "a model and a person's own files"])
def test_a_write_that_fails_at_every_moment(tmp_path, kind, number):
    settle(tmp_path / "start", kind)
    place, nth, errors = tmp_path / "model", 0, 0
    while True:
        nth += 1
        again(place, tmp_path / "start")
        before = tree(place)
        error, so_many = failing_at(nth, number, lambda: put_new(place))
        if not so_many:
            break
        if error is None:  # the new model stood already
            assert load(place).manifest.training["steps"] == 2
        else:
            errors += 1
            assert isinstance(error, ModelError) and str(place) in str(error) and os.strerror(number) in str(error)
            assert kind == "nothing" or load(place).manifest.training["steps"] == 1, nth
            assert {k: v for k, v in tree(place).items() if ".lamella-" not in k} == before, nth
        put_new(place, steps=3)
        assert load(place).manifest.training["steps"] == 3 and not list(place.glob(".*lamella*")), nth
    assert errors > 25


def test_two_faults_on_end(tmp_path):
    """Killed while what another killed process left is put right."""
    settle(tmp_path / "start", "a model and a person's own files")
    rng, place = random.Random(0), tmp_path / "model"
    for _ in range(20):
        again(place, tmp_path / "start")
        for _ in range(3):
            killed_at(rng.randrange(1, 60), lambda: put_new(place))
            assert load(place).manifest.training["steps"] in (1, 2) and tree(place).items() >= OWN.items()


def test_the_old_model_goes_while_it_is_about_to_be_read(tmp_path, monkeypatch):
    """A writer may end between the look and the read: the folder itself is whole by then, and is tried again."""
    place = tmp_path / "model"
    settle(place, "a model")
    (place / undo.UNDO / "model").mkdir(parents=True)
    whole, times = undo._verified, []

    def verified(folder):
        times.append(folder)
        if len(times) == 1:
            raise ModelError("half written")
        if folder != place:
            os.utime(place / "model.json", (1, 1))  # the writer puts it in place last
            shutil.rmtree(place / undo.UNDO)
        return whole(folder)

    monkeypatch.setattr(undo, "_verified", verified)
    assert load(place).manifest.task and times == [place, place / undo.UNDO / "model", place]


def test_a_reader_meets_a_writer(tmp_path):
    """While one process replaces a model again and again, another always opens a whole one."""
    place = tmp_path / "model"
    settle(place, "a model")

    def writes() -> None:
        while True:
            write(manifest(training={"steps": 1}), OLD, place)
            put_new(place)

    writer = crash.child(writes)
    seen, until = set(), time.monotonic() + 20
    try:
        while (len(seen) < 2 or time.monotonic() < until - 18) and time.monotonic() < until:
            seen.add(load(place).manifest.training["steps"])
    finally:
        crash.kill(writer)
    assert seen == {1, 2}


def test_a_file_of_the_persons_that_has_a_models_name(tmp_path):
    settle(place := tmp_path / "model", "a model")
    (place / "net.onnx").write_bytes(b"my own")
    before = tree(place)
    with pytest.raises(ModelError, match=r"net\.onnx: is there already, and no model\.json lists it"):
        put_new(place)
    assert tree(place) == before
    (place / "net.onnx").unlink()
    (place / "old.onnx").write_bytes(b"listed once, and then changed by hand")
    put_new(place)
    assert (place / "old.onnx").read_bytes() == b"listed once, and then changed by hand"


def test_a_disk_without_hard_links(tmp_path, monkeypatch):
    def none(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", none)
    settle(place := tmp_path / "model", "a model")
    for nth in (12, 24, 30, 34):
        killed_at(nth, lambda: put_new(place))
        assert load(place).manifest.training["steps"] in (1, 2)
    put_new(place, steps=3)
    assert load(place).manifest.training["steps"] == 3 and not list(place.glob(".*lamella*"))


def test_what_others_left_is_left_alone(tmp_path):
    place = tmp_path / "model"
    host, gone = disk._host(), dead()
    put_new(place)
    names = [f".net.onnx.{gone}", ".net.onnx.lamella-x", f".lamella-{host}-{gone}-00000000", ".net.onnx.tmp"]
    names += [f".net.onnx.lamella-{host}-{os.getppid()}-00000000", f".net.onnx.lamella-0000-{gone}-00000000"]
    for name in names:
        (place / name).write_bytes(b"theirs")
    (place / f".net.onnx.lamella-{host}-{gone}-00000000").write_bytes(b"ours, of a process that is gone")
    put_new(place, steps=2)
    assert {p.name for p in place.iterdir()} == {*NEW, "model.json", *names}


def dead() -> int:
    """The number of a process that has ended."""
    number = crash.child(lambda: None)
    os.waitpid(number, 0)
    return number


def test_a_hostile_folder_leads_nobody_elsewhere(tmp_path):
    """What a folder says was being written removes and replaces only what has the checksums that it names, in it."""
    place, outside = tmp_path / "model", tmp_path / "outside"
    put_new(place)
    outside.write_bytes(b"precious")
    (place / "notes.txt").write_bytes(b"mine")
    sha = model.digest(b"precious")
    for names in ({"../outside": sha}, {"notes.txt": "0" * 64, "model.json": "1" * 64}):
        (place / undo.UNDO / "model").mkdir(parents=True)
        (place / undo.UNDO / "model" / "notes.txt").write_bytes(b"theirs")
        journal = undo.Journal(names, {"notes.txt": model.digest(b"theirs")}, {"../outside": sha})
        (place / undo.UNDO / "journal.json").write_bytes(msgspec.json.encode(journal))
        put_new(place)
        assert outside.read_bytes() == b"precious" and (place / "notes.txt").read_bytes() == b"mine"
        assert not (place / undo.UNDO).exists()
    (place / undo.UNDO).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(ModelError, match="could not be written"):
        put_new(place, steps=9)
    assert load(place).manifest.training["steps"] == 2 and list((tmp_path / "elsewhere").iterdir()) == []


# --- single files


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("kind", ["write_file", "write_zip", "log", "curves"])
def test_a_file_that_fails_at_every_moment(tmp_path, kind, number):
    out, points = tmp_path / "out", [(1, 2.0), (2, float("nan"))]
    work, wanted = {
        "write_file": (lambda: model.write_file(b"new" * 100, out), DataError),
        "write_zip": (lambda: write_zip(manifest(), FILES, out), DataError),
        "log": (lambda: curves.write_log(out, points), TrainingError),
        "curves": (lambda: curves.put(out, curves.svg(points, [], "chrF")), TrainingError),
    }[kind]
    for nth in range(1, 100):
        out.write_bytes(b"old")
        error, so_many = failing_at(nth, number, work)
        if not so_many:
            break
        assert type(error) is wanted and str(out) in str(error) and os.strerror(number) in str(error)
        assert [p.name for p in tmp_path.iterdir()] == ["out"]
        assert out.read_bytes() == b"old" or nth == 5, (
            "the flushing of the folder comes last: the new file is whole then"
        )
    assert nth > 5 and out.read_bytes() != b"old"
    for nth in range(1, 100):
        out.write_bytes(b"old")
        if not killed_at(nth, work):
            break
        assert out.read_bytes() == b"old" or nth == 5
        work()
        assert [p.name for p in tmp_path.iterdir()] == ["out"], "what was left half is gone"


def test_bare_graphs_that_fail_at_every_moment(tmp_path, tiny_model):
    """What is there is whole, each file by itself, and no model is overwritten by bare graphs."""
    opened, out, nth = load(tiny_model), tmp_path / "out", 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("lamella.verbs.export"), "_call", lambda name, graph: name)
        while True:
            nth += 1
            shutil.rmtree(out, ignore_errors=True)
            error, so_many = failing_at(nth, errno.ENOSPC, lambda: lamella.export(opened, str(out), to="onnx"))
            if not so_many:
                break
            assert isinstance(error, DataError) and str(out) in str(error) and "No space left" in str(error)
            assert not (out / "example.py").exists() or nth % 5 == 2
            assert all(opened.files[p.name] == p.read_bytes() for p in out.glob("*.onnx"))
    assert nth > 15 and "fingerprint.bin" not in {p.name for p in out.iterdir()}
    settle(place := tmp_path / "model", "a model")
    before = tree(place)
    with pytest.raises(UsageError, match="is a model, which graphs beside it would damage"):
        lamella.export(opened, str(place), to="onnx", force=True)
    assert tree(place) == before


def test_what_is_no_file_is_written_to(tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    model.write_file(b"through", pipe)
    assert os.read(reader, 99) == b"through" and pipe.is_fifo()
    os.close(reader)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "target").write_bytes(b"theirs")
    curves.put(tmp_path / "link", "<svg/>")
    assert (tmp_path / "target").read_bytes() == b"theirs" and not (tmp_path / "link").is_symlink()


# --- checkpoints


def test_a_checkpoint_killed_at_every_moment(tmp_path):
    folder, nth = tmp_path / "checkpoint", 0
    while True:
        nth += 1
        shutil.rmtree(folder, ignore_errors=True)
        checkpoint.save(ball(3), folder, {})
        if not killed_at(nth, lambda: checkpoint.save(ball(4), folder, {})):
            break
        run = ball()
        assert checkpoint.load(run, folder, {}) and run.step in (3, 4) and whole(run), nth
        checkpoint.save(ball(5), folder, {})
        assert [p.name for p in folder.iterdir()] == ["step-00000005"], nth
    assert nth > 12


def test_a_persons_file_beside_a_checkpoint_stays(tmp_path):
    place = checkpoint.save(ball(1), tmp_path, {})
    (place / "notes.txt").write_text("mine")
    (tmp_path / "step-one").mkdir()
    checkpoint.save(ball(2), tmp_path, {})
    checkpoint.forget(tmp_path)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == [
        "step-00000001", "step-00000001/notes.txt", "step-one",
    ]  # fmt: skip


def test_a_damaged_newest_one_does_not_outlive_the_run(tmp_path):
    """Going on from an older checkpoint, the next save must not keep the damaged newer one and drop the good ones."""
    for step in (2, 9):
        checkpoint.save(ball(step), tmp_path, {}, keep=2)
    (tmp_path / "step-00000009" / "run.json").write_bytes(b"{")
    assert checkpoint.load(ball(), tmp_path, {})
    checkpoint.save(ball(3), tmp_path, {})
    run = ball()
    assert checkpoint.load(run, tmp_path, {}) and run.step == 3


def remade(place: Path, raw: bytes | None = None, **changes: Any) -> None:
    """A checkpoint with other content and right checksums."""
    state = msgspec.json.decode((place / "run.json").read_bytes())
    if raw is not None:
        (place / "run.safetensors").write_bytes(raw)
        state["sha256"] = hashlib.sha256(raw).hexdigest()
    state |= changes
    state["digest"] = checkpoint._digest(state)
    (place / "run.json").write_bytes(msgspec.json.encode(state))


def header(content: bytes, data: bytes = b"") -> bytes:
    return len(content).to_bytes(8, "little") + content + data


def entry(shape: Any = (1,), first: int = 0, last: int = 4, kind: str = "F32") -> bytes:
    return json.dumps({"a": {"dtype": kind, "shape": shape, "data_offsets": [first, last]}}).encode()


HOSTILE = {
    "a pickle": pickle.dumps({"weights": [1.0]}),
    "a pickle with a header": header(pickle.dumps({"weights": [1.0]})),
    "nothing": b"",
    "300,000 tensors": header(
        b"{" + b",".join(b'"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n for n in range(300_000)) + b"}"
    ),
    "30,000 tensors": header(
        b"{" + b",".join(b'"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n for n in range(30_000)) + b"}"
    ),
    "a header of its own size": header(b"{" + b" " * (5 << 20) + b"}"),
    "a header that claims more": (1 << 40).to_bytes(8, "little") + b"{}",
    "deep": header(b'{"a":' + b"[" * 100_000),
    "no object": header(b'{"a": 3}'),
    "an unknown type": header(entry(kind="F31"), bytes(4)),
    "a negative shape": header(entry(shape=[-1, -1]), bytes(4)),
    "a huge shape": header(entry(shape=[1 << 40, 1 << 40]), bytes(4)),
    "past the end": header(entry(shape=[2], last=8), bytes(4)),
    "an overlap": header(
        b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}',
        bytes(6),
    ),
    "what nobody owns": header(entry(), bytes(9)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_safetensors(tmp_path, name):
    raw, start = HOSTILE[name], time.process_time()
    why = {"a pickle": "it does not begin with a header", "30,000 tensors": "it holds 30,000 tensors"}.get(name, "")
    with pytest.raises(ModelError, match=rf"x\.safetensors: expected a safetensors file, and {why}.*Do not use"):
        tensors.read_tensors(raw, "x.safetensors")
    checkpoint.save(ball(2), tmp_path, {})
    place = checkpoint.save(ball(9), tmp_path, {}, keep=2)
    remade(place, raw)
    run = ball()
    assert checkpoint.load(run, tmp_path, {}) and run.step == 2, "the one before is taken"
    assert time.process_time() - start < 2


def test_tensors_of_another_net_or_no_numbers_are_refused(tmp_path):
    place = checkpoint.save(ball(2), tmp_path, {})
    good = {k: np.array(v) for k, v in tensors.read_tensors((place / "run.safetensors").read_bytes(), "x").items()}
    bias = "weight.bias"
    for changes in (
        {bias: np.zeros(9, np.float32)}, {bias: np.zeros(8, np.float64)}, {"more": np.zeros(1, np.float32)},
        {bias: np.full(8, np.nan, np.float32)}, {"average.bias": np.full(8, np.inf, np.float32)}, {bias: None},
    ):  # fmt: skip
        remade(place, tensors_of({k: v for k, v in {**good, **changes}.items() if v is not None}))
        run = ball()
        with pytest.raises(ModelError, match=r"no complete checkpoint: .*run\.safetensors"):
            checkpoint.load(run, tmp_path, {})
        assert run.step == 0


ODD = (None, True, -1, 1e400, 10**30, "x", [], {}, [[1]], {"steps": "x"}, "\u2028" * 9, [1] * 1000)


def test_an_odd_run_json_never_ends_untyped(tmp_path):
    place = checkpoint.save(ball(2), tmp_path, {"budget": {"steps": 5, "seconds": None}, "precision": "float32"})
    state = msgspec.json.decode((place / "run.json").read_bytes())
    loaded = 0
    for name in (*state, "facts.budget", "facts.precision", "looks.points", "looks.best", "looks.since"):
        for value in ODD:
            outer, _, inner = name.partition(".")
            changed = {outer: {**state[outer], inner: value} if inner else value}
            try:
                content = {**state, **changed}
                content["digest"] = checkpoint._digest(content) if outer != "digest" else value
                (place / "run.json").write_bytes(json.dumps(content).encode())
                saved = checkpoint.peek(tmp_path)
                assert saved is not None
                loaded += 1
                loop._course_of(saved)
                assert checkpoint.load(ball(), tmp_path, {})
            except ModelError as error:
                assert str(place) in str(error) or str(tmp_path) in str(error)
    assert loaded > 20
    for raw in (b"", b"[]", b"[" * 100_000, b"\xff", b"{" + b" " * (17 << 20) + b"}"):
        (place / "run.json").write_bytes(raw)
        with pytest.raises(ModelError, match="no complete checkpoint"):
            checkpoint.peek(tmp_path)
    (place / "run.json").unlink()
    os.mkfifo(place / "run.json")
    with pytest.raises(ModelError, match="not a plain file"):
        checkpoint.peek(tmp_path)


# --- a loss that is no number


def test_what_is_no_number_is_never_saved(tmp_path):
    checkpoint.save(ball(2), tmp_path, {})
    for bad in (float("nan"), float("inf")):
        for part in ("masters", "first", "second"):
            run = ball(3)
            getattr(run.optimizer, part)[0].view(-1)[0] = bad
            with pytest.raises(TrainingError, match="no finite numbers"):
                checkpoint.save(run, tmp_path, {})
        run = ball(3)
        run.average[0].view(-1)[0] = bad
        with pytest.raises(TrainingError, match="no finite numbers"):
            checkpoint.save(run, tmp_path, {})
    run = ball()
    assert (
        checkpoint.load(run, tmp_path, {})
        and run.step == 2
        and [p.name for p in tmp_path.iterdir()] == ["step-00000002"]
    )


def test_an_infinite_loss_with_finite_gradients_moves_nothing():
    run = ball()
    before = [m.clone() for m in run.optimizer.masters]
    with pytest.raises(TrainingError, match="diverged"):
        for _ in go(run, lambda net, batch: squares(net, batch) * 0 + float("inf"), loop.Budget(steps=5)):
            pass
    assert all(torch.equal(a, b) for a, b in zip(before, run.optimizer.masters)) and run.step == 5


def test_a_training_whose_loss_is_no_number_keeps_its_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY", 0.0)
    cls = find(WEATHER)
    plain, out = cls.loss, tmp_path / "model"
    seen: list[float] = []

    def loss(self: Any, outputs: Any, targets: Any) -> Any:
        seen.append(0.0)
        return plain(self, outputs, targets) * (float("nan") if len(seen) > 12 else 1.0)

    real = find
    monkeypatch.setattr(
        prepare.registry,
        "find",
        lambda word: type("W", (real(word),), {"loss": loss, "__module__": real(word).__module__}),
    )
    with pytest.raises(TrainingError, match=r"diverged: 20 steps .*--rate"):
        lamella.train(WEATHER, "sample", out=str(out), size="tiny", steps=60, threads=1, tell=lambda line: None)
    saved = checkpoint.peek(out / "training" / "checkpoint")
    assert saved is not None and saved.state.updates == 12 and not (out / "model.json").exists()


# --- resumed runs


@pytest.mark.parametrize("word", [WEATHER, "time-series-forecasting"], ids=lambda word: Path(word).stem)
def test_killed_and_resumed_ends_bit_equal(tmp_path, word):
    assert crash.runs(word, times=1, count=42, seed=1, place=tmp_path) == 1


def test_kills_while_it_saves(tmp_path):
    assert crash.saves(6, random.Random(0), tmp_path) == 6


def test_the_best_weights_and_the_looks_are_in_the_checkpoint(tmp_path):
    run = ball(7)
    run.looks.add(5, 2.0, 0.5, True), run.looks.add(7, 3.0, 0.5, True)
    run.best, run.lost = [torch.full_like(m, 0.25) for m in run.optimizer.masters], 1
    checkpoint.save(run, tmp_path, {})
    other = ball()
    assert checkpoint.load(other, tmp_path, {}) and other.looks == run.looks and other.lost == 1
    assert other.looks.best == 2.0 and other.looks.since == 1
    assert all(torch.equal(a, b) for a, b in zip(other.best, run.best, strict=True))
    fill(run, 8)
    run.best = []
    checkpoint.save(run, tmp_path, {})
    assert checkpoint.load(other, tmp_path, {}) and other.best == []


def test_a_run_that_stopped_early_does_not_go_on(tmp_path):
    options = {"out": str(tmp_path / "m"), "size": "tiny", "steps": 400, "threads": 1, "tell": lambda line: None}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "metric_of", lambda job, watched: lambda run: float(run.step))
        patch.setattr(shipping, "ship", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            lamella.train(WEATHER, "sample", **options, patience=2)
        saved = checkpoint.peek(tmp_path / "m" / "training" / "checkpoint")
        assert saved.state.step == 72 and saved.state.looks.since == 2
        ended: list[int] = []
        patch.setattr(
            shipping, "ship", lambda job, name, gathered, trained, *a: ended.append(trained.run.step) or 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            lamella.train(WEATHER, "sample", **options, patience=2, resume=True)
    assert ended == [72]


# --- one trainer, and how it is stopped


def test_a_killed_trainer_locks_nobody_out(tmp_path):
    def hold() -> None:
        with process.only_one(tmp_path / "training"):
            (tmp_path / "held").touch()
            time.sleep(60)

    holder = crash.child(hold)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with pytest.raises(TrainingError, match="another training"), process.only_one(tmp_path / "training"):
        pass
    assert crash.kill(holder)
    with process.only_one(tmp_path / "training"):
        pass


def test_a_training_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "training").symlink_to(tmp_path)
    with pytest.raises(TrainingError, match="is a link"), process.only_one(tmp_path / "model" / "training"):
        pass
    (tmp_path / "model" / "training").unlink()
    (tmp_path / "model" / "training").mkdir()
    (tmp_path / "model" / "training" / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(TrainingError, match="cannot be written"), process.only_one(tmp_path / "model" / "training"):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["TERM", "INT twice"])
def test_stopped_in_one_line(tmp_path, signals):
    out = tmp_path / "m"
    command = [sys.executable, "-m", "lamella", "train", WEATHER, "sample", "-o", str(out), "--steps", "1000000"]
    with subprocess.Popen([*command, "--size", "tiny", "--threads", "1"], stderr=subprocess.PIPE, text=True) as running:
        lines = []
        for line in running.stderr:
            lines.append(line)
            if line.startswith("step "):
                break
        for number in signals:
            running.send_signal(number)
        lines += running.stderr.readlines()
        code = running.wait(120)
    assert code == 130 and "Traceback" not in "".join(lines)
    assert lines[-1].startswith("lamella: stopped"), lines
    assert not list((out / "training" / "checkpoint").glob(".*"))
    if len(signals) == 1:
        assert "--resume" in lines[-1] and checkpoint.peek(out / "training" / "checkpoint")


def test_a_wish_is_granted_after_the_step_and_at_once_elsewhere():
    with process.interrupt() as stop:
        stop.patient = True
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        with pytest.raises(KeyboardInterrupt, match="stopped; nothing was trained"):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        with pytest.raises(KeyboardInterrupt):
            stop.check()
    with process.interrupt() as stop, pytest.raises(KeyboardInterrupt, match="the checkpoint of step 3 is kept"):
        stop.kept = loop._kept(3)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


# --- what travels with a model


def test_a_persons_files_and_what_travels_with_a_model(tmp_path, cli, monkeypatch):
    """Train, again with --force, compress, export: own files stay; examples and fingerprint come along."""
    out, rows, told = tmp_path / "m", tmp_path / "rows.jsonl", []
    sample = find(WEATHER)(None).sample("train")[:200]
    rows.write_text("".join(json.dumps({**e, "past": " ".join(map(str, e["past"]))}) + "\n" for e in sample))
    command = {"out": str(out), "size": "tiny", "steps": 6, "threads": 1, "tell": told.append}
    lamella.train(WEATHER, "sample", **command)
    for name, raw in OWN.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(raw)
    found = lamella.train(WEATHER, str(rows), **command, force=True)
    assert any("three held-out examples are kept in the model for its page; --no-examples" in line for line in told)
    assert tree(out).items() >= OWN.items() and json.loads((out / "model.json").read_bytes())["training"]["examples"]
    assert len(found.manifest.examples) == 3 and all(
        {"past", "start"} >= set(e) >= {"past"} for e in found.manifest.examples
    )
    assert len(found.predict(found.manifest.examples)) == 3
    assert "3 held-out examples" in found.files["card.md"].decode()
    lamella.export(found, str(tmp_path / "m.zip"))
    monkeypatch.setattr(importlib.import_module("lamella.verbs.compress"), "slower", lambda *speeds: False)
    lamella.compress(found, str(out), "sample", tolerance=9, force=True, tell=told.append)
    assert tree(out).items() >= OWN.items() and load(out, WEATHER).manifest.precision == "int8"
    for place in (out, tmp_path / "m.zip"):
        assert cli("evaluate", place, rows, "--json", "--task", WEATHER).json["trained_on"] == {
            "count": 180, "of": 200, "exact": True,
        }  # fmt: skip
        said = cli("evaluate", place, rows, "--task", WEATHER).out
        assert "note: 180 of 200 examples were trained on; their scores are no measure of new data" in said
        assert "trained on" not in cli("evaluate", place, "sample", "--task", WEATHER).out
        opened = load(place, WEATHER)
        assert opened.manifest.examples == found.manifest.examples and fingerprint.FILE in opened.manifest.files
    plain = lamella.train(WEATHER, "sample", **{**command, "out": str(tmp_path / "none")}, examples=False)
    assert plain.manifest.examples == [] and "page" not in plain.files["card.md"].decode()
    assert "trained_on" not in lamella.evaluate(
        str(Path(lamella.__file__).parent / "models" / "languages"), "sample", limit=3
    )


def test_a_fingerprint_is_small_and_tells_no_text():
    keys = [[f"a secret sentence, number {n}"] for n in range(100_000)]
    raw = fingerprint.make(keys)
    assert len(raw) <= 256_000 and b"secret" not in raw
    seen = fingerprint.trained_on(raw, keys[:1000] + [[f"something new, {n}"] for n in range(1000)])
    assert seen.of == 2000 and not seen.exact and 900 <= seen.count <= 1100
    few = fingerprint.make(keys[:500])
    fresh = [[f"something new, {n}"] for n in range(5000)]
    assert fingerprint.trained_on(few, fresh + keys[490:510]).count == 10
    assert fingerprint.make(keys[:500][::-1]) == few and len(few) == 13 + 5 * 500
    assert fingerprint.make([["\ud800"]]) and fingerprint.trained_on(fingerprint.make([]), [["a"], []]).count == 0
    for odd in (b"", b"LFP1", few[:-1], b"LFP2" + few[4:], b"LFP1\7" + few[5:]):
        if odd != few:
            with pytest.raises(ModelError, match="expected a fingerprint"):
                fingerprint.trained_on(odd, [["a"]])


def test_examples_are_small_and_json(tmp_path):
    job = find("image-classification")(find("image-classification").Config())
    small, large = tmp_path / "a.png", tmp_path / "b.png"
    small.write_bytes(b"\x89PNG" + bytes(100))
    large.write_bytes(b"\x89PNG" + bytes(40_000))
    shown = examples.without_answer(job, {"image": str(small), "label": "secret"})
    assert shown is not None and shown["image"].startswith("data:image/png;base64,") and set(shown) == {"image"}
    assert examples.without_answer(job, {"image": str(large), "label": "x"}) is None
    assert examples.without_answer(job, {"image": str(tmp_path / "none.png"), "label": "x"}) is None
    words = find("text-classification")(find("text-classification").Config())
    long = examples.without_answer(words, {"text": "word " * 9000, "label": "x"})
    assert long is not None and len(long["text"]) <= KEPT
    hostile = manifest(training={"examples": [1, {"text": "a"}, "b", {"text": "c"}]})
    assert hostile.examples == [{"text": "a"}, {"text": "c"}]
    assert manifest(training={"examples": {"a": 1}}).examples == []
