"""`train --augment`: noise in half of the training examples, the same for a training that is resumed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import lamella
from lamella.errors import UsageError
from lamella.registry import find
from lamella.train import augment
from lamella.train.engine import Feed
from lamella.train.gather import encode
from lamella.train.settings import split


def fitted(task: str, count: int = 40):
    job = find(task)(size="tiny")
    learn = job.sample("train")[:count]
    job.fit(learn)
    return job, learn


def batches_of(job, learn, words, skip=0, count=6):
    """The first batches after those that are passed over."""
    noises = augment.chosen(job, words) if words else ()
    feed = Feed(encode(job, learn, seed=3, noises=noises), torch.device("cpu"), skip)
    return [feed.take()[0] for _ in range(count)]


@pytest.mark.parametrize(
    "task", ["text-classification", "image-segmentation", "recommendation", "time-series-forecasting"]
)
def test_noise_is_fresh_in_each_epoch_and_the_same_after_a_resume(task):
    job, learn = fitted(task, 16)
    whole, again = batches_of(job, learn, "some"), batches_of(job, learn, "some", skip=2, count=4)
    for one, other in zip(whole[2:], again, strict=True):
        assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    noisy = augment.Noisy(job, learn, augment.chosen(job, "some"), 3, encode(job, learn, seed=3).store)
    rows = [[noisy(i, epoch) for i in range(len(learn))] for epoch in (0, 1)]

    def same(one, other):
        return all(np.array_equal(one[name], other[name]) for name in one)

    assert not all(map(same, *rows))
    clean = [same(row, noisy.clean[i]) for i, row in enumerate(rows[0])]
    assert len(learn) / 4 < sum(clean) < len(learn)
    assert all(row.keys() == noisy.clean[i].keys() for i, row in enumerate(rows[0]))


def test_masks_move_with_their_pictures_in_training():
    job, learn = fitted("image-segmentation", 12)
    noisy = augment.Noisy(job, learn, augment.chosen(job, "shifted"), 0, encode(job, learn).store)
    other = [(i, row) for i in range(len(learn)) if (row := noisy(i, 0)) is not noisy.clean[i] and not np.array_equal(
        row["pictures"], noisy.clean[i]["pictures"])]  # fmt: skip
    assert other and all(not np.array_equal(row["labels"], noisy.clean[i]["labels"]) for i, row in other)


def test_several_kinds_in_one_example():
    """A mask moves where its picture is moved, whatever other noise there is, and stays where there is grain alone."""
    job, learn = fitted("image-segmentation", 12)
    noises = augment.chosen(job, "grain, shifted")
    store = encode(job, learn).store
    noisy = augment.Noisy(job, learn, noises, 0, store)
    moved = {1: [], 2: []}  # by how many kinds there are
    for index, epoch in np.ndindex(len(learn), 3):
        rng = np.random.default_rng((0, epoch, index))
        if rng.random() < augment.SHARE:
            kinds = rng.integers(1, 3)
            alone = [noises[i] for i in rng.permutation(2)[:kinds]] == [("image", "grain")]
            stays = np.array_equal(noisy(index, epoch)["labels"], store[index]["labels"])
            assert stays or not alone
            moved[int(kinds)].append(not stays)
    assert any(moved[1]) and any(moved[2])


def test_which_kinds():
    job = find("text-classification")()
    kinds = [*job.fields["text"].noises]
    assert augment.names(augment.chosen(job, "some")) == kinds[::2]
    assert augment.names(augment.chosen(job, "all")) == kinds
    assert augment.chosen(job, "lost words, typos") == [("text", "typos"), ("text", "lost words")]
    for given, kept in ((True, "some"), (False, None), (["typos", "accents"], "typos,accents"), ("all", "all")):
        assert split({"augment": given})[0].augment == kept
    for task in ("text-generation", "image-generation", "fill-mask"):
        with pytest.raises(UsageError, match="it would learn the noise"):
            augment.chosen(find(task)(), "some")
    with pytest.raises(UsageError, match="received head, relation"):
        augment.chosen(find("link-prediction")(), "some")


def test_through_the_command_line(cli, tmp_path):
    """Data before the option, an option of the task behind it; the model remembers, and `--stress` leaves it out."""
    data = tmp_path / "reviews.jsonl"
    job = find("text-classification")()
    data.write_text("".join(json.dumps(e) + "\n" for e in job.sample("train")[:60]))
    out = tmp_path / "model"
    given = (
        "train",
        "text-classification",
        data,
        "--augment",
        "-o",
        out,
        "--steps",
        4,
        "--size",
        "tiny",
        "--threads",
        1,
    )
    done = cli(*given)
    assert done.code == 0, done.err
    model = lamella.load(out)
    kinds = job.fields["text"].noises
    assert model.manifest.training["augment"] == [*kinds[::2]]
    assert "augment: half of the examples" in (out / "card.md").read_text()
    found = lamella.evaluate(model, "sample", limit=8, stress=True, noises=["typos", "accents"])["stress"]
    assert found["trained"] == ["typos"] and "* it was trained with typos" in cli(
        "evaluate", out, "sample", "--limit", 8, "--stress", "--noises", "typos,accents").out  # fmt: skip
    for words, said in (("rain", "expected some, all, or names among typos"), ("", "received an empty one")):
        done = cli(*given[:3], f"--augment={words}", *given[4:], "--force")
        assert done.code == 2 and said in done.err
    done = cli("train", "text-generation", "sample", "--augment", "-o", tmp_path / "other", "--steps", 1)
    assert done.code == 2 and "it would learn the noise" in done.err
    with pytest.raises(UsageError, match="does not fit --shards"):
        lamella.train(
            "text-classification", str(data), out=str(tmp_path / "x"), augment=True, shards=str(tmp_path / "s")
        )
