"""Glossaries: what is found where, that answers have the terms, and further translations beside the best."""

from __future__ import annotations

import doctest
import random
import re
from pathlib import Path

import pytest

import lamella
from lamella.errors import DataError, UsageError
from lamella.model import shipped
from lamella.tasks.translation import glossary as module
from lamella.tasks.translation.glossary import Glossary, read_glossary
from lamella.tasks.translation.guard import Outcome, translate_texts

needs_model = pytest.mark.skipif("en-fr" not in shipped.pairs(), reason="no model from English to French is installed")
TERMS = Glossary(
    {"file": "fichier", "files": "fichiers", "file system": "système de fichiers", "user's": "abonné"}, "fr"
)


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The file.", ["fichier"]),
        ("FILE Files file", ["fichier", "fichiers", "fichier"]),
        ("a file\u00a0system", ["système de fichiers"]),  # the longer one, over any blank
        ("profile filename file_a file-name my-file", []),  # whole words
        ("the file's end, the user’s", ["fichier", "abonné"]),
        ("", []),
    ],
)
def test_whole_words_whatever_their_case(text: str, found: list[str]) -> None:
    assert [term.target for term in TERMS.find(text)] == found


def test_what_is_taken_is_left_out() -> None:
    assert TERMS.find("a file", [(2, 6)]) == [] and len(TERMS.find("a file", [(0, 2)])) == 1


def outcome(text: str, *answers: str) -> Outcome:
    """The outcome where the net knows these candidates for the text, and some words."""
    known = {"file": ["Dossier.", "le dossier"], "a X1 here": ["un X1 ici"], text: list(answers)}

    def net(sentences: list[str]) -> list[list[str]]:
        return [known.get(s, [re.sub(r" ?X\d", "", s) + " ?"]) for s in sentences]

    return translate_texts([text], net, glossary=TERMS, target="fr")[0]


def test_where_the_terms_come_from() -> None:
    assert outcome("a file here", "un classeur ici", "un fichier ici") == Outcome("un fichier ici", "translated")
    # The net's own word for it, which it says when asked for the word alone, gives way.
    assert outcome("a file here", "un dossier ici") == Outcome("un fichier ici", "repaired")
    # Else a word that nets copy stands in its place.
    assert outcome("a file here", "une lime ici") == Outcome("un fichier ici", "repaired")
    # Else the words around it are translated by themselves.
    assert outcome("open file now", "ouvrir maintenant").text == "open fichier now"
    # Placeholders are kept as ever, and a term inside one is none.
    assert outcome("<file> {file}", "x").text == "<file> {file}"
    assert "{name}" in (found := outcome("a file {name}", "un dossier").text) and "fichier" in found, found
    # A sentence without terms is as it was.
    assert outcome("nothing", "rien") == Outcome("rien", "translated")


