"""What the server does for the page: answers while they grow, forms for rows, examples, names of files, the overview."""

from __future__ import annotations

import msgspec
import pytest

import lamella
from lamella.model import shipped
from lamella.server import about, files, growing
from lamella.server.facts import Opened
from lamella.server.limits import Limits
from lamella.task import Output, Task
from tests.serving import serving

LINES = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def server(trained):
    with serving(
        {"writer": lamella.load(trained("text-generation")), "sorter": lamella.load(trained("text-classification"))}
    ) as found:
        yield found


def grown(server, **options):
    ask = {"examples": [{"text": "Tom the hare "}], "options": {"length": 150, **options}}
    return server.post("/models/writer/predict", ask, **LINES), server.post("/models/writer/predict", ask)


# --- answers that grow


@pytest.mark.parametrize("options", [{}, {"stop": "e "}, {"temperature": 0.0}, {"length": 0}])
def test_an_answer_grows_to_the_one_that_is_given_at_once(server, options):
    streamed, at_once = grown(server, **options)
    *parts, last = streamed.lines
    assert last == at_once.json
    assert parts and all(set(part) == {"partial", "rendered"} for part in parts)
    texts = [part["partial"]["text"] for part in parts]
    assert texts == sorted(texts, key=len)
    assert all(later.startswith(text) for text, later in zip(texts, [*texts[1:], last["answers"][0]["text"]]))


def test_a_fault_ends_it_with_its_line(server, monkeypatch):
    def broken(*given):
        yield lambda: {"text": "a", "log_probability": 0.0, "perplexity": None}
        raise lamella.DataError("no more.")

    monkeypatch.setattr(server.state.models["writer"].model.task, "output", Output(grow=broken), raising=False)
    assert server.post("/models/writer/predict", {"examples": [{"text": "x"}]}, **LINES).lines[-1] == {
        "error": "no more."
    }


def test_several_examples_and_other_tasks_tell_how_far_they_are(server):
    many = server.post(
        "/models/writer/predict", {"examples": [{"text": "Tom "}] * 2, "options": {"length": 5}}, **LINES
    )
    assert len(many.lines[-1]["answers"]) == 2 and not any("partial" in line for line in many.lines)
    one = server.post("/models/sorter/predict", {"examples": [{"text": "good"}]}, **LINES)
    assert "label" in one.lines[-1]["answers"][0] and not any("partial" in line for line in one.lines)


def test_the_longer_an_answer_the_more_rarely_it_is_told(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(growing.time, "monotonic", lambda: clock[0])

    class Job(Task):
        def inputs(self, example):
            return {}

        def collate(self, rows):
            return {}

        def grow(self, graphs, inputs):
            for i in range(1, 2000):
                clock[0] += 0.01
                yield lambda i=i: "x" * 50 * i

        output = Output(grow=grow)

    class Model:
        task, graphs = Job.__new__(Job), {}

    told = []
    assert growing.grow(Model, {}, told.append) == "x" * 50 * 1999
    assert 5 < len(told) < 2000 / 5, "at most one in 50 ms"
    assert sum(map(len, told)) < 20 * growing.PACE, "20 seconds"


# --- what is told of a model


def test_which_models_stream_and_how_good_they_are(server):
    found = {m["name"]: m for m in server.get("/models").json["models"]}
    assert found["writer"]["streams"] and not found["sorter"]["streams"]
    score = found["sorter"]["headline"]
    assert score["low"] <= score["value"] <= score["high"] and score["count"] > 0


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    lines = [f"{i % 7}.5,{['red', 'blue', '<b>'][i % 3]},always" for i in range(60)]
    (folder / "rows.csv").write_text("\n".join(["size,<i>colour,same", *lines]))
    how = {"steps": 2, "size": "tiny", "threads": 1}
    model = lamella.train("dimensionality-reduction", str(folder / "rows.csv"), out=str(folder / "model"), **how)
    return lamella.load(str(folder / "model")) if not isinstance(model, lamella.Model) else model


def test_a_field_that_is_a_row_has_its_columns(rows):
    field = Opened("rows", rows, Limits()).facts["fields"]["example"]
    assert [c["name"] for c in field["columns"]] == ["size", "<i>colour"]
    assert field["columns"][0]["mean"] == pytest.approx(3.45, abs=0.5)
    assert field["columns"][1]["names"] == ["<b>", "blue", "red"]


def opened(model, examples=(), data=("my own",), where=None):
    """A model with these examples in it, trained on this data."""
    training = {**model.manifest.training, "data": list(data), "examples": list(examples)}
    manifest = msgspec.structs.replace(model.manifest, training=training)
    return Opened("some", lamella.Model(manifest, model.files, model.task, where or "/nowhere/model"), Limits())


def test_examples_are_the_models_own_and_never_of_other_data(server, rows):
    sorter = server.state.models["sorter"].model
    assert opened(sorter).examples == [], "the task's own set is of another kind"
    assert opened(sorter, data=["data: the task's own sample set"]).examples
    assert opened(sorter, where=str(shipped.FOLDER / "x")).examples
    mine = [{"text": "good", "label": "positive"}, {"text": 5}, {"other": 1}]
    assert opened(sorter, mine).examples == [{"text": "good"}], "what cannot be read is left out, and the answer too"
    row = {"size": "1.5", "<i>colour": "red"}
    assert opened(rows, [{"example": row}]).examples == [{"example": row}]
    assert opened(rows).examples == []


# --- the overview, and names of files


def test_the_overview_knows_each_verb_its_command_and_what_is_missing(server):
    found = server.get("/models").json
    assert {v["name"] for v in found["verbs"]} == set(found["tasks"][0]["verbs"])
    assert all(v["summary"] and v["command"].startswith(f"lamella {v['name']}") for v in found["verbs"])
    assert found["detects"] is True and found["everywhere"] is False
    assert {"train", "image", "serve"} <= {e["name"] for e in found["extras"]}


def test_what_is_not_installed_is_missing(monkeypatch):
    about.extras.cache_clear()
    real = about.metadata.version
    monkeypatch.setattr(about, "_is_installed", lambda name: name != "torch" and bool(real(name)))
    monkeypatch.setattr(
        about.metadata, "requires", lambda _: ["numpy", 'torch>=2; extra == "train"', "click; extra == 'train'"]
    )
    assert about.extras() == [{"name": "train", "missing": ["torch"]}]
    about.extras.cache_clear()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(("letter.md", ".md", "en", "fr"), "letter.fr.md"), (("a.en.b.md", ".md", "en", "fr"), "a.en.b.fr.md"),
     (("a.en.srt", ".srt", "en", "fr"), "a.fr.srt"), (("rows.csv", ".csv"), "rows.answers.csv"),
     ((".md", ".md", "en", "fr"), ".md.fr.md"), (("x", ".txt"), "x.answers.txt")],
)  # fmt: skip
def test_a_file_of_answers_has_a_name_of_its_own(given, wanted):
    assert files.name_of(*given) == wanted


def test_the_name_is_in_the_reply(server):
    reply = server.send_file("/models/sorter/document", "my rows.csv", b"text\ngood\n")
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="my_rows.answers.csv"; ')
    assert reply.headers["Content-Disposition"].endswith("my%20rows.answers.csv")
