"""Models that came with the package are opened by name; a path comes first."""

import shutil

import pytest

import lamella
from lamella.model import shipped
from lamella.model.named import load

pytestmark = pytest.mark.skipif("en-fr" not in shipped.pairs(), reason="the shipped translators are not installed")


def test_a_pair_or_a_folder():
    pair = load("en-de")
    assert (pair.task.config.src, pair.task.config.dst) == ("en", "de") and pair.trusted
    assert pair.predict("The file is open.") == lamella.translate("The file is open.", "en", "de")
    name = shipped.directions()["en", "de"].name
    assert load(name).where == pair.where == str(shipped.FOLDER / name)
    assert load("languages").manifest.task == "text-classification"


def test_a_path_comes_first(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained("text-classification"), "en-fr")
    assert lamella.load("en-fr").manifest.task == "text-classification"
    assert lamella.load(tmp_path / "en-fr").where == str(tmp_path / "en-fr")


@pytest.mark.parametrize(
    "word", ["en-tlh", "en", "-fr", "en-", "en-en", "fr-de", "..", ".", "", "x/en-fr", "../models/en-fr", "é", "a\0b"]
)
def test_what_is_no_name(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(lamella.LamellaError):
        load(word)


def test_by_the_command_line(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("predict", "en-fr", "The file is open.").out.strip() == lamella.translate(
        "The file is open.", "en", "fr"
    )
    assert "translation" in cli("show", "en-fr").out
    done = cli("predict", "en-tlh", "x")
    assert done.code == 2 and "no such model" in done.err
