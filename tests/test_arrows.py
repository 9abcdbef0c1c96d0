"""Who imports whom: the arrows of the design, read from the source, no circles, and what no file may hold."""

import ast
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from lamella import registry

ROOT = Path(registry.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LIGHT = {"click", "defusedxml", "msgspec", "numpy", "onnxruntime", "polib", "sentencepiece"}
COMPRESSING = {
    "prune",
    "prune_heads",
    "prune_layers",
    "int8",
    "int8_columns",
    "int8_convolutions",
}  # of graphs/: these need onnx
CONTRACT = {"task", "fields"}
# What each room may import besides itself; errors and storage are everyone's.
ARROWS = {
    "__init__": {"version"},
    "__main__": {"cli"},
    "cli": {"verbs", "model", "registry", "options", "version"},
    "verbs": {"train", "explain", "server", "model", "graphs", "data", "metrics", "machine", "registry"}
    | {"options", "version"}
    | CONTRACT,
    "sklearn": {"verbs", "model", "registry", "data"} | CONTRACT,
    "checks": {"verbs", "explain", "model", "registry", "options"} | CONTRACT,
    "server": {"explain", "model", "graphs", "data", "registry", "options", "version"} | CONTRACT,
    "explain": {"model", "graphs", "data", "metrics", "options"} | CONTRACT,
    "model": {"graphs", "data", "machine", "registry", "options"} | CONTRACT,
    "train": {"graphs", "nets", "model", "metrics", "machine", "options", "registry", "version"} | CONTRACT,
    "tasks": {"data", "decode", "metrics", "nets"}
    | CONTRACT,  # nets in functions that make a net or a loss, or augment, only
    "registry": {"task"},
    "task": {"fields", "terms", "transfer"},
    "transfer": {"terms"},
    "terms": {"fields"},
    "metrics": CONTRACT,
    "graphs": {"machine"},
    "data": {"storage"},
    "fields": {"data", "storage"},
}
# `Model.explain` leads back up; it is imported when it is called, and it is the only one.
DOOR = ("lamella.model", "lamella.explain.explain")
SUBJECTS = ("cli", "verbs", "server", "explain", "model", "train", "graphs", "web")  # they know tasks by the contract


def name_of(path: Path) -> str:
    """The module's name, with `__init__` for the file of a folder."""
    return ".".join(["lamella", *path.relative_to(ROOT).with_suffix("").parts])


MODULES = {name_of(path).removesuffix(".__init__"): name_of(path) for path in FILES}


@cache
def imports(path: Path) -> tuple[tuple[str, str], ...]:
    """(module, enclosing function or "") of each import; those for types alone are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[tuple[str, str]] = []
    typing = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    unseen = {id(n) for block in typing for statement in block.body for n in ast.walk(statement)}
    inside = {id(n): f.name for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom) or id(node) in unseen:
            continue
        modules = [a.name for a in node.names]
        if isinstance(node, ast.ImportFrom):
            full = [f"{node.module or '.'}.{name}" for name in modules]
            modules = [f if f in MODULES else node.module or "." for f in full]
        found += [(module, inside.get(id(node), "")) for module in dict.fromkeys(modules)]
    return tuple(found)


def graph() -> dict[str, set[str]]:
    """Each file -> the files of the package that it imports, without the one door."""
    return {
        name_of(path): {
            MODULES[module]
            for module, _ in imports(path)
            if module in MODULES and (name_of(path).removesuffix(".__init__"), module) != DOOR
        }
        - {name_of(path)}
        for path in FILES
    }


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """A way that leads from a node back to it, or nothing."""
    done: set[str] = set()

    def follow(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node not in done:
            for other in sorted(edges.get(node, ())):
                if found := follow(other, [*way, node]):
                    return found
            done.add(node)
        return []

    return next((found for node in sorted(edges) if (found := follow(node, []))), [])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    home = parts[0]
    for module, function in imports(path):
        top = module.split(".")[0]
        assert top != "", "imports name the whole path: from lamella.data import ..., not from . import ..."
        if top == "lamella":
            to = [*module.split("."), "__init__"][1:]
            if (name_of(path).removesuffix(".__init__"), module) == DOOR:
                assert function, "the door is opened only when somebody asks"
            elif to[0] == home:
                assert home != "tasks" or to[1] == parts[1], f"a task may not import another: {module}"
                assert home != "verbs", f"a verb may not import another: {module}"
            else:
                assert to[0] in ARROWS.get(home, set()) | {"errors", "storage"}, f"{home} may not import {module}"
            assert not (home == "tasks" and to[0] == "nets") or re.search("build|loss|augment", function), module
        elif home == "nets":
            assert top == "torch" or top in sys.stdlib_module_names, f"nets stand on torch alone, not on {top}"
        elif home not in ("train", "server") and not function:
            more = {"onnx"} if home == "graphs" and parts[-1] in COMPRESSING else {"sklearn"} & {home}
            assert top in LIGHT | more | sys.stdlib_module_names, f"{top} is imported before it is needed"


def test_no_circle_of_files() -> None:
    assert " -> ".join(circle(graph())) == ""


def test_no_circle_of_folders() -> None:
    """In each folder, the files and folders in it, each with all that it holds, import each other one way only."""
    edges = graph()
    for folder in ["lamella", *(n.removesuffix(".__init__") for n in edges if n.endswith(".__init__"))]:
        depth = folder.count(".") + 1
        inside = {name: name.split(".")[depth] for name in edges if name.startswith(f"{folder}.")}
        rooms: dict[str, set[str]] = {}
        for name, room in inside.items():
            rooms.setdefault(room, set()).update(inside[other] for other in edges[name] if other in inside)
        found = circle({room: others - {room} for room, others in rooms.items()})
        assert found == [], folder


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def spelled(name: str) -> str:
    """A pattern for a task's name as people and code write it."""
    return rf"(?<![a-z]){name.replace('-', '[-_ ]?')}(?![a-z])"


@pytest.mark.parametrize(
    "home",
    [*SUBJECTS, "data", "fields", "nets", "decode", "metrics", "__init__", "task", "terms", "transfer", "options"],
)
def test_nobody_names_a_task(home: str) -> None:
    """Tasks are found in their folder. A name that is an English word too may stand in sentences, never as a value."""
    place = ROOT / home if (ROOT / home).is_dir() else ROOT / f"{home}.py"
    paths = [p for p in (place.rglob("*.*") if place.is_dir() else [place]) if p.suffix in (".py", ".js", ".html")]
    assert paths
    for path in paths:
        if "samples" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        for name in registry.names():
            found = re.search(spelled(name), source, re.IGNORECASE) if "-" in name else None
            if home in SUBJECTS and path.suffix == ".py":
                found = found or re.search(rf"""["'`]{name}["'`]|lamella \w+ {name}\b|tasks[./]{name}\b""", source)
            assert not found, f"{path.name}, line {source[: found.start()].count(chr(10)) + 1} names {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unpickled(path: Path) -> None:
    pickles = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    assert not pickles & {module.split(".")[0] for module, _ in imports(path)}
    source = path.read_text(encoding="utf-8")
    if "torch" not in source and "allow_pickle" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        assert not (isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.load", "torch.save")), node.lineno
        assert not (isinstance(node, ast.keyword) and node.arg == "allow_pickle"), node.value.lineno
