"""The documentation is true: links lead somewhere, commands exist and print what is shown, files that are shown can be read."""

from __future__ import annotations

import doctest
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner
from PIL import Image

import lamella
from docs import build
from lamella import fields
from lamella.cli.commands import main
from lamella.data.readers.suffixes import PACKED, TABLES
from lamella.options import all_options, make_config
from lamella.registry import find
from lamella.task import Focus, Output, Phase, Question, Scores, State, Task, Training, Transfer
from tests import written
from tests.test_arrows import ARROWS

ROOT = build.ROOT
PAGES = [name for name in build.pages() if name != "README.md"]  # which has tests of its own
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
BLOCKS = [(name, block) for name, text in TEXTS.items() for block in written.blocks(text)]
RUN = "run"  # a word behind the language of a block whose commands are run and whose output is compared


def where(value) -> str:
    name, block = value
    return f"{name}:{block.line}"


# ---- the site ------------------------------------------------------------------------------------------------------


class Links(HTMLParser):
    """The links and the anchors of an HTML page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        self.anchors.update(value for name, value in attrs if name == "id" and value)


def test_the_site_is_whole(tmp_path):
    """Every link of every HTML page that is written, menus too, leads to a file and to an anchor of the site."""
    assert build.build(tmp_path / "site") == []
    written_pages = {p: Links(p.read_text(encoding="utf-8")) for p in (tmp_path / "site").rglob("*.html")}
    assert len(written_pages) >= len(build.pages())
    for path, page in written_pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path.name}: {link}"
            if parts.fragment:
                assert unquote(parts.fragment) in written_pages[target].anchors, f"{path.name}: {link}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# A\n\n[b](b.md)", "docs/a.md, line 3: b.md: no such file"),
        ("# A\n\n## A part\n\n[b](#a-part) [c](#another)", "line 5: #another: no such heading"),
        ("# A\n\n[b](../README.md#nothing)", "../README.md#nothing: no such heading"),
        ("# A\n\n[b](../../etc/passwd)", "outside the repository"),
        ("# A\n\n[b](../docs)", "a folder"),
        ("# A\n\n![](a.md)", "a picture without words"),
        ("# A\n\n<b>bold</b>", "HTML"),
        ("no heading", "no heading"),
        ("# A\n\n[b](ftp://a.org/b)", "expected a file of the repository"),
    ],
)
def test_what_is_wrong_with_a_page_is_named(tmp_path, text, problem):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# The project\n\n[a](docs/a.md)\n")
    (tmp_path / "docs" / "a.md").write_text(text)
    problems = build.build(tmp_path / "site", tmp_path)
    assert any(problem in line for line in problems) and not (tmp_path / "site").exists()


def test_headings_that_are_the_same_have_anchors_of_their_own():
    assert build.read_page("a.md", "# A\n## B\n## B\n## B\n").anchors == {"a", "b", "b-1", "b-2"}


def test_nobody_elses_folder_is_emptied(tmp_path):
    (tmp_path / "letters.txt").write_text("mine")
    assert build.build(tmp_path) and (tmp_path / "letters.txt").exists()


def test_lists_of_options_are_those_of_the_tasks():
    stale = [path.name for path, _ in build.outdated()]
    assert not stale, f"options have changed: run `make docs`, which writes {', '.join(stale)} anew"


@pytest.mark.parametrize("task", lamella.tasks())
def test_every_task_has_a_page_with_its_options(task):
    text = TEXTS[f"docs/tasks/{task}.md"]
    missing = [option.flag for option in all_options(find(task).Config) if f"`--{option.flag}" not in text]
    assert not missing, f"docs/tasks/{task}.md does not name --{', --'.join(missing)}"
    assert re.search(r"!\[[^\]]+\]\(", text), "a picture"
    assert re.search(r"python\s+-m\s+(bench|recipes)\.", text), "figures, with the command that prints them"


def test_the_design_names_every_member_and_every_room():
    """Of the contract, of what a training may set, of questions; every kind of value; every folder and file of the package."""
    text = TEXTS["docs/design.md"]
    members = [name for name in {**vars(Task), **Task.__annotations__} if not name.startswith("_")]
    assert len(members) <= 32, "the contract stays small: what a task seldom needs belongs in one of its structs"
    section = text[text.index("### What it says of itself") : text.index("### The structs around it")]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(rows) == sorted({*members} - {"size", "state"}), "and no other"
    for struct in (Training, Phase, Question, Output, State, Focus, Scores):
        members += struct.__struct_fields__
    members += [name for name in vars(Transfer) if not name.startswith("_")]
    missing = [name for name in members if f"`{name}`" not in text]
    assert not missing, f"docs/design.md does not name {', '.join(missing)}"
    named = {name: getattr(fields, name) for name in fields.__all__}
    kinds = [name for name, kind in named.items() if isinstance(kind, type) and issubclass(kind, fields.Field)]
    assert len(kinds) > 10 and not [kind for kind in kinds if f"`{kind}`" not in text]
    package = ROOT / "lamella"
    rooms = [p.name for p in package.iterdir() if p.is_dir() and any(p.iterdir()) and not p.name.startswith("_")]
    assert not [room for room in rooms if f"{room}/" not in text]


def test_the_drawing_of_the_rooms_is_that_of_the_arrows():
    """What a room may import stands on a line below its own, and every room is drawn."""
    [drawing] = [block for name, block in BLOCKS if name == "docs/design.md" and block.words == ["rooms"]]
    rooms = {*ARROWS, *(room for below in ARROWS.values() for room in below), "errors"} - {"__init__", "__main__"}
    level = {}
    for number, line in enumerate(drawing.code.splitlines()):
        level |= dict.fromkeys(re.findall(r"[a-z]+", line[: 44 if " " * 8 in line else None]), number)
    assert rooms <= set(level), rooms - set(level)
    wrong = [(room, other) for room in rooms & set(ARROWS) for other in ARROWS[room] if level[room] >= level[other]]
    assert not wrong


def test_options_that_were_renamed_are_in_the_changelog():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    renamed = [
        (option.was, option.flag) for name in lamella.tasks() for option in all_options(find(name).Config) if option.was
    ]
    missing = [pair for pair in renamed if not all(f"`--{flag.replace('_', '-')}`" in text for flag in pair)]
    assert renamed and not missing


def test_every_kind_of_table_is_documented():
    assert not [suffix for suffix in (*TABLES, *PACKED) if f"`{suffix}`" not in TEXTS["docs/tables.md"]]


def test_every_command_and_every_public_name_is_documented():
    commands, python = TEXTS["docs/commands.md"], TEXTS["docs/python.md"]
    assert not [name for name in main.commands if f"<!-- options lamella {name} -->" not in commands]
    assert not [name for name in lamella.__all__ if f"`{name}`" not in python and f"`lamella.{name}`" not in python]


# ---- what the pages show -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page):
    for line in written.commands(written.blocks(TEXTS[page])):
        if words := written.ours(line):
            written.check_command(words)
        elif re.match(r"make [a-z]", line):
            target = next(word for word in line.split()[1:] if "=" not in word)
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"there is no make {target}"


@pytest.mark.parametrize("page", [name for name in build.pages() if name not in ("docs/LOG.md", "CHANGELOG.md")])
def test_options_within_sentences_exist(page):
    """`--option` is one of a command, of a task, or of a bench; in the page of a task, one of that task's."""
    text = build.SECTION.sub("", written.prose((ROOT / page).read_text(encoding="utf-8")))
    task = Path(page).stem
    tasks = [find(task)] if task in lamella.tasks() else [find(name) for name in lamella.tasks()]
    known = {"--help", "--version", "--traceback"} | {f"--{o.flag}" for cls in tasks for o in all_options(cls.Config)}
    known |= {flag for command in main.commands.values() for param in command.params for flag in param.opts}
    fields = [*(cls.fields for cls in tasks), *(one.fields for cls in tasks for one in cls.questions.values())]
    known |= {f"--{name}" for names in fields for name in names}  # fields by name
    for code in re.findall(r"`([^`]+)`", text):
        if not code.startswith(("python", "make", "...", "msgfmt", "recipes", "bench")):
            unknown = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", code)) - known
            assert not unknown, f"{code}: there is no {', '.join(unknown)}"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that has what the repository has, and may be written in."""
    for name in ("lamella", "recipes", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("shown", [b for b in BLOCKS if RUN in b[1].words], ids=where)
def test_commands_print_what_is_shown(shown, place):
    name, block = shown
    write_files(name)
    for part in re.split(r"^\$ ", block.code, flags=re.MULTILINE)[1:]:
        line, _, expected = part.partition("\n")
        words = written.ours(line)
        assert words, f"only lamella's own commands are run, received {line}"
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert checker.check_output(expected, done.stdout, flags), f"$ {line}\n{done.stdout}"


@pytest.mark.parametrize("page", [p for p in PAGES if any(n == p and b.language == "python" for n, b in BLOCKS)])
def test_python(page, place):
    """The blocks of a page one after another, in one namespace."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in (b for n, b in BLOCKS if n == page and b.language == "python"):
        code = "\n" * block.line + block.code  # so that a traceback has the page's own line
        if ">>> " in code:
            test = doctest.DocTestParser().get_doctest(block.code, names, page, str(ROOT / page), block.line)
            test.globs = names  # which were copied
            failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, clear_globs=False).failed
            assert not failed
        else:
            exec(compile(code, page, "exec"), names)


