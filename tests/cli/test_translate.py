"""`lamella translate` as it is typed: texts that begin like options, folders, languages that are told by themselves."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

import lamella
from lamella.cli import streams
from lamella.model import shipped
from lamella.model.translate import sources_of

pytestmark = pytest.mark.skipif("fr-en" not in shipped.pairs(), reason="the shipped translators are not installed")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_texts_that_begin_like_options(cli, here):
    texts = ["- Hello there", "-5 degrees outside", "-Hello", "--force is an option", "-- yes", "— no"]
    for text in texts:
        done = cli("translate", text, "--to", "fr", "--beams", "1")
        assert done.code == 0 and done.out.startswith(text[0]), done
    assert not list(here.iterdir()), "nothing was written"
    done = cli("translate", *texts, "--to=fr", "--beams", "1", "-o", "answers.txt")
    assert done.code == 0 and len((here / "answers.txt").read_text("utf-8").splitlines()) == len(texts)
    done = cli("detect", "- Good morning to you all")
    assert done.code == 0 and done.out.startswith("en"), done


def test_a_folder_file_by_file_in_the_same_tree(cli, here):
    (here / "docs" / "sub").mkdir(parents=True)
    (here / "docs" / "a.txt").write_text("Good morning.\n", "utf-8")
    (here / "docs" / "sub" / "b.md").write_text("# Title\n", "utf-8")
    (here / "docs" / "picture.bmp").write_bytes(b"BM")
    (here / "docs" / ".hidden.txt").write_text("Hidden.\n", "utf-8")
    done = cli("translate", "docs", "--to", "fr", "-o", "docs/fr")
    assert done.code == 0, done
    assert sorted(str(p.relative_to(here / "docs" / "fr")) for p in (here / "docs" / "fr").rglob("*.*")) == [
        "a.txt",
        "sub/b.md",
    ]
    assert "1 .bmp" in done.err
    assert (here / "docs" / "fr" / "sub" / "b.md").read_text("utf-8").startswith("# T")
    again = cli("translate", "docs", "--to", "fr", "-o", "docs/fr")
    assert again.code == 2 and "--force" in again.err, "answers are no input, and are not overwritten"
    (here / "docs" / "sub" / "c.docx").write_bytes(b"no zip")
    done = cli("translate", "docs/", "--to", "fr", "-o", "docs/fr", "--force")
    assert done.code == 1 and "c.docx" in done.err and "a.txt" in done.err, "the bad one is named, the others are done"


def test_a_folder_needs_a_place(cli, here):
    (here / "docs").mkdir()
    (here / "docs" / "a.txt").write_text("Good morning.\n", "utf-8")
    done = cli("translate", "docs/", "--to", "fr")
    assert done.code == 2 and "-o FOLDER" in done.err
    done = cli("translate", "docs", "--to", "fr")
    assert done.code == 0 and "docs/ -o OUT" in done.err, (
        "a word that is a folder's name too is a text, and that is said"
    )


@pytest.mark.parametrize("word", ["gone.txt", "./gone", "gone/", "docs/gone", "gone.pdf", "../gone.docx", "~/gone"])
def test_a_path_that_names_nothing(cli, here, word):
    (here / "docs").mkdir()
    done = cli("translate", word, "--to", "fr")
    assert done.code == 2 and "no such file" in done.err and "--text" in done.err
    assert cli("translate", word, "--to", "fr", "--text", "--beams", "1").code == 0


@pytest.mark.parametrize(
    ("text", "to", "source"),
    [
        ("Hello", "fr", "en"),
        ("Merci", "en", "fr"),
        ("Merci beaucoup", "fr", "fr"),
        ("Menu", "fr", "en"),
        ("Good morning", "fr", "en"),
        ("Où est la gare, s'il vous plaît ?", "en", "fr"),
        ("We are going to the cinema tonight.", "en", "en"),
    ],
)
def test_short_texts_are_told_by_their_words(text, to, source):
    assert sources_of([text], to) == [source]


def test_each_text_has_its_language(cli):
    texts = ["Good evening, my friends.", "Merci beaucoup pour votre aide.", "42", "OK"]
    done = cli("translate", *texts, "--to", "fr")
    lines = done.out.splitlines()
    assert done.code == 0 and lines[1:3] == texts[1:3] and lines[0] != texts[0]
    assert "French (1) already" in done.err and "English (2)" in done.err
    assert lamella.translate(texts, "auto", "fr") == lines
    assert cli("translate", "-", "--to", "fr", stdin="\n".join(texts) + "\n").out.splitlines() == lines
    done = cli("translate", "42", "--to", "fr")
    assert (done.out, done.err) == ("42\n", ""), "nothing to translate, and no language"


def test_a_file_in_the_target_language_stays(cli, here):
    text = "# Titre\n\nLe chat dort sur la table de la cuisine.\n"
    (here / "a.md").write_text(text, "utf-8")
    done = cli("translate", "a.md", "--to", "fr", "-o", "b.md")
    assert done.code == 0 and (here / "b.md").read_text("utf-8") == text and "already" in done.err


@pytest.mark.parametrize("text", ["[1, 2, 3]", "[]", "5", "{}"])
def test_a_file_without_a_word_is_not_said_to_be_translated(cli, here, text):
    (here / "a.json").write_text(text, "utf-8")
    done = cli("translate", "a.json", "--to", "fr", "-o", "b.json")
    assert (
        done.code == 2
        and "a.json: expected" in done.err
        and "already" not in done.err
        and not (here / "b.json").exists()
    )


def test_regions_and_capitals_in_codes(cli):
    answers = {cli("translate", "Hello", "--from", a, "--to", b).out for a, b in (("EN", "FR"), ("en-US", "fr_CA"))}
    assert answers == {cli("translate", "Hello", "--to", "fr").out}


def test_another_language_than_was_said_is_said(cli):
    done = cli("translate", "Le chat dort sur la table de la cuisine.", "--from", "en", "--to", "fr")
    assert done.code == 0 and "looks like French, not English" in done.err
    done = cli("translate", "The cat is on the table in the kitchen.", "--from", "en", "--to", "fr")
    assert done.code == 0 and "looks like" not in done.err


def test_a_language_that_no_model_reads(cli):
    done = cli("translate", "Если бы вы только знали, как это было", "--to", "fr")
    assert done.code == 2 and "Russian" in done.err and "--from" in done.err


def test_the_column_of_a_table(cli, here):
    (here / "rows.csv").write_text("id,note,title\n1,Good morning,x\n2,Merci beaucoup,y\n", "utf-8")
    done = cli("translate", "rows.csv", "--to", "fr", "--columns", "text=note", "-o", "rows.fr.csv")
    assert done.code == 0, done
    rows = [line.split(",") for line in (here / "rows.fr.csv").read_text("utf-8").splitlines()]
    assert rows[0] == ["id", "note", "title", "translation"] and rows[2][3] == "Merci beaucoup"


def test_a_switch_takes_no_file_and_no_text_for_its_value(cli, here):
    """What follows an option of yes or no is an input, unless it is true or false; inputs keep their order."""
    Path("a.txt").write_text("Good morning\nto you.\n")
    done = cli("translate", "--lines", "a.txt", "--to", "fr", "--beams", "1")
    assert done.code == 0 and len(done.out.splitlines()) == 2 and "2 lines" in done.err
    done = cli("translate", "--details", "- Yes", "12", "--to", "fr", "--beams", "1")
    assert [line[:1] for line in done.out.splitlines()] == ["-", " ", "1", " "]
    assert cli("translate", "12", "--details", "false", "13", "--to", "fr").out == "12\n13\n"
    done = cli("translate", "12", "--keep-below", "-5", "--to", "fr")
    assert done.code == 2 and "--keep-below: Expected `float` >= 0.0, received '-5'" in done.err
    assert [one.name for one in here.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a.md", "--line-length", "20"], "--line-length: expected .srt .vtt .ass .ssa, received .md. Leave it out."),
        (["a.md", "--lines"], "--lines: expected .txt, received .md."),
        (["a.txt", "--front-matter", "title"], "--front-matter: expected .md .markdown .mdx, received .txt."),
        (["a.md", "--details"], "--details: expected a text, .csv"),
        (["a.md", "--columns", "text=a"], "--columns: expected a table, received .md. Leave it out."),
        (["Hello", "--paragraphs"], "--paragraphs: expected .txt, received a text."),
        (["Hello", "--columns", "text=a"], "--columns: expected a table, received a text."),
    ],
)
def test_an_option_that_means_nothing_to_any_input_is_refused(cli, here, words, says):
    for name in ("a.md", "a.txt"):
        Path(name).write_text("Hello there.\n")
    done = cli("translate", *words, "--to", "fr", "-o", "out")
    assert done.code == 2 and says in done.err and len(list(here.iterdir())) == 2


def test_an_option_that_one_of_several_files_has(cli, here):
    for name in ("a.md", "b.txt"):
        Path(name).write_text("Good morning\nto you.\n")
    done = cli("translate", "a.md", "b.txt", "--lines", "--to", "fr", "-o", "out", "--beams", "1")
    assert done.code == 0 and "2 lines" in done.err and (here / "out" / "a.md").is_file()
    with pytest.raises(lamella.UsageError, match=r"--lines: expected \.txt, received a text"):
        lamella.predict(shipped.translator("en", "fr"), "Hello", lines=True)


def test_a_pipe_needs_no_dash(cli, monkeypatch):
    monkeypatch.setattr("lamella.cli.streams.piped", lambda: True)
    assert cli("translate", "--to", "fr", stdin="Dog\n\nMonday\n").out.splitlines() == ["Chien", "", "Lundi"]
    monkeypatch.undo()
    done = cli("translate", "--to", "fr", stdin="Dog\n")  # a stream that is no pipe, as a terminal is
    assert done.code == 2 and "received nothing" in done.err


def test_which_standard_input_is_a_pipe(monkeypatch, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read) as pipe, (tmp_path / "a.txt").open() as file, open(os.devnull) as nothing:
        for stream in (pipe, file, nothing, io.StringIO("a"), None):
            with monkeypatch.context() as patch:
                patch.setattr("sys.stdin", stream)
                assert streams.piped() is (stream is pipe or stream is file)


def test_a_file_in_a_language_that_no_model_reads_is_named(cli, here):
    (here / "dutch.txt").write_text("De kat zit op de mat en de hond slaapt in de grote tuin van het huis.\n", "utf-8")
    (here / "old.txt").write_bytes(
        "Le garçon est arrivé très tôt à l'école, où l'été était déjà là.\n".encode("cp1252")
    )
    done = cli("translate", "dutch.txt", "old.txt", "--to", "en", "--beams", "1", "-o", "out")
    assert done.code == 1 and "dutch.txt: the text is in Dutch" in done.err, done
    assert "French" in done.err and (here / "out" / "old.txt").exists()
