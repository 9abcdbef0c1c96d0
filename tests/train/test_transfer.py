"""A net that begins from another task's encoder (`--init`): what travels, how fast it learns, what is told and refused."""

from __future__ import annotations

import importlib
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import lamella
from lamella import machine
from lamella.errors import UsageError
from lamella.model.learned import learned, restore
from lamella.registry import find
from lamella.train import further, process
from lamella.train.gather import Gathered
from lamella.train.optimizer import Optimizer
from lamella.train.settings import Settings

loop = importlib.import_module("lamella.train.loop")
classifier = importlib.import_module("lamella.tasks.text_classification")
TEXTS = {
    "sentence-similarity": {"table", "blocks", "norm"},
    "translation": {"table", "encoder", "norm_encoder"},
}


@pytest.fixture
def begin(tmp_path, monkeypatch, trained):
    """begin(word, **options): a task that began from the encoder of the sample and took two tiny steps, and what was told."""
    monkeypatch.setattr(machine, "precision", lambda device: "float32")

    def run(word, rate=1e-12, **options):
        origin, lines = further.open_origin(str(trained("fill-mask")), word), []
        cls = find(word)
        job = cls(further.config_of(origin, cls, options, word), origin.model.manifest.size)
        learn, watched = job.sample("train")[:60], job.sample("test")[:4]
        origin, gathered = further.with_replay(job, origin, Gathered(learn, [], watched, []), (), None, 0)
        (tmp_path / "training").mkdir()
        settings = Settings(steps=2, threads=1, rate=rate)
        arguments = settings, tmp_path / "training", {}, lines.append, process.Interrupt(), origin
        return job, origin.model, loop.train_task(job, gathered, *arguments), [*gathered.lines, *lines]

    return run


@pytest.mark.parametrize("word", TEXTS)
def test_vocabulary_and_weights_travel(word, begin):
    job, encoder, done, lines = begin(word, **({"blocks": 2} if word == "sentence-similarity" else {}))
    assert job.vocabulary_ == encoder.task.vocabulary_ and len(job.pieces) == len(encoder.task.pieces)
    known, now = further.weights_of(encoder), done.run.net.state_dict()
    factors = done.run.optimizer.factors
    assert {name.partition(".")[0] for name in factors} == TEXTS[word]
    names = {"encoder": "blocks", "norm_encoder": "norm"} if word == "translation" else {}
    for name in factors:
        first, dot, rest = name.partition(".")
        old = known[names.get(first, first) + dot + rest]
        assert torch.allclose(now[name], torch.from_numpy(np.array(old)), atol=1e-6), name
    assert factors["table"] == pytest.approx(0.3 * 0.8**2) and set(factors.values()) <= {0.3, 0.3 * 0.8, 0.3 * 0.8**2}
    told = "\n".join(lines)
    assert re.search(r"taken: the vocabulary, .*table.*; not taken: .*output_bias", told) and re.search("new: .", told)
    assert "learning rate of what was taken: 0.19 to 0.3 of the usual one" in told
    assert "of the way to the new weights" not in told, "there are no old answers to keep"


def test_a_classifier_begins_with_the_head_that_fits_what_the_encoder_says(begin):
    job, encoder, done, lines = begin("text-classification")
    known, net = further.weights_of(encoder), done.run.net
    taken = [
        name
        for name in known
        if name in dict(net.named_parameters()) and name.split(".")[0] in ("table", "blocks", "norm")
    ]
    assert job.vocabulary_ == encoder.task.vocabulary_ and len(taken) > 20
    for name in taken:
        assert torch.allclose(net.get_parameter(name), torch.from_numpy(np.array(known[name])), atol=1e-6), name
    assert set(done.run.optimizer.factors.values()) == {classifier.GENTLY}
    assert any("a head that fits the examples" in line for line in lines)
    learn = job.sample("train")[:60]
    arrays = job.collate([{**job.inputs(e)} for e in learn])
    with torch.no_grad():
        likely = net.eval()(**{k: torch.from_numpy(v) for k, v in arrays.items()})["deep"].softmax(dim=1)
    wanted = torch.tensor([job.labels_.index(e["label"]) for e in learn])
    mine = likely[range(len(learn)), wanted].log().mean()
    assert mine > np.log(np.bincount(wanted).max() / len(learn)), "it says more than the most frequent label does"


def test_other_nets_take_the_embeddings(begin):
    job, encoder, done, lines = begin("text-classification", net="cnn")
    assert job.config.net == "cnn" and set(done.run.optimizer.factors) == {"table"}
    table = further.weights_of(encoder)["table"]
    assert torch.allclose(done.run.net.table, torch.from_numpy(np.array(table)), atol=1e-6)
    assert any(re.search(r"not taken: 2 blocks, norm, output_bias", line) for line in lines)


