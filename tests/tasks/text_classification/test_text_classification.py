"""Text classification: the linear part against scikit-learn, the task from file to answer."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

import lamella
from lamella import metrics
from lamella.data.samples.text_classification import LABELS, reviews
from lamella.errors import DataError, UsageError
from lamella.graphs import load_graphs, torch_graphs
from lamella.model import run_batches
from lamella.options import make_config, replace_config
from lamella.registry import find
from lamella.tasks.text_classification import linear
from lamella.tasks.text_classification.features import FeatureSet, features, words
from lamella.train.engine import Run, steps
from lamella.train.export import export_graphs
from lamella.train.gather import encode
from lamella.train.schedule import Budget, Schedule

torch.set_num_threads(1)
NETS = ("cnn", "rnn", "transformer")
TextClassification = find("text-classification")


def job_for(net: str, **options):
    return TextClassification(
        make_config(TextClassification.Config, {"net": net, **options}, "text-classification"), "tiny"
    )


def train(job, examples, count: int, rate: float = 3e-3):
    """The loop of the verb without its files."""
    torch.manual_seed(0)
    job.fit(examples)
    batches = encode(job, examples)
    run = Run.start(job.build(), rate, decay=job.training.decay)

    def loss(net, batch):
        return job.loss(net(batch["pieces"], batch["features"]), batch)

    for _ in steps(run, batches, loss, Budget(steps=count), Schedule(warmup=10)):
        pass
    return run.averaged()


def value(job, answers, examples, name="f1_weighted") -> float:
    scores = job.score(answers, examples)
    return scores.values[name]


@pytest.fixture(scope="module", params=NETS)
def learned(request):
    """A task, its net after a short training on a part of the sample, and the graphs over both engines."""
    job = job_for(request.param, vocabulary_size=300)
    net = train(job, job.sample("train")[:600], 60)
    return job, torch_graphs(net), load_graphs(export_graphs(net))


# --- features and the linear part


def some_rows(texts=300, count=200, labels=3):
    chance = np.random.default_rng(0)
    rows = [chance.choice(count, chance.integers(0, 30), replace=False) for _ in range(texts)]
    return rows, chance.integers(0, labels, texts)


def matrix(rows, values, count):
    out = np.zeros((len(rows), count))
    for line, row, value in zip(out, rows, values):
        line[row] = value
    return out


def test_logistic_is_scikit_learns():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rows, wanted = some_rows()
    values = [np.random.default_rng(len(r)).random(len(r)) for r in rows]
    weights, bias = linear.logistic(rows, values, wanted, 200, 3, strength=3.0)
    oracle = linear_model.LogisticRegression(C=3.0, tol=1e-9, max_iter=2000).fit(matrix(rows, values, 200), wanted)
    assert np.abs(weights - oracle.coef_.T).max() < 2e-3 * np.abs(weights).max()
    assert np.ptp(bias - oracle.intercept_) < 1e-3  # one constant for all labels changes nothing


def test_naive_bayes_is_scikit_learns():
    naive_bayes = pytest.importorskip("sklearn.naive_bayes")
    rows, wanted = some_rows()
    ratios, share = linear.naive_bayes(rows, wanted, 200, 3)
    there = matrix(rows, [1.0] * len(rows), 200)
    oracle = naive_bayes.MultinomialNB().fit(there, wanted)
    mine = there @ ratios + np.log(share)
    shift = mine - oracle.predict_joint_log_proba(there)
    assert np.abs(shift - shift[:, :1]).max() < 1e-9
    assert np.allclose(ratios @ share, 0)


def test_solve_takes_a_part_of_too_much(monkeypatch):
    rows, wanted = some_rows()
    monkeypatch.setattr(linear, "WORK", 2000)
    taken = []

    def logistic(rows, values, wanted, features, labels, *_):
        taken.append(len(rows))
        return np.zeros((features, labels)), np.zeros(labels)

    monkeypatch.setattr(linear, "logistic", logistic)
    linear.solve(rows, wanted, 200, 3, 1.0, np.zeros(200, bool))
    assert len(taken) == linear.FOLDS + 1 and 20 < taken[-1] < 100


def test_stack_finds_what_scores_are_worth():
    """Labels drawn from known shares of two members and a known bias give these back; with much doubt nothing moves."""
    chance = np.random.default_rng(1)
    said, bias = chance.normal(size=(2, 20000, 3)), np.array([0.5, 0.0, -0.5])
    likely = np.exp(linear.logs(1.5 * said[0] + 0.25 * said[1] + bias))
    wanted = (chance.random((20000, 1)) > likely.cumsum(axis=1)).sum(axis=1)
    shares, extra, loss = linear.stack(said, wanted)
    assert shares == pytest.approx([1.5, 0.25], abs=0.06) and extra - extra.mean() == pytest.approx(bias, abs=0.06)
    assert loss == pytest.approx(-np.log(likely[np.arange(20000), wanted]).mean(), abs=1e-3)
    still, _, _ = linear.stack(said, wanted, (0.2, 0.9), doubt=1e9)
    assert still == pytest.approx([0.2, 0.9], abs=1e-3)
    assert not linear.stack(said, wanted, extra=False)[1].any()


def test_solve_chooses_the_strength_and_is_sure_by_as_much_as_it_is_right():
    """Where labels are noise the answers are near the labels' shares; where features tell they are far from it."""
    chance = np.random.default_rng(2)
    rows = [chance.choice(60, 12, replace=False) for _ in range(400)]
    noise = chance.integers(0, 2, 400)
    clear = np.array([int((row < 30).sum() > 6) for row in rows])
    seen = {}
    for name, wanted in (("noise", noise), ("clear", clear)):
        weights, bias, _ = linear.solve(rows[:300], wanted[:300], 60, 2, None, np.zeros(60, bool))
        scores = np.stack([weights[row].sum(axis=0) / len(row) ** 0.5 + bias for row in rows[300:]])
        likely = np.exp(linear.logs(scores))
        seen[name] = likely.max(axis=1).mean(), (likely.argmax(axis=1) == wanted[300:]).mean()
    assert seen["noise"][0] < 0.6 and seen["clear"][1] > 0.85
    assert abs(seen["clear"][0] - seen["clear"][1]) < 0.15


