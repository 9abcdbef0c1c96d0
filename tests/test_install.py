"""The light install: how much pip brings for it, and that what a user runs needs nothing else."""

import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lamella

PACKAGES, MEGABYTES = 12, 175
ROOT = Path(lamella.__file__).parent


def closure(name: str) -> dict[str, metadata.Distribution]:
    """What pip installs for a package without extras of its own, as the installed packages say it themselves."""
    found: dict[str, metadata.Distribution] = {}
    seen, todo = set(), [(canonicalize_name(name), frozenset[str]())]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = metadata.distribution(name)
        for requirement in map(Requirement, found[name].requires or ()):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
                todo.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return found


def size(distribution: metadata.Distribution) -> int:
    """Bytes on disk, what Python compiled included."""
    paths = [Path(str(file.locate())) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def test_light_install_is_small() -> None:
    found = closure("lamella")
    sizes = {name: size(distribution) for name, distribution in found.items() if name != "lamella"}
    # Here lamella itself may be a link to this folder. The shipped models are not counted.
    sizes["lamella"] = sum(
        p.stat().st_size for p in ROOT.rglob("*") if p.is_file() and ROOT / "models" not in p.parents
    )
    shown = ", ".join(f"{name} {count / 1e6:.1f}" for name, count in sorted(sizes.items(), key=lambda s: -s[1]))
    assert all(sizes.values()), shown
    assert len(sizes) <= PACKAGES, shown
    assert sum(sizes.values()) <= MEGABYTES * 1e6, f"{sum(sizes.values()) / 1e6:.1f} MB: {shown}"


def test_extras_name_what_they_bring() -> None:
    known = set(metadata.metadata("lamella").get_all("Provides-Extra") or ())
    assert {"image", "audio", "serve", "evaluate", "train", "all", "dev"} <= known
    for requirement in map(Requirement, metadata.requires("lamella") or ()):
        assert requirement.specifier or requirement.name == "lamella", f"{requirement} has no lower bound"


# Everything installed here that the light install would not bring is made impossible to import.
ONLY_LIGHT = """
import sys
from importlib import abc

class Absent(abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}: the light install has none", name=name)

sys.meta_path.insert(0, Absent())
"""


def run_light(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    light = set(closure("lamella")) | {"pip", "setuptools"}
    owners = metadata.packages_distributions()
    absent = {top for top, names in owners.items() if not light & {canonicalize_name(n) for n in names}}
    assert {"torch", "sacrebleu", "onnx", "pytest"} <= absent
    program = f"ABSENT = {sorted(absent)!r}\n{ONLY_LIGHT}\n{code}"
    return subprocess.run([sys.executable, "-c", program, *args], capture_output=True, text=True, timeout=120)


COMMAND = "import sys, lamella.__main__\nsys.argv[0] = 'lamella'\nlamella.__main__.main()"


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["--version"],
        ["tasks"],
        ["predict", "--help"],
        ["train", "--help"],
        ["translate", "Hello, world!", "--to", "fr"],
    ],
    ids=" ".join,
)
def test_commands_need_the_light_install_only(args: list[str]) -> None:
    done = run_light(COMMAND, *args)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_python_needs_the_light_install_only() -> None:
    done = run_light(
        "import lamella\n"
        "assert 'torch' not in sys.modules and 'onnxruntime' not in sys.modules, 'import lamella loads an engine'\n"
        "one = lamella.translate('Hello, world!', 'en', 'fr')\n"
        "assert lamella.translate(['Hello, world!', ''], 'en', 'fr') == [one, '']\n"
        "print(one)"
    )
    assert done.returncode == 0, done.stderr
    assert "monde" in done.stdout


def test_what_is_missing_is_named_with_its_command() -> None:
    done = run_light(COMMAND, "train", "translation", "sample", "-o", "/nowhere/model", "--steps", "1")
    assert done.returncode == 1
    assert "pip install 'lamella[train]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_console_script_is_installed() -> None:
    script = Path(sysconfig.get_path("scripts")) / "lamella"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert metadata.version("lamella") in done.stdout
