"""WER and CER against edits that are tried one by one."""

import itertools

import pytest

from lamella.metrics.speech import distance, recognition


def slow(one: str, other: str) -> int:
    """By the definition."""
    if not one or not other:
        return len(one) + len(other)
    swapped = slow(one[1:], other[1:]) + (one[0] != other[0])
    return min(swapped, slow(one[1:], other) + 1, slow(one, other[1:]) + 1)


def test_the_distance_is_the_fewest_edits():
    for one, other in itertools.product(["", "a", "ab", "ba", "abba", "baab", "bbb"], repeat=2):
        assert distance(one, other) == slow(one, other)


def test_shares_are_of_what_was_wanted():
    found = recognition(["yes no", "", "stop  stop"], ["yes", "stop", "stop"])
    assert found.values["WER"] == pytest.approx(3 / 3) and found.values["right"] == 0
    assert recognition(["a b"], ["a  b "]).values == {"WER": 0, "CER": 0, "right": 1}
    assert recognition(["a"], [""]).values["WER"] == 1