def test_features_by_hand():
    found = features("Not BAD: '~'")
    assert found[:7] == ["not", "bad", ":", "'", "~", "\n not", "not bad"]
    assert {"~<no", "~not>", "~<bad>"} <= set(found) and len(found) == len(set(found))
    assert words("e-mail 3.5 l'été — naïve 我们") == [
        *("e", "-", "mail", "3", ".", "5", "l'été", "—", "naïve", "我", "们"),
    ]


def test_feature_set():
    texts = ["a good film", "a good book", "good grief ~ ~", "~ film"]
    known = FeatureSet.learn(texts, most=100)
    assert known.names[0] == "good" and "book" in known.names and "~boo" not in known.names and "~fil" in known.names
    again = FeatureSet.load(known.dump())
    assert again.names == known.names and FeatureSet.load(FeatureSet([]).dump()).encode("good").shape == (1, 16)
    assert [n for n, part in zip(["", *known.names], known.parts) if part] == [
        n for n in known.names if n[0] == "~" and n[1:2] not in ("", " ")
    ]
    rows = known.encode(texts[0])
    assert rows.dtype == np.int32 and rows.shape[1] == 16
    assert sorted(known.names[i - 1] for i in rows[rows != 0]) == sorted(set(features(texts[0])) & set(known.names))
    assert not known.encode("never seen").any() and len(FeatureSet.learn(texts, most=3)) == 3


# --- the sample


def test_sample():
    learn, held = reviews("train"), reviews("test")
    assert len(learn) == 1600 and len(held) == 300 and not {t for t, _ in learn} & {t for t, _ in held}
    counts = [sum(label == known for _, label in held) for known in LABELS]
    assert sum(counts) == 300 and min(counts) > 60


# --- the task


def test_read(tmp_path):
    job = job_for("cnn")
    path = tmp_path / "mine.csv"
    path.write_text("review,stars,id\n" + "".join(f'"fine, {i}",{i % 2},{i}\n' for i in range(30)))
    examples, lines = job.read([str(path)], {"text": "review", "label": "stars"})
    assert examples[1] == {"text": "fine, 1", "label": "1"} and len(examples) == 30 and lines
    path.with_suffix(".jsonl").write_text('{"text": "one", "label": "a"}\n{"text": "two", "label": "b"}\n' * 3)
    assert len(job.read([str(path.with_suffix(".jsonl"))])[0]) == 6


