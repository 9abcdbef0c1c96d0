"""Vectors of texts: what is learned from each kind of data, every question, the index, and the words that go together."""

import csv
import json

import numpy as np
import pytest

import lamella
from lamella.errors import DataError, ModelError, UsageError
from lamella.model.index import Index, asked, identity
from lamella.options import make_config
from lamella.registry import find
from lamella.tasks.sentence_similarity import rising
from lamella.verbs.serve import _searching
from tests.serving import serving

WORD = "sentence-similarity"
BIKE, SAME, OTHER = "A doctor mends the bicycle.", "A medic repairs the bike.", "The chef sells some mugs at night."


@pytest.fixture(scope="module")
def model(trained) -> lamella.Model:
    return lamella.load(trained(WORD))


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "corpus.txt").write_text(f"{OTHER}\n\n{SAME}\nA kid paints the sea.\n")
    return tmp_path / "corpus.txt"


# --- questions


def test_a_grade_knows_words_that_mean_the_same(model):
    alike, different = model.predict([(BIKE, SAME), (BIKE, OTHER)])
    assert alike["grade"] > different["grade"] + 1 and 0 <= different["grade"] <= 5
    assert model.predict({"first": SAME, "second": BIKE}) == alike, "either way round"
    assert model.predict((BIKE, BIKE))["cosine"] == pytest.approx(1, abs=1e-4)


def test_the_vector_is_what_is_graded(model):
    one, two = (np.array(v) for v in model.ask("vector").predict([BIKE, SAME]))
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-3)
    assert one @ two == pytest.approx(model.predict((BIKE, SAME))["cosine"], abs=1e-3)


def test_neighbours_from_an_index_that_grows(model, corpus, cli, tmp_path, trained):
    place = tmp_path / "things.index"
    found = cli("predict", trained(WORD), BIKE, "--ask", "neighbours", "--corpus", corpus, "--index", place, "--json")
    [near] = found.json["answers"]
    assert near[0]["text"] == SAME and len(near) == 3 and "3 entries added" in found.err
    assert near[0]["grade"] == pytest.approx(model.predict((BIKE, SAME))["grade"], abs=0.1)
    more = tmp_path / "more.csv"
    more.write_text(f"id,text\n1,{BIKE}\n2,{SAME}\n")  # one of them is there already
    again = cli("predict", trained(WORD), BIKE, "--ask", "neighbours", "--corpus", more, "--index", place, "--top", 1)
    assert BIKE in again.out and SAME not in again.out and "1 entries added, 4 in all" in again.err
    kept = lamella.predict(model, OTHER, ask="neighbours", index=place)
    assert kept[0]["text"] == OTHER and len(kept) == 4


def test_duplicates_of_a_table(cli, trained, tmp_path):
    table, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    table.write_text(f"text,n\n{BIKE},1\n{OTHER},2\n{SAME},3\n")
    assert cli("predict", trained(WORD), table, "--ask", "duplicates", "-o", out).code == 0
    rows = list(csv.DictReader(out.open()))
    assert [r["predicted_row"] for r in rows][::2] == ["3", "1"] and rows[0]["predicted_text"] == SAME
    assert float(rows[0]["predicted_grade"]) > float(rows[1]["predicted_grade"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([BIKE, "--ask", "nothing"], "expected one of grade, vector, neighbours, duplicates"),
        ([BIKE, "--ask", "neighbours"], "Give it with --corpus FILE or --index FILE"),
        ([BIKE, "--ask", "neighbours", "--index", "none.index"], "no such index. Make it with --corpus"),
        ([BIKE, "--ask", "neighbours", "--corpus", "none.txt"], "none.txt: no such file"),
        ([BIKE, "--ask", "vector", "--index", "x"], "expected a question that is answered by searching"),
        ([BIKE], "expected first and second for each answer, received 1"),
        (['{"first": 1', "{}"], "expected JSON objects with first, second"),
    ],
)
def test_a_wrong_question_says_what_was_expected(cli, trained, words, expected):
    done = cli("predict", trained(WORD), *words)
    assert done.code == 2 and expected in done.err and len(done.err.splitlines()) == 1


