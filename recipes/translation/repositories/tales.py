"""Tales, dialogue and lines: what is numbered by page, by turn or by line, and so needs no alignment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from recipes.translation.repositories.clone import Files, Library, Reader, Row, decode
from recipes.translation.repositories.markdown import plain

_FREE = re.compile(r"\[?CC[- ]BY(?:[- ](?:SA|[1-4]\.0))*\]?$|\[?CC0\]?|public domain", re.IGNORECASE)


def read_story(text: str) -> tuple[list[str], dict[str, str]]:
    """A story in Markdown: its pages, each below an empty heading, and the facts listed at its end."""
    title, *pages = re.split(r"^##[ \t]*$", text, flags=re.MULTILINE)
    facts = {}
    if pages and "* License:" in pages[-1]:
        for name, value in re.findall(r"^\* ([A-Za-z ]+):\s*(.+?)\s*$", pages.pop(), re.MULTILINE):
            facts[name.lower()] = value
    return [plain(title.strip().lstrip("# ")), *(_page(page) for page in pages)], facts


def _page(text: str) -> str:
    """The paragraphs of a page, each on one line."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()) if part.strip())


def is_free(licence: str) -> bool:
    """Whether a licence named in a story allows every use: CC BY, CC BY-SA, CC0; not those with NC or ND.

    >>> is_free("[CC-BY]"), is_free("[CC-BY-NC]"), is_free("")
    (True, False, False)
    """
    return bool(_FREE.match(licence.strip())) and not re.search(r"NC|ND", licence.upper())


def stories(english: str, other: str, without: tuple[str, ...] = ()) -> Reader:
    """Stories named NUMBER_title.md in a folder a language, English in a repository of its own.

    Only stories are read that are free on both sides; none by the translators named in `without`.
    """

    def folder(files: Files, lang: str) -> dict[str, list[tuple[list[str], dict[str, str]]]]:
        found: dict[str, list[tuple[list[str], dict[str, str]]]] = {}
        paths = {path: m[1] for path in files.paths() if (m := re.fullmatch(rf"{lang}/(\d+)_.*\.md", path))}
        for path, data in files.read(list(paths)).items():
            found.setdefault(paths[path], []).append(read_story(decode(data)))
        return found

    def read(library: Library, code: str) -> Iterator[Row]:
        source, target = folder(library.open(english), "en"), folder(library.open(other), code)
        for number, versions in target.items():
            for pages, facts in versions:
                if not is_free(facts.get("license", "")) or facts.get("translation", "") in without:
                    continue
                for left, about in source.get(number, [])[:1]:
                    if is_free(about.get("license", "")) and len(left) == len(pages):
                        for one, two in zip(left, pages, strict=True):
                            yield from ((number, *texts) for texts in _paragraphs(one, two))

    return read


def _paragraphs(source: str, target: str) -> list[tuple[str, str]]:
    """The paragraphs of a page where both have as many, else the page."""
    parts = source.split("\n\n"), target.split("\n\n")
    if len(parts[0]) == len(parts[1]):
        return list(zip(*parts, strict=True))
    return [(" ".join(parts[0]), " ".join(parts[1]))]


def conversations(repository: str, files: tuple[str, ...]) -> Reader:
    """Dialogues in JSON: turns with `speaker`, `source`, `target`; the agent writes English, the customer the other."""

    def read(library: Library, code: str) -> Iterator[Row]:
        for path, data in library.open(repository).read(list(files)).items():
            for name, turns in json.loads(decode(data)).items():
                for turn in turns:
                    texts = turn["source"], turn["target"]
                    english, other = texts if turn["speaker"] == "agent" else texts[::-1]
                    yield f"{path}/{name}", _sentence(english), other.strip()

    return read


def _sentence(text: str) -> str:
    """A text with the capitals that hasty typists leave out: the first letter, and I."""
    text = re.sub(r"\bi(?=\b|'m|'d|'ll|'ve)(?![.]e)", "I", text.strip())
    return text[:1].upper() + text[1:]


_SAID = re.compile(r"^\s*(?:#\s*)?(?:[\w.]+\s+)*\"((?:[^\"\\]|\\.)*)\"(?:\s+\(.*\)|\s+nointeract|\s+with\s+\w+)*\s*$")
_TAG = re.compile(r"\{/?[a-z#][^{}]*\}|\{/\}")


def _spoken(text: str) -> str:
    """What is shown of a line of a visual novel: without tags, escapes and doubled braces."""
    text = _TAG.sub("", text.replace("{{", "\ue000").replace("[[", "\ue001"))
    text = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)
    return text.replace("\ue000", "{").replace("\ue001", "[").strip()


def read_renpy(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a Ren'Py translation: each in a comment with its translation below, or as `old` and `new`."""
    source = ""
    for line in text.split("\n"):
        stripped = line.strip()
        match = _SAID.match(line)
        if stripped.startswith("translate "):
            source = ""
        elif match and stripped.startswith(("old ", "# ")):
            source = match[1]
        elif match and source and not stripped.startswith("#"):
            if match[1]:
                yield _spoken(source), _spoken(match[1])
            source = ""


def visual_novel(repository: str, pattern: str) -> Reader:
    """Translations of a visual novel; `pattern` is of whole paths, with `{lang}`."""

    def read(library: Library, code: str) -> Iterator[Row]:
        files = library.open(repository)
        wanted = re.compile(pattern.replace("{lang}", code))
        for path, data in files.read([p for p in files.paths() if wanted.fullmatch(p)]).items():
            yield from ((path, *texts) for texts in read_renpy(decode(data)))

    return read


def aligned_lines(repository: str, path: str, works: dict[str, tuple[str, ...]]) -> Reader:
    """Works whose lines correspond, by language; `path` has `{work}` and `{lang}`. The first two lines are titles."""

    def read(library: Library, code: str) -> Iterator[Row]:
        files = library.open(repository)
        for work in works.get(code, ()):
            names = [path.format(work=work, lang=lang) for lang in ("en", code)]
            texts = files.read(names)
            if len(texts) != len(names):
                continue
            sides = [decode(texts[name]).rstrip("\n").split("\n")[2:] for name in names]
            if len(sides[0]) != len(sides[1]):
                print(f"{repository}/{work}: {len(sides[0])} lines in English, {len(sides[1])} in {code}: left out")
                continue
            for one, two in zip(*sides, strict=True):
                parts = [[plain(part) for part in side.split("<delimiter>") if part.strip()] for side in (one, two)]
                if len(parts[0]) == len(parts[1]):
                    yield from ((work, *texts) for texts in zip(*parts, strict=True))
                else:
                    yield work, " ".join(parts[0]), " ".join(parts[1])

    return read
