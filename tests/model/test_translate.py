"""The translator that comes with the package: what it promises whatever its quality, and two sentences it must know."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import polib
import pytest

import lamella
from lamella.model import shipped

pytestmark = pytest.mark.skipif("en-fr" not in shipped.pairs(), reason="no model from English to French is installed")

PO = """\
# Somebody's catalogue.
msgid ""
msgstr ""
"Project-Id-Version: app 1.0\\n"
"Language: fr\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

#: main.c:12
msgid "Open the file"
msgstr "Ouvrir le fichier à la main"

#, c-format
msgid "The file %s could not be opened.\\n"
msgstr ""

#, c-format
msgid "%d file was copied to %s."
msgid_plural "%d files were copied to %s."
msgstr[0] ""
msgstr[1] ""

#, python-brace-format
msgid "Hello {name}, you have <b>{count}</b> new messages."
msgstr ""

#, fuzzy
msgid "Close"
msgstr "Clore"

#~ msgid "gone"
#~ msgstr "parti"
"""


def plain(text: str) -> str:
    """Case, punctuation and spacing aside."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).lower()))


def test_a_text_for_a_text_and_a_list_for_a_list():
    one = lamella.translate("Hello, world!", "en", "fr")
    assert isinstance(one, str) and "monde" in plain(one)
    assert lamella.translate("Hello, world!") == one, "from English to French where nothing is said"
    several = lamella.translate(["Hello, world!", "", "The file is open."], "en", "fr")
    assert isinstance(several, list) and len(several) == 3 and several[1] == ""
    assert plain(several[0]) == plain(one) and plain(several[2]) not in ("", plain("The file is open."))
    assert lamella.translate([], "en", "fr") == []


def test_the_sentence_it_must_know():
    """It stands in no training data, so that the answer is the net's own."""
    assert plain(lamella.translate("Hello, world!", "en", "fr")) in ("bonjour le monde", "bonjour monde")


def test_both_directions():
    assert {"en-fr", "fr-en"} <= set(shipped.pairs())
    assert "world" in plain(lamella.translate("Bonjour, le monde !", "fr", "en"))


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t \n", "42", "1.5 × 3", "…", "🎉", "http://example.org/a?b=c"])
def test_what_needs_no_translation(text):
    assert lamella.translate(text, "en", "fr") == text


def test_an_unknown_pair(cli):
    for pair in (("en", "tlh"), ("xx", "fr"), ("", "fr"), ("..", "fr")):
        with pytest.raises(lamella.UsageError) as caught:
            lamella.translate("text", *pair)
        assert all(p.replace("-", " to ") in str(caught.value) for p in shipped.pairs())
    for same in ("en", "", ".."):
        with pytest.raises(lamella.UsageError, match="the same language"):
            lamella.translate("text", same, same)
    done = cli("translate", "text", "--to", "tlh")
    assert done.code == 2 and done.err.count("\n") == 1 and "en to fr" in done.err and not done.out


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", {"text": "a"}], ids=repr)
def test_what_is_no_text(wrong):
    with pytest.raises(lamella.UsageError, match=f"a string or a list of strings, received {type(wrong).__name__}"):
        lamella.translate(wrong, "en", "fr")


def test_nothing_of_a_long_text_is_dropped():
    """30 kB in one paragraph and in lines: each numbered sentence has its translation, in its place."""
    things = ("file", "window", "page", "letter", "house", "river", "table", "garden")
    sentences = [f"The {things[n % 8]} number {1000 + n} is not open." for n in range(800)]
    lines = [" ".join(sentences[:400]), "", *(" ".join(sentences[n : n + 4]) for n in range(400, 800, 4))]
    text = "\n".join(lines)
    assert len(text) > 28_000
    found = lamella.predict(shipped.translator("en", "fr"), text, beams=1)
    assert found.count("\n") == text.count("\n")
    for before, after in zip(text.split("\n"), found.split("\n"), strict=True):
        assert after.count(".") == before.count("."), "a sentence for a sentence"
        assert 0.5 * len(before) <= len(after) <= 2 * len(before) + 20


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I love this party 🎉 very much!", ["🎉"]),
        ("The word 漢字 is Chinese and слово is Russian.", ["漢字", "слово"]),
        ("Could not open %s: %s", ["%s", "%s"]),
        ("%(count)d of {total} files in <b>%(folder)s</b>", ["%(count)d", "{total}", "<b>", "%(folder)s", "</b>"]),
        ("Press &lt;Enter&gt; &amp; wait %1 seconds.", ["&lt;", "&gt;", "&amp;", "%1"]),
        ("See https://example.org/x?y=1 for details.", ["https://example.org/x?y=1"]),
        ("\tTwo lines,\n  indented.\n", ["\t", "\n", "\n"]),
    ],
    ids=str,
)
def test_what_must_stay_stays(text, kept):
    found = lamella.translate(text, "en", "fr")
    for part, times in Counter(kept).items():
        assert found.count(part) == text.count(part) >= times, found
    assert (
        found != text
        and found.endswith("\n") == text.endswith("\n")
        and found.startswith("\t") == text.startswith("\t")
    )


