"""Nets that go on with a text: cells, masks and caches against their oracles, drawing by hand, likelihood in closed form."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

import lamella
from lamella import decode
from lamella.data.readers import passages
from lamella.graphs import load_graphs, torch_graphs
from lamella.nets.rnn.cells import GRU, LSTM
from lamella.nets.rnn.language import LanguageRNN
from lamella.nets.sequences import crop, shifted
from lamella.nets.transformer.language import CausalTransformer
from lamella.registry import find
from lamella.tasks.text_generation.vocabulary import Characters, Words
from lamella.train.export import export_graphs

GENERATION = find("text-generation")
NETS = [("transformer", "lstm"), ("rnn", "lstm"), ("rnn", "gru")]


def job(**options):
    return GENERATION(GENERATION.Config(**options), "tiny")


def stirred(net, seed=0):
    """Weights as if it were trained: a new net begins as a constant."""
    chance = torch.Generator().manual_seed(seed)
    for p in net.parameters():
        p.data = torch.randn(p.shape, generator=chance) * (0.3 if p.ndim > 1 else 0.1) + (p.ndim < 2)
    return net.eval()


def small(kind: str, cell: str, window: int = 16):
    if kind == "rnn":
        return stirred(LanguageRNN(12, 8, 2, cell, window))
    return stirred(CausalTransformer(12, 16, 2, 2, window))


# --- the nets


@pytest.mark.parametrize(("ours", "theirs"), [(LSTM, torch.nn.LSTM), (GRU, torch.nn.GRU)])
def test_cells_compute_what_torch_does(ours, theirs):
    unit, oracle = stirred(ours(5, 7)), theirs(5, 7, batch_first=True)
    with torch.no_grad():
        oracle.weight_ih_l0.copy_(unit.enter.weight.t())
        oracle.weight_hh_l0.copy_(unit.keep.weight.t())
        oracle.bias_ih_l0.copy_(unit.enter.bias)
        oracle.bias_hh_l0.copy_(torch.zeros_like(unit.enter.bias) if unit.keep.bias is None else unit.keep.bias)
        x = torch.randn(3, 6, 5)
        wanted = oracle(x)[0]
        torch.testing.assert_close(unit(x), wanted)
        state = (torch.zeros(3, 7),) * (2 if ours is LSTM else 1)
        for t in range(6):
            state = unit.step(x[:, t], *state)
            state = state if isinstance(state, tuple) else (state,)
            torch.testing.assert_close(state[0], wanted[:, t])


def by_steps(net, tokens):
    """Log-probabilities (B, T, V) of a net, one step at a time."""
    step = torch_graphs(net)["step"]
    state, found = step.empty(batch=len(tokens)), []
    for t in range(tokens.shape[1]):
        out = step(token=tokens[:, t].numpy(), **state)
        state = {name: out[name] for name in state}
        found.append(out["scores"])
    return torch.from_numpy(np.stack(found, axis=1))


@pytest.mark.parametrize(("kind", "cell"), NETS)
def test_by_steps_it_says_what_it_says_in_training(kind, cell):
    net, text = small(kind, cell), torch.randint(4, 12, (3, 9))
    out = net(text)
    assert torch.equal(out["wanted"], text)
    whole = torch.log_softmax(out["hidden"] @ out["table"].t(), dim=-1).detach()
    torch.testing.assert_close(by_steps(net, shifted(text)), whole, atol=1e-5, rtol=1e-4)
    if kind == "transformer":
        at_once = net.score(shifted(text), text)["log_probability"].detach()
        torch.testing.assert_close(at_once, whole.gather(2, text[:, :, None])[:, :, 0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("kind", "cell"), NETS)
def test_nothing_is_seen_before_its_time(kind, cell):
    net, text = small(kind, cell), torch.randint(4, 12, (1, 10))
    other = text.clone()
    other[0, 6] = 4 if text[0, 6] != 4 else 5
    one, two = (net(t)["hidden"].detach() for t in (text, other))
    assert torch.equal(one[0, :7], two[0, :7])  # place 7 is the first that has read place 6
    assert all((one[0, t] - two[0, t]).abs().max() > 1e-5 for t in (7, 8, 9))


def test_a_new_net_finds_all_units_alike_and_a_block_does_nothing():
    net, text = CausalTransformer(12, 16, 2, 2, 16).eval(), torch.randint(4, 12, (2, 5))
    torch.testing.assert_close(net.score(shifted(text), text)["log_probability"], torch.full((2, 5), -math.log(12)))
    x = torch.randn(2, 5, 16)
    assert torch.equal(net.blocks[0](x, net.cos[:5], net.sin[:5], torch.zeros(5, 5)), x)


def test_a_window_comes_from_anywhere_in_its_text_and_from_nowhere_else():
    text = torch.arange(4, 24)[None].repeat(3000, 1)
    text[:1000, 3:] = 0  # shorter than a window
    torch.manual_seed(0)
    found = crop(text, 5)
    assert torch.equal(found[:1000], text[:1000, :5]), "padding stays behind"
    long = found[1000:]
    assert torch.equal(long, long[:, :1] + torch.arange(5)), "neighbours stay neighbours"
    often = torch.bincount(long.flatten(), minlength=24)[4:].float() / len(long)
    assert often.min() > 0.08 and often.max() < 0.45, "its ends are seen as well"


# --- drawing


def test_narrowed_by_hand():
    scores = np.log([[0.1, 0.4, 0.3, 0.2], [0.25, 0.25, 0.25, 0.25]])
    np.testing.assert_allclose(decode.narrowed(scores)[0], [0.1, 0.4, 0.3, 0.2])
    np.testing.assert_allclose(decode.narrowed(scores, top_k=2)[0], [0, 4 / 7, 3 / 7, 0])
    np.testing.assert_allclose(decode.narrowed(scores, top_k=2)[1], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(decode.narrowed(scores, top_p=0.69)[0], [0, 4 / 7, 3 / 7, 0])
    np.testing.assert_allclose(decode.narrowed(scores, top_p=0.71)[0], [0, 4 / 9, 3 / 9, 2 / 9])
    np.testing.assert_allclose(decode.narrowed(scores, top_p=1e-9)[0], [0, 1, 0, 0])
    squared = np.array([0.01, 0.16, 0.09, 0.04])
    np.testing.assert_allclose(decode.narrowed(scores, temperature=0.5)[0], squared / squared.sum())
    # In this order: at half the temperature the two best hold 0.53 and 0.3, and are enough.
    np.testing.assert_allclose(decode.narrowed(scores, 0.5, 3, 0.8)[0], [0, 16 / 25, 9 / 25, 0])
    np.testing.assert_allclose(decode.narrowed(scores, temperature=0)[0], [0, 1, 0, 0])
    np.testing.assert_allclose(decode.narrowed(scores, temperature=0.01)[0], [0, 1, 0, 0], atol=1e-9)


def coin(scores):
    """A net without memory: these log-probabilities always."""

    def step(token, state):
        return {"scores": np.repeat(np.log([scores]), len(token), axis=0), "seen": state["seen"] + 1}

    return step, lambda batch: {"seen": np.zeros((batch, 1))}


def test_what_is_drawn_is_drawn_as_often_as_it_is_likely():
    step, empty = coin([0.2, 0.5, 0.3])
    [drawn] = decode.sample(step, empty, [[]], 0, 6000, decode.narrowed, seed=3)
    often = np.bincount(drawn, minlength=3) / 6000
    assert np.abs(often - [0.2, 0.5, 0.3]).max() < 0.025  # four standard deviations
    assert decode.sample(step, empty, [[]], 0, 50, decode.narrowed, seed=3) == [drawn[:50]]
    assert decode.sample(step, empty, [[]], 0, 50, decode.narrowed, seed=4) != [drawn[:50]]
    [ended] = decode.sample(step, empty, [[]], 0, 50, decode.narrowed, lambda tokens: tokens[-1] == 2, seed=3)
    assert ended == drawn[: drawn.index(2) + 1]
    assert decode.sample(step, empty, [[1]], 0, 0, decode.narrowed) == [[]]


@pytest.mark.parametrize(("kind", "cell"), NETS)
def test_the_sampler_is_the_plain_loop(kind, cell):
    """Beside a loop that computes everything anew for each unit; longer than a window, three prompts at once."""
    net = small(kind, cell, window=8)
    step, window = torch_graphs(net)["step"], 8 if kind == "transformer" else None
    prompts = [[5, 6, 7], [], [4, 9, 10, 11, 4, 5, 6, 7, 8, 9]]

    def plain(prompt):
        chance, text = np.random.default_rng(7), list(prompt)
        first = len(text) - 4 if window and len(text) >= 8 else 0
        for _ in range(13):
            if window and len(text) - first == 8:  # with the start it would be nine
                first = len(text) - 1 - 4
            scores = by_steps(net, torch.tensor([[2, *text[first:]]]))[:, -1].numpy()
            text.append(int((decode.narrowed(scores, 1.5)[0].cumsum() <= chance.random()).sum()))
        return text[len(prompt) :]

    found = decode.sample(
        lambda token, state: step(token=token, **state), lambda batch: step.empty(batch=batch),
        prompts, 2, 13, lambda scores: decode.narrowed(scores, 1.5), None, 7, window,
    )  # fmt: skip
    assert found == [plain(p) for p in prompts]


# --- likelihood


@pytest.mark.parametrize(("kind", "cell"), NETS)
def test_likelihood_of_a_net_that_finds_all_alike(kind, cell):
    task = job(net=kind, cell=cell, window=8, length=0)
    task.characters_ = list("abcdef")  # and four marks: ten units
    examples = [{"text": t} for t in ("abc", "f" * 30, "x")]
    answers = task.decode(torch_graphs(task.build().eval()), task.collate([task.inputs(e) for e in examples]))
    assert [a["log_probability"] for a in answers] == [round(-n * math.log(10), 2) for n in (3, 30, 1)]
    assert all(a["perplexity"] == 10 and a["text"] == "" for a in answers)
    scores = task.score(answers, examples)
    value = scores.values
    assert value["loss"] == pytest.approx(math.log(10), rel=1e-3)
    assert value["bits_per_character"] == pytest.approx(math.log2(10), rel=1e-3)
    assert value["perplexity"] == pytest.approx(10, rel=2e-3)


def test_likelihood_by_hand_in_windows_from_nothing():
    """After the start an a is sure to 1/2, after an a to 1/4, after a b to 1/8; windows of two."""
    after = {2: 0.5, 4: 0.25, 5: 0.125}

    def score(tokens, wanted):
        chance = np.vectorize(after.get)(tokens)
        return np.log(np.where(wanted == 4, chance, 1 - chance))

    texts = [[4, 5, 4], [5], []]  # windows: a b | a; b; none
    wanted = [math.log(0.5) + math.log(0.75) + math.log(0.5), math.log(0.5), 0]
    assert decode.log_probabilities(score, texts, 2, 2) == pytest.approx(wanted)
    assert decode.log_probabilities(score, texts, 2, 2, at_once=1) == pytest.approx(wanted)
    wanted[0] = math.log(0.5) + math.log(0.75) + math.log(0.125)
    assert decode.log_probabilities(score, texts, 2, 8) == pytest.approx(wanted)


def test_the_trivial_answer_counts_units():
    task = job()
    task.characters_ = ["a", "b"]
    [answer] = task.trivial([{"text": "aab"}], [{"text": "ab"}])
    assert answer["log_probability"] == pytest.approx(math.log(3 / 6) + math.log(2 / 6), abs=0.01)


@pytest.mark.parametrize(("kind", "cell"), NETS)
def test_torch_and_onnx_answer_alike(kind, cell):
    task = job(net=kind, cell=cell, window=16, length=30, temperature=1.0, top_p=0.95)
    task.fit(task.sample("train")[:50])
    net = stirred(task.build())
    batch = task.collate([task.inputs({"text": t}) for t in ("Tom the fox", "", "Ada" * 9)])
    answers = task.decode(torch_graphs(net), batch)
    graphs = load_graphs(export_graphs(net))
    assert set(graphs) == ({"step", "score"} if kind == "transformer" else {"step"})
    found = task.decode(graphs, batch)
    assert [a["text"] for a in found] == [a["text"] for a in answers] and all(len(a["text"]) == 30 for a in found)
    for one, other in zip(found, answers, strict=True):
        assert one["log_probability"] == pytest.approx(other["log_probability"], abs=0.02)
    assert found[1]["perplexity"] is None and found[1]["log_probability"] == 0


# --- units


def test_every_text_of_known_characters_comes_back():
    text = "Tom, 7!\n\n\tééé “x”"
    units = Characters(Characters.learn([text, "z" * 9], most=50))
    assert units.decode([], units.encode(text)) == text
    assert Characters.learn([text], most=2) == [" ", "é"], "the most frequent ones"


def test_pieces_keep_line_breaks_and_the_space_between_prompt_and_continuation():
    texts = ["To be, or not to be:\nthat is the question.\n\nWhether 'tis nobler in the mind\n"] * 30
    units = Words(Words.learn(texts, most=80))
    ids = units.encode(texts[0])
    assert units.decode([], ids) == texts[0] and len(ids) < len(texts[0])
    for at in range(1, len(ids)):
        assert units.decode([], ids[:at]) + units.decode(ids[:at], ids[at:]) == texts[0]


def test_pieces_are_trained_and_answered(tmp_path):
    options = {"unit": "pieces", "vocabulary_size": 120, "window": 16, "net": "rnn", "cell": "gru"}
    model = lamella.train(
        "text-generation",
        "sample",
        out=str(tmp_path / "m"),
        size="tiny",
        steps=4,
        threads=1,
        tell=lambda _: None,
        **options,
    )
    one = model.predict("Tom the fox wanted")
    assert one["text"] and one["perplexity"] > 1 and model.predict("Tom the fox wanted") == one
    assert model.manifest.scores["held out"]["scores"]["bits_per_character"]["value"] < 8


# --- files


def test_passages_are_the_text(tmp_path):
    text = "".join(f"line {n}\n" for n in range(3000))
    (tmp_path / "a.txt").write_text(text)
    found, lines = passages.read_passages([str(tmp_path / "a.txt")], window=64)
    assert "".join(found) == text and {len(p) for p in found[:-1]} == {64 * (len(text) // (100 * 64))}
    assert any("characters" in line for line in lines)
    found, _ = passages.read_passages([str(tmp_path / "a.txt")], window=64, whole_words=True)
    assert "".join(found) == text and all(p[-1].isspace() for p in found)


def test_folders_encodings_and_line_ends(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.txt").write_bytes("Zwölf\r\nBoxkämpfer".encode("utf-16"))
    (tmp_path / "deep" / "a.txt").write_bytes("déjà vu, déjà lu\n".encode("cp1252"))
    (tmp_path / "c.md").write_text("")
    (tmp_path / ".hidden").write_bytes(b"\0\1\2")
    found, lines = passages.read_passages([str(tmp_path)], window=8)
    assert "".join(found) == "Zwölf\nBoxkämpfer" + "déjà vu, déjà lu\n"
    said = "\n".join(lines)
    assert "UTF-16" in said and "CP1252" in said and "1 empty" in said and "c.md" in said


def test_unreadable_files_are_listed_or_stop_it(tmp_path):
    for n in range(50):
        (tmp_path / f"{n:03}.txt").write_text(f"This is text number {n}.\n")
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    found, lines = passages.read_passages([str(tmp_path)], window=8)
    assert "".join(found).count("This is") == 50 and any("left out" in s and "x.png" in s for s in lines)
    for n in range(11):
        (tmp_path / f"y{n}.bin").write_bytes(bytes(range(32)) * 9)
    with pytest.raises(lamella.DataError, match="at most 10% bad files, received 12 of 62") as caught:
        passages.read_passages([str(tmp_path)], window=8)
    assert len(caught.value.details) == 10


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.txt", b" \n\n ", "empty"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n", "PNG"),
        ("binary", bytes(range(32)) * 40, "expected text"),
        ("short.txt", b"To be or not to be.", "at least 12 examples"),
    ],
)
def test_what_is_no_text_to_learn_from(tmp_path, cli, name, content, says):
    (tmp_path / name).write_bytes(content)
    done = cli("train", "text-generation", tmp_path / name, "-o", tmp_path / "m", "--steps", 2)
    assert done.code == 2 and says in done.err and not (tmp_path / "m").exists()


def test_text_shorter_than_the_window_is_read_and_said_so(tmp_path):
    (tmp_path / "a.txt").write_text("To be or not to be. ")
    found, lines = job(window=64).read([str(tmp_path / "a.txt")])
    assert found and any("shorter than a window" in line for line in lines)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": f"row {n}"}) + "\n" for n in range(30)))
    found, _ = job().read([str(tmp_path / "rows.jsonl")])
    assert [e["text"] for e in found] == [f"row {n}\n" for n in range(30)], "a row is a text by itself"


# --- as it is used


def test_options_of_an_answer(trained, cli):
    folder = trained("text-generation")

    def written(*options):
        done = cli("predict", folder, "Tom the fox", *options)
        assert done.code == 0, done.err
        return done.out[:-1]

    assert len(written()) == 200 and written() == written("--seed", 0) != written("--seed", 1)
    assert written("--length", 40) == written()[:40]
    assert written("--temperature", 0) == written("--top-k", 1) == written("--top-p", 0.0001, "--seed", 5)
    stopped = written("--stop", ".")
    assert stopped == written().partition(".")[0] and "." not in stopped
    said = written("--length", 0)
    answer = cli("predict", folder, "Tom the fox", "--length", 0, "--json").json["answers"][0]
    assert answer["text"] == "" and f"perplexity {answer['perplexity']:.4g}" in said
    assert answer["perplexity"] == pytest.approx(math.exp(-answer["log_probability"] / 11), rel=1e-2)
    odd = cli("predict", folder, "xoT ehtm efo", "--length", 0, "--json").json["answers"][0]
    assert odd["perplexity"] > 2 * answer["perplexity"]
    assert cli("predict", folder, "Tom", "--window", 64).code == 2
