"""Image classification without labels, and with few of them from there on: --labels none, --init."""

from __future__ import annotations

import numpy as np
import pytest

import lamella
from lamella.metrics.vectors import embeddings
from lamella.registry import find
from lamella.train.adopt import fill


@pytest.fixture
def vectors(once):
    """A net that has learned from pictures without labels."""

    def make(folder):
        lamella.train(
            "image-classification",
            "sample",
            out=str(folder),
            labels="none",
            size="tiny",
            steps=40,
            threads=1,
            tell=lambda _: None,
        )

    return lamella.load(once("vectors", make))


def test_a_net_without_labels_answers_with_a_vector(vectors, cli):
    [one, two] = vectors.predict([e["image"] for e in vectors.task.sample("test")[:2]])
    assert len(one) == 96 and np.linalg.norm(one) == pytest.approx(1, abs=1e-3) and one != two
    held = vectors.manifest.scores["held out"]
    assert held["scores"]["rank"]["value"] > 1.5 and held["trivial"]["rank"] == pytest.approx(1, abs=1e-3)
    assert 0 < held["scores"]["neighbours"]["value"] <= 1
    assert "rank" in cli("evaluate", vectors.where, "sample", "--limit", 20).out
    why = vectors.explain(
        vectors.task.sample("test")[0]["image"] and {"image": vectors.task.sample("test")[0]["image"]}
    ).data
    assert why["focus"]["value"] == pytest.approx(1, abs=1e-3)


def test_a_classifier_begins_from_it(vectors, tmp_path):
    said: list[str] = []
    model = lamella.train(
        "image-classification",
        "sample",
        out=str(tmp_path / "m"),
        init=vectors.where,
        steps=12,
        threads=1,
        tell=said.append,
    )
    assert model.task.config.labels == "found" and model.task.labels_ == list("0123456789")
    assert model.predict(model.task.sample("test")[0]["image"])["label"] in model.task.labels_
    told = "\n".join(said)
    assert "taken: " in told and "new: out" in told and "stem" in told
    assert model.task.side_ == vectors.task.side_ and model.manifest.scores["held out"]["scores"]["accuracy"]


def test_detectors_and_segmenters_begin_from_the_body_of_a_pyramid(tmp_path):
    """What it takes are weights by name; of a net without that body, or of grey pictures for coloured ones, it takes none."""
    seen, job = find("image-classification"), find("object-detection")
    grey = seen(seen.Config(labels="none", net="pyramid"), "tiny")
    grey.fit(grey.sample("train")[:40])
    weights = {name: value.numpy() for name, value in grey.build().state_dict().items()}
    detector = job(job.Config(**job.transfer.begun), "tiny")
    pictures = [
        {"image": e["image"], "boxes": [{"label": e["label"], "box": [0, 0, 9, 9]}]} for e in grey.sample("train")[:20]
    ]
    detector.fit(pictures)
    taken = detector.transfer.adopt(detector, grey, weights)
    filled = fill(detector.build(), taken)
    assert taken and len(filled.taken) == len(taken) and not filled.odd
    assert detector.mean_ == [255 * grey.mean_]
    segmenter = find("image-segmentation")(size="tiny")
    segmenter.channels_, segmenter.labels_, segmenter.things_ = 1, ["a", "b"], False
    down = segmenter.transfer.adopt(segmenter, grey, weights)
    filled = fill(segmenter.build(), down)
    assert down and len(filled.taken) == len(down) and not filled.odd
    detector.channels_ = 3
    for other, known in ((grey, weights), (grey, {"net.stem.weight": np.zeros(3)})):
        with pytest.raises(lamella.UsageError, match="--labels none --net pyramid, received"):
            detector.transfer.adopt(detector, other, known)


def test_captions_begin_from_the_encoder_of_a_net_of_theirs():
    """The same weights by name, with side and scale; no pyramid, no net of grey pictures for coloured ones, no other side."""
    seen, job = find("image-classification"), find("image-to-text")
    captioner = job(job.Config(**job.transfer.begun), "tiny")
    scenes = captioner.sample("train")[:40]
    coloured = seen(seen.Config(labels="none", net="captions"), "tiny")
    coloured.fit(scenes)
    assert coloured.side_ % 16 == 0
    weights = {name: value.numpy() for name, value in coloured.build().state_dict().items()}
    captioner.fit(scenes)
    captioner.mean_ = captioner.deviation_ = captioner.side_ = 0
    taken = captioner.transfer.adopt(captioner, coloured, weights)
    own = [name for name in captioner.build().state_dict() if name.startswith("encoder.")]
    filled = fill(captioner.build(), taken)
    assert sorted(filled.taken) == sorted(own) and not filled.odd
    kept = (captioner.side_, captioner.mean_, captioner.deviation_)
    assert kept == (coloured.side_, coloured.mean_, coloured.deviation_)
    with pytest.raises(lamella.UsageError, match="--labels none --net captions, received another one"):
        captioner.transfer.adopt(captioner, coloured, {"net.body.stem.weight": np.zeros(3)})
    captioner.config = job.Config(image_size=160)
    with pytest.raises(lamella.UsageError, match="--image-size 160: the model to begin from reads pictures of"):
        captioner.transfer.adopt(captioner, coloured, weights)
    captioner.channels_ = 1
    with pytest.raises(lamella.UsageError, match=r"expected a net of 1 channels.* received one of 3 channels"):
        captioner.transfer.adopt(captioner, coloured, weights)
    with pytest.raises(lamella.UsageError, match="--image-size 40: expected a multiple of 16 with --net captions"):
        seen(seen.Config(labels="none", net="captions", image_size=40), "tiny").fit(scenes)


@pytest.mark.parametrize("task", ["image-to-text", "object-detection", "image-segmentation"])
def test_the_way_to_learn_without_labels_is_said_where_it_is_looked_for(task, tmp_path):
    with pytest.raises(lamella.UsageError, match=r"lamella train image-classification FOLDER --labels none.*--init"):
        lamella.train(task, "sample", out=str(tmp_path / "m"), labels="none")


def test_another_net_or_side_does_not_fit(vectors, tmp_path):
    for options in ({"net": "transformer"}, {"image_size": 32}, {"size": "small"}):
        with pytest.raises(lamella.UsageError, match=r"--init|--image-size 32"):
            lamella.train(
                "image-classification",
                "sample",
                out=str(tmp_path / "m"),
                init=vectors.where,
                steps=1,
                tell=lambda _: None,
                **options,
            )


def test_effective_rank():
    rng = np.random.default_rng(0)
    full, flat = rng.standard_normal((300, 8)), rng.standard_normal((300, 1)) * np.ones(8)
    ranks = [embeddings(rows / np.linalg.norm(rows, axis=1, keepdims=True)).values["rank"] for rows in (full, flat)]
    assert ranks[0] > 7.9 and ranks[1] == pytest.approx(1)
    singular = np.linalg.svd(full, compute_uv=False)
    shares = singular / singular.sum()
    assert embeddings(full).values["rank"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert set(embeddings(full).values) == {"rank"}, "without labels nothing is said of them"
    some = ["a", "a", "b", "b", "", ""]
    near = np.eye(2)[[0, 0, 1, 1, 0, 1]]
    assert embeddings(near, some).values["neighbours"] == 1, "what has no label is no neighbour"
