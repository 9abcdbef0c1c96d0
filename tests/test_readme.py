"""The README is true: its Python runs, its commands exist with their options, and what it names is there."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import click
import pytest

import lamella
from lamella.cli.arguments import split_options
from lamella.cli.commands import main
from lamella.data.samples import translation as samples
from lamella.options import all_options, make_config
from lamella.registry import find

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
BLOCKS = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language in ("python", "pycon")]
SHELL = [code for language, code in BLOCKS if language in ("console", "sh", "bash", "shell")]
PROSE = re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Each command of the shell blocks; where a block has prompts, what has none is output."""
    found = []
    for code in SHELL:
        lines = code.replace("\\\n", " ").splitlines()
        prompted = any(line.startswith("$ ") for line in lines)
        found += [line.removeprefix("$ ") for line in lines if line.startswith("$ ") or not prompted and line.strip()]
    return [part.strip() for line in found for part in re.split(r"\s(?:\||&&|;)\s", line)]


def ours(line: str) -> list[str]:
    """The words of a `lamella` command, or none where it is another."""
    words = shlex.split(line, comments=True)
    return words[1:] if words[:1] == ["lamella"] else []


def check_options(words: list[str]) -> click.Command:
    """The command of these words, all of whose options it or its task has."""
    assert words[0] in main.commands, f"there is no lamella {words[0]}"
    command = main.commands[words[0]]
    own = {option for p in command.params if isinstance(p, click.Option) for option in p.opts} | {"--help", "-h"}
    named = [w for w in words if w in lamella.tasks()]
    tasks = [find(n) for n in named or lamella.tasks()]
    of_tasks = {f"--{o.flag}" for cls in tasks for o in all_options(cls.Config) if words[0] == "train" or o.answering}
    if not command.context_settings.get("ignore_unknown_options"):
        of_tasks = set()
    for word in words:
        if re.match(r"--?[a-z]", word):
            option = word.partition("=")[0]
            assert option in own | of_tasks, f"lamella {words[0]} has no {option}"
    return command


def test_there_is_something_to_test():
    assert PYTHON and [c for c in commands() if ours(c)], "README.md shows Python and commands"
    assert "FIGURES" not in TEXT.split()


@pytest.mark.parametrize("line", [c for c in commands() if ours(c)], ids=str)
def test_commands(line):
    words = ours(line)
    if words[0] in ("--help", "--version", "-h"):
        return
    command = check_options(words)
    context = command.make_context(words[0], words[1:])  # raises where something required is missing
    given = context.params.get("data") or context.params.get("inputs") or ()
    plain, options = split_options(given)
    if words[0] in ("train", "predict", "translate", "evaluate"):
        assert plain, "with something to do"
    if words[0] == "train":
        assert context.params["task"].endswith(".py") or context.params["task"] in lamella.tasks()
        cls = find(context.params["task"])
        make_config(cls.Config, options, context.params["task"])


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("make ")], ids=str)
def test_make_targets(line):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    target = next(word for word in shlex.split(line, comments=True)[1:] if "=" not in word)
    assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"there is no make {target}"


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`(lamella [^`]*)`", PROSE))), ids=str)
def test_commands_within_sentences(line):
    words = ours(line)
    if words and not words[0].isupper() and not words[0].startswith("-"):
        check_options([w for w in words if not w.isupper()])


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
