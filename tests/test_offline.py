"""Nothing calls home: no connection, and no file outside the places that were named."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lamella
from lamella.model import shipped

ROOT = Path(__file__).parent.parent
MODEL = shipped.directions()["en", "fr"]
SETTING = "ORT_DISABLE_TELEMETRY"
TRANSLATE = "import lamella; print(lamella.translate('Hello, world!', 'en', 'fr'))"
TRAIN = "import lamella; lamella.train('text-classification', 'sample', out='m', steps=2)"


def run(command: list[str], home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process whose home, caches and temporary folder are all below `home`, with the setting unset."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    names = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ORT_")) and k != "TMPDIR"}
    names |= {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run(command, capture_output=True, text=True, cwd=home, env=names, timeout=120)


def written(home: Path) -> list[str]:
    """Everything below a home but its temporary folder, which is there to be written."""
    return sorted(str(p.relative_to(home)) for p in home.rglob("*") if not p.is_relative_to(home / "tmp"))


def test_a_translation_writes_nothing_into_an_empty_home(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", TRANSLATE], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "monde" in done.stdout
    assert written(tmp_path) == []


def test_a_setting_of_the_person_is_kept(tmp_path: Path) -> None:
    ask = [sys.executable, "-c", f"import lamella, os; print(os.environ[{SETTING!r}])"]
    assert run(ask, tmp_path).stdout.strip() == "1"
    assert run(ask, tmp_path, **{SETTING: "0"}).stdout.strip() == "0"


def test_the_exported_example_writes_nothing_either(tmp_path: Path) -> None:
    lamella.export(str(MODEL), str(tmp_path / "bare"), to="onnx")
    done = run([sys.executable, str(tmp_path / "bare" / "example.py")], tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert written(tmp_path / "home") == []


# Calls that reach another machine; a socket of the machine itself (AF_UNIX, AF_NETLINK) is none.
CALLS = "connect,sendto,sendmsg,sendmmsg"


def connections(log: Path) -> list[str]:
    """Lines of a trace that concern an address outside this machine."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if "AF_INET" in line and "127.0.0.1" not in line and '"::1"' not in line]


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-c", TRANSLATE],
        [sys.executable, "-c", TRAIN],
    ],
    ids=["translate", "train"],
)
def test_nothing_connects(tmp_path: Path, command: list[str]) -> None:
    log = tmp_path / "trace"
    trace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={CALLS}", "-o", str(log)]
    done = run([*trace, *command], tmp_path / "home", OMP_NUM_THREADS="1")
    if "ptrace" in done.stderr.lower():
        pytest.skip("this machine lets no process be traced")
    assert done.returncode == 0, done.stderr
    assert connections(log) == []
    assert {name.split("/")[0] for name in written(tmp_path / "home")} <= {"m"}


def test_a_connection_would_be_seen(tmp_path: Path) -> None:
    """The check itself can fail: a line of a trace with an address elsewhere is found, one of this machine is not."""
    log = tmp_path / "trace"
    here = 'connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0\n'
    log.write_text(
        here + here.replace("127.0.0.1", "192.0.2.1") + 'connect(4, {sa_family=AF_UNIX, sun_path="/x"}, 4) = 0\n'
    )
    assert len(connections(log)) == 1


# ---- whoever imports the engine by itself has to set it first ----------------------------------------------------


def sources() -> Iterator[Path]:
    for folder in ("lamella", "bench", "recipes", "tests", "lessons", "docs"):
        yield from sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", list(sources()), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_is_imported_after_the_setting(path: Path) -> None:
    """A file that imports onnxruntime imports lamella, or sets the variable, on an earlier line."""
    source = path.read_text(encoding="utf-8")
    if "onnxruntime" not in source:
        return
    tree = ast.parse(source)
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {n: [n.module or ""] if isinstance(n, ast.ImportFrom) else [a.name for a in n.names] for n in imports}
    engine = [n.lineno for n, found in names.items() if any(name.split(".")[0] == "onnxruntime" for name in found)]
    if not engine or path.is_relative_to(
        ROOT / "lamella"
    ):  # the package's own __init__ has run before any of its files
        return
    ours = [n.lineno for n, found in names.items() if any(name.split(".")[0] == "lamella" for name in found)]
    setting = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value == SETTING]
    assert min([*ours, *setting], default=10**9) < min(engine), f"{path}: set {SETTING} before importing onnxruntime"