def test_a_task_of_one_question_says_so(tiny_model, cli):
    done = cli("predict", tiny_model, "Hello", "--ask", "vector")
    assert done.code == 2 and "it answers one question only" in done.err


def test_questions_over_http(model, corpus, tmp_path, trained):
    place = tmp_path / "a.index"
    asked(model, "neighbours", [corpus], place)
    searching = _searching([model], [str(place)])[0]
    with serving({"plain": model, "searching": searching}) as server:
        plain, more = server.get("/models").json["models"]
        assert [q["name"] for q in plain["questions"]] == ["grade", "vector", "duplicates"]
        assert [q["name"] for q in more["questions"]] == ["grade", "vector", "neighbours", "duplicates"]
        assert set(more["questions"][2]["fields"]) == {"text"} and more["questions"][2]["answer"]["kind"] == "matches"
        body = {"examples": [{"text": BIKE}], "ask": "neighbours", "options": {"top": 1}}
        [[near]] = server.post("/models/searching/predict", body).json["answers"]
        assert near["text"] == SAME
        refused = server.post("/models/plain/predict", body)
        assert refused.status == 400 and "expected one of grade, vector, duplicates" in refused.json["error"]
        wrong = server.post("/models/plain/predict", {"examples": [{"text": BIKE}]})
        assert wrong.status == 400 and "first, second" in wrong.json["error"]
        why = server.post("/models/plain/explain", {"example": {"text": BIKE}, "ask": "vector"})
        assert why.status == 200 and set(why.json["fields"]) == {"text"}
        rows = f"text\n{BIKE}\n{OTHER}\n{SAME}\n".encode()
        table = server.send_file("/models/plain/document", "rows.csv", rows, ask="duplicates")
        assert table.status == 200 and "predicted_row" in table.raw.decode()
        paths = server.get("/openapi.json").json["paths"]
        ask = paths["/models/searching/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert ask["properties"]["ask"]["enum"][2] == "neighbours"
        assert len(ask["properties"]["examples"]["items"]["anyOf"]) == 2
    Index("another").write(tmp_path / "b.index")
    with pytest.raises(UsageError, match="expected an index made by a model that is served"):
        _searching([model], [str(tmp_path / "b.index")])


# --- the index's file


def test_an_index_keeps_a_cosine_within_a_percent():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 64))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    index = Index("m")
    index.add([{"text": str(n)} for n in range(500)], rows)
    for query, near in zip(rows[:9], index.search(rows[:9], 5), strict=True):
        exact = np.argsort(-(rows @ query))[:5]
        assert near[0][0]["text"] == str(exact[0]) and near[0][1] == pytest.approx(1, abs=0.01)
        assert len({n["text"] for n, _ in near} & {str(i) for i in exact}) >= 4


def test_a_damaged_index_or_one_of_another_model_is_refused(model, corpus, tmp_path):
    place = tmp_path / "a.index"
    asked(model, "neighbours", [corpus], place)
    raw = place.read_bytes()
    assert len(Index.read(place, identity(model))) == 3
    for wrong in (
        raw[:-1],
        raw + b"x",
        raw[:-9] + b"123456789",
        b"PK\3\4",
        b"",
        raw[:40],
        raw.replace(b'"count":3', b'"count":2'),
    ):
        place.write_bytes(wrong)
        with pytest.raises(ModelError, match="not an index of lamella"):
            Index.read(place, identity(model))
    place.write_bytes(raw)
    with pytest.raises(ModelError, match="made by this model"):
        Index.read(place, "another")
    empty = tmp_path / "empty.txt"
    empty.write_text("\n\n")
    with pytest.raises(DataError, match="something to search in, received nothing"):
        asked(model, "neighbours", [empty])


# --- explain


