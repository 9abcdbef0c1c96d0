"""Answers draw themselves in a notebook, and are plain values for everything else."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import re

import msgspec
import numpy as np
import pytest

import lamella
from lamella import registry
from lamella.data.media import charts
from lamella.data.media.images import encode_png, open_picture
from lamella.fields import Gallery
from lamella.model import notebook
from lamella.model.notebook import drawn
from lamella.task import as_asked

PICTURE = np.full((20, 40, 3), 90, np.uint8)
MASK = np.zeros((20, 40), np.uint8)
MASK[5:15, 5:15] = 1


def pictures(html: str) -> list[np.ndarray]:
    """The PNGs in a piece of HTML."""
    return [
        np.asarray(open_picture(base64.b64decode(raw)).convert("RGB"))
        for raw in re.findall(r"data:image/png;base64,([\w+/=]+)", html)
    ]


def segmented():
    from lamella.data.media.masks import encode_mask

    job = registry.find("image-segmentation")()
    job.labels_ = ["background", "cell"]
    return job, {
        "mask": encode_mask(MASK, job.labels_),
        "shares": {"cell": 0.125},
        "pixels": {"cell": 100},
        "counts": {},
    }


def detected():
    job = registry.find("object-detection")()
    job.labels_ = ["cat"]
    return job, [{"label": "cat", "score": 0.9, "box": [5.0, 5.0, 15.0, 15.0]}]


@pytest.mark.parametrize("made", [segmented, detected])
def test_boxes_and_masks_are_drawn_on_their_picture(made):
    job, answer = made()
    answers = drawn(job, [{"image": PICTURE}], [answer])
    [[shown], [alone]] = (pictures(one._repr_html_()) for one in (answers, answers[0]))
    assert shown.shape == PICTURE.shape and (shown == alone).all()
    assert np.abs(shown.astype(int) - 90)[4:16, 4:16].max() > 40  # coloured where the thing is
    assert np.abs(shown.astype(int) - 90)[17:, 34:].max() < 40


def test_they_are_plain_values(made=detected):
    job, answer = made()
    answers = drawn(job, [{"image": PICTURE}], [answer])
    assert answers == [answer] and repr(answers) == repr([answer]) and isinstance(answers, list)
    assert json.loads(json.dumps(answers)) == [answer] and msgspec.json.decode(msgspec.json.encode(answers)) == [answer]
    for same in (copy.copy(answers), copy.deepcopy(answers), pickle.loads(pickle.dumps(answers))):
        assert same == answers and type(same) is list
    job, answer = segmented()
    [one] = drawn(job, [{"image": PICTURE}], [answer])
    assert one == answer and type(copy.deepcopy(one)) is dict and {**one} == answer


def test_a_picture_is_shown_with_what_is_said_of_it():
    job = as_asked(registry.find("image-to-text")())
    captions = drawn(job, [{"image": PICTURE}, {"image": encode_png(MASK * 255)}], ["a <cat>", "a square"])
    html = captions._repr_html_()
    assert captions == ["a <cat>", "a square"] and "a &lt;cat&gt;" in html and len(pictures(html)) == 2
    assert Gallery().draw([encode_png(MASK)] * 3, []).count("<img") == 3
    job = registry.find("image-classification")()
    assert "cat" in drawn(job, [{"image": PICTURE}], [{"label": "cat", "probabilities": {"cat": 1.0}}])[0]._repr_html_()


def test_what_cannot_be_drawn_is_shown_as_any_value(tmp_path):
    job = registry.find("image-classification")()
    gone = drawn(job, [{"image": str(tmp_path / "gone.png")}], [{"label": "cat", "probabilities": {"cat": 1.0}}])
    assert gone._repr_html_() is None and gone[0]._repr_html_() is None
    job = registry.find("translation")()
    assert drawn(job, [{"text": "Hello"}], ["Bonjour"])._repr_html_() is None


def test_of_many_the_first_are_drawn():
    job, answer = detected()
    html = drawn(job, [{"image": PICTURE}] * 20, [answer] * 20)._repr_html_()
    assert len(pictures(html)) == notebook.MOST and "and 8 more" in html


def test_points_are_a_map():
    job = registry.find("dimensionality-reduction")()
    points = [{"point": [float(i), float(-i)]} for i in range(5)]
    html = drawn(job, [{}] * 5, points)._repr_html_()
    svg = base64.b64decode(re.search(r"svg\+xml;base64,([\w+/=]+)", html)[1]).decode()
    assert svg.count("<circle") == 5


def test_a_forecast_is_a_chart_with_its_intervals():
    job = registry.find("time-series-forecasting")()
    answer = {"median": [4.0, 5.0], "50%": [[3.5, 4.5], [4.0, 6.0]], "80%": [[3.0, 5.0], [3.0, 7.0]]}
    [one] = drawn(job, [{"past": "1 2 3"}], [answer])
    html = one._repr_html_()
    assert html.startswith("<svg") and html.count("<polygon") == 2 and html.count("<polyline") == 2
    assert ">7<" in html and ">1<" in html and "+2" in html and "-3" in html
    flat = charts.forecast([2.0, 2.0], [2.0])
    assert "nan" not in flat and charts.forecast([], []) == "" and "<circle" in charts.forecast([], [1.0])


def test_series_of_a_frame_draw_themselves(trained):
    from tests.verbs.test_frames import Frame

    model = lamella.load(trained("time-series-forecasting"))
    rows = [{"shop": shop, "value": float(step % 7)} for shop in "ab" for step in range(60)]
    answers = lamella.predict(model, Frame(rows))
    assert {row["id"] for row in answers} == {"a", "b"}
    html = answers._repr_html_()
    assert html.count("<svg") == 2 and "<b>a</b>" in html and json.loads(json.dumps(answers)) == answers
    html = model._repr_html_()
    assert "held out" in html and "data:image/svg+xml" in html and "<script" not in html
    result = lamella.evaluate(model, "sample", limit=4)
    assert "<table" in result._repr_html_() and json.loads(json.dumps(result)) == result
