"""Summarization: what stands around the net, its questions, documents, length, and beginning from other tasks' models."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lamella
from lamella.decode.search import without_repeats
from lamella.errors import DataError, UsageError
from lamella.graphs import torch_graphs
from lamella.metrics.rouge import summaries
from lamella.options import make_config
from lamella.registry import find
from lamella.task import Task
from lamella.tasks.summarization import Config, documents, faithful, style
from lamella.tasks.summarization import sentences as extractive
from lamella.train.further import weights_of
from tests.serving import serving

WORD = "summarization"
CLS = find(WORD)
NEW = {"copy_query", "copy_key", "gate", "follows", "both", "again", "likely"}  # beside what another task has
NOTICE = "Dear neighbours. The zoo in River Walk will stay closed on Sunday because of illness. Mr Brown thanks you."


@pytest.fixture
def model(trained) -> lamella.Model:
    return lamella.load(trained(WORD))


# ---- names and numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "source", "wanted"),
    [
        ("Costs 12 euros", "It costs 21 euros.", ["12"]),
        ("Zoo closed on Monday", "The zoo is closed on Sunday.", ["Monday"]),
        ("Moved to Église", "It moved to the église.", []),
        ("GNOME tools", "Tools for KDE.", ["GNOME"]),
        ("A Pythonic API", "An API in Python.", []),
        ("Over 10,000 visitors", "More than 10,000 visitors.", []),
        ("Version 2.4", "Versions 2.3 and 4.2", ["2.4"]),
        ("For Python 3, not 11", "Python 3.11", ["11"]),
        ("Half of 10000", "It has 10,000 pages.", []),
        ("A Perl/Tk client", "A client in Perl and Tk.", []),
        ("The Node API", "An API of Node.js", []),
        ("C++ library", "A library in C++.", []),
        ("Paris, not London", "", ["London"]),
        ("", "Anything.", []),
    ],
)
def test_names_and_numbers_stand_in_the_text(answer, source, wanted):
    assert faithful.unsupported(answer, source) == wanted


def test_the_candidate_that_agrees_with_the_others_is_best():
    candidates = [
        ("Free tickets", -0.50),
        ("Zoo in River Walk closed", -0.52),
        ("Zoo in River Walk closed on Sunday", -0.55),
    ]
    scores = dict(faithful.agreed(candidates))
    assert [text for text, _ in candidates] == list(scores) and all(0 <= score <= 1 for score in scores.values())
    assert max(scores, key=scores.__getitem__) == "Zoo in River Walk closed"
    sure = dict(faithful.agreed([("Free tickets", -0.1), *((text, -3.0) for text, _ in candidates[1:])]))
    assert max(sure, key=sure.__getitem__) == "Free tickets", "what the net is sure of needs no others"
    assert faithful.agreed([]) == [] and faithful.agreed([("", -1.0), ("", -1.0)])[0][1] == 0


def test_the_best_candidate_that_keeps_to_the_text_and_to_the_length():
    candidates = [("Zoo closed on Monday", -0.1), ("Zoo in River Walk closed on Sunday", -0.3), ("Zoo closed", -0.5)]
    assert faithful.choose(candidates, NOTICE, 0, True) == "Zoo in River Walk closed on Sunday"
    assert faithful.choose(candidates, NOTICE, 0, False) == "Zoo closed on Monday"
    assert faithful.choose(candidates, NOTICE, 2, True) == "Zoo closed"
    assert faithful.choose(candidates[:1], NOTICE, 0, True) is None


def test_where_no_candidate_keeps_to_the_text_a_sentence_of_it_answers(model):
    job = model.task
    wrong = [[("Museum closed in May 1999", -0.1)]]
    [answer] = job.answers([{"text": NOTICE}], lambda rows: wrong)
    assert answer in NOTICE and "Sunday" in answer
    free = model.with_config(make_config(CLS.Config, {"faithful": False}, WORD)).task
    assert free.answers([{"text": NOTICE}], lambda rows: wrong) == ["Museum closed in May 1999"]


# ---- sentences -----------------------------------------------------------------------------------------------------


def test_the_scorer_learns_what_summaries_are_made_from():
    """The sentence that counts begins with a word of its own and stands anywhere."""
    rng = np.random.default_rng(0)
    words = ["rain", "sun", "wind", "snow", "fog", "hail"]
    pairs = []
    for _ in range(60):
        said = " ".join(rng.choice(words, 3))
        parts = [f"We saw {said} there.", "Nobody came to us.", "It was a long day indeed."]
        pairs.append((" ".join(parts[i] for i in rng.permutation(3)), f"saw {said}"))
    weights = extractive.learn(pairs[:40])
    for text, _ in pairs[40:]:
        parts = extractive.cut(text)
        assert parts[int(extractive.scores(parts, weights).argmax())].text.startswith("We saw")


def test_questions(model, cli, trained):
    picked = model.ask("sentences").predict(NOTICE)
    assert picked == [{"sentence": 2, "text": extractive.cut(NOTICE)[1].text, "grade": picked[0]["grade"]}]
    two = cli("predict", trained(WORD), NOTICE, "--ask", "sentences", "--sentences", 2, "--json").json["answers"][0]
    assert [found["sentence"] for found in two] in ([1, 2], [2, 3])
    assert cli("predict", trained(WORD), NOTICE, "--ask", "sentences").out == picked[0]["text"] + "\n"
    with pytest.raises(lamella.UsageError, match="expected a text, received an empty one"):
        model.ask("sentences").predict("")
    done = cli("predict", trained(WORD), NOTICE, "--ask", "poem")
    assert done.code == 2 and "expected one of summary, sentences" in done.err
    why = model.ask("sentences").explain(NOTICE).data
    assert why["focus"]["name"] == "score of the sentences" and any(u["weight"] for u in why["fields"]["text"]["units"])


def test_an_explanation_names_the_sentence_that_it_is_from(model):
    found = model.explain(NOTICE)
    kind = found.data["by kind"]
    shares = [part["share"] for part in kind["sentences"]]
    assert [part["number"] for part in kind["sentences"]] == [1, 2, 3] and sum(shares) == pytest.approx(1, abs=1e-3)
    assert int(np.argmax(shares)) == 1
    assert "sentence 2: The zoo" in found.to_text() and kind["title"] in found.to_html()


# ---- long texts, lengths, documents --------------------------------------------------------------------------------


def test_of_a_text_that_is_too_long_the_best_sentences_are_read(model):
    job = model.task
    filler = " ".join(f"Please leave your {thing} behind the building." for thing in ("dogs", "bags", "bicycles") * 40)
    long = f"{filler} {extractive.cut(NOTICE)[1].text} {filler}"
    ids = job.inputs({"text": long})["source"]
    assert len(ids) <= job.config.max_length and "closed on Sunday" in job.pieces.decode([ids[:-1].tolist()])[0]
    example, note = job.excerpt({"text": long})
    assert "Of 241 sentences the net reads" in note and len(example["text"]) < len(long)
    assert job.excerpt({"text": NOTICE}) == ({"text": NOTICE}, "")
    assert isinstance(model.predict("word " * 3000), str), "a sentence without end is cut"


def test_what_is_cut_of_a_long_text_is_said(model, cli, trained, tmp_path):
    long = " ".join(f"Please leave your bag {n} behind the building." for n in range(150)) + " " + NOTICE
    wanted = model.task.output.note(model.task, {"text": long})
    assert "longer than 512 tokens: of its 153 sentences the net reads the" in wanted and not model.task.output.note(
        model.task, {"text": NOTICE}
    )
    with pytest.warns(UserWarning, match="of its 153 sentences"):
        lamella.predict(model, long)
    done = cli("predict", trained(WORD), long)
    assert done.code == 0 and f"note: {wanted}" in done.err and wanted not in done.out
    assert "note" not in cli("predict", trained(WORD), NOTICE).err
    assert "note" not in cli("predict", trained(WORD), long, "--ask", "sentences").err, "the scorer reads all of it"
    done = cli("predict", trained(WORD), "-", stdin=f"{NOTICE}\n{long}\n{long}\n")
    assert len(done.out.splitlines()) == 3 and f"note: line 2: {wanted} 1 more are like it." in done.err
    (tmp_path / "a.csv").write_text(f"text\n{NOTICE}\n{long}\n")
    done = cli("predict", trained(WORD), tmp_path / "a.csv", "-o", tmp_path / "b.csv")
    assert f"note: line 3: {wanted}" in done.err
    with serving({"m": model}) as server:
        both = server.post("/models/m/predict", {"examples": [{"text": NOTICE}, {"text": long}]}).json
        assert both["notes"] == ["", wanted]
        assert "notes" not in server.post("/models/m/predict", {"examples": [{"text": NOTICE}]}).json


def test_letters_that_the_vocabulary_has_not_are_no_summary(model):
    assert "\N{DOUBLE QUESTION MARK}" not in model.predict("日本語の文。")
    assert model.task._chosen(NOTICE, [("A \N{DOUBLE QUESTION MARK} zoo", -0.1), ("A zoo", -0.2)]) == "A zoo"


def test_a_length_is_a_mark(model):
    job = model.task
    marks = [job.prompt({"text": NOTICE, "summary": "word " * count})["prompt"][0] for count in (1, 5, 7, 30)]
    assert marks == sorted(marks) and len(set(marks)) > 2 and marks[0] >= len(job.pieces)
    answers = model.with_config(make_config(CLS.Config, {"words": 4}, WORD)).predict([NOTICE])
    assert isinstance(answers[0], str) and answers[0]


def test_no_trigram_comes_twice():
    prefixes = np.array([[[4, 5, 6, 4, 5], [4, 5, 6, 5, 4]]])
    tokens = np.array([[[6, 7], [6, 5]]])
    scores = np.zeros((1, 2, 2))
    assert without_repeats(prefixes, tokens, scores, 3).tolist() == [[[-np.inf, 0.0], [0.0, 0.0]]]
    assert (without_repeats(prefixes[:, :, :2], tokens, scores, 3) == 0).all()


def test_documents_are_summarized_whole(model, cli, trained, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f"<html><body><h1>News</h1><p>{NOTICE.replace('zoo', '<b>zoo</b>')}</p></body></html>")
    notes = tmp_path / "notes.md"
    notes.write_text(f"# News\n\n{NOTICE.replace('zoo', '**zoo**')}\n")
    assert documents.read(page) == documents.read(notes) == f"News\n\n{NOTICE}"
    wanted = model.predict(documents.read(notes))
    assert cli("predict", trained(WORD), notes).out == wanted + "\n"
    assert cli("predict", trained(WORD), page, "-o", tmp_path / "out.html").code == 0
    assert (tmp_path / "out.html").read_text() == f"<p>{wanted}</p>\n"
    (tmp_path / "empty.txt").write_text("")
    done = cli("predict", trained(WORD), tmp_path / "empty.txt")
    assert done.code and "empty" in done.err
    done = cli("predict", trained(WORD), "--text", "")
    assert done.code == 2 and "text: expected a text, received an empty one" in done.err
    assert model.predict([" ?! "]) == [""]
    with pytest.raises(lamella.UsageError, match="expected a text, received an empty one"):
        model.predict(["", NOTICE])


# ---- scores --------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_the_reference_libraries():
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import CHRF

    answers, wanted = (
        ["Libraries closed on Friday", "Zoo opens"],
        [["Library closed Friday", "No library"], ["The zoo opens at 9"]],
    )
    values = summaries(answers, wanted, [False, True]).values
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    each = [max(scorer.score(r, a)["rougeL"].fmeasure for r in some) for a, some in zip(answers, wanted)]
    assert values["rougeL"] == pytest.approx(np.mean(each)) and values["unsupported"] == 0.5
    columns = [[some[0] for some in wanted], [some[-1] for some in wanted]]
    assert values["chrF"] == pytest.approx(CHRF().corpus_score(answers, columns).score)


def test_other_languages_are_compared_word_by_word():
    found = summaries(["дом закрыт"], [["дом закрыт сегодня"]], [False])
    assert found.values["rouge1"] == pytest.approx(0.8) and "no stemmer" in found.notes["rougeL"]


# ---- the net, and where it begins ----------------------------------------------------------------------------------


def test_the_graphs_answer_as_the_net_does(model):
    """At sizes that the export did not see."""
    from lamella.train.adopt import fill

    net = model.task.build()
    fill(net, weights_of(model)).all_or_error("the net")
    inputs = model.task.collate([model.task.inputs({"text": NOTICE * 2}), model.task.inputs({"text": "Zoo"})])
    own, other = (model.task.decode(graphs, inputs) for graphs in (torch_graphs(net.eval()), model.graphs))
    for mine, theirs in zip(own, other, strict=True):
        assert [text for text, _ in mine] == [text for text, _ in theirs]
        assert [score for _, score in mine] == pytest.approx([score for _, score in theirs], abs=2e-3)


def test_a_translator_is_taken_over(tiny_model, model):
    other = lamella.load(tiny_model)
    job = CLS(make_config(CLS.Config, {}, WORD), "tiny")
    job.fit(job.sample("train"))
    weights = job.transfer.adopt(job, other.task, weights_of(other))
    from lamella.train.adopt import fill

    net = job.build()
    filled = fill(net, weights)
    assert job.vocabulary_ == other.task.vocabulary_ and not filled.odd and not filled.unused
    assert {name.partition(".")[0] for name in filled.missing} == NEW
    assert len(net.body.table) == len(job.pieces) + 10
    assert isinstance(
        job.answers(
            [{"text": NOTICE}], lambda rows: job.decode(torch_graphs(net.eval()), job.collate([job.inputs(rows[0])]))
        )[0],
        str,
    )


def test_what_cannot_be_begun_from(trained):
    class Other(Task):
        pass

    with pytest.raises(UsageError, match=r"expected one of summarization, translation .* or fill-mask, received Other"):
        CLS.transfer.adopt(CLS(), Other.__new__(Other), {})


def test_reading_says_what_is_cut(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": NOTICE * 40, "summary": "Zoo closed"}) + "\n")
    _, lines = CLS().read([str(path)])
    assert any("1 texts may be longer than the 512 tokens" in line and "--max-length" in line for line in lines)
    path.write_text("")
    with pytest.raises(DataError, match="empty file"):
        CLS().read([str(path)])


def test_an_encoder_of_masked_words_is_taken_over():
    """Its decoder and its copy head are new."""
    from lamella.train.adopt import fill

    other = find("fill-mask")(size="tiny")
    other.fit(other.sample("train"))
    known = {name: tensor.numpy() for name, tensor in other.build().state_dict().items()}
    job = CLS(size="tiny")
    job.fit(job.sample("train"))
    weights = job.transfer.adopt(job, other, known)
    filled = fill(job.build(), weights)
    assert job.vocabulary_ == other.vocabulary_ and not filled.odd and not filled.unused
    assert {"body.table", "body.norm_encoder.weight", "body.encoder.1.feed.up.weight"} <= set(filled.taken)
    assert all(name.startswith(("body.decoder", "body.norm_decoder", *NEW)) for name in filled.missing)


def with_style(model, style="auto", words=0, shares=(0.3, 0.4)):
    """A model that found after training how much summaries share with the net's words and with sentences."""
    other = model.with_config(Config(style=style, words=words))
    other.task.shares_ = shares
    return other


