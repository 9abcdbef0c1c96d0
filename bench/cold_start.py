"""How long a cold start takes, beside what cannot be avoided: the interpreter and the libraries underneath.

    python -m bench.cold_start [--rounds 11]
    python -m bench.cold_start --predict MODEL INPUT --predict MODEL '--history "Alien; Heat"'     of models of your own besides

Each round runs every command once, as a whole process, so that a busy moment of the machine slows all of them alike.
The table has medians; a ratio is that of two medians of this one run. One round before them is not counted.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

LAMELLA = str(Path(sysconfig.get_path("scripts")) / "lamella")
COMMANDS = {
    "engines": [sys.executable, "-c", "import onnxruntime, numpy"],
    "translate": [LAMELLA, "translate", "Hello, world!", "--to", "fr"],
    "fill-mask": [LAMELLA, "predict", "encoder", "The cat sat on the [MASK]."],
    "detect": [LAMELLA, "detect", "Wo ist der Bahnhof?"],
    "click": [sys.executable, "-c", "import click"],
    "help": [LAMELLA, "--help"],
}
FIGURES = (  # at most so many times the other
    ("translate", "engines", 2.5),
    ("fill-mask", "engines", 2.5),
    ("detect", "engines", 2.5),
    ("help", "click", 1.3),
)


def timed(command: list[str], folder: str) -> float:
    """Seconds of one whole process. It runs in an empty folder, so that nothing but what is installed is imported.

    The round that does not count compiles the modules, as installing does, even where this process may not.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment.setdefault("ORT_DISABLE_TELEMETRY", "1")  # as lamella does: neither side is to call home
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="at least 9 for a figure to quote")
    parser.add_argument("--predict", nargs=2, action="append", default=[], metavar=("MODEL", "INPUT"))
    given = parser.parse_args()
    rounds, commands, figures = max(1, given.rounds), dict(COMMANDS), list(FIGURES)
    for model, asked in given.predict:
        place = str(Path(model).resolve())
        name = f"predict {Path(place).name}"
        words = shlex.split(asked) if asked.startswith("--") else [asked]
        commands[name] = [
            LAMELLA,
            "predict",
            place,
            *(str(Path(w).resolve()) if Path(w).exists() else w for w in words),
        ]
        figures.append((name, "engines", 2.5))
    if not Path(LAMELLA).exists():
        sys.exit(f"{LAMELLA}: no such file. Install lamella in this environment first: pip install .")
    taken: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for name, command in commands.items():
                seconds = timed(command, folder)
                if number:
                    taken[name].append(seconds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print(f"Cold start: whole processes, medians of {rounds} runs in turns\n")
    print(f"{'command':56} {'median':>8} {'fastest':>8} {'slowest':>8}")
    for name, command in commands.items():
        shown = " ".join([Path(command[0]).name, *(repr(a) if " " in a else a for a in command[1:])])
        print(f"{shown:56} {medians[name]:7.3f}s {min(taken[name]):7.3f}s {max(taken[name]):7.3f}s")
    print()
    for name, beside, most in figures:
        ratio = medians[name] / medians[beside]
        print(f"{name} / {beside}: {ratio:.2f}, at most {most:g}: {'reached' if ratio <= most else 'MISSED'}")


if __name__ == "__main__":
    main()
