"""How large each task is: all lines of the package that only this task uses, wherever they stand.

    python -m tests.task_lines                a line a task: its lines, and the rooms that they are in (part of `make check`)
    python -m tests.task_lines --files        each file too

A module belongs to a task where imports lead to it from that task, and from no other task, no verb, the server or the command
line. A limit on the size of a task's own file would only move its code elsewhere; this count follows it.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from lamella import fields, registry

ROOT = Path(registry.__file__).parent
ENTRIES = ("lamella.__main__", "lamella.checks")  # what is not a task begins here, and at what the package offers

Edges = Mapping[str, set[str]]


def modules() -> dict[str, Path]:
    """Each module of the package -> its file."""
    paths = {path: ".".join(["lamella", *path.relative_to(ROOT).with_suffix("").parts]) for path in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in paths.items()}


def edges(files: Mapping[str, Path]) -> dict[str, set[str]]:
    """Each module -> the modules that it imports, also within functions; imports for types alone are left out."""
    return {name: _imports(path, files) for name, path in files.items()}


def _imports(path: Path, files: Mapping[str, Path]) -> set[str]:
    return {part for name in _names(path) for part in _with_parents(name) if part in files}


@cache
def _names(path: Path) -> set[str]:
    """What a file imports, and what may be a module of what it imports from."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    unseen = {id(node) for block in typing for statement in block.body for node in ast.walk(statement)}
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
            names.update(_member(node.module or "", alias.name) for alias in node.names)
    return names


def _member(module: str, name: str) -> str:
    """The module that holds a name: a kind of field is loaded from its own file when it is first named."""
    if module == "lamella.fields" and name in fields.__all__:
        return str(getattr(fields, name).__module__)
    return f"{module}.{name}"


def _with_parents(name: str) -> list[str]:
    """A module and the packages that it is in, which are imported with it.

    >>> _with_parents("lamella.data.readers")
    ['lamella', 'lamella.data', 'lamella.data.readers']
    """
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def reach(graph: Edges, roots: Iterable[str]) -> set[str]:
    """All that imports lead to from these modules, themselves included.

    >>> sorted(reach({"a": {"b"}, "b": {"a"}, "c": set()}, ["a"]))
    ['a', 'b']
    """
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        if (name := waiting.pop()) not in reached:
            reached.add(name)
            waiting.extend(graph.get(name, ()))
    return reached


def owned(graph: Edges, tasks: Mapping[str, str], entries: Iterable[str]) -> dict[str, set[str]]:
    """Each task -> the modules that only it leads to. tasks: name -> module.

    >>> graph = {"cat": {"shared", "fur"}, "fish": {"shared"}, "fur": set(), "shared": set()}
    >>> owned(graph, {"cats": "cat", "fishes": "fish"}, [])["cats"] == {"cat", "fur"}
    True
    """
    return {
        name: reach(graph, [module]) - reach(graph, [*entries, *(other for other in tasks.values() if other != module)])
        for name, module in tasks.items()
    }


def tasks() -> dict[str, str]:
    return {name: f"lamella.tasks.{name.replace('-', '_')}" for name in registry.names()}


def offered() -> set[str]:
    """The modules that the package loads by name when one of its functions is asked for."""
    import lamella

    return {place.partition(":")[0] for place in lamella._PLACES.values()}


def report(with_files: bool = False) -> list[str]:
    """Lines for people, the largest task first."""
    files = modules()
    sizes = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in files.items()}
    graph, words = edges(files), tasks()
    entries = [*ENTRIES, *offered()]
    found = owned(graph, words, entries)
    lines = [f"{sum(sizes.values()):,} lines of Python in the package; those that only one task uses:"]
    for word in sorted(found, key=lambda w: -sum(sizes[m] for m in found[w])):
        rooms: Counter[str] = Counter()
        for name in found[word]:
            rooms[name.split(".")[1]] += sizes[name]
        shown = ", ".join(f"{room} {count:,}" for room, count in rooms.most_common())
        lines.append(f"{word:<26}{rooms.total():>6,}  {shown}")
        if with_files:
            lines += [f"    {sizes[m]:>6,}  {files[m].relative_to(ROOT.parent)}" for m in sorted(found[word])]
    nobody = set(files) - reach(graph, [*entries, *words.values()])
    count = sum(sizes[m] for m in nobody)
    lines.append(f"{'(no task of the package)':<26}{count:>6,}  {', '.join(sorted(m[8:] for m in nobody))}")
    return lines


if __name__ == "__main__":
    print("\n".join(report(with_files="--files" in sys.argv[1:])))
