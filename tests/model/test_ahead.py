"""A model that is opened in a second thread: verified before anything is answered, the same answers, the same errors."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import lamella
from lamella import model
from lamella.errors import ModelError, UsageError
from lamella.graphs import run
from lamella.model import ahead, shipped, undo
from lamella.model.ahead import opened_ahead

ROOT = Path(__file__).parents[2]
LANGUAGES = shipped.FOLDER / "languages"
TEXTS = ["Wo ist der Bahnhof?", "Where is the station?"]
TRANSLATE = (
    "import sys, pathlib\n"
    "from lamella.__main__ import main\n"
    "from lamella.model import shipped\n"
    "shipped.FOLDER = pathlib.Path(sys.argv.pop(1))\n"
    "main()"
)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LANGUAGES, tmp_path / "languages"))


def flip(path: Path) -> None:
    """Another value of one byte in the middle, where a graph has its weights: it loads, and answers wrongly."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def test_the_answers_are_those_of_a_model_opened_at_once() -> None:
    plain = lamella.load(LANGUAGES)
    with opened_ahead():
        early = lamella.load(LANGUAGES)
    assert early.predict(TEXTS) == plain.predict(TEXTS)
    assert early._ahead is not None and early.graphs is early._ahead.graphs()
    assert plain._ahead is None and lamella.load(LANGUAGES)._ahead is None, "only where it was asked for"
    assert early.trusted == plain.trusted == {"classify.onnx", "vocabulary.model"}


def test_graphs_open_while_the_command_does_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    plain = run.OnnxGraph.__init__

    def opened(*args: object, **kwargs: object) -> None:
        threads.append(threading.current_thread().name)
        plain(*args, **kwargs)

    monkeypatch.setattr(run.OnnxGraph, "__init__", opened)
    with opened_ahead():
        early = lamella.load(LANGUAGES)
    early.predict(TEXTS)
    lamella.load(LANGUAGES).predict(TEXTS)
    assert threads == ["lamella ahead", threading.main_thread().name]


@pytest.mark.parametrize(
    ("args", "folder"),
    [
        (("translate", "Hello, world!", "--to", "fr"), "en-de+es+fr+zh"),
        (("detect", "Wo ist der Bahnhof?"), "languages"),
        (("predict", "languages", "Wo ist der Bahnhof?"), "languages"),
    ],
)
def test_commands_that_answer_open_ahead(
    cli: Callable[..., Any], args: tuple[str, ...], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    class Noted(ahead.Ahead):
        def __init__(self, place: Path) -> None:
            opened.append(place.name)
            super().__init__(place)

    monkeypatch.setattr(ahead, "Ahead", Noted)
    for cached in (shipped._opened, shipped.translator, shipped.identifier):
        cached.cache_clear()
    assert cli(*args).code == 0 and opened == [folder]


@pytest.mark.parametrize("name", ["classify.onnx", "vocabulary.model", "card.md"])
def test_a_changed_file_is_an_error_before_anything_is_answered(copied: Path, name: str) -> None:
    flip(copied / name)
    with opened_ahead(), pytest.raises(ModelError, match=rf"{name}: its checksum is not the one in model.json"):
        lamella.load(copied)


def test_a_model_that_is_none(tmp_path: Path) -> None:
    with opened_ahead():
        with pytest.raises(UsageError, match="no such model"):
            lamella.load(tmp_path / "none")
        with pytest.raises(ModelError, match="not a model folder"):
            lamella.load(tmp_path)


def test_loading_waits_for_the_checksums(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(folder: Path) -> object:
        time.sleep(0.2)
        return undo.read_whole(folder)

    monkeypatch.setattr(ahead, "read_whole", slow)
    began = time.monotonic()
    with opened_ahead():
        lamella.load(copied)
    assert time.monotonic() - began > 0.2


def test_a_graph_that_the_engine_refuses_is_the_same_error(copied: Path) -> None:
    plain = lamella.load(copied)
    raw = (copied / "classify.onnx").read_bytes()
    model.write(plain.manifest, {**plain.files, "classify.onnx": raw[: len(raw) // 2]}, copied)
    said = []
    for context in (nullcontext(), opened_ahead()):
        with context:
            opened = lamella.load(copied)
        with pytest.raises(ModelError) as error:
            opened.predict(TEXTS)
        said.append(str(error.value))
    assert said[0] == said[1] and "classify.onnx" in said[0]


def test_a_translation_of_a_changed_model_prints_nothing(tmp_path: Path) -> None:
    """Each byte is verified before an answer, though the graphs are opened meanwhile."""
    folder = shutil.copytree(shipped.FOLDER, tmp_path / "models")
    command = [sys.executable, "-c", TRANSLATE, str(folder), "translate", "Hello, world!", "--to", "fr"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, ["Bonjour,", "monde", "!"]), done.stderr
    flip(folder / "en-de+es+fr+zh" / "step.onnx")
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout) == (1, "") and "step.onnx: its checksum is not" in done.stderr