def test_sentences_answer_where_they_were_better(model):
    text = "The zoo opens at 9 on Monday. Owls have a new house. Visitors may bring a torch."
    [picked] = model.ask("sentences").predict([text])
    wrote = model.predict(text)
    assert wrote not in text
    assert with_style(model).predict(text) == picked[0]["text"]
    assert with_style(model, style="sentences", shares=()).predict(text) == picked[0]["text"]
    for asked in (
        with_style(model, style="words"),
        with_style(model, shares=(0.4, 0.4)),
        with_style(model, shares=()),
    ):
        assert asked.predict(text) == wrote
    assert with_style(model, words=4).predict(text) == with_style(model, words=4, shares=()).predict(text)


def test_what_is_better_is_learned_after_training(model):
    job = with_style(model, shares=()).task
    texts = [f"The {name} is open. It has {n} rooms. People like it." for n, name in enumerate(("zoo", "pool", "hall"))]
    picked = [" ".join(one["text"] for one in job._picked(text, 1)) for text in texts]
    rows = [{"text": text, "summary": line} for text, line in zip(texts, picked, strict=True)]
    run = model.run
    job.calibrate(rows, run)
    assert job.shares_[1] == 1.0 > job.shares_[0]
    assert style.picks(job) and "--style words" in style.findings(job)[0] and "100%" in style.findings(job)[0]
    written = [{"text": text, "summary": line} for text, line in zip(texts, model.predict(texts), strict=True)]
    job.calibrate(written, run)
    assert job.shares_[0] == 1.0 and not style.picks(job) and style.findings(job) == []
    assert job.config.style == "auto"


