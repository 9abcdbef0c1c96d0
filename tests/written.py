"""What README and the pages of docs/ show, as tests read it: code blocks, commands, and whether those commands exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import NamedTuple

import click

import lamella
from lamella.cli.arguments import split_options
from lamella.cli.commands import main
from lamella.options import all_options, make_config
from lamella.registry import find

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELLS = ("console", "sh", "bash", "shell")


class Block(NamedTuple):
    """A block of code: ```language and further words, then lines."""

    language: str
    words: list[str]
    code: str
    line: int


def blocks(text: str) -> list[Block]:
    """The blocks of code of a page.

    >>> blocks("```csv a.csv\\nx,y\\n```\\n")
    [Block(language='csv', words=['a.csv'], code='x,y\\n', line=1)]
    """
    found = []
    for match in FENCE.finditer(text):
        language, *words = match[1].split() or [""]
        found.append(Block(language, words, match[2], text.count("\n", 0, match.start()) + 1))
    return found


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", text)


def commands(shown: Iterable[Block]) -> list[str]:
    """Each command of the shell blocks; where a block has prompts, what has none is output."""
    lines: list[str] = []
    for block in shown:
        if block.language in SHELLS:
            rows = block.code.replace("\\\n", " ").splitlines()
            prompted = any(row.startswith("$ ") for row in rows)
            lines += [row.removeprefix("$ ") for row in rows if row.startswith("$ ") or not prompted and row.strip()]
    return [part.strip() for line in lines for part in re.split(r"\s(?:\||&&|;)\s", line)]


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
    if words[0] in ("predict", "explain"):  # an example's fields by name, and options of one letter
        of_tasks |= {f"--{name}" for cls in tasks for name in cls.fields}
        of_tasks |= {f"--{name}" for cls in tasks for one in cls.questions.values() for name in one.fields}
        of_tasks |= {f"-{o.short}" for cls in tasks for o in all_options(cls.Config) if o.short}
    if words[0] == "import":
        of_tasks = {f"--{o.flag}" for cls in tasks for o in all_options(cls.Config)}
    if not command.context_settings.get("ignore_unknown_options"):
        of_tasks = set()
    for word in words:
        if re.match(r"--?[a-z]", word):
            option = word.partition("=")[0]
            assert option in own | of_tasks, f"lamella {words[0]} has no {option}"
    return command


def check_command(words: list[str]) -> None:
    """A `lamella` command can be given: nothing required is missing, each option exists and each value is allowed."""
    if words[0] in ("--help", "--version", "-h"):
        return
    command = check_options(words)
    context = command.make_context(words[0], words[1:])  # raises where something required is missing
    given = context.params.get("data") or context.params.get("inputs") or ()
    plain, options = split_options(given)
    if words[0] in ("train", "predict", "translate", "evaluate"):
        assert plain or options, "with something to do"
    if words[0] == "train":
        assert context.params["task"].endswith(".py") or context.params["task"] in lamella.tasks()
        if context.params["task"] in lamella.tasks():
            make_config(find(context.params["task"]).Config, options, context.params["task"])
