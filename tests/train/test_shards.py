"""`train --shards`: encoded examples on a disk give what examples in memory give, and no fault of a disk loses any."""

from __future__ import annotations

import json
import os
import signal
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

import lamella
from lamella import registry
from lamella.data.readers import windows
from lamella.errors import DataError, TrainingError, UsageError
from lamella.model import fingerprint
from lamella.registry import find
from lamella.storage import disk, sealed
from lamella.train import batches, corpus, shards
from lamella.train.gather import Gathered, encode, gather
from lamella.train.loop import begin
from lamella.train.settings import Settings
from lamella.train.workers import in_processes

WORDS = ("cat", "dog", "tree", "house", "river", "stone", "bird", "lamp")
MOTS = ("chat", "chien", "arbre", "maison", "rivière", "pierre", "oiseau", "lampe")


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Everything is large: parts of 4 kB, shards of a few examples, one thread."""
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(windows, "SIZE", 4_000)
    monkeypatch.setattr(corpus, "IN_MEMORY", 4_000)
    monkeypatch.setattr(shards, "BYTES", 4_000)


def quiet(line):
    pass


def settings(**changes):
    return Settings(**{"shards": "s", "threads": 1, "steps": 3, **changes})


def pairs(count, first=0):
    """Sentences and their translations, none the same as another."""
    return [
        (
            f"The {WORDS[n % 8]} is near the {WORDS[n // 8 % 8]} {n}.",
            f"Le {MOTS[n % 8]} est près de {MOTS[n // 8 % 8]} {n}.",
        )
        for n in range(first, first + count)
    ]


def tsv(path, rows, header=True):
    lines = ["en\tfr"] * header + ["\t".join(row) for row in rows]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def translation():
    cls = find("translation")
    return cls(cls.Config(vocabulary_size=120), "tiny")


def sample(name, count=60):
    """A task that is fitted to some of its sample, and the sample."""
    job = find(name)(size="tiny")
    learn = job.sample("train")[:count]
    job.fit(learn)
    return job, learn


def in_memory(learn):
    return Gathered(list(learn), [], [], [])


def files(place="s"):
    return {str(p.relative_to(place)): p.read_bytes() for p in Path(place).rglob("*") if p.is_file()}


def same(one, other, indices, collate):
    """Whether two stores give the same batch, bit for bit."""
    a, b = (store.batch(indices, collate) for store in (one, other))
    return a.keys() == b.keys() and all(
        a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and a[k].tobytes() == b[k].tobytes() for k in a
    )


# --- shards give what memory gives


@pytest.mark.parametrize("name", registry.names())
def test_every_task_from_shards(name):
    job, learn = sample(name, 24)
    memory = encode(job, learn).store
    kept = corpus.encoded(job, in_memory(learn), settings(), quiet)
    assert len(kept) == len(memory) == len(learn)
    indices = np.random.default_rng(0).permutation(len(learn))[:10]
    assert same(memory, kept, indices, job.collate)
    assert np.array_equal(memory.lengths()[indices], kept.lengths()[indices])


def test_the_losses_are_the_same_bit_for_bit():
    from lamella.train.engine import steps
    from lamella.train.loop import task_loss
    from lamella.train.schedule import Budget, Schedule

    def losses(wanted):
        torch.manual_seed(0)
        job = translation()
        gathered = in_memory([{"text": a, "translation": b} for a, b in pairs(150)])
        run, made, *_ = begin(job, gathered, wanted, None, None, quiet)
        return [s.loss for s in steps(run, made, task_loss(job, gathered), Budget(steps=3), Schedule())]

    assert losses(settings()) == losses(settings(shards=None))
    assert len(list(Path("s").rglob("shard-*"))) > 2


def test_a_model_from_shards_is_the_same_model(trained, cli, tmp_path):
    done = cli(
        *("train", "text-classification", "sample", "--like", trained("text-classification")),
        *("--shards", tmp_path / "shards", "-o", tmp_path / "again"),
    )
    assert done.code == 0, done.err
    assert "the same bytes in classify.onnx" in done.err and "differs" not in done.err
    assert "shards: " in done.err and str(tmp_path / "shards") in done.err


def test_an_order_of_more_examples_than_a_group(monkeypatch):
    monkeypatch.setattr(batches, "GROUP", 64)
    monkeypatch.setattr(batches, "BLOCK", 8)
    lengths = np.random.default_rng(0).integers(1, 30, (300, 2))
    count = batches.an_epoch(lengths, 90)
    stream = list(islice(batches.forever(lengths, None, 90, 0), 2 * count + 5))
    first = [group for epoch, group in stream if epoch == 0]
    assert sorted(np.concatenate(first).tolist()) == list(range(300))  # each once
    assert all(lengths[group].max() * len(group) <= 90 for group in first)
    skipped = list(islice(batches.forever(lengths, None, 90, 0, skip=len(first) + 3), 4))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(skipped, stream[len(first) + 3 :], strict=False))
    weights = np.full(300, 2.0)
    twice = [g for e, g in islice(batches.forever(lengths, weights, 90, 0), 400) if e == 0]
    assert np.array_equal(np.bincount(np.concatenate(twice), minlength=300), weights)


# --- they are made once


def test_they_are_used_again_and_are_those_of_these_data_alone():
    job, learn = sample("text-classification")
    said = []
    corpus.encoded(job, in_memory(learn), settings(), said.append)
    before = files()
    corpus.encoded(job, in_memory(learn), settings(), said.append)
    assert files() == before and "all there already" in said[-1]
    corpus.encoded(job, in_memory(learn[:-1]), settings(), quiet)
    job.config.max_features = 100  # another option
    corpus.encoded(job, in_memory(learn), settings(), quiet)
    assert len(list(Path("s").iterdir())) == 3
    assert before.items() <= files().items()


def test_a_picture_that_was_changed_is_encoded_anew():
    job, learn = sample("image-classification", 20)
    from PIL import Image

    for n in range(4):
        Image.new("L", (12, 12), 40 * n).save(f"{n}.png")
    learn = [{**learn[0], "image": f"{n}.png"} for n in range(4)]
    kept = corpus.encoded(job, in_memory(learn), settings(), quiet)
    Image.new("L", (12, 13), 255).save("2.png")
    anew = corpus.encoded(job, in_memory(learn), settings(), quiet)
    assert len(list(Path("s").iterdir())) == 2
    [name] = job.inputs(learn[0])
    assert not np.array_equal(kept[2][name], anew[2][name]) and np.array_equal(kept[1][name], anew[1][name])


def test_several_processes_make_the_same_files():
    job, learn = sample("text-classification")
    corpus.encoded(job, in_memory(learn), settings(), quiet)
    corpus.encoded(job, in_memory(learn), settings(shards="t", threads=2), quiet)
    assert len(files()) > 2 and files() == files("t")


def test_what_a_worker_raises_is_raised():
    def work(index):
        if index == 3:
            raise DataError("part 3: expected rows", ["line 7"])
        return index

    with pytest.raises(DataError, match="part 3") as caught:
        list(in_processes(work, range(6), workers=2))
    assert caught.value.details == ["line 7"]
    with pytest.raises(TrainingError, match="ZeroDivisionError"):
        list(in_processes(lambda index: 1 // index, range(6), workers=2))
    with pytest.raises(TrainingError, match="was ended"):
        list(in_processes(lambda index: os.kill(os.getpid(), signal.SIGKILL), range(6), workers=2))
    assert sorted(in_processes(lambda index: index * 2, range(5), workers=2)) == [(n, 2 * n) for n in range(5)]


# --- faults


def test_a_changed_byte_is_refused_by_name():
    job, learn = sample("text-classification")
    corpus.encoded(job, in_memory(learn), settings(), quiet)
    before = files()
    chosen = Path("s") / sorted(before)[1]
    raw = bytearray(chosen.read_bytes())
    raw[len(raw) // 2] ^= 1
    chosen.write_bytes(raw)
    with pytest.raises(DataError, match=f"{chosen.name}.*Remove this file") as caught:
        corpus.encoded(job, in_memory(learn), settings(), quiet)
    assert "\n" not in str(caught.value)
    chosen.unlink()
    said = []
    corpus.encoded(job, in_memory(learn), settings(), said.append)
    assert files() == before and ", 1 made in" in said[-1]
    chosen.write_bytes(chosen.read_bytes()[:-3])  # a file that was cut
    with pytest.raises(DataError, match=chosen.name):
        corpus.encoded(job, in_memory(learn), settings(), quiet)


@pytest.mark.parametrize("nth", [3, 6, 9, 13])
def test_a_full_disk_loses_nothing(nth, full_disk):
    job, learn = sample("text-classification")
    with full_disk(nth) as broken, pytest.raises((TrainingError, UsageError)) as caught:
        corpus.encoded(job, in_memory(learn), settings(), quiet)
    assert broken.failed and "No space left" in str(caught.value) and "\n" not in str(caught.value)
    before = files()
    assert all(sealed.NAME.fullmatch(Path(name).name) for name in before)  # nothing half made is left
    corpus.encoded(job, in_memory(learn), settings(), quiet)
    assert before.items() <= files().items()


def test_killed_and_gone_on_with(monkeypatch):
    job, learn = sample("text-classification")
    child = os.fork()
    if not child:  # killed while it writes the third shard
        uses, plain = [], os.replace

        def replace(*args):
            uses.append(args)
            if len(uses) == 3:
                os._exit(9)
            plain(*args)

        os.replace = replace
        corpus.encoded(job, in_memory(learn), settings(), quiet)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = {name for name in files() if Path(name).name.startswith(".")}
    assert len(left) == 1 and len(files()) == 3
    said = []
    corpus.encoded(job, in_memory(learn), settings(), said.append)
    assert not left & files().keys()
    assert f", {len(files()) - 2} made in" in said[-1]


def test_the_users_files_stay(tmp_path):
    job, learn = sample("text-classification")
    (tmp_path / "s").mkdir()
    mine = {
        "s/notes.txt": "mine",
        "s/.shard-00000.lamella-notes": "mine too",
        "s/shards-0/shard-00000.safetensors": "old",
    }
    for name, text in mine.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    corpus.encoded(job, in_memory(learn), settings(), quiet)
    [place] = [p for p in Path("s").glob("shards-*") if p.name != "shards-0"]
    (place / "readme").write_text("mine")
    next(place.glob("shard-00000-*")).unlink()
    corpus.encoded(job, in_memory(learn), settings(), quiet)
    assert {name: Path(name).read_text() for name in mine} == mine and (place / "readme").read_text() == "mine"


def test_folders_that_are_none(cli, tmp_path):
    job, learn = sample("text-classification", 20)
    Path("file").write_text("")
    with pytest.raises(UsageError, match="--shards file: expected a folder"):
        corpus.encoded(job, in_memory(learn), settings(shards="file"), quiet)
    for place, words in (("", "an empty one"), (tmp_path / "m" / "s", "outside of the model")):
        done = cli("train", "text-classification", "sample", "--steps", 1, "--shards", place, "-o", tmp_path / "m")
        assert done.code == 2 and words in done.err, done.err
    (tmp_path / "texts").mkdir()
    for n in range(30):
        (tmp_path / "texts" / f"{n}.txt").write_text(f"This is text {n}.")
    with pytest.raises(UsageError, match="outside of the data"):
        lamella.train("text-generation", "texts", out="n", steps=1, shards=tmp_path / "texts" / "s", tell=quiet)
    assert not Path("m").exists() and not Path("n/model.json").exists()


# --- corpora in parts


def read(job, *data, test=(), **changes):
    said = []
    wanted = settings(**changes)
    gathered = corpus.gather_corpus(job, list(map(str, data)), list(test), None, wanted, said.append)
    return gathered, said


def everything(gathered):
    return [*gathered.learn, *gathered.held, *gathered.watched]


def keyed(examples):
    return sorted(json.dumps(e, sort_keys=True) for e in examples)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_table_in_parts_is_the_table(header, threads):
    tsv("p.tsv", pairs(500), header)
    job = translation()
    gathered, _ = read(job, "p.tsv", threads=threads)
    whole, lines = translation().read(["p.tsv"])
    assert gathered.corpus and len(list(Path("s").rglob("part-*"))) > 3
    assert keyed(everything(gathered)) == keyed(whole)
    assert len(gathered.held) == 50 and len(gathered.watched) == 25
    assert lines[0] in gathered.lines and "kept 500 rows" in gathered.lines
    assert [e for e in whole if e in gathered.learn] == gathered.learn  # in their order
    job.fit(gathered.learn)
    kept = corpus.encoded(job, gathered, settings(), quiet)
    memory = encode(job, gathered.learn).store
    assert len(kept) == len(memory) and same(memory, kept, np.arange(0, len(memory), 7), job.collate)
    again, said = read(translation(), "p.tsv", threads=threads)
    assert everything(again) == everything(gathered) and "all read before" in said[-1]


def test_two_aligned_files_in_parts():
    rows = pairs(400)
    for name, side in (("a.en", 0), ("a.fr", 1)):
        Path(name).write_text("".join(row[side] + "\n" for row in rows), encoding="utf-8")
    gathered, _ = read(translation(), "a.en", "a.fr")
    assert keyed(everything(gathered)) == keyed(translation().read(["a.en", "a.fr"])[0])
    Path("a.fr").write_text("".join(row[1] + "\n" for row in rows[:-1]), encoding="utf-8")
    with pytest.raises(DataError, match="the same number of lines"):
        read(translation(), "a.en", "a.fr")


@pytest.mark.parametrize("name", ["text-generation", "fill-mask"])
@pytest.mark.parametrize("form", ["story.txt", "story.jsonl"])
def test_running_text_in_parts(name, form):
    sentences = [a for a, _ in pairs(900)]
    lines = [json.dumps({"text": s}) for s in sentences] if form.endswith("l") else sentences
    Path(form).write_text("\n".join(lines) + "\n", encoding="utf-8")
    cls = find(name)
    job = cls(cls.Config(window=8), "tiny")
    gathered, _ = read(job, form)
    whole, lines = job.read([form])
    if form.endswith("l"):  # each row is a text
        assert keyed(everything(gathered)) == keyed(whole)
    else:  # cut elsewhere: a part begins with a line
        count = [sum(len(e["text"]) for e in rows) for rows in (everything(gathered), whole)]
        assert 0.95 < count[0] / count[1] < 1.05
    assert gathered.corpus and lines[0] in gathered.lines


def test_nothing_that_is_alike_stands_on_both_sides():
    rows = pairs(400)
    tsv("p.tsv", [*rows, *rows[::2], *((f"Other {a}", b) for a, b in rows[:100])])  # repeats, and other translations
    job = translation()
    gathered, _ = read(job, "p.tsv")
    assert any(line.startswith("dropped ") and "the same as an earlier one" in line for line in gathered.lines)
    assert any("share something with those" in line for line in gathered.lines)
    assert len(keyed(gathered.learn)) == len(set(keyed(gathered.learn)))
    sides = [{key for e in rows for key in job.keys(e)} for rows in (gathered.learn, gathered.held, gathered.watched)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    raw = gathered.corpus.fingerprint([job.keys(e) for e in gathered.held], [])
    assert fingerprint.trained_on(raw, [job.keys(e) for e in gathered.learn]).count == len(gathered.learn)
    assert fingerprint.trained_on(raw, [job.keys(e) for e in gathered.held]).count == 0


def test_a_file_to_measure_with_and_a_sample_to_learn_from(monkeypatch):
    monkeypatch.setattr(corpus, "SAMPLE", 100)
    tsv("p.tsv", pairs(600))
    tsv("test.tsv", pairs(40, first=580))  # half of them in the corpus too
    job = translation()
    gathered, _ = read(job, "p.tsv", test=["test.tsv"])
    assert len(gathered.held) == 40 and 60 < len(gathered.learn) < 140
    assert any("learned from" in line for line in gathered.lines)
    job.fit(gathered.learn)
    kept = corpus.encoded(job, gathered, settings(), quiet)
    assert len(kept) == len(gathered.corpus) == 600 - 20 - len(gathered.watched)


def test_a_bad_row_is_named_by_its_line():
    rows = ["\t".join(row) for row in pairs(500)]
    rows[444] = "three\tcells\there"
    Path("p.tsv").write_text("en\tfr\n" + "\n".join(rows) + "\n", encoding="utf-8")
    gathered, _ = read(translation(), "p.tsv")
    assert any(line.startswith("bad row: p.tsv, line 446: ") for line in gathered.lines), gathered.lines
    Path("p.tsv").write_text("en\tfr\n" + "\n".join(rows[:300] + ["x"] * 200) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"p\.tsv.*bad rows"):
        read(translation(), "p.tsv")


@pytest.mark.parametrize("columns", [None, {"text": "2", "translation": "3"}, {"text": "en", "translation": "more+fr"}])
def test_columns_are_the_same_in_all_parts(columns):
    rows = [f'{n};"{a}";{b};more' for n, (a, b) in enumerate(pairs(300))]
    Path("p.csv").write_text("sep=;\nnumber;en;fr;more\n" + "\n".join(rows) + "\n", encoding="utf-8")
    gathered = corpus.gather_corpus(translation(), ["p.csv"], [], columns, settings(), quiet)
    assert keyed(everything(gathered)) == keyed(translation().read(["p.csv"], columns)[0])
    assert len(list(Path("s").rglob("part-*"))) > 3


def test_what_cannot_be_read_in_parts_is_read_as_a_whole():
    rows = pairs(300)
    Path("p.json").write_text(json.dumps([{"en": a, "fr": b} for a, b in rows]))
    gathered, said = read(translation(), "p.json")
    assert gathered is None and "as a whole" in said[-1]
    assert read(translation(), tsv("few.tsv", rows[:20]))[0] is None  # small
    assert len(gather(translation(), ["p.json"], [], None, 0).learn) > 200


def test_parts_end_behind_lines_and_outside_of_quotation_marks(monkeypatch):
    rows = [f'"one\nline {n}, with a comma",{n}\n' for n in range(300)]
    Path("a.csv").write_text("text,label\n" + "".join(rows))
    raw = Path("a.csv").read_bytes()
    parts = windows.cut(["a.csv"], size=1000)
    assert len(parts) > 3 and b"".join(raw[p.spans[0].begin : p.spans[0].end] for p in parts) == raw
    assert all(raw[: p.spans[0].begin].count(b'"') % 2 == 0 for p in parts)
    assert [p.before[0] for p in parts] == [raw[: p.spans[0].begin].count(b"\n") for p in parts]
    Path("wide.txt").write_bytes("wide\n".encode("utf-16") * 900)
    assert windows.cut(["wide.txt"]) == windows.cut(["nothing.txt"]) == windows.cut(["."]) == []
    assert not disk.abandoned(Path("a.csv"))