FILES = [b for b in BLOCKS if b[1].words and "." in b[1].words[0]]


def write_files(page: str) -> None:
    """The files that a page shows, and the pictures that these name, in the current folder."""
    for _, block in (shown for shown in FILES if shown[0] == page):
        Path(block.words[0]).write_text(block.code, encoding="utf-8")
        for picture in re.findall(r"\w+\.png", block.code):
            Image.new("L", (8, 8), ord(picture[0])).save(picture)


@pytest.mark.parametrize("shown", [b for b in FILES if b[0].startswith("docs/tasks/")], ids=where)
def test_files_that_are_shown_can_be_read(shown, place):
    """```csv a.csv --known heat: the file a.csv is what the page's task reads; ```text a.fr a.en a.fr: these two together."""
    name, block = shown
    write_files(name)
    at = next((i for i, word in enumerate(block.words) if word.startswith("--")), len(block.words))
    paths, flags = block.words[1:at] or block.words[:1], block.words[at:]
    options = {flag.removeprefix("--"): value for flag, value in zip(flags[::2], flags[1::2], strict=True)}
    task = Path(name).stem
    cls = find(task)
    examples, lines = cls(make_config(cls.Config, options, task)).read(paths)
    assert examples and lines
    assert not any("left out" in line and " 0" not in line for line in lines), lines
    for example in examples[:3]:
        assert set(example) >= {cls.target}, example


