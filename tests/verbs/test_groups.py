"""`evaluate --group`: the score of each group, the worst named, small ones flagged."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

import lamella
from lamella.errors import UsageError
from lamella.metrics.groups import SMALL, by_group
from lamella.model.groups import groups_of
from lamella.task import Scores


def rows(trained, count=80):
    """The sample with a country: "de" where it is easy, "fr" with wrong labels, "it" a few, some without."""
    examples = lamella.load(trained("text-classification")).task.sample("test")[:count]
    labels = sorted({e["label"] for e in examples})
    out = []
    for i, e in enumerate(examples):
        country = "it" if i < 5 else "" if i < 8 else "fr" if i % 2 else "de"
        other = labels[(labels.index(e["label"]) + 1) % len(labels)]
        out.append({**e, "label": other if country == "fr" else e["label"], "country": country})
    return out


@pytest.mark.parametrize("kind", ["csv", "jsonl", "memory"])
def test_the_worst_group_is_named_and_small_ones_are_flagged(trained, cli, tmp_path, kind):
    folder, data = trained("text-classification"), rows(trained)
    if kind == "memory":
        result = lamella.evaluate(str(folder), data, group="country")
    else:
        path = tmp_path / f"reviews.{kind}"
        if kind == "csv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(data[0]))
                writer.writeheader()
                writer.writerows(data)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in data))
        result = cli("evaluate", folder, path, "--group", "Country", "--json").json  # case aside
    groups = {row["name"]: row for row in result["groups"]["rows"]}
    assert set(groups) == {"de", "fr", "it", "(empty)"} and result["groups"]["worst"] == "fr"
    assert groups["it"]["small"] and groups["it"]["count"] == 5 and not groups["fr"]["small"]
    assert sum(row["count"] for row in groups.values()) == len(data) and result["groups"]["without"] == 0
    assert all(row["low"] <= row["value"] <= row["high"] for row in groups.values())
    if kind == "csv":
        shown = cli("evaluate", folder, path, "--group", "country").out
        assert "worst group by country: fr" in shown and f"fewer than {SMALL}" in shown


def test_folders_and_beginnings_of_names(trained, tmp_path):
    folder = trained("image-classification")
    task = lamella.load(folder).task
    label = task.labels_[0]
    rng = np.random.default_rng(0)
    for site in ("north", "south"):
        place = tmp_path / label / site
        place.mkdir(parents=True)
        for i in range(3):
            points = rng.integers(0, 255, (20, 20)).astype(np.uint8)
            Image.fromarray(points).save(place / f"{'a' if i else 'b'}-{i}.png")
    found = lamella.evaluate(str(folder), str(tmp_path), group="folder")["groups"]
    assert {row["name"]: row["count"] for row in found["rows"]} == {"north": 3, "south": 3}
    found = lamella.evaluate(str(folder), str(tmp_path), group="prefix")["groups"]
    assert {row["name"]: row["count"] for row in found["rows"]} == {"a": 4, "b": 2}
    with pytest.raises(UsageError, match="or folder or prefix for folders of files"):
        lamella.evaluate(str(folder), str(tmp_path), group="site")


def test_a_band_is_of_the_group_alone():
    right = np.array([1.0] * 50 + [0.0] * 25 + [1.0] * 25)
    scores = Scores.from_sums(np.stack([right, np.ones(100)], axis=1), {"right": lambda sums: sums[0] / sums[1]})
    found = by_group(scores, {"all right": range(50), "half": range(50, 100), "few": range(50, 60)}, "right", False)
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["all right"]["low"] == rows["all right"]["high"] == 1.0
    assert rows["half"]["value"] == 0.5 and 0.3 < rows["half"]["low"] < 0.5 < rows["half"]["high"] < 0.7
    assert found["worst"] == "half" and found["rows"][0]["name"] == "few"  # worse, but too few to say so
    assert by_group(scores, {"few": range(50, 60)}, "right", False)["worst"] == "few"


def test_wrong_columns(trained, tmp_path, cli):
    folder = trained("text-classification")
    done = cli("evaluate", folder, "sample", "--group", "country")
    assert done.code == 2 and "expected a table" in done.err
    path = tmp_path / "reviews.jsonl"
    path.write_text("".join(json.dumps({**row, "id": f"n{i}"}) + "\n" for i, row in enumerate(rows(trained, 120))))
    with pytest.raises(
        UsageError, match=r"--group continent: expected the name of one column of .*text, label, country"
    ):
        lamella.evaluate(str(folder), str(path), group="continent")
    with pytest.raises(UsageError, match="at most 100 different values, received 120"):
        lamella.evaluate(str(folder), str(path), group="id")
    job = lamella.load(folder).task
    examples = job.read([str(path)], None)[0]
    assert groups_of(job, [str(path)], None, "country", examples[:1]) == {"it": [0]}
