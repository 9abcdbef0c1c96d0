"""The same training in one, two and four processes: the loss of every step of every task, and trainings that are killed.

    python -m bench.processes                             every task, its first 20 steps in 1, 2 and 4 processes; then 10 kills
    python -m bench.processes --tasks translation --steps 5 --kills 0
    python -m bench.processes --sizes --tasks translation recommendation --kills 3     kills alone, of these tasks

Printed for each task: the largest difference of a step's loss from that in one process. One set of processes goes through all
tasks. Then a training in two processes (of each task that is named, or of text-classification) is killed, one of them at a random
moment, again and again; it is resumed in two and must end with the same bytes as one that nobody touched. Last, a checkpoint of two
processes goes on in one and in three.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

import lamella
from lamella import machine
from lamella.registry import find
from lamella.task import Task
from lamella.train import loop
from lamella.train import ship as shipping
from lamella.train.divided import Divided
from lamella.train.engine import Run, steps
from lamella.train.gather import Gathered, encode
from lamella.train.launch import loopback
from lamella.train.loop import Course, phases, schedule_of, task_loss
from lamella.train.schedule import Budget
from lamella.train.team import ALONE, Team

# Besides each task as it is: nets that look at a whole batch, that see two views of it, that draw in other ways.
VARIANTS = (
    "image-generation quantizer=vq",
    "image-classification labels=none",
    "image-classification net=transformer labels=none",
    "text-generation net=rnn dropout=0.2",
    "time-series-forecasting net=transformer",
    "text-classification net=rnn",
)

KILLED = "text-classification"  # where no task is named
LONGER = 50  # times as long as the steps that are compared


class Plan(msgspec.Struct):
    """What a set of processes does: so many steps of each task, with so many of its examples."""

    tasks: list[str]  # a name, and options
    steps: int = 20  # of each phase
    examples: int = 160
    batch: int = 4  # examples of a batch, or a twentieth of its tokens
    accumulate: int = 1
    fsdp: bool = False  # the net divided among the processes


def job_of(words: str) -> Task:
    """The task of a name and options."""
    word, *options = words.split()
    cls = find(word)
    chosen = {name: json.loads(f'"{value}"') for name, _, value in (option.partition("=") for option in options)}
    return cls(msgspec.convert(chosen, cls.Config, strict=False), "tiny")


def phased(words: str) -> bool:
    """Whether a task trains in several phases."""
    return len(job_of(words).training.phases) > 0


def trained(words: str, plan: Plan, team: Team = ALONE) -> tuple[list[float], list[torch.Tensor]]:
    """The loss of each step, and the weights at the end."""
    job = job_of(words)
    learn = job.sample("train")[: plan.examples]
    job.fit(learn)
    torch.manual_seed(0)
    batches = encode(job, learn, 0, plan.accumulate)
    batches = replace(batches, tokens=20 * plan.batch, examples=batches.examples and plan.batch)
    own = job.training
    trains = own.phases[0].trains if own.phases else ()
    run = Run.start(job.build(), job.size.rate * own.rate, decay=own.decay, muon=own.muon, trains=trains)
    run.spread(team)
    divided = Divided(run, team, "cpu") if plan.fsdp and team.size > 1 else None
    whole, run = run, divided.run if divided else run
    loss = task_loss(job, Gathered(learn, [], [], []), team)
    # The beginning of a longer training: in one of 20 steps the learning rate would be at its peak after the tenth.
    course = Course(precision="float32", budget=Budget(LONGER * plan.steps))
    losses = []
    for part in phases(job, run, course, None, lambda line: None, team):
        for step in islice(steps(run, batches, loss, part, schedule_of(course, run, None), team), plan.steps):
            job.state = job.state.changed(progress=course.budget.progress(run.step, 0.0))
            losses.append(step.loss)
    if divided:
        if team.leads:
            divided.fetch()
        divided.settle()
        return losses, whole.optimizer.masters
    return losses, run.optimizer.masters


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference of two lists of losses; a share of the loss where that is above 1."""
    return float((np.abs(np.subtract(one, other)) / np.maximum(1, np.abs(other))).max())


@contextmanager
def several(size: int, plan: Plan) -> Iterator[Team]:
    """This process as the first of so many, which all work through the plan."""
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        others: list[subprocess.Popen[bytes]] = []
        try:
            for rank in range(1, size):
                order = {"rank": rank, "size": size, "meeting": meeting, "plan": msgspec.to_builtins(plan)}
                command = [sys.executable, "-m", "bench.processes", "--member", json.dumps(order)]
                others.append(subprocess.Popen(command))
            with joined(0, size, meeting) as team:
                yield team
        finally:
            for other in others:
                with suppress(subprocess.TimeoutExpired):
                    other.wait(60)
                other.kill()
                other.wait()


@contextmanager
def joined(rank: int, size: int, meeting: str) -> Iterator[Team]:
    """This process as one of so many that meet over a file."""
    with loopback():
        team = Team(rank, size, dist.FileStore(meeting, size), size)
        team.meet({}, "cpu", size)
        try:
            yield team
        finally:
            team.leave()


