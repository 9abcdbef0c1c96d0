"""Documents through the task: the memory comes before the net, whatever the format."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamella.errors import UsageError
from lamella.task import Example
from lamella.tasks.translation import Config, Translation
from lamella.tasks.translation.documents import translate_document
from lamella.tasks.translation.memory import memory_first
from lamella.tasks.translation.outcomes import Outcome

TMX = (
    '<?xml version="1.0"?><tmx version="1.4"><header srclang="en"/><body><tu><tuv xml:lang="en"><seg>Hello there.</seg></tuv>'
    '<tuv xml:lang="fr"><seg>Salut &amp; bienvenue.</seg></tuv></tu></body></tmx>'
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "Hello there.\n\nBye.\n", "Salut & bienvenue.\n\nBYE.\n"),
        ("a.md", "# Hello there.\n\nBye.\n", "# Salut & bienvenue.\n\nBYE.\n"),
        ("a.html", "<p>Hello there.</p><p>Bye.</p>", "<p>Salut &amp; bienvenue.</p><p>BYE.</p>"),
        ("a.json", '{"a": "Hello there.", "b": "Bye."}', '{"a": "Salut & bienvenue.", "b": "BYE."}'),
        (
            "a.srt",
            "1\n00:00:01,000 --> 00:00:02,000\nHello there.\n",
            "1\n00:00:01,000 --> 00:00:02,000\nSalut & bienvenue.\n",
        ),
        ("a.po", 'msgid "Hello there."\nmsgstr ""\n', 'msgstr "Salut & bienvenue."\n'),
    ],
)
def test_a_memory_comes_first(tmp_path: Path, name: str, text: str, expected: str) -> None:
    (tmp_path / "memory.tmx").write_text(TMX)
    (tmp_path / name).write_text(text)
    asked: list[str] = []

    def outcomes(examples: list[Example]) -> list[Outcome]:
        asked.extend(one["text"] for one in examples)
        return [Outcome(one["text"].upper(), "translated") for one in examples]

    memory = str(tmp_path / "memory.tmx")
    found = translate_document(
        tmp_path / name, "en", "fr", memory, lambda texts: memory_first(memory, "en", "fr", texts, outcomes)
    )
    assert found is not None and found[0].decode().endswith(expected)
    assert found[1]["memory"] == 1 and "Hello there." not in asked


def test_a_list_of_records_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"text": "Yes"}]')
    assert translate_document(tmp_path / "a.json", "en", "fr", "", lambda texts: []) is None


def test_layout_is_decided_by_options(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The dog\nThe house\n")
    job = Translation(Config(lines=True))
    job.outcomes = lambda examples, run: [Outcome(e["text"].upper(), "translated") for e in examples]  # type: ignore[method-assign]
    whole = job.output.document(job, tmp_path / "a.txt", lambda examples: [], None)
    assert whole == (b"THE DOG\nTHE HOUSE\n", {"segments": 2, "kept": 0, "lines": 2})
    job.config = Config(lines=True, paragraphs=True)
    with pytest.raises(UsageError, match=r"--lines or --paragraphs, received both"):
        job.output.document(job, tmp_path / "a.txt", lambda examples: [], None)
