"""How threads wait for each other is said before torch is imported, and not where the user has said it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
import lamella.verbs.train
assert "torch" not in sys.modules
print(os.environ.get("GOMP_SPINCOUNT"), os.environ.get("KMP_BLOCKTIME"))
"""


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({}, "2000 1"),
        ({"GOMP_SPINCOUNT": "7"}, "7 1"),
        ({"KMP_BLOCKTIME": "200"}, "2000 200"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "None None"),
    ],
)
def test_waiting_threads_sleep_soon_unless_the_user_says_otherwise(own, said):
    names = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY")
    plain = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=plain | own, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said


def test_torch_that_is_there_already_is_left_alone(monkeypatch):
    from lamella import machine

    monkeypatch.setitem(sys.modules, "torch", object())
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    machine.spin_little()
    assert "GOMP_SPINCOUNT" not in os.environ
