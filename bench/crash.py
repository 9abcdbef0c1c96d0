"""Kill trainings at random moments, and see that nothing is lost and that the end is the same, bit for bit.

    python -m bench.crash                     200 kills of a training that saves after every step, then 20 runs a task
    python -m bench.crash --runs 2 --tasks translation --steps 60

First a child trains the forecaster's net on its sample and saves after every step; it is killed at a random moment, the
newest checkpoint must load whole and be no older than the one before, and another child goes on from there. Then, for
every task, a training is killed at a random moment once a run or oftener, resumed, and its weights, losses and looks are
compared with those of a training that nobody touched.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import lamella
from lamella import machine
from lamella.registry import find
from lamella.train import checkpoint, loop
from lamella.train import ship as shipping
from lamella.train.engine import Batches, Run, steps
from lamella.train.gather import encode
from lamella.train.schedule import Budget, Schedule

PATIENCE = 100  # looks: none of these trainings ends early


class Ended(Exception):
    """A training has come to its end, and its model is not wanted."""


def child(work: Callable[[], None]) -> int:
    """Do some work in a process of its own; returns its number."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        work()
        code = 0
    except Ended:
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def kill(process: int) -> bool:
    """Kill a child; whether it was still running."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a training ended with an error")
    return os.WIFSIGNALED(status)


# ---- 200 saves ---------------------------------------------------------------------------------------------------


def forecaster() -> tuple[Any, Batches]:
    cls = find("time-series-forecasting")
    job = cls(cls.Config(ensemble_size=1), "tiny")
    examples = job.sample("train")[:200]
    job.fit(examples)
    return job, replace(encode(job, examples), examples=16)


def new_run(job: Any) -> Run:
    torch.manual_seed(0)
    return Run.start(job.build(), job.size.rate)


def train_and_save(job: Any, batches: Batches, folder: Path) -> None:
    """Go on from the newest checkpoint, and save after every step."""
    run = new_run(job)
    checkpoint.load(run, folder, {})
    ways = [name for name in batches.store.flat if name not in job.targets(job.sample("train")[0])]

    def loss(net: Any, batch: dict[str, Any]) -> Any:
        return job.loss(net(**{name: batch[name] for name in ways}), batch)

    for _ in steps(run, batches, loss, Budget(steps=10**9), Schedule()):
        checkpoint.save(run, folder, {})


def saves(kills: int, rng: random.Random, folder: Path) -> int:
    """How many of so many kills left a whole checkpoint, no older than the one before."""
    job, batches = forecaster()
    survived, reached = 0, 0
    checkpoint.save(new_run(job), folder, {})
    for _ in range(kills):
        process, before = child(lambda: train_and_save(job, batches, folder)), newest(folder)
        while newest(folder) == before:  # until it saves
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.2))
        assert kill(process), "it does not end by itself"
        run = new_run(job)
        survived += checkpoint.load(run, folder, {}) and run.step >= reached
        reached = run.step
    return survived


def newest(folder: Path) -> int:
    return max([int(p.name[5:].rstrip("+")) for p in folder.glob("step-*")] or [0])


# ---- runs --------------------------------------------------------------------------------------------------------


def kept_of(out: Path) -> Path:
    """Where a training says how it ended: beside its folder, in which a file of its own would be a stranger."""
    return out.with_name(f"{out.name}.end.json")


def whole_training(word: str, out: Path, count: int, resume: bool) -> None:
    """Train on the task's sample, saving after every step, and keep a digest of what comes out."""

    def ship(job: Any, name: str, found: Any, trained: Any, *rest: Any) -> Any:
        tensors = b"".join(mean.numpy().tobytes() for mean in trained.run.average)
        content = {
            "weights": hashlib.sha256(tensors).hexdigest(),
            "losses": trained.losses,
            "looks": trained.run.looks.points,
            "log": (out / "training" / "log.jsonl").read_text(),
        }
        kept_of(out).write_text(json.dumps(content))
        raise Ended

    loop.SAVE_EVERY, shipping.ship = 0.0, ship
    machine.precision = lambda device: "float32"  # else it is measured, and under load comes out either way
    options: dict[str, Any] = {"size": "tiny", "steps": count, "threads": 1, "patience": PATIENCE, "resume": resume}
    lamella.train(word, "sample", out=str(out), tell=lambda line: None, **options)


def end_of(word: str, out: Path, count: int, rng: random.Random | None = None) -> dict[str, Any]:
    """What a training ended with; with an `rng` it is killed once or oftener on the way."""
    stops = sorted(rng.randrange(1, count) for _ in range(rng.choice((1, 1, 2)))) if rng else []
    folder = out / "training" / "checkpoint"
    for stop in [*stops, None]:
        process = child(lambda: whole_training(word, out, count, resume=newest(folder) > 0))
        if stop is None:
            if os.waitpid(process, 0)[1]:
                raise SystemExit(f"{word}: a training ended with an error")
            break
        while newest(folder) < stop and os.waitpid(process, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05) if rng else 0)
        try:
            kill(process)
        except ChildProcessError:  # it had come to its end
            break
    content: dict[str, Any] = json.loads(kept_of(out).read_text())
    return content


def runs(word: str, times: int, count: int, seed: int, place: Path) -> int:
    """How many of so many trainings that were killed and resumed ended as the one that was not."""
    wanted, same = end_of(word, place / "whole", count), 0
    for n in range(times):
        same += end_of(word, place / "killed", count, random.Random(f"{seed} {word} {n}")) == wanted
        shutil.rmtree(place / "killed")
        kept_of(place / "killed").unlink()
    return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="of the training that saves after every step")
    parser.add_argument("--runs", type=int, default=20, help="of each task")
    parser.add_argument("--steps", type=int, default=45, help="of each run")
    parser.add_argument("--tasks", nargs="*", help="else every task")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    failed = False
    with tempfile.TemporaryDirectory() as there:
        if given.kills:
            survived = saves(given.kills, random.Random(given.seed), Path(there) / "saves")
            failed |= survived < given.kills
            print(f"{survived} of {given.kills} survived", flush=True)
        for word in given.tasks or lamella.tasks():
            place = Path(there) / Path(word).stem
            place.mkdir()
            same = runs(word, given.runs, given.steps, given.seed, place) if given.runs else 0
            failed |= same < given.runs
            print(f"{word}: {same} of {given.runs} killed and resumed ended bit-equal", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
