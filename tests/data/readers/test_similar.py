"""Pairs, triplets, graded pairs and plain texts -> examples, with an account of what they are."""

import csv

import pytest

from lamella.data.readers.similar import held_out, read_similar
from lamella.errors import DataError


@pytest.fixture
def written(tmp_path):
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(("scores", "highest"), [(("0.2", "1"), 1.0), (("3,8", "0"), 5.0), (("5", "2.6"), 5.0)])
def test_the_scale_of_graded_pairs_is_found(written, scores, highest):
    rows = [("Sentence1", "sentence2", "score"), ("a cat", "a dog", scores[0]), ("so, a", "b", scores[1])]
    path = written("sts.csv", "")
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    examples, lines = read_similar([path])
    assert examples[0] == {
        "first": "a cat", "second": "a dog", "score": float(scores[0].replace(",", ".")), "highest": highest,
    }  # fmt: skip
    assert f"2 graded pairs, scores from 0 to {highest:g}" in lines[-1]


def test_without_a_header_the_third_column_is_a_score_or_a_negative(written):
    examples, _ = read_similar([written("a.tsv", "a cat\ta tomcat\t4.5\na dog\ta hound\t1.5\n")])
    assert [e["score"] for e in examples] == [4.5, 1.5]
    examples, lines = read_similar([written("b.tsv", "a cat\ta tomcat\ta hound\na dog\ta hound\ta cat\n")])
    assert examples[:2] == [
        {"first": "a cat", "second": "a tomcat", "score": 1.0, "highest": 1.0},
        {"first": "a cat", "second": "a hound", "negative": True, "score": 0.0, "highest": 1.0},
    ]
    assert "2 triplets" in lines[-1]


def test_json_lines_and_pairs_that_belong_together(written):
    rows = '{"query": "how to bake", "positive": "baking bread"}\n{"query": "q", "positive": "p", "negative": "n"}\n'
    examples, lines = read_similar([written("pairs.jsonl", rows)])
    assert examples[0] == {"first": "how to bake", "second": "baking bread"} and len(examples) == 3
    assert any("1 pairs without a score" in line for line in lines)


def test_lines_of_a_text_are_pairs_with_themselves(written):
    examples, lines = read_similar([written("notes.txt", "One note.\n\nAnother, with a comma.\n")])
    assert examples[1] == {"first": "Another, with a comma.", "second": "Another, with a comma."}
    assert "plain text, 2 lines" in lines[0]
    assert len(read_similar([written("tabs.txt", "a\tb\nc\td\n")])[0]) == 2, "a .txt of two columns is pairs"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("one.csv", "sentence\nonly one\nanother\n", "expected 2 columns, received one"),
        ("scale.tsv", "a\tb\t17\nc\td\t80\n", "expected scores from 0 to 1 or from 0 to 5, received 17 to 80"),
        ("minus.tsv", "a\tb\t-1\nc\td\t1\n", "received -1 to 1. Say what the highest score is with --max-score"),
        ("words.csv", "first,second,score\na,b,high\nc,d,low\n", 'expected a number as score, received "high"'),
        ("empty.txt", "\n \n", "expected texts, received"),
    ],
)
def test_what_cannot_be_read_is_said(written, name, text, expected):
    with pytest.raises(DataError) as error:
        read_similar([written(name, text)])
    assert expected in str(error.value) and "\n" not in str(error.value)


def test_the_highest_score_may_be_given(written):
    [example, _], _ = read_similar([written("scale.tsv", "a\tb\t17\nc\td\t80\n")], highest=100)
    assert example["score"] == 17 and example["highest"] == 100
    with pytest.raises(DataError, match="expected scores from 0 to 50, received 17 to 80"):
        read_similar([written("scale.tsv", "a\tb\t17\nc\td\t80\n")], highest=50)


def test_graded_pairs_are_held_out_with_all_that_shares_a_text():
    keys = [[f"a{n}", f"b{n}"] for n in range(200)] + [["a3", "c"]]
    graded = [n < 60 for n in range(201)]
    held = held_out(keys, graded, 20, seed=0)
    assert sum(at < 60 for at in held) == 20 and all(at < 60 or at == 200 for at in held)
    assert (3 in held) == (200 in held)
    assert held_out(keys, [False] * 201, 20, 0) is None and held_out(keys, [True] * 201, 20, 0) is None
