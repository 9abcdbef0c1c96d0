"""The README is true: its Python runs, its commands exist with their options, and what it names is there."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

import lamella
from lamella.data.samples import translation as samples
from tests import written
from tests.written import ours

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
BLOCKS = written.blocks(TEXT)
PYTHON = [block.code for block in BLOCKS if block.language in ("python", "pycon")]
COMMANDS = written.commands(BLOCKS)
PROSE = written.prose(TEXT)


def test_there_is_something_to_test():
    assert PYTHON and [c for c in COMMANDS if ours(c)], "README.md shows Python and commands"
    assert "FIGURES" not in TEXT.split()


@pytest.mark.parametrize("line", [c for c in COMMANDS if ours(c)], ids=str)
def test_commands(line):
    written.check_command(ours(line))


@pytest.mark.parametrize("line", [c for c in COMMANDS if c.startswith("make ")], ids=str)
def test_make_targets(line):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    target = next(word for word in shlex.split(line, comments=True)[1:] if "=" not in word)
    assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"there is no make {target}"


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`(lamella [^`]*)`", PROSE))), ids=str)
def test_commands_within_sentences(line):
    words = ours(line)
    if words and not words[0].isupper() and not words[0].startswith("-"):
        written.check_options([w for w in words if not w.isupper()])


def test_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs = "".join(f"{en}\t{fr}\n" for en, fr in samples.sentences("train")[:300])
    for name in ("pairs.tsv", "test.tsv"):
        (tmp_path / name).write_text(pairs, encoding="utf-8")
    names: dict[str, object] = {"__name__": "__main__"}
    for number, code in enumerate(PYTHON):
        if ">>> " in code:
            test = doctest.DocTestParser().get_doctest(code, names, f"README block {number}", str(README), 0)
            found = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, clear_globs=False)
            assert not found.failed
        else:
            exec(compile(code, f"README block {number}", "exec"), names)


@pytest.mark.parametrize("call", sorted(set(re.findall(r"lamella\.(\w+)(?:\(|`)", TEXT))))
def test_what_it_calls_is_public(call):
    assert call in lamella.__all__ and callable(getattr(lamella, call))


def test_every_task_is_named():
    for name in lamella.tasks():
        assert f"`{name}`" in TEXT, f"the task {name} is not in the README"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w[\w.-]*/)+[\w.-]*)`", PROSE))))
def test_paths_are_there(path):
    inside = [ROOT / path, ROOT / "lamella" / path]
    made = path.startswith(("training/", "my-model"))  # by a training
    assert made or any(p.exists() for p in inside), f"{path} does not exist"
