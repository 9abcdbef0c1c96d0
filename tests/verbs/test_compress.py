"""Compression judged: size, speed, the headline, and, where parts were taken away, every other measure too."""

from __future__ import annotations

from lamella.verbs.compress import Tried, directions, judged

BEFORE = Tried("float32", {"a.onnx": b"12345678"}, 0.9, 0.0, 1.0, {})


def tried(**changes):
    given = {"name": "int8", "files": {"a.onnx": b"12"}, "value": 0.9, "loss": 0.0, "speed": 1.0, "result": {}}
    return judged(Tried(**{**given, **changes}), BEFORE, 0.01).verdict


def test_what_speaks_against_a_setting():
    assert tried() == ""
    assert tried(files={"a.onnx": b"123456789"}) == "not smaller"
    assert tried(loss=0.02) == "2.0% worse"
    assert tried(speed=9.0) == "9.0 times slower"


def test_parts_are_not_taken_away_at_the_cost_of_another_measure():
    worse = ("AP50", 0.05)
    assert tried(removed=100, beside=worse) == "5.0% worse in AP50"
    assert tried(removed=100, beside=("AP50", 0.005)) == ""
    assert tried(removed=0, beside=worse) == "", "rounding alone is judged by the headline"


def test_a_measure_gets_better_away_from_what_needs_no_net():
    scores = {"scores": {"loss": {"value": 1.0}, "accuracy": {"value": 0.9}, "same": {"value": 1.0}}}
    trivial = {"loss": 2.0, "accuracy": 0.5, "same": 1.0}
    assert directions({"held out": {**scores, "trivial": trivial}}, "accuracy") == {"loss": -1.0}
    assert directions({"held out": scores}, "accuracy") == {}