def member(order: dict[str, Any]) -> None:
    """Work through a plan beside the first process."""
    torch.set_num_threads(1)
    plan = msgspec.convert(order["plan"], Plan)
    with joined(order["rank"], order["size"], order["meeting"]) as team:
        for words in plan.tasks:
            trained(words, plan, team)
        team.wait_for_the_end()


# ---- kills ---------------------------------------------------------------------------------------------------------


def training(out: Path, processes: int, count: int, *options: str, task: str = KILLED) -> subprocess.Popen[bytes]:
    """A training by the command line, which saves after every step."""
    command = [sys.executable, "-m", "bench.processes", "--train", str(out), "--processes", str(processes)]
    return subprocess.Popen([*command, "--steps", str(count), "--tasks", task, *options], stderr=subprocess.PIPE)


def train(out: str, processes: int, count: int, resume: bool, task: str = KILLED) -> None:
    """Train, saving after every step, and keep the weights as they are after the last; no model is made."""

    def ship(job: Any, name: str, gathered: Any, trained: Any, *rest: Any) -> Any:
        kept_of(Path(out)).write_bytes(b"".join(master.numpy().tobytes() for master in trained.run.optimizer.masters))
        raise SystemExit(0)

    loop.SAVE_EVERY, shipping.ship = 0.0, ship
    machine.precision = lambda device="cpu": "float32"  # else it is measured, and under load comes out either way
    options: dict[str, Any] = {"size": "tiny", "steps": count, "threads": 1, "patience": 100, "resume": resume}
    lamella.train(task, "sample", out=out, processes=processes, tell=lambda line: None, **options)


def kept_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.weights")


def weights_of(out: Path) -> NDArray[np.float32]:
    return np.frombuffer(kept_of(out).read_bytes(), np.float32)


def end_of(process: subprocess.Popen[bytes]) -> str:
    """The last line that a training says on standard error."""
    said = process.communicate()[1].decode().strip()
    return said.splitlines()[-1] if said else ""


def children_of(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def newest(out: Path) -> int:
    return max([int(p.name[5:].rstrip("+")) for p in (out / "training" / "checkpoint").glob("step-*")] or [0])


def killed(task: str, out: Path, count: int, rng: random.Random) -> tuple[int, int]:
    """Kill one process of a training of two after a random step: its rank, and the step of the checkpoint that is left."""
    rank, after = rng.randrange(2), rng.randrange(1, count - 5)
    process = training(out, 2, count, task=task)
    while newest(out) < after and process.poll() is None:
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.05))
    with suppress(ProcessLookupError):
        os.kill(children_of(process.pid)[0] if rank else process.pid, signal.SIGKILL)
    end_of(process)
    return rank, newest(out)


def kills(task: str, times: int, count: int, seed: int, place: Path) -> int:
    """How many of so many trainings that were killed and resumed ended with the bytes of one that nobody touched."""
    end_of(training(place / "whole", 2, count, task=task))
    whole, same, rng = weights_of(place / "whole"), 0, random.Random(seed)
    for number in range(times):
        out = place / f"killed-{number}"
        rank, step = killed(task, out, count, rng)
        if number == 0:
            shutil.copytree(out, place / "one")
            shutil.copytree(out, place / "three")
        end_of(training(out, 2, count, "--resume", task=task))
        equal = weights_of(out).tobytes() == whole.tobytes()
        same += equal
        print(
            f"{task}: process {rank} of 2 killed, checkpoint of step {step}: {'the same bytes' if equal else 'OTHER BYTES'}",
            flush=True,
        )
        shutil.rmtree(out)
    for processes, name in ((1, "one"), (3, "three")) if times else ():
        end_of(training(place / name, processes, count, "--resume", task=task))
        far = float(np.abs(weights_of(place / name) - whole).max())
        print(f"{task}: saved at 2, gone on with in {processes}: weights {far:.1e} apart", flush=True)
    return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="*", help="else every task, and variants of some")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=4, help="examples of a batch")
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--fsdp", action="store_true", help="divide the nets, of tasks that train in one phase")
    parser.add_argument("--sizes", type=int, nargs="*", default=[2, 4], help="numbers of processes beside one")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    for hidden in ("--member", "--train"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--resume", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.member:
        return member(json.loads(given.member))
    if given.train:
        return train(given.train, given.processes, given.steps, given.resume, *(given.tasks or [])[:1])
    torch.set_num_threads(1)
    tasks = given.tasks or [*lamella.tasks(), *VARIANTS]
    tasks = [words for words in tasks if not (given.fsdp and phased(words))]
    plan = Plan(tasks, given.steps, batch=given.batch, accumulate=given.accumulate, fsdp=given.fsdp)
    alone = {words: trained(words, plan)[0] for words in tasks} if given.sizes else {}
    failed = False
    for size in given.sizes:
        with several(size, plan) as team:
            for words in tasks:
                far = apart(trained(words, plan, team)[0], alone[words])
                failed |= far > 1e-5
                print(f"{words}: losses of {size} processes {far:.1e} apart", flush=True)
    for task in (given.tasks or [KILLED]) if given.kills else ():
        with tempfile.TemporaryDirectory() as place:
            failed |= kills(task, given.kills, 40, given.seed, Path(place)) < given.kills
    sys.exit(failed)


if __name__ == "__main__":
    main()
