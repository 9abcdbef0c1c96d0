"""Models that want to hurt whoever serves them: what their folders publish, and what they do to threads and time."""

from __future__ import annotations

import os
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import lamella
from lamella.data.media.images import encode_png
from lamella.server import batching, models, published
from lamella.server.batching import Job, Worker
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.task import State, Training
from lamella.train.curves import svg
from tests.serving import TEXT, Panic, predict, serving, wait_for

# --- what a model's folder publishes

DRAWING = svg([(1, 2.0), (2, 1.0)], [(1, 0.5)], "<script>chrF</script>")


def a_link(place, secret):
    place.symlink_to(secret)


def a_hard_link(place, secret):
    place.hardlink_to(secret)


def a_link_in_the_way(place, secret):
    place.parent.rmdir()
    place.parent.symlink_to(secret.parent)


def a_pipe(place, secret):
    os.mkfifo(place)


def a_folder(place, secret):
    place.mkdir()


def written(text):
    return lambda place, secret: place.write_text(text)


@pytest.mark.parametrize(
    "make",
    [a_link, a_hard_link, a_link_in_the_way, a_pipe, a_folder, written(DRAWING + " " * published.LARGEST),
     written(DRAWING.replace("<rect", "<script>alert(1)</script><rect")), written(DRAWING.replace("<rect", '<rect onclick="x()"')),
     written(DRAWING.replace("<rect", '<image href="http://127.0.0.1:1/x"/><rect')), written("<p>hello</p>"), written("secret"),
     written('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + DRAWING.replace("loss", "&x;")),
     written('<!DOCTYPE svg [<!ENTITY x "1">]>' + DRAWING.replace("loss", "&x;")),
     written(DRAWING.replace("<rect", "<style>@import url(http://127.0.0.1:1/)</style><rect")),
     written(DRAWING.replace('fill="white"', 'fill="url(http://127.0.0.1:1/x)"'))],
)  # fmt: skip
def test_the_picture_of_the_training_publishes_no_file(tmp_path, make):
    """Where it is no plain file of the folder with a plain drawing in it, there is none; and nobody waits for a pipe."""
    secret = tmp_path / "private" / "curves.svg"
    place = tmp_path / "model" / "training" / "curves.svg"
    secret.parent.mkdir()
    place.parent.mkdir(parents=True)
    secret.write_text(DRAWING)
    make(place, secret)
    found = []
    look = threading.Thread(
        target=lambda: found.append(published.drawing(tmp_path / "model", "training", "curves.svg")), daemon=True
    )
    look.start()
    look.join(10)
    assert found == [""]


def test_a_plain_drawing_is_shown(tmp_path, copied):
    """The folder itself may be a link: it was named by whoever serves it."""
    place = copied / "training" / "curves.svg"
    assert published.drawing(copied, "training", "curves.svg") == place.read_text()
    (tmp_path / "link").symlink_to(copied)
    assert published.drawing(tmp_path / "link", "training", "curves.svg") == place.read_text()
    place.write_text(DRAWING)
    assert published.drawing(copied, "training", "curves.svg") == DRAWING and "<script" not in DRAWING


def test_a_link_is_not_followed_over_http(copied, tmp_path):
    place = copied / "training" / "curves.svg"
    (tmp_path / "private.svg").write_text(DRAWING)
    place.unlink()
    place.symlink_to(tmp_path / "private.svg")
    with serving({"tiny": lamella.load(copied)}) as server:
        assert server.get("/models/tiny").json["curves"] == ""


# --- what a model does to its thread


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), Panic("boom"), StopIteration(), GeneratorExit()])
def test_a_model_that_ends_its_thread(tiny_model, error, monkeypatch, capfd):
    """Whoever asked for it gets an error, the others answers, and the server goes on, by every way to a model."""
    model = lamella.load(tiny_model)
    usual = model.task.answers

    def answers(examples, run):
        if any("fault" in e["text"] for e in examples):
            raise error
        return usual(examples, run)

    monkeypatch.setattr(model.task, "answers", answers, raising=False)
    with serving({"tiny": model}) as server:
        replies = []
        texts = ["The cat", "fault", "The bag", "fault " * 1200]
        asks = [
            threading.Thread(
                target=lambda t=t: replies.append(
                    (t, server.post("/models/tiny/predict", {"examples": [{"text": t}]}).status)
                )
            )
            for t in texts
        ]
        for ask in asks:
            ask.start()
        for ask in asks:
            ask.join(60)
        assert dict(replies) == dict(zip(texts, (200, 500, 200, 500), strict=True))
        assert predict(server).status == 200 and server.get("/health").json["status"] == "ok"
    assert "Traceback" not in capfd.readouterr().err


