"""Build the documentation as a site of plain HTML pages, and check every link in it.

    make docs                                 all pages into site/; a dead link or a dead anchor is an error
    python -m docs.build --out FOLDER

Pages are Markdown: README.md, CONTRIBUTING.md, CHANGELOG.md, SECURITY.md and all below docs/. They read well where they lie, and
links between them are those of the files, such as [the design](docs/design.md#the-contract). Files that a page links to, such as
pictures or sources, are copied beside it. The list of options of a task or of a command is made from the code, between two comments:

    <!-- options translation -->
    <!-- end of options -->
    <!-- options lamella train -->
    <!-- end of options -->

A build writes these lists anew; a test fails where one is out of date.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import click
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lamella.cli.commands import main as main_command
from lamella.options import all_options
from lamella.registry import find

ROOT = Path(__file__).parent.parent
FIRST = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
SECTION = re.compile(r"(<!-- options ([\w -]+) -->\n).*?(<!-- end of options -->)", re.DOTALL)
COMMENT = re.compile(r"\s*(<!--.*?-->\s*)+", re.DOTALL)
ELSEWHERE = ("http", "https", "mailto")
KINDS = {"bool": "yes or no", "float": "number", "int": "whole number", "str": "text"}
STYLE = """
body{font:17px/1.55 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#fff;display:flex;flex-wrap:wrap}
nav{flex:1 1 13rem;max-width:17rem;padding:1.5rem;box-sizing:border-box;font-size:.95rem}
nav a{display:block;padding:.15rem 0;text-decoration:none}nav b{display:block;margin-top:1rem}
nav a[aria-current]{font-weight:600;color:inherit}
main{flex:4 1 30rem;max-width:56rem;padding:1.5rem;box-sizing:border-box;min-width:0}
h1,h2,h3{line-height:1.25}h2{margin-top:2.2rem}a{color:#0b5cad}
pre{background:#f4f4f2;padding:.8rem 1rem;overflow:auto;border-radius:6px;line-height:1.4}
code{font:.88em ui-monospace,monospace;background:#f4f4f2;border-radius:3px;padding:.05em .2em}pre code{padding:0}
table{margin:1rem 0;border-collapse:collapse;display:block;overflow:auto}td,th{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}
img{max-width:100%;background:#fff}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}a{color:#7db7f0}pre,code{background:#242424}td,th{border-color:#444}}
"""


class Link(NamedTuple):
    """A link or a picture of a page."""

    page: str  # path below the root
    line: int  # where its paragraph begins
    target: str  # as it is written


class Page(NamedTuple):
    """A page that was read."""

    title: str
    tokens: Sequence[Token]
    anchors: set[str]
    links: list[Link]
    problems: list[str]


def pages(root: Path = ROOT) -> list[str]:
    """The Markdown files of the site, those at the root first."""
    found = sorted(path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md"))
    return [name for name in FIRST if (root / name).is_file()] + found


def slug(title: str) -> str:
    """The anchor of a heading, by the rule of code hosts.

    >>> slug("What `make check` does: style, types")
    'what-make-check-does-style-types'
    """
    return re.sub(r"\s", "-", re.sub(r"[^\w\- ]", "", title.strip().lower()))


def read_page(name: str, text: str) -> Page:
    """A page's tokens, with an anchor at each heading, its links, and what a page may not hold."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text)
    anchors: set[str] = set()
    links: list[Link] = []
    problems: list[str] = []
    title, line = "", 1
    for at, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else line
        if token.type == "heading_open":
            words = _plain(tokens[at + 1])
            title = title or words
            anchor = slug(words)
            count = sum(a == anchor or a.startswith(f"{anchor}-") and a[len(anchor) + 1 :].isdigit() for a in anchors)
            token.attrSet("id", f"{anchor}-{count}" if anchor in anchors else anchor)
            anchors.add(str(token.attrGet("id")))
        if token.type == "html_block" and not COMMENT.fullmatch(token.content):
            problems.append(f"{name}, line {line}: HTML. Pages are Markdown only, so that they read well everywhere.")
        for inner in token.children or ():
            if target := inner.attrGet("href") or inner.attrGet("src"):
                links.append(Link(name, line, str(target)))
            if inner.type == "image" and not inner.content:
                problems.append(f"{name}, line {line}: a picture without words for those who cannot see it.")
            if inner.type == "html_inline" and not COMMENT.fullmatch(inner.content):
                problems.append(f"{name}, line {line}: HTML ({inner.content}). Put it between backticks.")
    if not title:
        problems.append(f"{name}: no heading.")
    return Page(title, tokens, anchors, links, problems)


def _plain(inline: Token) -> str:
    return "".join(t.content for t in inline.children or () if t.type in ("text", "code_inline"))


def check(read: dict[str, Page], root: Path = ROOT) -> list[str]:
    """What is wrong with the pages, a line each: dead links, dead anchors, folders, places outside the repository."""
    problems = [problem for page in read.values() for problem in page.problems]
    for link in (link for page in read.values() for link in page.links):
        reason = _dead(link, read, root)
        if reason:
            problems.append(f"{link.page}, line {link.line}: {link.target}: {reason}")
    return problems


def _dead(link: Link, read: dict[str, Page], root: Path) -> str:
    """Why a link leads nowhere; "" where it leads somewhere."""
    parts = urlsplit(link.target)
    if parts.scheme:
        return "" if parts.scheme in ELSEWHERE else "expected a file of the repository, or https."
    place = resolve(link)
    if place is None:
        return "outside the repository."
    if not (root / place).is_file():
        return "a folder; name a file." if (root / place).is_dir() else "no such file."
    if parts.fragment and place not in read:
        return "an anchor in a file that is no page."
    if parts.fragment and unquote(parts.fragment) not in read[place].anchors:
        near = ", ".join(sorted(read[place].anchors))
        return f"no such heading. There are: {near}."
    return ""


def resolve(link: Link) -> str | None:
    """The path below the root that a link within the repository names; None where it leads out of it."""
    path = unquote(urlsplit(link.target).path)
    place = os.path.normpath(os.path.join(os.path.dirname(link.page), path)) if path else link.page
    return None if place.startswith("..") or os.path.isabs(place) else Path(place).as_posix()


def html_name(name: str) -> str:
    """Where a page is written: README.md is the first page.

    >>> html_name("README.md"), html_name("docs/tasks/translation.md")
    ('index.html', 'docs/tasks/translation.html')
    """
    return "index.html" if name == "README.md" else name.removesuffix(".md") + ".html"


def render(name: str, read: dict[str, Page]) -> str:
    """A page as an HTML document, whose links lead to the HTML pages."""
    page = read[name]
    up = "../" * name.count("/")
    for token in page.tokens:
        if token.type == "html_block":
            token.content = ""  # comments are for who edits the page
        for inner in token.children or ():
            for attribute in ("href", "src"):
                if target := inner.attrGet(attribute):
                    inner.attrSet(attribute, _to_html(Link(name, 0, str(target)), read))
    parser = MarkdownIt("commonmark").enable("table")
    body = parser.renderer.render(page.tokens, parser.options, {})
    shown = escape(page.title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{shown if name == 'README.md' else f'{shown} - lamella'}</title>"
        f'<link rel="stylesheet" href="{up}style.css"></head><body><nav>{_menu(name, read)}</nav>'
        f"<main>{body}</main></body></html>\n"
    )


def _to_html(link: Link, read: dict[str, Page]) -> str:
    parts = urlsplit(link.target)
    place = None if parts.scheme else resolve(link)
    if place not in read or not parts.path:
        return link.target
    path = os.path.relpath(html_name(place), os.path.dirname(html_name(link.page)) or ".")
    return Path(path).as_posix() + (f"#{parts.fragment}" if parts.fragment else "")


def _menu(name: str, read: dict[str, Page]) -> str:
    """Links to all pages, in three groups; the page itself is marked."""
    groups = {"": [], "How it works": [], "Tasks": []}  # type: dict[str, list[str]]
    for other, page in read.items():
        group = "" if "/" not in other else "Tasks" if other.startswith("docs/tasks/") else "How it works"
        path = os.path.relpath(html_name(other), os.path.dirname(html_name(name)) or ".")
        here = ' aria-current="page"' if other == name else ""
        groups[group].append(f'<a href="{Path(path).as_posix()}"{here}>{escape(page.title)}</a>')
    return "".join((f"<b>{group}</b>" if group else "") + "".join(links) for group, links in groups.items() if links)


# ---- lists that are made --------------------------------------------------------------------------------------------


def options_table(task: str) -> str:
    """The options of a task, with their defaults, as a table."""
    rows = ["| option | value | default | |", "| --- | --- | --- | --- |"]
    for option in all_options(find(task).Config):
        choices = ", ".join(f"`{choice}`" for choice in option.kind.split("|") if choice)
        kind = KINDS.get(option.kind, choices)
        default = "" if option.default in (None, "") else "no" if option.default is False else str(option.default)
        later = " *" if option.answering else ""
        rows.append(f"| `--{option.flag}`{later} | {kind} | {default} | {_cell(option.description)} |")
    return "\n".join(rows) + "\n\n\\* may also be changed when the model answers.\n"


def command_table(name: str) -> str:
    """How a command is written, such as "lamella train", and its options, as a table."""
    command = main_command.commands[name.removeprefix("lamella ")]
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    usage = " ".join([name, *command.collect_usage_pieces(context)]).replace("[OPTIONS]", "[options]")
    rows = [f"`{usage}`", "", "| option | |", "| --- | --- |"]
    for param in command.get_params(context):
        record = param.get_help_record(context) if isinstance(param, click.Option) else None
        if record and "--help" not in record[0]:
            rows.append(f"| `{_cell(record[0])}` | {_cell(' '.join(record[1].split()))} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*")


def with_options(text: str) -> str:
    """A page with each list of options made anew."""
    return SECTION.sub(lambda m: f"{m[1]}{_made(m[2])}{m[3]}", text)


def _made(name: str) -> str:
    return command_table(name) if name.startswith("lamella ") else options_table(name)


def outdated(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Pages whose lists of options are not those of the tasks, and what they should be."""
    for name in pages(root):
        text = (root / name).read_text(encoding="utf-8")
        if (new := with_options(text)) != text:
            yield root / name, new


def read_all(root: Path = ROOT) -> dict[str, Page]:
    """Every page of the site, by its path."""
    return {name: read_page(name, (root / name).read_text(encoding="utf-8")) for name in pages(root)}


def build(out: Path, root: Path = ROOT) -> list[str]:
    """Write the site into a folder, which is made anew; returns what is wrong, a line each, and then writes nothing."""
    read = read_all(root)
    if problems := check(read, root):
        return problems
    if out.is_dir() and any(out.iterdir()) and not (out / "style.css").is_file():
        return [f"{out}: expected no folder, or a site that was built before; received a folder with other files."]
    shutil.rmtree(out, ignore_errors=True)
    files = {place for page in read.values() for link in page.links if (place := _local(link)) and place not in read}
    for name in read:
        path = out / html_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(name, read), encoding="utf-8")
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, out / name)
    (out / "style.css").write_text(STYLE.lstrip(), encoding="utf-8")
    return []


def _local(link: Link) -> str | None:
    return None if urlsplit(link.target).scheme else resolve(link)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the documentation as a site and check its links.")
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="folder to write, made anew")
    out = parser.parse_args().out
    for path, text in outdated():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: options as they are now", file=sys.stderr)
    if problems := build(out):
        sys.exit("\n".join(problems))
    print(f"{len(pages())} pages in {out}; every link leads somewhere")


if __name__ == "__main__":
    main()