def test_odd_texts():
    for text in (
        "\udce9t\ud800",
        "\0",
        "a" * 10_000,
        "word " * 3000,
        "١٢٣ שלום",
        "<b" * 500,
        "%" * 300,
        "\r\n\r",
        "\u202eabc",
    ):
        assert isinstance(lamella.translate(text, "en", "fr"), str)


# --- on the command line


def test_lines(cli):
    done = cli("translate", "-", "--to", "fr", stdin="Hello, world!\n\nThe file is open.\n   \n")
    lines = done.out.split("\n")
    assert done.code == 0 and len(lines) == 5 and lines[0] == lamella.translate("Hello, world!", "en", "fr")
    assert lines[1] == lines[3] == lines[4] == "" and lines[2]


def test_texts_and_json(cli):
    assert cli("translate", "Hello, world!", "--to", "fr").out == lamella.translate("Hello, world!", "en", "fr") + "\n"
    assert len(cli("translate", "--to", "fr", "--json", "Hello, world!", "Yes").json["answers"]) == 2
    assert cli("translate", "--to", "fr", "--beams", "1", "Hello, world!").code == 0


def test_a_catalogue(cli, tmp_path):
    (tmp_path / "app.po").write_text(PO, encoding="utf-8")
    done = cli("translate", tmp_path / "app.po", "--to", "fr", "-o", tmp_path / "out.po")
    assert done.code == 0, done.err
    before, after = polib.pofile(PO), polib.pofile(str(tmp_path / "out.po"))
    for old, new in zip(before, after, strict=True):
        assert (old.msgid, old.msgid_plural, old.obsolete) == (new.msgid, new.msgid_plural, new.obsolete)
        if old.translated() or old.fuzzy or old.obsolete:
            assert str(old) == str(new), "what was there stays"
        else:
            filled = [new.msgstr] if not new.msgid_plural else [*new.msgstr_plural.values()]
            assert all(filled) == new.fuzzy, "what it filled is marked as its own"
    assert sum(e.fuzzy for e in after) > sum(e.fuzzy for e in before), "something was filled"
    if shutil.which("msgfmt"):
        check = subprocess.run(
            ["msgfmt", "--check", "--use-fuzzy", "-o", "/dev/null", tmp_path / "out.po"], capture_output=True, text=True
        )
        assert check.returncode == 0, check.stderr


def test_documents(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.md").write_text("# The file\n\nOpen [this page](https://example.org) or `ls -l`.\n\n```\ncode stays\n```\n")
    Path("b.txt").write_text("The file is open.\n\nThe window is closed.\n")
    assert cli("translate", "a.md", "b.txt", "--to", "fr", "-o", "out").code == 0
    text = Path("out/a.md").read_text()
    assert (
        text.startswith("# ")
        and "](https://example.org)" in text
        and "`ls -l`" in text
        and "```\ncode stays\n```\n" in text
    )
    assert Path("out/b.txt").read_text().count("\n") == 3
    assert Path("out/b.txt").read_text() != Path("b.txt").read_text()


def test_it_needs_no_torch():
    code = """if True:
        import sys
        for name in ("torch", "onnx", "onnxscript", "sacrebleu", "safetensors"):
            sys.modules[name] = None
        import lamella
        print(lamella.translate("Hello, world!", "en", "fr"))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "monde" in plain(done.stdout), done.stderr


# --- as shipped


@pytest.mark.parametrize("folder", sorted(set(shipped.directions().values())), ids=lambda folder: folder.name)
def test_what_is_shipped(folder):
    model = lamella.load(folder)
    assert model.manifest.precision == "int8" and model.bytes <= 22.5e6
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= 22.5e6, "nothing of the training ships"
    own = [pair for pair, place in shipped.directions().items() if place == folder]
    assert sorted(model.task.directions) == sorted(own), "the name says what it translates"
    assert (model.task.config.src, model.task.config.dst) in own
    assert model.manifest.scores and all(s["count"] >= 100 for s in model.manifest.scores.values())
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert re.search("licen[cs]e", card, re.IGNORECASE) and "chrF" in card and "95% interval" in card
    assert not re.search(r"/(home|root|work|tmp)/", card + (folder / "model.json").read_text(encoding="utf-8"))


def test_all_translators_together_are_light():
    assert sum(p.stat().st_size for folder in set(shipped.directions().values()) for p in folder.iterdir()) <= 45e6
