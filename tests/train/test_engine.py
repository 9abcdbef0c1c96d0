"""Training: the order of the examples, what one step does, and that a crash at any moment loses nothing."""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import time
from itertools import islice

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from lamella.errors import ModelError, TrainingError
from lamella.tasks.translation import Config, Translation
from lamella.train import checkpoint, curves, process
from lamella.train.batches import batches, draw, forever, padding
from lamella.train.engine import LOST, Batches, Run, Store, steps
from lamella.train.gather import hold_out
from lamella.train.optimizer import Optimizer, orthogonalize
from lamella.train.schedule import Budget, Schedule


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


# --- the order


def realistic(count, seed=0):
    """Lengths of sentences and their translations: most short, a few very long."""
    chance = np.random.default_rng(seed)
    source = np.clip(chance.lognormal(2.8, 0.7, count), 2, 250)
    target = np.clip(source * chance.normal(1.15, 0.15, count) + chance.normal(0, 1, count), 2, 250)
    return np.stack([source, target], axis=1).astype(np.int64)


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other))


def test_the_order_is_a_pure_function():
    lengths = realistic(3000)

    def epoch(seed, number):
        return batches(lengths, draw(len(lengths), None, seed, number), 512, seed, number)

    assert same(epoch(1, 2), epoch(1, 2))
    assert not same(epoch(1, 2), epoch(1, 3))
    assert not same(epoch(1, 2), epoch(2, 2))


@pytest.mark.parametrize("tokens", [40, 512, 3072])
def test_every_example_once_an_epoch_and_no_batch_too_large(tokens):
    lengths = realistic(3000)
    found = batches(lengths, draw(3000, None, 0, 0), tokens, 0, 0)
    assert sorted(np.concatenate(found).tolist()) == list(range(3000))
    for group in found:
        assert len(group) == 1 or len(group) * lengths[group].max() <= tokens
    if tokens == 40:
        assert any(len(group) == 1 and lengths[group].max() > tokens for group in found), "one too long is not lost"
    sizes = [lengths[group].max() for group in found]
    assert sizes != sorted(sizes) and sizes != sorted(sizes, reverse=True), "batches are shuffled"


def test_batches_are_full():
    lengths = realistic(20_000)
    found = batches(lengths, draw(len(lengths), None, 0, 0), 3072, 0, 0)
    assert len(found) < 1.2 * (lengths.max(axis=1).sum() / 3072)


def test_padding_is_little():
    lengths = realistic(200_000)
    found = batches(lengths, draw(len(lengths), None, 0, 0), 3072, 0, 0)
    assert padding(lengths, found) < 0.05
    chance = np.array_split(np.random.default_rng(0).permutation(len(lengths)), len(found))
    assert padding(lengths, chance) > 0.4, "which is a figure that can fail"


def test_weights_are_honoured():
    weights = np.array([1.0, 2.5, 0.1, 0.0, 3.0])
    counts = sum(np.bincount(draw(5, weights, 0, epoch), minlength=5) for epoch in range(2000)) / 2000
    assert counts == pytest.approx(weights, abs=0.04)
    one = np.bincount(draw(5, weights, 0, 7), minlength=5)
    assert one[0] == 1 and one[1] in (2, 3) and one[2] in (0, 1) and one[3] == 0 and one[4] == 3


@pytest.mark.parametrize("skip", [0, 1, 5, 17, 40])
def test_skipping_is_passing_over(skip):
    lengths, weights = realistic(60), np.linspace(0.2, 1.8, 60)
    straight = list(islice(forever(lengths, weights, 200, seed=4), skip, skip + 12))
    skipped = list(islice(forever(lengths, weights, 200, seed=4, skip=skip), 12))
    assert [epoch for epoch, _ in straight] == [epoch for epoch, _ in skipped]
    assert same([group for _, group in straight], [group for _, group in skipped])
    assert straight[-1][0] > 0, "more than an epoch"


def test_store_gives_back_what_it_got():
    rows = [{"x": np.arange(n), "wide": np.full((n + 1, 3), n), "label": np.int64(n)} for n in (3, 1, 0, 5)]
    store = Store.of(rows)
    assert len(store) == 4
    for n, row in enumerate(rows):
        for name, value in row.items():
            assert np.array_equal(store[n][name], value) and store[n][name].shape == value.shape
    assert store.lengths().tolist() == [[3, 4], [1, 2], [0, 1], [5, 6]]


# --- a step


