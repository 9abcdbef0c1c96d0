"""Forecasts beside what then happened: each task is planned, and then trained for a moment on its sample.

    python -m bench.plan                              all tasks, 100 steps each
    python -m bench.plan translation fill-mask --minutes 1 --size small
    python -m bench.plan text-classification --data reviews.csv

Each plan and each training is a process of its own, as a user starts them. For each task it prints what `lamella show` does, as
one row: forecast / outcome of time, memory and size. On a quiet machine time is to be within 15% and memory within 10%. Where others
work on the same cores, `--own` counts the processor's seconds of each process in the place of the clock's. `--parts` prints of what
each forecast is made.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import lamella

TIME, MEMORY = 0.15, 0.10  # how far the forecast may be off
OWN = """
import sys, time
time.perf_counter = time.time = time.process_time
from lamella.cli import commands
commands.main()
"""


def run(own: bool, *words: str) -> str:
    """What a command of lamella prints. own: its clock counts the seconds of its own process."""
    command = [sys.executable, *(["-c", OWN] if own else ["-m", "lamella"]), *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def ratios(task: str, data: list[str], options: list[str], place: Path, own: bool, parts: bool) -> dict[str, float]:
    """Forecast / outcome of a task: of time, memory and size."""
    given = [task, *data, "-o", str(place / task), *options]
    plan = json.loads(run(own, "plan", *given, "--machines", "none", "--json"))
    run(own, "train", *given, "--no-examples")
    training = json.loads(run(False, "show", str(place / task), "--json"))["training"]
    forecast, outcome = training["forecast"], training["outcome"]
    if parts:
        each = ", ".join(f"{name} {part['value']:.3g}" for name, part in plan["parts"].items() if part["value"] >= 0.05)
        print(f"  seconds: {each}; it took {outcome['seconds']}, {outcome['training_seconds']} of them steps and looks")
    return {
        "time": forecast["seconds"]["value"] / outcome["seconds"],
        "memory": forecast["memory"]["value"] / outcome["memory"],
        "size": forecast["model_bytes"] / outcome["model_bytes"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="tasks; all of them where none is named")
    parser.add_argument("--data", nargs="+", default=["sample"], help="files of one task, or the word sample")
    parser.add_argument("--steps", type=int, default=100, help="of each training")
    parser.add_argument("--minutes", type=float, help="of each training, in the place of steps")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: as many as there are cores")
    parser.add_argument("--own", action="store_true", help="count the processor's seconds of each process")
    parser.add_argument("--parts", action="store_true", help="print of what each forecast is made")
    args = parser.parse_args()
    length = ["--minutes", str(args.minutes)] if args.minutes else ["--steps", str(args.steps)]
    options = [*length, "--size", args.size, "--threads", str(args.threads)]
    print(f"{'forecast / outcome':26} {'time':>6} {'memory':>7} {'size':>6}")
    within = []
    with tempfile.TemporaryDirectory(prefix="lamella-bench-") as folder:
        for task in args.tasks or lamella.tasks():
            found = ratios(task, args.data, options, Path(folder), args.own, args.parts)
            print(f"{task:26} {found['time']:6.2f} {found['memory']:7.2f} {found['size']:6.2f}", flush=True)
            within.append((abs(found["time"] - 1) <= TIME, abs(found["memory"] - 1) <= MEMORY))
    times, memories = (sum(column) for column in zip(*within, strict=True))
    print(f"time within {TIME:.0%}: {times} of {len(within)}; memory within {MEMORY:.0%}: {memories} of {len(within)}")


if __name__ == "__main__":
    main()
