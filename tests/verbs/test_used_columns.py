"""A model remembers its columns: other tables are read by those that training used, whatever else they hold."""

from __future__ import annotations

import csv
import io
import json

import pytest

import lamella
from tests.serving import serving

WORDS = {"good": ["fine", "lovely", "great", "kind"], "bad": ["awful", "dull", "poor", "cold"]}
ROWS = [
    (f"a {word} film number {n} of many", label, f"decoy {n % 2}")
    for n in range(8) for label, words in WORDS.items() for word in words
]  # fmt: skip


@pytest.fixture(scope="module")
def model(once):
    def make(folder):
        source = folder.parent / "reviews-of-used-columns.csv"
        rows = [f"{n},{decoy},{label},{text}\n" for n, (text, label, decoy) in enumerate(ROWS)]
        source.write_text("id,text,mood,review\n" + "".join(rows))
        lamella.train(
            "text-classification", str(source), out=str(folder), columns={"text": "review", "label": "mood"},
            size="tiny", steps=2, threads=1, tell=lambda line: None,
        )  # fmt: skip

    return lamella.load(once("used-columns", make))


TABLES = [
    # the same header, other order, a decoy named as the field is
    ("a.csv", "text,review,mood\nawful,a lovely film,good\nlovely,a dull film,bad\n"),
    ("a.csv", "Review;Text;Mood\r\na lovely film;awful;good\r\na dull film;lovely;bad\r\n"),
    # one column, whose header stays
    ("a.csv", "review\na lovely film\na dull film\n"),
    ("a.tsv", "review\na lovely film\na dull film\n"),
    # JSON
    ("a.jsonl", '{"text": "awful", "review": "a lovely film"}\n{"text": "lovely", "review": "a dull film"}\n'),
    ("a.json", '[{"review": "a lovely film"},\n {"review": "a dull film"}]\n'),
    # another header: the field's own name, or the only column, is said
    ("a.csv", "id,text\n1,a lovely film\n2,a dull film\n"),
    ("a.csv", "comment\na lovely film\na dull film\n"),
]


def answers(name: str, raw: bytes) -> list[str]:
    if name.endswith("json"):
        return [row["predicted_label"] for row in json.loads(raw)]
    if name.endswith("jsonl"):
        return [json.loads(line)["predicted_label"] for line in raw.splitlines()]
    text = raw.decode()
    delimiter = "\t" if name.endswith("tsv") else ";" if ";" in text.split("\n")[0] else ","
    return [row["predicted_label"] for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)]


@pytest.mark.parametrize(("name", "text"), TABLES)
def test_predict_explain_and_http(model, tmp_path, cli, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode())
    done = cli("predict", model.where, path, "-o", tmp_path / f"out-{name}")
    assert done.code == 0, done.err
    raw = (tmp_path / f"out-{name}").read_bytes()
    assert answers(name, raw) == ["good", "bad"]
    first = text.splitlines()[0]
    assert raw.decode().startswith(first.rstrip("}")) or name == "a.json", "its header stays"
    with serving({"m": model}) as server:
        reply = server.send_file("/models/m/document", name, text.encode())
        assert reply.status == 200 and reply.raw == raw
    assert '"label":"lovely"' in cli("explain", model.where, path, "--json").out


def test_evaluate(model, tmp_path, cli):
    path = tmp_path / "b.csv"
    path.write_text("label,text,review,mood\nx,awful,a lovely film,good\ny,lovely,a dull film,bad\n")
    assert cli("evaluate", model.where, path, "--json").json["count"] == 2
    assert lamella.evaluate(model, str(path))["scores"]["accuracy"]["value"] == 1
    given = lamella.evaluate(model, str(path), columns={"text": "text"})
    assert given["scores"]["accuracy"]["value"] == 0, "what is said counts"


def test_a_table_without_names_is_refused(model, tmp_path, cli):
    path = tmp_path / "c.csv"
    path.write_text("a lovely film,awful weather\na dull film,lovely day\n")
    done = cli("predict", model.where, path)
    assert done.code == 2 and "no header but" in done.err and "--columns text=1" in done.err
    assert "good" in cli("predict", model.where, path, "--columns", "text=1").out