def test_a_file_of_terms(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_bytes(
        "\ufeffSource\tTarget\tnote\r\n# a comment\r\n\r\nfile\tfichier\tIT\r\npull  request\tdemande\r\n".encode()
    )
    assert read_glossary(path, "fr").targets == {"file": "fichier", "pull request": "demande"}
    path.write_text("file\tfichier\nfile\tfichier\n")
    assert read_glossary(path).targets == {"file": "fichier"}
    for text, message in (
        ("", "received none"),
        ("source\ttarget\n", "received none"),
        ("file\tfichier\nno tab here\n\tx\n", "line 2: expected a word, a tab"),
        ("file\tfichier\nFile\tdossier\n", "line 2: expected one translation of .* received a second"),
        ("file\t\n", "line 1"),
        ("...\tx\n", "line 1"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=message) as caught:
            read_glossary(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="Check the path"):
        read_glossary(tmp_path / "none.tsv")


# --- with the model that is shipped


@needs_model
def test_terms_are_honoured() -> None:
    """Any word may have to become any other: 95 of 100 times it does, and what is around it is translated."""
    chance, targets = random.Random(3), ("oryctérope", "demande de tirage")
    sentences = [f"{a} {b} {c}." for a in ("I want to open", "We lost", "Where is") for b in ("the new", "your", "a small")
                 for c in ("house", "letter and the river", "window of my brother", "school in the city")]  # fmt: skip
    nouns = {"house", "letter", "river", "window", "brother", "school", "city"}
    model, wanted, have = shipped.translator("en", "fr"), 0, 0
    for target in targets:
        terms = Glossary(dict.fromkeys(chance.sample(sorted(nouns), 3), target), "fr")
        some = [s for s in sentences if terms.find(s)]
        found = translate_texts(some, lambda ss: model.run([{"text": s} for s in ss]), target="fr", glossary=terms)
        for sentence, one in zip(some, found, strict=True):
            wanted += len(terms.find(sentence))
            have += terms.honoured(one.text, terms.find(sentence))
            assert not {"want", "where", "lost", "your", "the"} & {*re.findall(r"\w+", one.text.lower())}, one.text
    assert wanted > 40 and have >= 0.95 * wanted, (have, wanted)


@needs_model
def test_on_the_command_line(cli, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("file\tdocument\nwindow\tlucarne\n")
    done = cli("translate", "The file is open.", "Close the window.", "--to", "fr", "--glossary", tmp_path / "t.tsv")
    assert done.code == 0 and "document" in done.out.splitlines()[0] and "lucarne" in done.out.splitlines()[1], done.err
    (tmp_path / "a.md").write_text("# The window\n\nClose **the window** of `window`.\n")
    done = cli("translate", tmp_path / "a.md", "--to", "fr", "--glossary", tmp_path / "t.tsv")
    assert done.code == 0 and done.out.lower().count("lucarne") == 2 and "`window`" in done.out, done.out
    for options, message in (
        (["--glossary", tmp_path / "no.tsv"], "Check the path"),
        (["--alternatives", "9"], "alternatives"),
    ):
        done = cli("translate", "Yes", "--to", "fr", *options)
        assert done.code == 2 and message in done.err and done.err.count("\n") == 1


@needs_model
def test_alternatives(cli) -> None:
    model, text = shipped.translator("en", "fr"), "Do you want to save the changes?"
    best = model.predict(text)
    several = lamella.predict(model, text, alternatives=4)
    assert isinstance(several, list) and 2 <= len(several) <= 4 and several[0] == best
    assert len(set(several)) == len(several)
    done = cli("translate", text, "--to", "fr", "--alternatives", "4")
    assert done.out.splitlines() == [f"{i}. {a}" for i, a in enumerate(several, start=1)]
    assert cli("translate", text, "--to", "fr", "--alternatives", "4", "--json").json == {"answers": [several]}
    assert cli("translate", text, "--to", "fr", "--alternatives", "1").out == best + "\n"
    marked = lamella.predict(model, "  Do you want to save <b>%s</b>? The house is old.\n", alternatives=3)
    assert len(marked) > 1 and all(a.count("<b>%s</b>") == 1 and a[:2] == "  " and a[-1] == "\n" for a in marked)
    assert lamella.predict(model, "42", alternatives=3) == ["42"]


@needs_model
def test_alternatives_that_are_much_less_likely_are_left_out() -> None:
    model = shipped.translator("en", "fr")
    for word in (
        "Hello",
        "Thursday",
        "Screwdriver",
        "The cat sleeps.",
        "Berlin",
    ):  # once Héllo, Thurdi, Écrewdriver, ...
        assert lamella.predict(model, word, alternatives=4) == [model.predict(word)]
    words = ("Table", "Large", "Great", "Small", "Nice", "Start", "Book")
    assert any(len(lamella.predict(model, word, alternatives=4)) > 1 for word in words)


def test_alternatives_that_differ_in_case_or_punctuation_alone_are_left_out() -> None:
    def net(sentences: list[str]) -> list[list[str]]:
        return [["Le chat.", "le chat", "Le  chat!", "Un chat."] for _ in sentences]

    assert translate_texts(["The cat."], net, alternatives=4)[0].others == ["Un chat."]


def test_alternatives_of_several_sentences() -> None:
    def net(sentences: list[str]) -> list[list[str]]:
        return [[f"{s[0]}{i}{s[0]}." for i in "xyz"] for s in sentences]

    [found] = translate_texts(["Aa. Bb."], net, alternatives=5)
    assert found.text == "AxA. BxB."
    assert found.others[:3] == ["AxA. ByB.", "AyA. BxB.", "AyA. ByB."] and len(found.others) == 4
    assert translate_texts(["Aa. Bb."], net)[0].others == []
    assert len(translate_texts(["Aa."], net, alternatives=8)[0].others) == 2, "there are no more"


def test_they_may_be_changed_when_a_model_answers() -> None:
    from lamella.options import replace_config
    from lamella.registry import find

    config = find("translation").Config()
    assert replace_config(config, {"alternatives": "3", "glossary": "a.tsv"}, "translation").alternatives == 3
    with pytest.raises(UsageError):
        replace_config(config, {"alternatives": "0"}, "translation")