def test_what_cannot_be_begun_from_is_refused(trained, begin, monkeypatch):
    with pytest.raises(UsageError, match="a model of text-classification, and fill-mask is to be trained"):
        further.open_origin(str(trained("text-classification")), "fill-mask")
    with pytest.raises(UsageError, match="needs --block sequence, and no --both"):
        begin("translation", both=True)
    origin = further.open_origin(str(trained("fill-mask")), "text-classification")
    with pytest.raises(UsageError, match="--keep: expected with --init and a model of the same task"):
        further.with_replay(origin.model.task, origin, Gathered([], [], [], []), ["sample"], None, 0)
    cls = find("text-classification")
    job = cls(further.config_of(origin, cls, {}, "text-classification"), "small")
    with pytest.raises(UsageError, match="its net is another one"):
        further.adopt(job, origin, job.sample("train")[:40], print)


def test_few_examples_begin_from_the_encoder_that_ships(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(further, "_shipped", lambda: tmp_path)
    monkeypatch.setattr(find("text-classification").transfer, "few", 10_000)
    job = find("text-classification")()
    texts = [{"text": e["text"].replace("___", e["words"])} for e in find("fill-mask")().sample("train")]

    def usual(examples, options, job=job, word="text-classification"):
        gathered = Gathered(examples, [], [], [])
        return further.usual_origin(job, word, options, gathered), " ".join(gathered.lines)

    assert usual(texts[:500], {}) == (None, ""), "none is there"
    shutil.copytree(trained("fill-mask"), tmp_path / "encoder")
    found, told = usual(texts[:500], {"label_smoothing": 0.1})
    assert found.transfer and found.model.manifest.task == "fill-mask"
    assert "begins from encoder, which came with lamella" in told and "--init none" in told
    assert usual(texts[:500], {"vocabulary_size": 500}) == (None, ""), "a vocabulary was asked for"
    assert usual((texts * 100)[: job.transfer.few + 1], {}) == (None, "")
    assert usual(texts[:500], {"net": "cnn"}) == (None, "")
    assert usual(texts[:500], {}, find("fill-mask")(), "fill-mask") == (None, "")
    for text in ("Rzeczywiście wyszło źle.", "今日はいい天気です。", "Здравствуйте, товарищи!", "12 34"):
        found, told = usual([{"text": text}] * 50, {})
        assert found is None and "begun from none: the vocabulary" in told
    monkeypatch.setattr(further, "LETTERS", 0.0)  # of the small vocabulary few pieces are long
    said = []
    train = importlib.import_module("lamella.verbs.train")
    monkeypatch.setattr(
        loop, "train_task", lambda job, *rest: said.append((job.config.net, job.size_name, rest[6])) or 1 / 0
    )
    for options in ({}, {"init": "none"}, {"size": "tiny"}):
        with pytest.raises(ZeroDivisionError):
            train.train(
                "text-classification", "sample", out=str(tmp_path / "model"), steps=2, tell=lambda line: None, **options
            )
    assert [(net, size, origin is not None) for net, size, origin in said] == [
        ("transformer", "tiny", True), ("cnn", "small", False), ("cnn", "tiny", False),
    ]  # fmt: skip


def test_few_pairs_begin_from_the_words_of_a_translator_that_ships(tmp_path):
    """Its five languages, any size; not where a vocabulary or blocks are asked for, nor for another language."""
    word, cls = "sentence-similarity", find("sentence-similarity")

    def usual(first, second, options):
        gathered = Gathered([{"first": first, "second": second, "score": 3.0, "highest": 5.0}] * 40, [], [], [])
        return further.usual_origin(cls(), word, options, gathered), " ".join(gathered.lines)

    for pair in (
        ("A man is playing the guitar.", "Somebody plays an instrument."),
        ("Ein Mann spielt Gitarre auf der Straße.", "Jemand macht Musik in der Stadt."),
        ("一个男人在弹吉他。", "有人在街上演奏音乐。"),
    ):
        found, told = usual(*pair, {})
        assert found and f"begins from {cls.transfer.usual}, which came with lamella" in told and "--init none" in told
    assert usual(*pair, {"vocabulary_size": 500})[0] is usual(*pair, {"blocks": 1})[0] is None
    found, told = usual("Мужчина играет на гитаре.", "Кто-то играет музыку.", {})
    assert found is None and "begun from none: the vocabulary of" in told
    origin = further.open_origin(cls.transfer.usual, word)
    table = further.weights_of(origin.model)["table"]
    for size in ("tiny", "small"):
        job, lines = cls(further.config_of(origin, cls, {}, word), size), []
        net, factors = further.adopt(job, origin, job.sample("train")[:60], lines.append)
        assert factors.keys() == {"table", "importance"} and not net.blocks and not job.inner_
        assert job.vocabulary_ == origin.model.task.vocabulary_ and net.table.shape == (len(table), job.size.width)
        near, far = (job.pieces.encode([text])[0][0] for text in ("happy", "yesterday"))
        rows = torch.nn.functional.normalize(net.table.detach(), dim=1)
        glad = rows[job.pieces.encode(["glad"])[0][0]]
        assert glad @ rows[near] > glad @ rows[far] + 0.1, "words of one translation are near each other"


def test_heads_travel_with_an_encoder(trained):
    """No weight has a shape that tells how many there are, and a net with others computes something else."""
    origin = further.open_origin(str(trained("fill-mask")), "text-classification")
    origin.model.task.heads_ = 4  # its size has 2
    for word, options, attention in (
        ("text-classification", {}, lambda net: net.blocks[0].attention),
        ("sentence-similarity", {"blocks": 2}, lambda net: net.blocks[0].attention),
        ("summarization", {}, lambda net: net.body.encoder[0].attention),
        ("translation", {}, lambda net: net.encoder[0].attention),
    ):
        cls = find(word)
        job = cls(further.config_of(origin, cls, options, word), "tiny")
        net, _ = further.adopt(job, origin, job.sample("train")[:40], lambda line: None)
        assert attention(net).heads == 4 != job.size.heads
        fresh = cls(job.config, "tiny")  # as the model that is written is opened
        restore(fresh, learned(job))
        assert attention(fresh.build()).heads == 4, word
    assert origin.model.task.build().blocks[0].attention.heads == 4


def test_an_encoder_in_int8_gives_all_of_its_weights(trained):
    from lamella.graphs.int8 import quantize
    from lamella.graphs.weights import named_weights

    model = lamella.load(trained("fill-mask"))
    whole = model.task.transfer.encoder(model.task, further.weights_of(model)).weights
    for files in (model.files, {"fill.onnx": quantize(model.files["fill.onnx"])}):
        found = model.task.transfer.encoder(model.task, named_weights(files)).weights
        assert found.keys() == whole.keys()
        assert all(np.abs(found[name] - whole[name]).max() < 0.02 * np.abs(whole[name]).max() for name in whole)
    with pytest.raises(UsageError, match=r"do not hold norm\.weight by that name"):
        model.task.transfer.encoder(model.task, {"table": whole["table"]})


def test_a_weight_moves_as_far_as_its_factor_says():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    net[1].load_state_dict(net[0].state_dict())
    optimizer = Optimizer(net, 0.01, decay=0.0, factors={"1.weight": 0.25, "1.bias": 0.25})
    before = [p.detach().clone() for p in net.parameters()]
    gradients = [torch.randn(3, 3), torch.randn(3)] * 2
    for p, gradient in zip(net.parameters(), gradients, strict=True):
        p.grad = gradient / 10
    optimizer.step(1.0)
    moved = [(p - b).detach() for p, b in zip(net.parameters(), before, strict=True)]
    assert all(torch.allclose(0.25 * moved[i], moved[i + 2], rtol=1e-3, atol=1e-7) for i in (0, 1))


@pytest.mark.parametrize(
    ("other", "word", "message"),
    [
        ("speech-recognition", "summarization", "expected one of summarization, .*received SpeechRecognition"),
        ("image-to-text", "summarization", "expected one of summarization, .*received ImageToText"),
        ("image-segmentation", "image-classification", "image-classification cannot begin from a model of image-seg"),
        ("link-prediction", "object-detection", "object-detection cannot begin from a model of link-prediction"),
        ("summarization", "image-segmentation", "image-segmentation cannot begin from a model of summarization"),
    ],
)
def test_models_of_other_kinds_are_refused_by_what_they_are(other, word, message):
    """Not by an option that happens to have the same name."""
    cls, task = find(word), find(other)()
    weights = {"table": np.zeros((9, 4), np.float32), "encoder.stem.weight": np.zeros(3), "decoder.0.x": np.zeros(3)}
    task.vocabulary_ = b"pieces"
    config = further.config_of(further.Origin(SimpleNamespace(task=task), transfer=True), cls, {}, word)
    with pytest.raises(UsageError, match=message):
        cls.transfer.adopt(cls(config, "tiny"), task, weights)