def test_without_a_header_the_number_is_remembered(tmp_path, cli):
    source = tmp_path / "s.csv"
    source.write_text("".join(f"{label},{n},{text}\n" for n, (text, label, _) in enumerate(ROWS)))
    trained = lamella.train(
        "text-classification",
        str(source),
        out=str(tmp_path / "m"),
        size="tiny",
        steps=2,
        threads=1,
        tell=lambda line: None,
    )
    assert trained.task.state.columns["text"] == {"name": "", "number": 3, "of": 3}
    (tmp_path / "d.csv").write_text("awful,a cold day,a lovely film\nlovely,a kind word,a dull film\n")
    out = cli("predict", tmp_path / "m", tmp_path / "d.csv").out
    assert [line.split(",")[3] for line in out.splitlines()] == ["good", "bad"]


def test_the_whole_model_is_explained_on_its_own_data(model, tmp_path, cli):
    source = f"{model.where}/../reviews-of-used-columns.csv"
    own = model.explain().to_json()
    assert f"Measured on {model.manifest.training['held_out']} examples that were held out of the data" in own
    assert "lovely" in own or "awful" in own or "dull" in own
    given = cli("explain", model.where, "--data", source, "--json")
    assert "of which it was trained on" in given.out, given.err
    assert cli("export", model.where, "-o", tmp_path / "m.zip").code == 0
    done = cli("explain", tmp_path / "m.zip")
    assert done.code == 2 and "--data FILE" in done.err
    assert cli("explain", tmp_path / "m.zip", "a lovely film", "--data", source).code == 2


def test_a_model_is_compressed_on_its_own_data(model, tmp_path, cli):
    told: list[str] = []
    lamella.compress(model.where, str(tmp_path / "small"), tolerance=9.0, tell=told.append)
    held = model.manifest.training["held_out"]
    assert told[0] == f"measured on {held} examples that were held out of the data it was trained on"
    assert cli("export", model.where, "-o", tmp_path / "m.zip").code == 0
    done = cli("compress", tmp_path / "m.zip", "-o", tmp_path / "other")
    assert done.code == 2 and "measure smaller models on" in done.err and "--data FILE" in done.err
    source = f"{model.where}/../reviews-of-used-columns.csv"  # its columns are those of training
    done = cli("compress", tmp_path / "m.zip", "-o", tmp_path / "other", "--data", source, "--tolerance", "9")
    assert done.code == 0 and "measured on" in done.out, done.err


def test_a_model_of_the_sample_is_explained_on_the_sample(trained):
    assert "Measured on the task's own sample set" in lamella.load(trained("text-classification")).explain().to_json()


def test_an_encoding_that_is_said(model, tmp_path, cli):
    path = tmp_path / "j.csv"
    path.write_bytes("review,名\na lovely film,良い\na dull film,悪い\n".encode("shift_jis"))
    assert cli("predict", model.where, path, "--encoding", "shift_jis", "-o", tmp_path / "o.csv").code == 0
    rows = (tmp_path / "o.csv").read_bytes().decode("shift_jis").splitlines()
    assert rows[0].startswith("review,名,") and ",悪い,bad" in rows[2]
    assert "--encoding what" in cli("predict", model.where, path, "--encoding", "what").err
    assert "as --encoding says" in cli("predict", model.where, path, "--encoding", "utf-8").err
    path.write_bytes("review,mood\na lovely film,良い\n".encode("shift_jis"))
    assert cli("evaluate", model.where, path, "--encoding", "shift_jis").code == 0


@pytest.mark.parametrize("name", ["a.txt", "a.dat"])
def test_a_text_file_with_the_columns_of_training_is_a_table(model, tmp_path, cli, name):
    """Its header is no line to be answered; a text file without them is lines."""
    path = tmp_path / name
    path.write_text("id|review\n1|a lovely film\n2|a dull film\n")
    done = cli("predict", model.where, path)
    assert done.code == 0 and done.out.splitlines()[0].startswith("id|review|predicted_label"), done.err
    assert [line.split("|")[1] for line in done.out.splitlines()[1:]] == ["a lovely film", "a dull film"]
    if name == "a.txt":
        path.write_text("a lovely review\na dull film, on the whole\n")
        assert len(cli("predict", model.where, path).out.splitlines()) == 2
