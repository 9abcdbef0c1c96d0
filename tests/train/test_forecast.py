"""The arithmetic of a forecast, by hand and with a clock of the tests' own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lamella.errors import UsageError
from lamella.train.engine import Batches, Store
from lamella.train.forecast import EXPORTING, Estimate, looks_in, memory_of, on_machine, parts_of, step_seconds
from lamella.train.looks import Looks
from lamella.train.machines import Machine, Work, batches_a_second, machines_of
from lamella.train.operations import Contents
from lamella.train.probe import extrapolate
from lamella.train.schedule import Budget
from lamella.train.trial import Bucket, Pace, Trial, shapes_of


def trained(budget: Budget, look: float, step: float) -> tuple[int, int, float]:
    """(steps, looks, seconds) of a training whose clock is moved by steps and looks alone, as `Watch` looks."""
    looks, index, seconds = Looks(), 0, 0.0
    while budget.progress(index, seconds) < 1:
        index, seconds = index + 1, seconds + step
        if looks.due(budget, index, seconds):
            looks.add(index, float(index), look, False)
            seconds += look
    return index, len(looks.points), seconds


@pytest.mark.parametrize("look", [0.0, 0.3, 5.0])
@pytest.mark.parametrize("budget", [Budget(seconds=120.0), Budget(steps=900), Budget(steps=30), Budget(steps=41)])
def test_looks_and_steps_are_those_of_a_training(budget, look):
    count, stepping = looks_in(budget, look, 0.1)
    steps, looks, _ = trained(budget, look, 0.1)
    assert abs(count - looks) <= 1  # the last one may be due at the very end
    assert stepping / 0.1 == pytest.approx(steps, rel=0.05, abs=look / 0.1 + 2)


def pace(name: str = "", share: float = 1.0, seconds: float = 0.1) -> Pace:
    half = Bucket(0.5, 8.0, 100.0, [seconds, 2 * seconds, 3 * seconds])
    return Pace(name, share, [half, half], flops=1e9, operations=100, parallel=0.5)


def tried(budget: Budget, *paces: Pace) -> Trial:
    contents = Contents(float32=4_000_000, int8=1_000_000, other=0)
    return Trial(
        begin=2.0, budget=budget, precision="float32", parameters=1_000_000, paces=list(paces), batches=50, look=1.0, calibrate=0.0,
        save=0.5, export=4.0, answer=7.0, contents=contents, peak=5e10, memory=500 << 20, held=300 << 20, device_memory=0,
    )  # fmt: skip


def test_phases_share_steps_or_time():
    both = [pace("codes", 0.5, 0.1), pace("prior", 0.5, 0.3)]
    assert step_seconds(both, by_steps=True).value == pytest.approx((0.2 + 0.6) / 2)
    assert step_seconds(both, by_steps=False).value == pytest.approx(2 / (1 / 0.2 + 1 / 0.6))
    assert step_seconds([pace()], True).value == pytest.approx(step_seconds([pace()], False).value)


def test_the_parts_add_up_by_hand():
    trial = tried(Budget(steps=100), pace())
    parts, steps = parts_of(trial, 3.0, step_seconds(trial.paces, True))
    assert steps.value == 100 and parts["steps"].value == pytest.approx(20.0)
    assert parts["reading and encoding"].value == 5.0  # 3 to read, 2 to encode
    assert parts["looks"].value == 5.0  # at 20, 40, ... 100
    assert parts["saves"].value == 0.5 and parts["export"].value == 4.0 and parts["measuring"].value == 7.0
    assert memory_of(trial).value == trial.memory
    assert sum(part.value for part in parts.values()) == 41.5


def test_shapes_of_batches():
    """Batches of one size have one shape; of texts, each has another one until all were seen."""
    rows = [{"x": np.zeros(n)} for n in (2, 2, 3, 3, 4, 4, 5, 5)]
    store = Store.of(rows)
    of_two = Batches(Store.of([{"x": np.zeros(3)}] * 8), collate=list, tokens=0, examples=2)
    assert shapes_of(of_two, 4) == shapes_of(of_two, 100) == {(2, 3)}
    by_tokens = Batches(store, collate=list, tokens=10)
    assert len(shapes_of(by_tokens, 1)) == 1 < len(shapes_of(by_tokens, 4)) <= len(shapes_of(by_tokens, 4000)) <= 4


def test_shapes_that_were_not_tried_take_memory():
    """Kernels are made and kept for each shape of a batch: as much for each as for those that were tried."""
    trial = tried(Budget(steps=100), replace(pace(), shapes=10, held=5e6))
    assert memory_of(trial).value == trial.memory  # what the export takes is more
    trial = tried(Budget(steps=100), replace(pace(), shapes=100, held=5e6))
    assert memory_of(trial).value == trial.held + 500e6 + EXPORTING


def test_other_machines():
    trial = tried(Budget(steps=1000), pace())
    parts, _ = parts_of(trial, 3.0, step_seconds(trial.paces, True))

    def of(word: str):
        [machine] = machines_of(word)
        return on_machine(machine, trial, parts, 1, 40.0, memory_of(trial))

    one, two, many, hosts = of("1"), of("2"), of("64"), of("8x8@10")
    assert one[0] == 1 and one[2].value == pytest.approx(40.0) and one[2].low < 40 < one[2].high
    assert one[2].value < two[2].value < many[2].value and many[0] > 1
    assert many[3].value > one[3].value  # each process has its own net
    assert hosts[2].value < 8 * of("8")[2].value  # the network takes its part
    assert hosts[0] <= 8  # a batch has eight rows, and each process computes one at least
    assert of("8x8@0.01")[2].value < hosts[2].value
    rest = sum(part.value for name, part in parts.items() if name != "steps")
    assert many[1].value > rest  # what is done by one core takes as long as here


def test_an_accelerator_is_bound_by_its_peak_or_by_being_told():
    large, small = (Work(1.0, 1, 0.5, flops, 1000, 4, 64.0) for flops in (1e14, 1e6))
    slow, fast = Machine("a", teraflops=100.0), Machine("b", teraflops=1000.0)
    assert batches_a_second(fast, large)[0] == pytest.approx(10 * batches_a_second(slow, large)[0])
    assert batches_a_second(fast, small) == batches_a_second(slow, small)


@pytest.mark.parametrize(
    "word", ["x", "8 cores", "-1", "4x8", "8@10", "0x8@1", "99999", "accelerator=0", "4x8@1.2.3", "٨"]
)
def test_unknown_machines(word):
    with pytest.raises(UsageError, match="unknown machine"):
        machines_of(f"8,{word}")


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_curves_are_found_again(sign):
    shares = (0.1, 0.2, 0.4)
    for c in (0.2, 0.7, 1.3):
        expected, (*_, found) = extrapolate(shares, [0.5 + sign * 0.05 * n**-c for n in shares], 0.01)
        assert expected.value == pytest.approx(0.5 + sign * 0.05, abs=0.005) and found == pytest.approx(c, abs=0.06)
    flat, _ = extrapolate(shares, [0.7, 0.7, 0.7], 0.02)
    assert flat.value == pytest.approx(0.7) and math.isclose(flat.high - flat.low, 0.04, rel_tol=0.2)
    noisy, _ = extrapolate(shares, [0.7, 0.72, 0.69], 0.05)
    assert noisy.low < 0.7 < noisy.high and np.isfinite([noisy.low, noisy.high]).all()


def test_ranges():
    assert Estimate(2.0, 4.0, 8.0).under(16.0) == Estimate(2.0, 4.0, 8.0)
    assert Estimate(1.0, 2.0, 3.0).times(2) == Estimate(2.0, 4.0, 6.0)