def test_not_enough_memory(tiny_model, monkeypatch):
    """It may be there for the next request."""
    model = lamella.load(tiny_model)
    with serving({"tiny": model}) as server:
        assert predict(server).status == 200
        with monkeypatch.context() as patch:

            def answers(examples, run):
                raise MemoryError

            patch.setattr(model.task, "answers", answers, raising=False)
            reply = predict(server)
            assert reply.status == 503 and reply.headers["retry-after"] and "memory" in reply.error
        assert predict(server).status == 200


class Model(lamella.model.Model):
    """As much of a model as the queue knows: answers 10 times the number, waits for `open` before it answers 0."""

    def __init__(self):
        self.task = SimpleNamespace(config=None, state=State(), training=Training(), answers=self._answers)
        self.manifest, self.open = SimpleNamespace(), threading.Event()
        self._built, self._building = [{}], threading.Lock()

    def _answers(self, examples, run):
        if 0 in examples:
            self.open.wait(30)
        return [10 * e for e in examples]


@pytest.fixture
def worker():
    made = Worker("test", Limits(seconds=1))
    yield made
    made.stop()


def test_a_thread_that_dies_is_replaced(worker, monkeypatch):
    """Not by what a model raises, which is caught, but by a fault of the queue itself."""
    model, usual = Model(), batching.answer

    def answer(batch):
        if batch[0].examples == [1]:
            raise SystemExit
        usual(batch)

    monkeypatch.setattr(batching, "answer", answer)
    for _ in range(3):
        with pytest.raises(Exception, match="SystemExit"):
            worker.submit(Job(model, [1], 20)).future.result(5)
        assert worker.submit(Job(model, [2], 20)).future.result(5) == [20] and not worker.trouble


def test_a_thread_that_dies_again_and_again(worker, monkeypatch):
    """It is given up and says so; those that wait are refused, and a new model revives it."""
    model, usual = Model(), batching.answer

    def answer(batch):
        if batch[0].examples == [0]:
            return usual(batch)
        raise SystemExit

    monkeypatch.setattr(batching, "answer", answer)
    worker.submit(Job(model, [0], 20))
    wait_for(lambda: worker._batch)
    others = [model.with_config(n) for n in range(1, batching.DEATHS + 2)]  # which are not answered together
    asked = [worker.submit(Job(other, [1], 20)) for other in others]
    model.open.set()
    for job in asked[:-1]:
        with pytest.raises(Exception, match="SystemExit"):
            job.future.result(5)
    with pytest.raises(Refused, match="died"):
        asked[-1].future.result(5)
    with pytest.raises(Refused) as error:
        worker.submit(Job(model, [1], 20))
    assert error.value.status == 503 and worker.trouble
    monkeypatch.setattr(batching, "answer", usual)
    worker.revive()
    assert worker.submit(Job(model, [2], 20)).future.result(5) == [20] and not worker.trouble


def test_a_thread_that_hangs_is_replaced(worker, monkeypatch):
    """As in a native library that never comes back: what waits is answered by another, and a few of these are enough."""
    model = Model()
    monkeypatch.setattr(batching, "GRACE", 0.1)
    for n in range(batching.HANGING):
        stuck = worker.submit(Job(model, [0], 0.05))
        wait_for(lambda: worker._batch)
        waits = worker.submit(Job(model, [2], 20))
        time.sleep(0.2)
        worker.relieve()
        with pytest.raises(Refused, match="in time"):
            stuck.future.result(5)
        if n < batching.HANGING - 1:
            assert waits.future.result(5) == [20] and not worker.trouble
    with pytest.raises(Refused, match="hangs"):
        waits.future.result(5)
    with pytest.raises(Refused, match="hangs"):
        worker.submit(Job(model, [2], 20))
    model.open.set()
    wait_for(lambda: not worker.trouble)
    assert worker.submit(Job(model, [2], 20)).future.result(5) == [20]


def test_hanging_over_http(tiny_model, monkeypatch):
    """The client is told in time, without the model's help, and the next is answered."""
    monkeypatch.setattr(batching, "GRACE", 0.2)
    monkeypatch.setattr(models, "GRACE", 0.2)
    model, go_on = lamella.load(tiny_model), threading.Event()
    usual = model.task.answers

    def answers(examples, run):
        if "hang" in examples[0]["text"]:
            go_on.wait(60)
        return usual(examples, run)

    monkeypatch.setattr(model.task, "answers", answers, raising=False)
    try:
        with serving({"tiny": model}, Limits(seconds=1)) as server:
            wait_for(lambda: predict(server).status == 200)
            begin = time.monotonic()
            reply = server.post("/models/tiny/predict", {"examples": [{"text": "hang"}]})
            assert reply.status == 503 and time.monotonic() - begin < 15
            wait_for(lambda: predict(server).status == 200)
    finally:
        go_on.set()


