"""The command line where the machine is not as usual: closed streams, Ctrl-C at any moment, odd files, no home, no PATH."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lamella
from lamella import model
from lamella.cli.arguments import not_a_file
from lamella.errors import DataError, LamellaError

ROOT = Path(__file__).parents[2]
LAMELLA = f"{sys.executable} -m lamella"
MODEL = ROOT / "lamella" / "models" / "languages"


def shell(command: str, **options) -> subprocess.CompletedProcess[str]:
    options = {"capture_output": True, "text": True, "timeout": 60, "cwd": ROOT, **options}
    return subprocess.run(["bash", "-c", command.replace("lamella", LAMELLA, 1)], **options)


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        ("lamella detect Hallo <&-", 0, True, ""),
        ("lamella detect - <&-", 2, False, "expected lines from standard input"),
        ("lamella detect Hallo >&-", 1, False, "standard output: is closed"),
        (f"lamella predict {MODEL} README.md --text >&-", 1, False, "standard output: is closed"),
        (f"lamella show {MODEL} --json >&-", 1, False, "standard output: is closed"),
        ("lamella detect Hallo 2>&-", 0, True, ""),
        ("lamella detect <&- >&- 2>&-", 2, False, ""),
        ("lamella tasks | head -c 1; exit ${PIPESTATUS[0]}", 0, True, ""),
        ("yes | head -3000 | lamella detect - | head -1; exit ${PIPESTATUS[2]}", 0, True, ""),
        ("env -i lamella detect Hallo", 0, True, ""),
        ("HOME=/nonexistent TMPDIR=/nonexistent PATH= lamella detect Hallo", 0, True, ""),
        ("LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=ascii lamella detect é", 0, True, ""),
    ],
)
def test_closed_streams_and_bare_machines(command, code, out, err):
    done = shell(command)
    assert done.returncode == code and bool(done.stdout) == out, done
    assert err in done.stderr and len(done.stderr.splitlines()) == bool(err), done


BEGIN = "import os; os.write(1, b'!'); from lamella.__main__ import main; main()"


@pytest.mark.parametrize(
    "args", [["translate", "Hello", "--from", "en", "--to", "fr"], ["predict", str(MODEL), "Hello"], ["--help"]]
)
def test_ctrl_c_at_any_moment(args):
    """One line, or what was asked for; never a traceback."""
    codes = set()
    for delay in (0.03, 0.06, 0.09, 0.12, 0.16, 0.2, 0.3):
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, *args], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout.read(1) == b"!"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        codes.add(process.returncode)
        assert err == (b"lamella: stopped.\n" if process.returncode == 130 else b""), (delay, err)
    assert codes <= {0, 130, -signal.SIGINT}  # -SIGINT: Python itself was ending
    assert 130 in codes or args == ["--help"]  # which a quick machine has printed before the first signal


def test_ctrl_c_that_a_module_takes_for_a_failed_import():
    """What interrupts an import can come out of it as any error."""
    program = (
        "import sys, os, signal, lamella.__main__ as m, lamella.model.shipped\n"
        "def broken(*a):\n"
        "    try: os.kill(os.getpid(), signal.SIGINT)\n"
        "    except KeyboardInterrupt: raise ImportError('half a module')\n"
        "lamella.model.shipped.identifier = broken\n"
        "sys.argv = ['lamella', 'detect', 'Hallo']\n"
        "m.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (130, "lamella: stopped.\n")


# --- files that are none


@pytest.fixture
def odd(tmp_path) -> dict[str, Path]:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "line\nbreak.csv").write_text("text\n")
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "half.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    names = {name: tmp_path / name for name in ("pipe", "folder", "line\nbreak.csv", "nothing", "half.zip")}
    return names | {"zero": Path("/dev/zero"), "null": Path("/dev/null"), "memory": Path("/proc/self/mem")}


def test_what_is_no_file_is_said_and_not_waited_for(odd):
    kinds = {"pipe": "a pipe", "zero": "a device", "null": "a device", "folder": "", "nothing": "", "memory": ""}
    assert {name: not_a_file(str(odd[name])) for name in kinds} == kinds
    assert not_a_file("none") == not_a_file("x" * 5000) == not_a_file("a\0b") == ""


@pytest.mark.parametrize("name", ["pipe", "folder", "line\nbreak.csv", "nothing", "zero", "null", "memory"])
def test_predict_of_odd_files(cli, odd, name):
    for flags in ([], ["--file"]):
        done = cli("predict", MODEL, odd[name], *flags)
        if name == "folder" and not flags:
            continue  # a text that is a folder's name
        if name == "nothing":
            assert done.code == 0 and done.out == ""
            continue
        assert done.code in (1, 2) and done.err.startswith("lamella: ") and "fault in lamella" not in done.err, done
        assert len([line for line in done.err.splitlines() if not line.startswith("  ")]) == 1 and not done.out


@pytest.mark.parametrize("verb", ["show", "evaluate", "explain", "compress", "export", "predict", "serve"])
def test_models_that_are_none(cli, odd, tmp_path, verb):
    more = {
        "evaluate": ["sample"],
        "explain": ["Hallo"],
        "predict": ["Hallo"],
        "compress": ["-o", tmp_path / "new"],
        "export": ["-o", tmp_path / "new"],
    }
    (tmp_path / "fifo").mkdir()
    os.mkfifo(tmp_path / "fifo" / "model.json")
    for place in [*odd.values(), tmp_path / "fifo", tmp_path / "none", ""]:
        if verb == "serve" and place == "":
            continue
        done = cli(verb, place, *more.get(verb, []))
        assert done.code in (1, 2) and done.err.startswith("lamella: ") and "fault in lamella" not in done.err, done
        assert len(done.err.splitlines()) == 1 and not done.out
    assert not (tmp_path / "new").exists()


def test_errors_stay_on_one_line():
    error = DataError("my\nfile\x1b[2J \udce9", ["a\rb"])
    assert str(error) == "my\\nfile\\x1b[2J \\udce9" and error.details == ["a\\rb"]
    assert str(LamellaError("é 🎉 \u00a0.")) == "é 🎉 \u00a0."


def test_an_empty_name_is_no_file(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (["predict", MODEL, "Hallo"], ["translate", "Hello", "--to", "fr"], ["export", MODEL]):
        done = cli(*command, "-o", "")
        assert done.code == 2 and "-o: expected a name" in done.err and not done.out
    assert cli("predict", MODEL, "").code == 0  # an empty text
    assert cli("predict", MODEL, "--file", "").code == 2


def test_a_model_from_elsewhere_does_not_steer_the_terminal(tmp_path, cli) -> None:
    """What a card says of its data is shown without escape codes; labels on a terminal too, and in a pipe as they are."""
    trained = lamella.load(str(MODEL))
    trained.manifest.training["data"] = ["\x1b]0;owned\x07 \x9b2J pairs"]
    model.write(trained.manifest, trained.files, tmp_path / "odd")
    shown = cli("show", tmp_path / "odd")
    assert shown.code == 0 and "pairs" in shown.out
    assert not {"\x1b", "\x07", "\x9b"} & set(shown.out)

    code = (
        "import sys; sys.argv = ['lamella']; from lamella.cli.streams import shown; print(ascii(shown('a\\x1b[2Jb')))"
    )
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert piped.stdout.strip() == r"'a\x1b[2Jb'"
    main, other = pty.openpty()
    subprocess.run([sys.executable, "-c", code], stdout=other, check=True)
    os.close(other)
    assert r"'a\ufffd[2Jb'" in os.read(main, 1000).decode()
    os.close(main)
