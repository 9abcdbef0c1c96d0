"""`lamella.check_task`: it names what is wrong with a task that breaks the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

import lamella
from lamella.checks import CHECKS, CheckFailed, alike

WEATHER = Path(__file__).parent / "tasks" / "weather.py"


def test_alike_can_fail() -> None:
    assert alike({"a": [1.0, "x"]}, {"a": [1.00001, "x"]})
    assert not any(alike(*pair) for pair in ((1.0, 1.1), ([1.0], [1.0, 2.0]), ({"a": 1.0}, {"b": 1.0}), ("x", "y")))


def test_a_task_that_breaks_the_contract_is_told_how(tmp_path):
    """Inputs that hold the answer, a sample that changes, an option without a full stop, an answer of two lines."""
    source = WEATHER.read_text(encoding="utf-8")
    for old, new in (
        ('"How many days it looks back."', '"How many days it looks back"'),
        ("random.Random(split)", "random.Random()"),
        ("if len(past) < self.config.days:", 'past = past + float(example.get("tomorrow", 0))\n        if False:'),
        ("    def score(self", '    def render(self, answer):\n        return f"{answer}\\n"\n\n    def score(self'),
    ):
        assert old in source
        source = source.replace(old, new)
    path = tmp_path / "broken_weather.py"
    path.write_text(source, encoding="utf-8")
    lines: list[str] = []
    with pytest.raises(CheckFailed, match=r"broken_weather.py: \d+ of") as caught:
        lamella.check_task(str(path), steps=10, tell=lines.append)
    failed = {line.partition(":")[0] for line in caught.value.details}
    assert {"declarations", "sample", "inputs", "answers"} <= failed
    assert len(lines) == len(CHECKS) and any(line.startswith("passed") for line in lines)
    assert any("--days" in line and "full stop" in line for line in caught.value.details)