class Ball(nn.Module):
    """A net of both kinds of weight, small enough to save a thousand times."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(6, 4))
        self.matrix = nn.Parameter(torch.randn(4, 8))
        self.bias = nn.Parameter(torch.randn(8))

    def forward(self, x):
        return self.table[x] @ self.matrix + self.bias


def ball(value=None) -> Run:
    torch.manual_seed(0)
    net = Ball()
    run = Run(net, Optimizer(net, 0.01))
    if value is not None:
        fill(run, value)
    return run


def fill(run, value):
    """A run at step `value`, all of whose tensors hold that number."""
    run.step = run.optimizer.count = value
    for tensors in (run.optimizer.masters, run.optimizer.first, run.optimizer.second, run.average):
        for tensor in tensors:
            tensor.fill_(value)
    run.current()


def whole(run) -> bool:
    """Whether all that is in it is of one step."""
    tensors = (*run.optimizer.masters, *run.optimizer.first, *run.optimizer.second, *run.average, *run.net.parameters())
    return run.optimizer.count == run.step and all(bool((t == run.step).all()) for t in tensors)


def go(run, loss, budget, **options):
    store = Store.of([{"x": np.array([n % 6])} for n in range(12)])
    collate = Translation.collate
    schedule = Schedule(warmup=2)
    return steps(run, Batches(store, lambda rows: collate(None, rows), 3, **options), loss, budget, schedule)


def squares(net, batch):
    return net(batch["x"]).square().mean()


def test_accumulated_batches_are_one_large_one():
    """Two batches of three before an update move the weights as one of six does; what is skipped is counted in batches."""
    store = Store.of([{"x": np.array([n % 6])} for n in range(6)])
    collate, schedule = (lambda rows: Translation.collate(None, rows)), Schedule(warmup=2)
    small, large = ball(), ball()
    list(steps(small, Batches(store, collate, 3, accumulate=2), squares, Budget(steps=4), schedule))
    found = list(steps(large, Batches(store, collate, 6), squares, Budget(steps=4), schedule))
    for one, other in zip(small.optimizer.masters, large.optimizer.masters):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert small.tokens == large.tokens == 24 and [s.epoch for s in found] == [0, 1, 2, 3]


def test_steps_are_counted():
    run = ball()
    found = list(go(run, squares, Budget(steps=10)))
    assert [s.index for s in found] == list(range(1, 11)) and run.step == 10
    assert [s.tokens for s in found] == list(range(3, 33, 3))
    assert [s.epoch for s in found] == [0] * 4 + [1] * 4 + [2] * 2
    assert found[-1].progress == 1 and found[-1].loss < found[0].loss
    assert list(go(run, squares, Budget(steps=10))) == [], "the budget is used up"
    assert len(list(go(run, squares, Budget(steps=12)))) == 2


def test_seconds_end_it():
    run, start = ball(), time.perf_counter()
    for _ in go(run, squares, Budget(seconds=0.05)):
        assert time.perf_counter() - start < 20
    assert 0.05 <= run.seconds < 10


def test_average_of_the_weights():
    run = ball()
    list(go(run, squares, Budget(steps=30)))
    latest = [p.detach().clone() for p in run.net.parameters()]
    run.averaged()
    assert not run.net.training
    for p, mean, last in zip(run.net.parameters(), run.average, latest):
        assert torch.equal(p, mean) and not torch.equal(p, last)
    run.current()
    assert run.net.training and all(torch.equal(p, last) for p, last in zip(run.net.parameters(), latest))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_training(bad):
    run = ball()
    with pytest.raises(TrainingError, match=rf"diverged: {LOST} steps.*checkpoint is kept.*--rate"):
        for step in go(run, lambda net, batch: squares(net, batch) * (bad if run.step >= 5 else 1), Budget(steps=200)):
            assert step.index < 5 + LOST
            if step.index == 5:
                before = [m.clone() for m in run.optimizer.masters]
    assert all(torch.equal(a, b) for a, b in zip(before, run.optimizer.masters)), "nothing was spoiled meanwhile"


def test_one_bad_batch_is_passed_over():
    run = ball()
    list(go(run, lambda net, batch: squares(net, batch) * (math.nan if run.step % 7 == 3 else 1), Budget(steps=60)))
    assert run.optimizer.count == 60 - 9 and all(bool(m.isfinite().all()) for m in run.optimizer.masters)


def test_adamw_is_torchs():
    torch.manual_seed(1)
    ours, torchs = Ball(), Ball()
    torchs.load_state_dict(ours.state_dict())
    optimizer = Optimizer(ours, rate=0.02, decay=0.1, muon=False)
    reference = torch.optim.AdamW(torchs.parameters(), lr=0.02, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.1)
    for factor in (0.1, 0.5, 1.0, 1.0, 0.3, 0.0, 0.7):
        x = torch.randint(0, 6, (5,))
        for net in (ours, torchs):
            (net(x) - 3).square().sum().backward()
        reference.param_groups[0]["lr"] = 0.02 * factor
        norm = torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in torchs.parameters()]))
        assert optimizer.step(factor, clip=math.inf) == pytest.approx(norm.item(), rel=1e-5)
        reference.step()
        reference.zero_grad()
        for a, b in zip(ours.parameters(), torchs.parameters()):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_adagrad_is_torchs_and_only_where_a_net_asks_for_it():
    torch.manual_seed(1)
    ours, torchs = Ball(), Ball()
    torchs.load_state_dict(ours.state_dict())
    ours.adagrad = ("table",)
    optimizer = Optimizer(ours, rate=0.1, decay=0.0)
    reference = torch.optim.Adagrad([torchs.table], lr=0.1)
    rest = torch.optim.AdamW([torchs.bias], lr=0.1, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.0)
    for factor in (1.0, 0.5, 1.0, 0.1):  # of AdamW's rate alone
        x = torch.randint(0, 6, (5,))
        for net in (ours, torchs):
            with torch.no_grad():
                net.matrix.copy_(torch.eye(*net.matrix.shape))
            net.zero_grad()
            (net(x) - 3).square().sum().backward()
        optimizer.step(factor, clip=math.inf)
        reference.step()
        rest.param_groups[0]["lr"] = 0.1 * factor
        rest.step()
        for name in ("table", "bias"):
            torch.testing.assert_close(getattr(ours, name), getattr(torchs, name), rtol=1e-5, atol=1e-6)


def test_gradients_are_clipped():
    runs = [ball(), ball()]
    for run, size in zip(runs, (1.0, 1000.0)):
        (squares(run.net, {"x": torch.arange(6)}) * size).backward()
        run.optimizer.step(1.0, clip=0.01)
    for a, b in zip(runs[0].optimizer.first, runs[1].optimizer.first):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("shape", [(3, 8, 40), (2, 40, 8), (1, 16, 64)], ids=str)
def test_orthogonalize(shape):
    torch.manual_seed(2)
    update = torch.randn(shape) * torch.tensor([100.0, 0.01, 1.0])[: shape[0], None, None]  # whatever its size
    small = min(shape[1:])
    uneven = torch.linspace(0.2, 3, small)
    update = update * (uneven if small == shape[2] else uneven[:, None])
    turned = orthogonalize(update)
    left, _, right = torch.linalg.svd(update, full_matrices=False)
    nearest = left @ right
    values = torch.linalg.svdvals(turned)
    assert values.min() > 0.6 and values.max() < 1.3
    assert torch.cosine_similarity(turned.flatten(1), nearest.flatten(1)).min() > 0.97
    assert torch.cosine_similarity(update.flatten(1), nearest.flatten(1)).max() < 0.95, "which they were not before"


def test_muon_is_for_matrices():
    run = ball()
    assert dict(zip(run.optimizer.names, run.optimizer.muon)) == {"table": False, "matrix": True, "bias": False}
    before = run.optimizer.masters[1].clone()
    squares(run.net, {"x": torch.arange(6)}).backward()
    run.optimizer.step(1.0)
    moved = run.optimizer.masters[1] - before * (1 - 0.01 * run.optimizer.decay)
    values = torch.linalg.svdvals(moved) / (0.01 * 8**0.5)
    assert values.min() > 0.6 and values.max() < 1.3, "every direction moves about equally far"


def test_bfloat16_keeps_float32_masters():
    torch.manual_seed(0)
    net = Ball().bfloat16()
    run = Run(net, Optimizer(net, rate=1e-4))
    assert {m.dtype for m in run.optimizer.masters} == {torch.float32}
    list(go(run, lambda net, batch: squares(net, batch).float(), Budget(steps=50)))
    for weight, master in zip(net.parameters(), run.optimizer.masters):
        assert weight.dtype == torch.bfloat16 and torch.equal(weight, master.bfloat16())
        assert not torch.equal(weight.float(), master), "steps too small for bfloat16 add up all the same"


# --- going on


@pytest.fixture(scope="module")
def job():
    task = Translation(Config(vocabulary_size=120), "tiny")
    examples = task.sample("train")[:150]
    task.fit(examples)
    return task, Store.of([{**task.inputs(e), **task.prompt(e), **task.targets(e)} for e in examples])


def started(task) -> Run:
    torch.manual_seed(0)
    net = task.build()
    assert any(isinstance(m, nn.Dropout) and m.p > 0 for m in net.modules()), "with noise, which must be the same too"
    return Run(net, Optimizer(net, task.size.rate))


def advance(run, job, until):
    task, store = job

    def loss(net, batch):
        return task.loss(net(batch["source"], batch["prompt"]), batch)

    schedule = Schedule(warmup=5)
    # The schedule falls towards step 20 whatever part of it is run.
    made = steps(run, Batches(store, task.collate, tokens=300, seed=5), loss, Budget(steps=20), schedule)
    return [(s.index, s.epoch, s.loss, s.norm, s.tokens) for s in islice(made, until - run.step)]


def test_resumed_is_as_if_never_stopped(job, tmp_path):
    straight = started(job[0])
    history = advance(straight, job, 20)
    assert history[-1][1] >= 1, "more than an epoch"
    first = started(job[0])
    assert advance(first, job, 10) == history[:10]
    checkpoint.save(first, tmp_path, {"data": "x"})
    advance(first, job, 12)  # what was done after the checkpoint is lost, and done again
    torch.manual_seed(999)
    second = Run(net := job[0].build(), Optimizer(net, job[0].size.rate))
    assert checkpoint.load(second, tmp_path, {"data": "x"}) and second.step == 10
    assert advance(second, job, 20) == history[10:]
    for name in ("masters", "first", "second"):
        for a, b in zip(getattr(straight.optimizer, name), getattr(second.optimizer, name)):
            assert torch.equal(a, b)
    for a, b in zip((*straight.average, *straight.net.parameters()), (*second.average, *second.net.parameters())):
        assert torch.equal(a, b)


# --- checkpoints


def test_older_ones_go(tmp_path):
    for step in (1, 2, 3, 12):
        checkpoint.save(ball(step), tmp_path, {}, keep=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000003", "step-00000012"]
    run = ball()
    assert checkpoint.load(run, tmp_path, {}) and run.step == 12 and whole(run)
    assert not checkpoint.load(run, tmp_path / "nothing", {})


@pytest.fixture
def two(tmp_path):
    for step in (2, 3):
        checkpoint.save(ball(step), tmp_path, {"data": "abc", "size": "tiny"}, keep=2)
    return tmp_path


@pytest.mark.parametrize("name", ["run.safetensors", "run.json"])
def test_a_damaged_one_is_passed_over(two, name):
    path = two / "step-00000003" / name
    raw = path.read_bytes()
    for last in (0, 1, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:last])
        run = ball()
        assert checkpoint.load(run, two, {"data": "abc"}) and run.step == 2 and whole(run), last
    chance = random.Random(0)
    places = (
        range(len(raw)) if name == "run.json" else [0, 8, 9, *sorted(chance.sample(range(len(raw)), 60)), len(raw) - 1]
    )
    for place in places:
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :])
        run = ball()
        assert checkpoint.load(run, two, {"data": "abc"}) and whole(run), place
        # A letter of the word "digest" is the one thing that says nothing: all else is as it was.
        assert run.step == 2 or raw[place - 6 : place + 7].count(b"i") and b"digest" in raw[place - 5 : place + 6], (
            place
        )
    path.unlink()
    assert checkpoint.load(run := ball(), two, {}) and run.step == 2
    shutil.rmtree(two / "step-00000002")
    for look in (lambda: checkpoint.load(ball(), two, {}), lambda: checkpoint.peek(two)):
        with pytest.raises(ModelError, match=r"no complete checkpoint: .*step-00000003.*--force"):
            look()


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"sha256": 1}', b"\xff" * 9, b"[" * 100_000])
def test_strange_files_are_passed_over(two, content):
    (two / "step-00000099").mkdir()
    (two / "step-00000099" / "run.json").write_bytes(content)
    (two / "step-00000099" / "run.safetensors").write_bytes(content)
    run = ball()
    assert checkpoint.load(run, two, {}) and run.step == 3


def test_one_of_before_it_had_a_digest_of_its_own_loads(two):
    path = two / "step-00000003" / "run.json"
    state = msgspec.json.decode(path.read_bytes())
    del state["digest"], state["looks"], state["lost"]
    path.write_bytes(msgspec.json.encode(state))
    run = ball()
    assert checkpoint.load(run, two, {"data": "abc"}) and run.step == 3


def test_other_data_is_an_error(two):
    with pytest.raises(
        ModelError, match="step-00000003: made with other settings or data: data was 'abc' and is 'abd'"
    ):
        checkpoint.load(run := ball(), two, {"size": "tiny", "data": "abd"})
    with pytest.raises(ModelError, match="size was 'tiny'"):
        checkpoint.load(run := ball(), two, {"size": "small", "data": "abc"})
    assert run.step == 0


@pytest.mark.parametrize("step", [3, 4], ids=["the same step again", "the next step"])
def test_a_disk_that_fails_at_any_moment(two, full_disk, step):
    nth = 1
    while True:
        with full_disk(nth) as disk:
            try:
                checkpoint.save(ball(step), two, {"time": nth}, keep=1)
            except TrainingError as error:
                assert (
                    str(two / "step-0000000") in str(error)
                    and "No space left" in str(error)
                    and "--resume" in str(error)
                )
        if not disk.failed:
            break
        run = ball()
        assert checkpoint.load(run, two, {}) and run.step in (3, step) and whole(run), nth
        assert not list(two.glob(".*")), f"nothing half is left behind by failure {nth}"
        nth += 1
    assert nth > 8, "folder, two files, their content, their flushing, the move"
    assert [p.name[:13] for p in two.iterdir()] == [f"step-{step:08d}"], "one is kept"
    state = checkpoint.peek(two).state
    assert state.facts == {"time": nth} and state.step == step


def test_a_process_killed_at_any_moment(tmp_path):
    chance = random.Random(1)
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)
    (tmp_path / f".step-00000001.{gone}").mkdir()  # what was left half by one killed before
    start = time.perf_counter()
    checkpoint.save(ball(1), tmp_path, {})
    lasts = time.perf_counter() - start
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001"]
    reached = 1
    for _ in range(12):
        child = os.fork()
        if not child:
            try:
                run = ball()
                while True:
                    checkpoint.load(run, tmp_path, {})
                    fill(run, run.step + 1)
                    checkpoint.save(run, tmp_path, {})
                    checkpoint.save(run, tmp_path, {})
            finally:
                os._exit(1)
        time.sleep(chance.uniform(1, 10) * lasts)
        os.kill(child, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "it did not stop by itself"
        run = ball()
        assert checkpoint.load(run, tmp_path, {}) and whole(run) and run.step >= reached
        reached = run.step
    assert reached > 1


# --- the verb around it


def test_two_trainers_on_one_folder(tmp_path):
    with process.only_one(tmp_path / "model" / "training"):
        with (
            pytest.raises(TrainingError, match="model: another training is writing here"),
            process.only_one(tmp_path / "model" / "training"),
        ):
            pass
        with process.only_one(tmp_path / "other" / "training"):
            pass
    with process.only_one(tmp_path / "model" / "training"):
        pass


def test_what_is_alike_stands_on_one_side(job):
    task = job[0]
    examples = [{"text": f"Sentence {n // 3}{'.' * (n % 3)}", "translation": str(n)} for n in range(3000)]
    learn, held = hold_out(task, examples, 0.1, 2000, seed=0)
    assert sorted([*learn, *held], key=lambda e: int(e["translation"])) == examples, "none is lost"
    assert 270 <= len(held) <= 330 and not {k for e in learn for k in task.keys(e)} & {
        k for e in held for k in task.keys(e)
    }
    assert hold_out(task, examples, 0.1, 2000, seed=0) == (learn, held)
    assert hold_out(task, examples, 0.1, 2000, seed=1)[1] != held
    # What is added later moves nothing that was there from one side to the other, but for the edge.
    more = hold_out(task, [*examples, {"text": "One more", "translation": "3000"}], 0.1, 2000, seed=0)[1]
    assert len([e for e in held if e not in more]) <= 3


def test_log_goes_on(tmp_path):
    path, points = tmp_path / "log.jsonl", [(1, 5.5), (2, 4.25), (3, 4.0)]
    curves.write_log(path, points)
    assert curves.read_log(path, 2) == points[:2]
    assert curves.read_log(tmp_path / "none", 9) == []
    path.write_text('{"step": 1}\n')
    assert curves.read_log(path, 9) == []
