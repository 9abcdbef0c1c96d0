"""Temporary folders: of a killed process nothing stays, of a living one all."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lamella.server.scratch import Scratch
from lamella.storage import temporary

HOLDS = """
import sys, time
from pathlib import Path
from lamella.server.scratch import Scratch
from lamella.storage import temporary

kind = sys.argv[1]
if kind == "block":
    with temporary.folder("data") as place:
        (place / "inner").mkdir()
        (place / "inner" / "table.jsonl").write_text("x")
        print(place, flush=True)
        time.sleep(60)
scratch = Scratch(10**6, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
with scratch.file("a.txt", b"x") as path:
    print(path, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary folders are made."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def holder(*words: str) -> tuple["subprocess.Popen[str]", Path]:
    """A process that holds a folder, and what it has made there."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.parametrize("kind", ["block", "server", "worker"])
def test_a_killed_process_leaves_nothing_for_long(place: Path, kind: str) -> None:
    within = [str(place / "lamella-serve-shared" / "worker-1")] if kind == "worker" else []
    process, made = holder(kind, *within)
    outer = place / made.relative_to(place).parts[0]
    with temporary.folder("plan"):
        assert made.exists()  # it is held
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert outer.exists()  # a kill lets nobody tidy up
    with temporary.folder("plan") as mine:
        assert not outer.exists()
        assert mine.exists()
    assert list(place.iterdir()) == []


def test_one_of_two_workers_is_killed(place: Path) -> None:
    first, one = holder("worker", str(place / "lamella-serve-shared" / "worker-1"))
    second, other = holder("worker", str(place / "lamella-serve-shared" / "worker-2"))
    first.kill()
    first.wait()
    temporary.sweep()
    assert other.exists()
    second.kill()
    second.wait()
    temporary.sweep()
    assert not one.exists()
    assert list(place.iterdir()) == []


def test_what_somebody_else_made_stays(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (place / "lamella-notes").mkdir()
    (place / "lamella-notes" / "mine.txt").write_text("mine")
    (place / "lamella-file").write_text("mine")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / temporary.MARKER).touch()
    (place / "lamella-link").symlink_to(elsewhere)
    (place / "lamella-marked").mkdir()
    (place / "lamella-marked" / temporary.MARKER).symlink_to(elsewhere / temporary.MARKER)
    with temporary.folder("data"):
        pass
    assert sorted(p.name for p in place.iterdir()) == [
        "lamella-file",
        "lamella-link",
        "lamella-marked",
        "lamella-notes",
    ]
    assert (elsewhere / temporary.MARKER).exists()


def test_a_folder_is_private_and_goes_with_the_block(place: Path) -> None:
    with temporary.folder("data") as made:
        assert made.stat().st_mode & 0o777 == 0o700
        assert made.parent == place
    assert not made.exists()


def test_a_server_that_stops_leaves_no_handle(place: Path) -> None:
    scratch = Scratch(10**6)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    with scratch.file("a.txt", b"x"):
        pass
    scratch.close()
    assert list(place.iterdir()) == []
    assert before == (len(os.listdir("/proc/self/fd")) if before else 0)