def test_explain_says_which_words_go_together(model, trained, cli, tmp_path):
    found = cli("explain", trained(WORD), BIKE, SAME, "--json").json
    together = found["attention"]
    best = {row: together["columns"][int(np.argmax(w))] for row, w in zip(together["rows"], together["weights"])}
    hits = [best["medic"] == "doctor", best["repairs"] == "mends", best["bike"] == "bicycle"]
    assert sum(hits) >= 2, best
    assert all(sum(w) == pytest.approx(1, abs=0.01) or sum(w) == 0 for w in together["weights"])
    assert "goes with which of first" in cli("explain", trained(WORD), BIKE, SAME).out
    assert cli("explain", trained(WORD), BIKE, SAME, "-o", tmp_path / "why.html").code == 0
    assert "goes with which of first" in (tmp_path / "why.html").read_text()
    one = cli("explain", trained(WORD), BIKE, "--ask", "vector", "--json").json
    assert one["attention"] is None and set(one["fields"]) == {"text"}


# --- what it learns from


@pytest.mark.parametrize("kind", ["pairs", "triplets", "plain"])
def test_it_learns_without_grades(kind, tmp_path):
    """Of each sentence its paraphrase is found among all others, though hardly a word is the same."""
    job = find(WORD)()
    rows = [(e["first"], e["second"]) for e in job.sample("train") if e["score"] == 5]
    texts = [text for row in rows for text in row]
    data = {
        "pairs": [{"first": a, "second": b} for a, b in rows],
        "triplets": [{"anchor": a, "positive": b, "negative": texts[-n]} for n, (a, b) in enumerate(rows, 1)],
        "plain": texts,
    }[kind]
    path = tmp_path / ("data.txt" if kind == "plain" else "data.jsonl")
    path.write_text("".join((row if kind == "plain" else json.dumps(row)) + "\n" for row in data))
    small = {"vocabulary_size": 400, "buckets": 2000, "hashed_width": 16}
    model = lamella.train(
        WORD, str(path), out=str(tmp_path / "model"), size="tiny", steps=25, threads=1, tell=lambda line: None, **small
    )
    scores = model.manifest.scores["held out"]["scores"]
    if kind == "triplets":
        assert scores["spearman"]["value"] > 0.4 and model.task.highest_ == 1
        return
    assert set(scores) == {"spearman", "recall_at_1", "recall_at_10"}
    assert scores["spearman"]["value"] > 0.6 and model.predict((BIKE, BIKE))["grade"] == pytest.approx(1, abs=0.01)


def test_grades_rise_with_cosines_whatever_the_noise():
    rng = np.random.default_rng(0)
    cosines = rng.uniform(-0.2, 1, 200)
    grades = np.clip(5 * cosines + rng.normal(size=200), 0, 5)
    line = rising(cosines, grades, 5.0)
    assert (np.diff(line[0]) > 0).all() and (np.diff(line[1]) > 0).all()
    assert np.interp(0.8, *line) == pytest.approx(4, abs=0.7) and np.interp(0.2, *line) == pytest.approx(1, abs=0.7)
    flat = rising(np.linspace(0, 1, 60), np.full(60, 2.0), 5.0)
    assert (np.diff(flat[1]) > 0).all(), "two cosines never have one grade"


def test_an_example_of_one_text_is_no_pair(model):
    with pytest.raises(UsageError, match="expected first and second, as a dict or a tuple"):
        model.predict(BIKE)
    with pytest.raises(UsageError, match="second: expected a text"):
        model.predict((BIKE, 3))


def test_the_scale_is_said_by_the_option_that_the_error_names(tmp_path):
    path = tmp_path / "scale.tsv"
    path.write_text("a cat\ta dog\t17\nso\tand so\t80\n")
    cls = find(WORD)
    with pytest.raises(DataError, match="--max-score"):
        cls().read([str(path)])
    [example, _], _ = cls(make_config(cls.Config, {"max-score": "100"}, WORD)).read([str(path)])
    assert float(cls().targets(example)["grade"]) == pytest.approx(0.17)
