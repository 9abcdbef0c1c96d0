"""The page's files, read without a browser: small, complete, nothing from elsewhere, no text that becomes markup."""

from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from shutil import which

import pytest

import lamella

WEB = Path(lamella.__file__).parent / "web"
FILES = sorted(WEB.iterdir())
SCRIPTS = [p for p in FILES if p.suffix == ".js"]
NAMESPACE = "http://www.w3.org/2000/svg"  # a name that says what an element is, which nobody fetches


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def code(path: Path) -> str:
    """A script without its comments."""
    return re.sub(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture(scope="module")
def index() -> list[tuple[str, dict[str, str | None]]]:
    return Tags((WEB / "index.html").read_text(encoding="utf-8")).found


def at_once(name: str, seen: set[str]) -> set[str]:
    """A script and all that it imports before it runs; what is imported when it is first shown is not among them."""
    if name not in seen:
        seen.add(name)
        for other in re.findall(r'^import\s[^"]*"\./([\w.]+)"', (WEB / name).read_text(encoding="utf-8"), re.MULTILINE):
            at_once(other, seen)
    return seen


def test_small_and_flat() -> None:
    assert FILES and all(p.is_file() for p in FILES), "a flat folder"
    first = at_once("main.js", {p.name for p in FILES if p.suffix != ".js"})
    assert sum((WEB / name).stat().st_size for name in first) < 150_000, "what the first view needs"
    assert sum(p.stat().st_size for p in FILES) < 200_000
    assert {p.suffix for p in FILES} <= {".html", ".css", ".js", ".svg"}, "nothing built, no fonts, no pictures"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    assert not re.search(r"https?://|wss?://|[\"'(]//\w", text)
    assert not re.search(r"@import|@font-face|sendBeacon|WebSocket|EventSource|importScripts", text)
    if path.suffix == ".css":
        assert "url(" not in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_no_text_becomes_markup_or_code(path: Path) -> None:
    text = code(path)
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|srcdoc"
    assert not re.search(markup, text)
    assert not re.search(r"\beval\s*\(|\bFunction\s*\(|set(?:Timeout|Interval)\(\s*[\"'`]|javascript:", text)
    assert len(text.splitlines()) < 400


def test_the_policy_has_nothing_to_forbid(index: list[tuple[str, dict[str, str | None]]]) -> None:
    for tag, attributes in index:
        assert tag != "style" and "style" not in attributes, f"<{tag}> has a style of its own"
        assert not any(name.startswith("on") for name in attributes), f"<{tag}> has a script of its own"
        assert tag != "script" or attributes.get("src"), "a script within the page"
    for path in SCRIPTS:
        assert not re.search(r"setAttribute\(\s*[\"']style|[{,]\s*style:\s*[\"'`]|cssText", code(path)), path.name


def test_what_is_named_is_there(index: list[tuple[str, dict[str, str | None]]]) -> None:
    here = {p.name for p in FILES}
    named = {a[k] or "" for _, a in index for k in ("src", "href") if k in a}
    loaded = {n.removeprefix("/web/") for n in named if n.startswith("/web/")}
    for path in SCRIPTS:
        imported = re.findall(r"^import\s[^;]*?[\"']([^\"']+)[\"'];", code(path), re.MULTILINE)
        imported += re.findall(r"\bimport\(\"([^\"]+)\"\)", path.read_text(encoding="utf-8"))
        assert all(name.startswith("./") for name in imported), path.name
        loaded |= {name.removeprefix("./") for name in imported}
    assert loaded <= here, f"not there: {loaded - here}"
    assert loaded | {"index.html"} == here, f"nobody asks for: {here - loaded - {'index.html'}}"


def test_classes_are_styled_and_styles_are_used() -> None:
    style = re.sub(r"/\*.*?\*/", "", (WEB / "style.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", style)))
    text = "".join(p.read_text(encoding="utf-8") for p in FILES if p.suffix in (".js", ".html"))
    unused = {
        name
        for name in styled
        if not re.search(rf"\b{name}\b", re.sub(r"(hue|band)\$", r"\g<1>0 \g<1>1 \g<1>2 ", text))
    }
    assert not {name for name in unused if not re.match(r"hue\d|band\d", name)}, unused


@pytest.mark.skipif(which("node") is None, reason="Node reads the scripts; make test-page installs it")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_scripts_are_well_formed(path: Path) -> None:
    command = ["node", "--input-type=module", "--check"]
    done = subprocess.run(command, input=path.read_bytes(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def test_the_browser_tests_name_no_registry() -> None:
    folder = Path(__file__).parents[1] / "page"
    for path in (folder / "package.json", folder / "package-lock.json"):
        assert "http" not in path.read_text(encoding="utf-8"), path.name
