"""The queue before a model: who is answered with whom, who is refused, and who is forgotten."""

from __future__ import annotations

import gc
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import lamella
from lamella import errors
from lamella.server import batching, replies
from lamella.server.batching import Job, Stopped, Worker
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.task import State, Training


class Model(lamella.model.Model):
    """As much of a model as the queue knows; `predict` waits for `open` and keeps what it was asked."""

    def __init__(self) -> None:
        self.task = SimpleNamespace(
            state=State(),
            config=None,
            answers=self._answers,
            training=Training(batch=100),
            inputs=lambda example: {"n": np.array(example["n"])},
            collate=lambda rows: rows,
            decode=lambda graphs, rows: [100 * int(row["n"]) for row in rows],
        )
        self.manifest = SimpleNamespace()
        self._built, self._building = [{"net": dict}], threading.Lock()
        self.asked: list[list[int]] = []
        self.open, self.busy = threading.Event(), threading.Event()

    def _answers(self, examples, run):
        self.asked.append(list(examples))
        self.busy.set()
        assert self.open.wait(20)
        if -1 in examples:
            raise errors.DataError("minus one")
        return [10 * e for e in examples]


@pytest.fixture
def held():
    """A model that is busy with example 0, and its worker."""
    model = Model()
    worker = Worker("test", Limits(queue=20))
    first = worker.submit(Job(model, [0], 20))
    assert model.busy.wait(20)
    yield model, worker
    model.open.set()
    worker.stop()
    assert first.future.result(1) == [0]


def test_what_waits_is_answered_together(held):
    model, worker = held
    jobs = [worker.submit(Job(model, [n], 20)) for n in range(1, 11)]
    long = [worker.submit(Job(model, [20], 20, long=True)), worker.submit(Job(model, [{"n": 21}], 20, whole=False))]
    model.open.set()
    assert [job.future.result(20) for job in jobs] == [[10 * n] for n in range(1, 11)]
    assert long[0].future.result(20) == [200] and long[1].future.result(20) == [2100], "the net's own answers, apart"
    assert sorted(model.asked[1:], key=len) == [[20], list(range(1, 11))]


def test_free_memory_is_given_back_now_and_then(held, monkeypatch):
    model, worker = held
    trimmed = []
    monkeypatch.setattr(batching, "TIDY", 2)
    monkeypatch.setattr(
        batching.ctypes, "CDLL", lambda name: SimpleNamespace(malloc_trim=lambda left: trimmed.append(name))
    )
    model.open.set()
    for n in range(5):
        assert worker.submit(Job(model, [n], 20)).future.result(20) == [10 * n]
    worker.stop()
    assert trimmed == [None] * 3, "after two, four and six batches, the first of them the fixture's"


def test_one_bad_question_spoils_no_other(held):
    model, worker = held
    jobs = [worker.submit(Job(model, [n], 20)) for n in (1, -1, 2)]
    model.open.set()
    assert jobs[0].future.result(20) == [10] and jobs[2].future.result(20) == [20]
    with pytest.raises(errors.DataError, match="minus one"):
        jobs[1].future.result(20)


def test_a_full_queue(held):
    model, worker = held
    for n in range(20):
        worker.submit(Job(model, [n], 20))
    with pytest.raises(Refused) as error:
        worker.submit(Job(model, [0], 20))
    assert error.value.status == 503 and error.value.retry
    assert replies.refusal(error.value).headers["retry-after"] == "1"


def test_what_nobody_waits_for_is_dropped(held):
    model, worker = held
    jobs = [worker.submit(Job(model, [n], 20)) for n in (1, 2, 3)]
    late = worker.submit(Job(model, [4], 0.01))
    jobs[0].left = True
    jobs[1].future.cancel()
    time.sleep(0.05)
    model.open.set()
    assert jobs[2].future.result(20) == [30]
    assert model.asked == [[0], [3]]
    with pytest.raises(Stopped, match=r"0\.01 seconds"):
        late.future.result(20)


def test_the_last_question_is_not_kept(held):
    model, worker = held
    model.open.set()
    worker.submit(Job(model, [1], 20)).future.result(20)
    time.sleep(0.05)
    gc.collect()
    assert not [o for o in gc.get_objects() if isinstance(o, Job) and o.examples == [1]]