def test_wrong_options():
    with pytest.raises(UsageError, match="net"):
        job_for("perceptron")
    with pytest.raises(UsageError, match="dropout"):
        job_for("cnn", dropout=1)


def test_a_label_that_training_did_not_have(learned):
    job, graphs, _ = learned
    with pytest.raises(DataError, match="negative"):
        job.targets({"text": "so so", "label": "mixed"})
    examples = [{"text": "the lid is good", "label": "mixed"}]
    assert value(job, run_batches(job, graphs, examples), examples, "accuracy") == 0


def test_learns_the_sample(learned):
    """A few seconds are enough for far more than guessing, which gets a third of three labels right."""
    job, graphs, _ = learned
    examples = job.sample("test")
    answers = run_batches(job, graphs, examples)
    assert value(job, answers, examples) > 0.7
    for answer in answers:
        assert set(answer) == {"label", "probabilities"} and list(answer["probabilities"]) == job.labels_
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=0.01)
        assert answer["probabilities"][answer["label"]] == max(
            answer["probabilities"].values()
        )  # two may be rounded alike
    json.dumps(answers)
    line = job.render(answers[0])
    assert line.startswith(answers[0]["label"] + " ") and 0 <= float(line.split()[-1]) <= 1


def test_answers_are_the_same_over_both_engines(learned):
    job, over_torch, over_onnx = learned
    examples = [*job.sample("test")[:20], {"text": ""}, {"text": "?"}, {"text": "very " * 900}, {"text": "\udce9 \0"}]
    for some in (examples, examples[:1], examples[-4:]):
        for mine, its in zip(run_batches(job, over_torch, some), run_batches(job, over_onnx, some)):
            assert mine["probabilities"] == pytest.approx(its["probabilities"], abs=2e-3)


def test_a_net_that_counts_for_nothing_reads_a_piece(learned, monkeypatch):
    job, _, graphs = learned
    monkeypatch.setattr(job, "mix_", [0.0, 1.2])
    examples, read = job.sample("test")[:8], []

    def seen(graph):
        def called(**inputs):
            read.append(inputs.get("pieces", np.zeros((0, 0))).shape[1])
            return graph(**inputs)

        called.empty = graph.empty
        return called

    answers = run_batches(job, {name: seen(graph) for name, graph in graphs.items()}, examples)
    assert max(read) <= 1
    monkeypatch.setattr(job, "mix_", [1e-9, 1.2])  # as good as nothing, but the net reads the whole of it
    assert answers == run_batches(job, graphs, examples)


def test_the_order_of_a_batch_changes_nothing(learned):
    job, _, graphs = learned
    examples = job.sample("test")[:30]
    together = run_batches(job, graphs, examples)
    turned = run_batches(job, graphs, examples[::-1])[::-1]
    alone = [run_batches(job, graphs, [e])[0] for e in examples]
    for a, b, c in zip(together, turned, alone):
        assert a["probabilities"] == pytest.approx(b["probabilities"], abs=2e-3)
        assert a["probabilities"] == pytest.approx(c["probabilities"], abs=2e-3)


def test_what_is_learned_is_all_that_answering_needs(learned):
    """A task opened from a model folder has the learned names alone."""
    job, _, graphs = learned
    fresh = job_for(job.config.net)
    fresh.labels_, fresh.vocabulary_, fresh.features_ = job.labels_, job.vocabulary_, job.features_
    examples = job.sample("test")[:5]
    assert run_batches(fresh, graphs, examples) == run_batches(job, graphs, examples)


def test_the_linear_part_is_not_trained_again():
    job = job_for("cnn", vocabulary_size=100)
    net = train(job, job.sample("train")[:100], 3)
    assert np.allclose(net.wide.table.numpy(), job.solution[0]) and np.allclose(net.wide.bias.numpy(), job.solution[1])


def test_the_parts_count_by_what_they_were_right():
    """Kept aside, a part that is right counts more than one that guesses, and a label that training lacks is passed over."""
    job = job_for("cnn")
    job.labels_ = ["a", "b"]
    examples = [{"text": "", "label": "ab"[i % 2]} for i in range(100)]
    right = [{"probabilities": {"a": 0.9 - 0.8 * (i % 2), "b": 0.1 + 0.8 * (i % 2)}} for i in range(100)]
    guess = [{"probabilities": {"a": 0.7 - 0.4 * (i % 3 > 0), "b": 0.3 + 0.4 * (i % 3 > 0)}} for i in range(100)]
    job.calibrate([*examples, {"text": "", "label": "c"}], lambda some: right if job.mix_[0] else guess)
    deep, wide = job.mix_
    assert deep > 1.0 and wide < 0.8
    job.calibrate(examples, lambda some: guess if job.mix_[0] else right)
    assert job.mix_[1] > 1.2 and job.mix_[0] < 0.2