def test_a_wrong_number_of_answers(worker):
    """Nobody gets somebody else's."""
    model = Model()
    model.task.answers = lambda examples, run: [10 * e for e in examples][1:]
    with pytest.raises(ValueError, match="0 answers to 1"):
        worker.submit(Job(model, [1], 20)).future.result(5)


def test_old_and_new_are_not_answered_together():
    """After a reload, requests of before still wait: each has the model that it was checked for."""
    old, new = Model(), Model()
    assert Job(old, [1], 20).fits(Job(old, [2], 20)) and not Job(old, [1], 20).fits(Job(new, [2], 20))


def test_the_time_of_a_request_ends_a_run(trained, monkeypatch):
    """Within one call of a graph, too, where the graph is not one that came with the package."""
    from lamella.graphs import limits as of_graphs

    model, seen = lamella.load(trained("image-classification")), []
    usual = of_graphs.begin
    monkeypatch.setattr(of_graphs, "begin", lambda ticket, stop, s: (seen.append(s), usual(ticket, stop, s)))
    with serving({"pictures": model}, Limits(seconds=7)) as server:
        assert server.post("/models/pictures/predict", {"examples": [{"image": picture(20)}]}).status == 200
    runs = [s for s in seen if s != of_graphs.SECONDS]
    assert runs and max(runs) <= 7


# --- reading counts


def picture(side: int) -> str:
    return encode_png(np.zeros((side, side), np.uint8))


def test_pictures_are_limited_together(trained):
    """Each is small enough, all of them are not: refused before they are decoded."""
    model = lamella.load(trained("image-classification"))
    with serving({"pictures": model}, Limits(points=100_000)) as server:

        def ask(count, side=200):
            return server.post("/models/pictures/predict", {"examples": [{"image": picture(side)}] * count})

        assert ask(2).status == 200
        reply = ask(3)
        assert reply.status == 413 and "0.1 million points" in reply.error
        why = server.post("/models/pictures/explain", {"example": {"image": picture(400)}})
        assert why.status == 413
        assert ask(100, side=20).status == 200


def test_reading_ends_with_the_time_of_the_request(trained, monkeypatch):
    """Between two pictures, and in a thread that nobody else waits for."""
    model, read = lamella.load(trained("image-classification")), []
    usual = model.task.inputs
    slow = picture(21)

    def inputs(example):
        if example["image"] == slow:
            read.append(threading.current_thread().name)
            time.sleep(0.3)
        return usual(example)

    with serving({"pictures": model}, Limits(seconds=1)) as server:
        wait_for(lambda: server.get("/health").json["models"]["pictures"]["status"] == "ready")
        monkeypatch.setattr(model.task, "inputs", inputs, raising=False)
        begin = time.monotonic()
        asked = []
        thread = threading.Thread(
            target=lambda: asked.append(server.post("/models/pictures/predict", {"examples": [{"image": slow}] * 30}))
        )
        thread.start()
        wait_for(lambda: read)
        assert server.post("/models/pictures/predict", {"examples": [{"image": picture(20)}]}).status == 200
        assert len(read) < 30, "the other was answered while these were read"
        thread.join(20)
        assert asked[0].status == 503 and "1 seconds" in asked[0].error and time.monotonic() - begin < 8
        count = len(read)
        time.sleep(1)
        assert len(read) <= count + 1 and all(name.startswith("read ") for name in read)


def test_a_large_body_keeps_nobody_waiting(trained, monkeypatch):
    """It is read in a thread: four million numbers take a second."""
    threads = []
    monkeypatch.setattr(models.Served, "reading", spy(models.Served.reading, threads))
    with serving({"tiny": lamella.load(trained("translation"))}) as server:
        assert server.post("/models/tiny/predict", {"examples": [{"text": "a " * 40_000}]}).status in (200, 503)
        assert predict(server).status == 200
    assert len(threads) == 2  # the body, and what is said of its examples; the small one in none


def spy(function, calls):
    async def called(self, work, state):
        calls.append(state)
        return await function(self, work, state)

    return called


def test_options_are_limited_in_what_they_cost(trained, monkeypatch):
    """25 times the usual length of a text is enough for one request; an amount without a bound, as a seed, is none."""
    from lamella.registry import find
    from lamella.server import schema

    job = find("text-generation")()
    cost = lambda **given: schema.work(job, schema.with_options(job, given))  # noqa: E731
    assert cost() == cost(seed=10**9, top_k=5000) == cost(length=10) == 1
    assert cost(length=5000) == 25 and cost(length=100_000) == 500
    monkeypatch.setattr(schema, "work", lambda job, config: 1.0 if config is job.config else 26.0)
    with serving({"tiny": lamella.load(trained("translation"))}) as server:
        reply = server.post("/models/tiny/predict", {**TEXT, "options": {"beams": 2}})
        assert reply.status == 400 and "25 times" in reply.error
