"""Facts for the page besides the models: the tasks, the verbs, and the packages that are not installed."""

import ast
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from lamella import registry

VERBS = Path(__file__).parent.parent / "verbs"
NO_PART = {"all", "dev"}  # extras that add no feature


@cache
def tasks() -> list[dict[str, Any]]:
    """Every task of the package; each supports every verb."""
    names = [verb["name"] for verb in verbs()]
    classes = [(name, registry.find(name)) for name in registry.names()]
    return [
        {
            "name": name,
            "summary": registry.summary(cls),
            "nets": list(cls.training.nets),
            "metric": cls.metric,
            "verbs": names,
        }
        for name, cls in classes
    ]


@cache
def verbs() -> list[dict[str, str]]:
    """Each verb: its name, what it does and a command, from the docstring of its file, which is not executed."""
    rows = []
    for path in sorted(VERBS.glob("[a-z]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        command = re.search(r"^ *(lamella .*?)(?: {3}.*)?$", text, re.MULTILINE)
        rows.append(
            {
                "name": command[1].split()[1] if command else path.stem,  # no file can be called import.py
                "summary": text.partition("\n\n")[0].replace("\n", " "),
                "command": command[1] if command else "",
            }
        )
    return rows


@cache
def extras() -> list[dict[str, Any]]:
    """Each extra of lamella and its missing packages; nothing if lamella itself is not installed as a package."""
    try:
        required = metadata.requires("lamella") or []
    except metadata.PackageNotFoundError:
        return []
    missing_of: dict[str, list[str]] = {}
    for line in required:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if name and extra and extra[1] not in NO_PART and name[0] != "lamella":
            missing = missing_of.setdefault(extra[1], [])
            if not _is_installed(name[0]):
                missing.append(name[0])
    return [{"name": name, "missing": missing} for name, missing in missing_of.items()]


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