def test_an_explanation_of_sentences_names_them(model):
    text = "The zoo opens at 9 on Monday. Owls have a new house. Visitors may bring a torch."
    picked = with_style(model)
    [sentence] = model.ask("sentences").predict([text])[0]
    assert f"sentence {sentence['sentence']}" in picked.explain(text).to_text()


def test_a_summarizer_that_goes_on_learns_how_long_summaries_are_now(model):
    """From one of short lines to sentences: their length and the scorer are those of the new texts."""
    texts = [
        f"The lamp {n} is new. We show that lamp {n} is far brighter than all that were sold before it. Rain."
        for n in range(240)
    ]
    rows = [
        {"text": t, "summary": t.split(". ")[1] + ", as people who bought it say, and they ought to know it"}
        for t in texts
    ]
    job, other = type(model.task)(model.task.config, model.manifest.size), model.task
    transfer = type(job).transfer
    transfer.adopt(job, other, weights_of(model))
    before = job.longest_, list(job.lengths_), list(job.scorer_)
    transfer.renew(job, rows)
    assert job.longest_ > before[0] and job.lengths_ != before[1]
    assert job._picked(texts[0], 1)[0]["sentence"] == 2
    few = type(model.task)(model.task.config, model.manifest.size)
    transfer.adopt(few, other, weights_of(model))
    transfer.renew(few, rows[:10])
    assert few.longest_ > before[0] and (list(few.lengths_), list(few.scorer_)) == before[1:]