def test_a_language_without_spaces():
    """Chinese has no spaces: characters and pairs of them are the words."""
    good, bad, things = (
        ["很好", "好看", "喜欢", "精彩"],
        ["很差", "难看", "讨厌", "无聊"],
        ["电影", "书", "故事", "演员", "音乐", "结局"],
    )
    examples = [
        {"text": f"这部{a}{word}，{b}也是", "label": label}
        for label, words in (("好", good), ("坏", bad))
        for word in words
        for a in things
        for b in things
    ]
    held = [e for i, e in enumerate(examples) if i % 5 == 0]
    job = job_for("cnn", vocabulary_size=60)
    net = train(job, [e for i, e in enumerate(examples) if i % 5], 10)
    answers = run_batches(job, torch_graphs(net), held)
    assert value(job, answers, held, "accuracy") > 0.95 and set(answers[0]["probabilities"]) == {"好", "坏"}


def test_scores():
    job = job_for("cnn")
    job.labels_ = ["a", "b"]
    answers = [{"label": "a"}, {"label": "b"}, {"label": "b"}]
    scores = job.score(answers, [{"label": "a"}, {"label": "a"}, {"label": "b"}])
    found = metrics.intervals(scores, resamples=50)
    assert set(found) == {"accuracy", "f1_weighted", "f1_macro"}
    assert found["f1_weighted"]["value"] == pytest.approx(2 / 3)


def test_features_of_many_texts_are_those_of_each(trained):
    """A list is told apart in arrays, a text by itself; what is unknown, long, empty or said twice among it."""
    model = lamella.load(trained("text-classification"))
    known = model.task.known
    texts = [row["text"].lower() for row in model.task.sample("test")[:20]]
    texts += ["", "xyzzy", "?!", "lovely lovely lovely", "今日 is fine", "a " * 500, "b" * 3000]
    for found, text in zip(known.several(texts), texts, strict=True):
        alone = known.encode(text)
        assert found.shape == alone.shape and found.dtype == alone.dtype
        assert sorted(found[found > 0]) == sorted(alone[alone > 0])
        wanted = {known.index[name] for name in features(text) if name in known.index}
        assert set(found[found > 0].tolist()) == wanted and (found > 0).sum() == len(wanted)


@pytest.mark.parametrize("net", ["cnn", "rnn"])
def test_the_linear_part_alone(net, tmp_path):
    """What both parts give where the net's share is nothing; and no part of the net is computed."""
    lamella.train("text-classification", "sample", out=str(tmp_path / "model"), net=net, size="tiny", steps=2)
    model = lamella.load(tmp_path / "model")
    texts = [row["text"] for row in model.task.sample("test")[:20]] + ["", "lovely"]
    alone = model.with_config(replace_config(model.task.config, {"linear": True}, "text-classification")).predict(texts)
    wide, share = model.graphs["classify"].only("wide"), model.task.mix_[1]
    assert set(wide.axes) == {"features"}
    for text, answer in zip(texts, alone, strict=True):
        scores = share * linear.logs(
            wide(features=model.task.inputs({"text": text})["features"][None].astype(np.int64))["wide"]
        )
        assert np.allclose(list(answer["probabilities"].values()), np.exp(linear.logs(scores))[0], atol=1e-3)
    model.task.mix_ = [0.0, share]
    assert model.predict(texts) == alone


def test_a_list_is_read_a_few_at_a_time(trained, monkeypatch):
    """As in one batch, and each text as by itself."""
    model = lamella.load(trained("text-classification"))
    texts = [row["text"] for row in model.task.sample("test")[:30]] + ["", "fine " * 90]
    answers = model.predict(texts)
    monkeypatch.setattr(sys.modules["lamella.tasks.text_classification"], "TOKENS", 10**6)
    for one, other, alone in zip(answers, model.predict(texts), map(model.predict, texts), strict=True):
        for answer in (other, alone):
            assert np.allclose(*([*a["probabilities"].values()] for a in (one, answer)), atol=1.1e-3)