@pytest.fixture(scope="module")
def server():
    from lamella.model.shipped import translators
    from tests.serving import serving

    with serving({name: model for name, model in translators().items() if name == "en-fr"}) as running:
        yield running


REQUESTS = [(name, block) for name, block in BLOCKS if block.language == "json" and block.words[:1] == ["POST"]]
REPLIES = [(name, block) for name, block in BLOCKS if block.language == "json" and len(block.words) == 1]


@pytest.mark.parametrize(
    ("request_", "reply"), list(zip(REQUESTS, REPLIES)), ids=[where(request) for request in REQUESTS]
)
def test_requests_get_the_replies_that_are_shown(server, request_, reply):
    """```json POST /path: the block after it, ```json STATUS, is what comes back."""
    received = server.post(request_[1].words[1], json.loads(request_[1].code))
    assert (str(received.status), received.json) == (reply[1].words[0], json.loads(reply[1].code))


def test_every_route_is_named(server):
    text = TEXTS["docs/server.md"]
    missing = [
        path for path in server.get("/openapi.json").json["paths"] if path.replace("en-fr", "{name}") not in text
    ]
    assert not missing


@pytest.mark.parametrize("page", [p for p in build.pages() if p not in ("docs/LOG.md", "CHANGELOG.md")])  # of their day
def test_files_and_modules_that_are_named_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:lamella|tests|bench|docs|recipes)/[\w./-]*)`", text)
    missing = [path for path in paths if not (ROOT / path).exists() and not re.search("weather|NAME", path)]
    modules = [name.replace(".", "/") for name in re.findall(r"python\s+-m\s+([a-z_]+\.[\w.]*\w)", text)]
    missing += [m for m in modules if not (ROOT / f"{m}.py").is_file() and not (ROOT / m / "__main__.py").is_file()]
    assert not missing
