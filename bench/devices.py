"""Train every task on an accelerator and on the processor: losses, speed, and a checkpoint that goes on on the other.

    python -m bench.devices                                                  every task's sample, 40 steps on each device
    python -m bench.devices --device mps --tasks translation text-generation --size base --steps 200

A line a task: the mean loss of the last quarter of the steps on both devices (other random numbers are drawn on each, for dropout
say, so they are alike and not equal), steps a second on both, and the loss where a training stopped half way on one device and
ended on the other. The first quarter of the steps is not timed: an accelerator chooses its kernels then.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

import lamella
from lamella import machine
from lamella.registry import find
from lamella.train import process
from lamella.train.gather import Gathered
from lamella.train.loop import train_task
from lamella.train.settings import Settings


class Clock(process.Interrupt):
    """Notes when each step ends; wants to stop after so many of them."""

    def __init__(self, after: int | None = None) -> None:
        super().__init__()
        self.after = after
        self.times: list[float] = []

    def __call__(self) -> bool:
        self.times.append(time.perf_counter())
        self.asked = self.after is not None and len(self.times) >= self.after
        return self.asked


@dataclass
class Outcome:
    """What came of one training."""

    loss: float
    rate: float  # steps a second
    precision: str


def trained(word: str, size: str, steps: int, device: str, out: Path, stop: Clock, resume: bool = False) -> Outcome:
    """Train a task on its sample; KeyboardInterrupt where `stop` wanted it to end before its end."""
    cls = find(word)
    torch.manual_seed(0)
    job = cls(cls.Config(), size)
    learn = job.sample("train")
    gathered = Gathered(learn, held=[], watched=learn[:4], lines=[])
    out.mkdir(exist_ok=True)
    settings = Settings(steps=steps, device=device, resume=resume)
    done = train_task(job, gathered, settings, out, {}, lambda line: None, stop)
    last = [loss for _, loss in done.losses[-max(1, steps // 4) :]]
    times = stop.times[len(stop.times) // 4 :]
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    return Outcome(statistics.fmean(last), rate, done.precision)


def moved(word: str, size: str, steps: int, devices: tuple[str, str], out: Path) -> float:
    """The loss of a training that begins on one device and ends on the other."""
    try:
        trained(word, size, steps, devices[0], out, Clock(after=steps // 2))
    except KeyboardInterrupt:
        return trained(word, size, steps, devices[1], out, Clock(), resume=True).loss
    raise RuntimeError(f"{word}: it was not stopped half way")


def line(word: str, given: argparse.Namespace, device: str) -> str:
    """What is printed of a task; where it fails, why."""
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            ways: list[Callable[[], Outcome]] = [
                lambda: trained(word, given.size, given.steps, "cpu", folder / "here", Clock()),
                lambda: trained(word, given.size, given.steps, device, folder / "there", Clock()),
            ]
            here, there = [way() for way in ways]
            on = moved(word, given.size, given.steps, ("cpu", device), folder / "on")
            back = moved(word, given.size, given.steps, (device, "cpu"), folder / "back")
        figures = f"{here.loss:9.4f} {there.loss:9.4f} {on:9.4f} {back:9.4f} {here.rate:9.1f} {there.rate:9.1f}"
        return f"{word:26} {figures}  {here.precision}, {there.precision}"
    except Exception as error:  # one task that fails does not hide the others
        return f"{word:26} FAILED {type(error).__name__}: {error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="cuda, cuda:1, mps; auto: the first one there is")
    parser.add_argument("--tasks", nargs="+", default=list(lamella.tasks()), help="else all of them")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args()
    device = machine.find_device(given.device)
    print(f"{machine.device_name(device)} beside the processor; {given.size}, {given.steps} steps")
    print(f"{'':26} {'cpu':>9} {'device':>9} {'cpu, dev':>9} {'dev, cpu':>9} {'steps/s':>9} {'steps/s':>9}")
    for word in given.tasks:
        print(line(word, given, device), flush=True)


if __name__ == "__main__":
    main()
