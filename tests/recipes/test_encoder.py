"""The recipe of the encoder: what it reads, and the two losses that an accelerator trains it by."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lamella.data.text.pieces import START
from lamella.nets.transformer.masked import MaskedTransformer
from recipes.encoder import accelerator, books, meanings, pairs, text

NOUN = (
    "  1 This software and database is being provided to you\n"
    '00001740 03 n 02 happy_hour 0 joy 1 001 ~ 00001930 n 0000 | a time of (cheap) drinks; usually early; "joy at work"; "hm"  \n'
    "00001930 03 n 01 Paris 0 000 | the capital of France\n"
)


def test_books_of_some_years_alone(tmp_path):
    for name, year in (("old", 1700), ("right", 1905), ("new", 1950)):
        (tmp_path / f"{name}.md").write_text(
            f"# Title: {name}\n\n## Author: A\n\n## Year: {year}\n\n---\n\nIt was the {name} _house_ of the winds.\n\nNo."
        )
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "books"]):
        subprocess.run([*git, *words], check=True)
    assert list(books.books(tmp_path)) == [("right.md", ["It was the right house of the winds."])]


def test_what_words_mean(tmp_path):
    for kind in meanings.KINDS:
        (tmp_path / f"data.{kind}").write_text(NOUN if kind == "noun" else "")
    assert list(meanings.texts(tmp_path)) == [
        "happy hour, joy: a time of (cheap) drinks; joy at work",
        "Paris: the capital of France",
    ]
    assert list(meanings.pairs(tmp_path)) == [("happy hour, joy", "a time of (cheap) drinks")]  # no name


def test_pairs_without_what_is_measured_on(tmp_path, capsys):
    corpus = tmp_path / "train-de.tsv"
    rows = [("I am very tired.", "Ich bin sehr müde."), ("A man is dancing.", "Ein Mann tanzt."), ("Go!", "Los!")]
    corpus.write_text("".join(f"tatoeba\teveryday\t{a}\t{b}\n" for a, b in rows))
    table = tmp_path / "test.csv"
    table.write_text('"a man is dancing","A woman sings.",2.0\n')
    assert pairs.collect([corpus], None, [table]) == [rows[0]]
    with pytest.raises(SystemExit, match="expected the name of a corpus"):
        text.language(tmp_path / "train.tsv")


@pytest.fixture
def net():
    torch.manual_seed(0)
    return MaskedTransformer(50, width=16, depth=2, heads=2, window=64).eval()


def test_a_vector_is_the_mean_over_the_pieces_whatever_it_is_padded_with(net):
    alone = torch.tensor([[7, 9, 30]])
    wanted = F.normalize(net.hidden(alone).mean(dim=1), dim=1)
    padded = torch.cat([F.pad(alone, (0, 4)), torch.tensor([[3, 4, 5, 6, 7, 8, 9]])])
    assert torch.allclose(accelerator.vectors(net, padded)[:1], wanted, atol=1e-5)


def test_pairs_are_drawn_whole_and_a_text_is_nearest_to_its_own_other(net, monkeypatch):
    monkeypatch.setattr(accelerator, "LEFT_OUT", 0.0)
    rng = np.random.default_rng(0)
    texts = [rng.integers(4, 50, size).tolist() for size in rng.integers(1, 40, 120)]
    stream = np.array([i for ids in texts for side in (ids, ids[:-1] or ids) for i in (START, *side)], np.uint16)
    drawn = accelerator.Pairs(stream, "cpu", 256, 0)
    seen = set()
    for _ in range(40):
        batch = drawn.batch()
        assert batch.shape[2] in accelerator.LENGTHS and len(batch) == 256 // (2 * batch.shape[2])
        for one, other in batch.tolist():
            ids = [i for i in one if i]
            assert ids in texts and [i for i in other if i] == (ids[:-1] or ids)
            seen.add(tuple(ids))
    assert len(seen) > 60
    batch = drawn.batch()
    swapped = torch.stack([batch[:, 0], batch[:, 1].roll(1, dims=0)], dim=1)
    assert accelerator.contrast(net, batch) < accelerator.contrast(net, swapped)
