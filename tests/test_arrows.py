"""Who imports whom: the arrows of the design, read from the source, and what no file may hold."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamella import task

ROOT = Path(task.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LIGHT = {"click", "defusedxml", "msgspec", "numpy", "onnxruntime", "polib", "sentencepiece"}
# Parts, or single modules, that each part may import; errors are everyone's.
ARROWS = {
    "__init__": {"verbs", "model", "task", "shipped"},
    "__main__": {"cli", "interrupt"},
    "answering": {"arguments", "streams", "verbs", "model"},
    "cli": {"answering", "arguments", "commands", "streams", "verbs", "model", "task", "fields", "shipped", "__init__"},
    "commands": {"arguments", "interrupt", "streams"},
    "shipped": {"model"},
    "values": {"task"},
    "server": {"server", "verbs", "model", "task", "fields", "shipped", "__init__"}  # the face of verbs over HTTP
    | {"graphs", "lamella.data.budget"}  # limits of one request
    | {"lamella.data.languages", "lamella.data.webpages"},
    "explain": {"explain", "tensors", "task", "model", "graphs", "protobuf", "metrics", "lamella.data.images"},
    "verbs": {"explain", "server", "shipped", "train", "model", "graphs", "learned", "task", "metrics", "machine"}
    | {"card", "fields", "__init__"}
    | {"lamella.data.answer_table", "lamella.data.text"}  # a table in, a table out, whatever the task
    | {"lamella.data.image_folders"},  # which files of a folder are pictures
    "tasks": {"task", "data", "decode", "metrics", "nets"},  # nets in functions that make a net or a loss only
    "train": {"train", "tensors", "task", "nets", "graphs"},
    "nets": {"nets"},
    "model": {"model", "checksums", "graphs", "learned", "machine", "task", "__init__", "values"},
    "learned": {"task"},
    "card": {"model"},
    "task": {"tasks"},  # the folder is the registry
    "metrics": {"task"},
    "graphs": {"graphs", "machine", "protobuf"},
    "data": {"data", "checksums", "protobuf"},
}


def imports(path: Path) -> Iterator[tuple[str, str, str]]:
    """(module, part of lamella or "", enclosing function or "") of each import; those for types alone are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    unseen = {id(n) for block in typing for statement in block.body for n in ast.walk(statement)}
    inside = {id(n): f.name for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom) or id(node) in unseen:
            continue
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or "."]
        if modules == ["lamella"] and isinstance(node, ast.ImportFrom):
            modules = [f"lamella.{a.name}" for a in node.names]
        for module in modules:
            part = [*module.split("."), "__init__"][1] if module.split(".")[0] == "lamella" else ""
            known = not part or (ROOT / part).is_dir() or (ROOT / f"{part}.py").exists()
            yield module, part if known else "__init__", inside.get(id(node), "")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows(path: Path) -> None:
    home = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for module, part, function in imports(path):
        if part:
            assert {part, module} & (ARROWS.get(home, set()) | {"errors", "disk"}), f"{home} may not import {module}"
            assert not (home == "tasks" and part == "nets") or re.search("build|loss", function), module
        else:
            top = module.split(".")[0]
            assert top != "", "imports name the whole path: from lamella.data import ..., not from . import ..."
            if home == "nets":
                assert top == "torch" or top in sys.stdlib_module_names, f"nets stand on torch alone, not on {top}"
            elif home not in ("train", "server") and not function:
                assert top in LIGHT | sys.stdlib_module_names, f"{top} is imported before it is needed"


@pytest.mark.parametrize("path", sorted((ROOT / "verbs").glob("*.py")), ids=lambda p: p.name)
def test_no_verb_names_a_task(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for name in task.names():
        found = re.search(rf"\b{name.replace('-', '[-_ ]?')}\b", source, re.IGNORECASE)
        assert not found, f"line {source[: found.start()].count(chr(10)) + 1} names {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unpickled(path: Path) -> None:
    pickles = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    assert not pickles & {module.split(".")[0] for module, _, _ in imports(path)}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.load", "torch.save")), node.lineno
        assert not (isinstance(node, ast.keyword) and node.arg == "allow_pickle"), node.value.lineno
