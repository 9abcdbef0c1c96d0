"""A short command does no more than it needs: what a cold start imports, compiles and reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lamella import registry
from lamella.data.text.pieces import Pieces
from lamella.graphs.compiled import library
from lamella.model import shipped
from lamella.options import all_options
from lamella.tasks.translation import Config
from lamella.tasks.translation.words import Words, pack

ROOT = Path(__file__).parents[2]
# What each command prints last: the modules that it has loaded.
PROGRAM = (
    "import atexit, sys\n"
    "from lamella.__main__ import main\n"
    "atexit.register(lambda: print('loaded', *sorted(sys.modules)))\n"
    "main()"
)
# Tables, documents, explanations, servers, checks of graphs from elsewhere, and what only they import.
NEVER = {
    "difflib", "html", "json", "torch", "onnx", "multiprocessing", "lamella.data.readers.records", "lamella.data.readers.tables",
    "lamella.data.documents", "lamella.graphs.check", "lamella.graphs.growth", "lamella.graphs.wire", "lamella.model.whole_tables",
    "lamella.model.index", "lamella.explain", "lamella.server", "lamella.train", "lamella.checks", "lamella.tasks.translation.glossary",
    "lamella.tasks.translation.documents", "lamella.tasks.translation.foreign.huggingface", "lamella.metrics.text",
}  # fmt: skip
READERS = {
    *(f"lamella.data.readers.{name}" for name in ("annotated", "image_folders", "labels", "measures", "numbers", "records", "stamps", "tables")),
    "lamella.data.readers.used_columns", "numpy.random", "torch",
}  # fmt: skip
TABULAR = {"dimensionality-reduction", "time-series-forecasting"}  # whose questions are tables
ENGINES = {"numpy", "onnxruntime", "sentencepiece", "msgspec"}
COUNT = (
    "import re._compiler as compiler, sys\n"
    "plain, at_once = compiler.compile, []\n"
    "def compiled(pattern, flags=0):\n"
    "    frame = sys._getframe(1)\n"
    "    while '/re/' in frame.f_code.co_filename.replace('\\\\', '/') or frame.f_code.co_filename.startswith('<'):\n"
    "        frame = frame.f_back\n"
    "    if '/lamella/tasks/' in frame.f_code.co_filename.replace('\\\\', '/'): at_once.append(str(pattern))\n"
    "    return plain(pattern, flags)\n"
    "compiler.compile = compiled\n"
    "import lamella.tasks.translation\n"
    "print(at_once)"
)


def loaded(*args: str) -> set[str]:
    """The modules of a command that ended well."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *args], capture_output=True, text=True, cwd=ROOT, timeout=60, stdin=subprocess.DEVNULL
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded ")[2].split())


def test_a_translation_imports_nothing_for_other_work() -> None:
    found = loaded("translate", "Hello, world!", "--to", "fr")
    # What ships is compiled where that can be, and then needs no engine; the language here is told by a list of words.
    assert found & NEVER == set() and found >= ENGINES - ({"onnxruntime"} if library() else set())


def test_a_task_that_answers_brings_no_reader_of_tables_or_folders() -> None:
    """Readers of all formats together take as long as the engine, and one text, picture or sound needs none of them."""
    tasks = sorted({*registry.names()} - TABULAR)
    program = (
        "import sys\nfrom lamella import registry\nimport lamella.model.reading, lamella.verbs.predict\n"
        f"for name in {tasks}: registry.find(name)\nprint('loaded', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(tasks) == 14
    assert {*done.stdout.split()} & READERS == set()


def test_help_imports_no_engine() -> None:
    assert loaded("--help") & (ENGINES | NEVER) == set()


def test_no_pattern_of_a_translation_is_compiled_before_it_is_needed() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize("folder", sorted(shipped.FOLDER.glob("*")), ids=lambda folder: folder.name)
def test_the_letters_of_a_text_are_looked_up_one_by_one(folder: Path) -> None:
    """The characters of all pieces are collected only where a text has one that is no piece by itself."""
    pieces = Pieces((folder / "vocabulary.model").read_bytes())
    assert pieces.knows("hello world") and "letters" not in vars(pieces)
    assert not pieces.knows("\u1200") and not pieces.knows("\u2581") and "letters" in vars(pieces)
    every = {chr(code) for code in (*range(0x20, 0x3000), *range(0x3000, 0xD800), 0x1F600)}
    assert {letter for letter in every if pieces._stands_alone(letter)} <= pieces.letters


def test_one_list_of_words_is_read_and_not_all() -> None:
    words = Words(pack({"en-de": {"dog": "Hund"}, "en-fr": {"dog": "chien"}, "en-es": {}}))
    assert words.find("Dog", "en", "fr") == "Chien" and list(words._lists) == ["en-fr"]
    assert words.find("dog", "en", "es") is None and words.find("dog", "en", "zh") is None


def test_options_are_worked_out_once() -> None:
    first, again = all_options(Config), all_options(Config)
    assert first == again and all(a is b for a, b in zip(first, again, strict=True)) and first is not again
