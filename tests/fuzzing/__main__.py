"""The loop: each reader in a process of its own, for minutes, and a table at the end."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fuzzing import mutations
from tests.fuzzing.readers import Reader
from tests.fuzzing.table import BY_NAME, READERS
from tests.fuzzing.trial import Arc, Trial, attempt

TRACED = 0.03  # seconds: an input that takes longer is not read again to see which lines it runs
SMALL = 1 << 14  # bytes: nor one that is longer
ADDRESSES = 4 << 30  # bytes of address space beyond what the process begins with: more is a MemoryError
LONG = 200_000  # bytes of one thing many times over
CORPUS = 2000  # inputs kept
LISTED = 20  # failures told of one reader


class Loop:
    """Inputs for one reader, those that run new lines kept to be changed further."""

    def __init__(self, reader: Reader, seed: int, folder: Path, failures: Path) -> None:
        self.reader, self.rng, self.failures = reader, random.Random(f"{reader.name} {seed}"), failures
        self.path = folder / f"input{reader.suffix}"
        self.arcs: set[Arc] = set()
        self.corpus: list[bytes] = []
        self.tried = self.crashes = 0
        self.slowest = self.peak = 0.0
        self.seen: set[str] = set()
        self.told: list[str] = []

    def run(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        seeds = self.reader.seeds()
        for data in seeds:
            self.give(data)
        begun = len(self.arcs)
        # A quarter of the time for one thing many times over, the rest for changes.
        makers = mutations.repeats(self.reader.words, seeds, LONG)
        self.rng.shuffle(makers)
        for make in makers:
            if time.monotonic() > end - 0.75 * seconds:
                break
            self.give(make())
        while time.monotonic() < end:
            if self.rng.random() < 0.15:
                data = mutations.assembled(self.rng, self.reader.words, self.corpus)
            else:
                recent = self.rng.random() < 0.5
                data = self.rng.choice(self.corpus[-30:] if recent and self.corpus else self.corpus or seeds)
                data = mutations.mutate(self.rng, data, self.reader.words, self.corpus or seeds)
            self.give(self.reader.mend(data) if self.rng.random() < 0.8 else data)
        return {
            "reader": self.reader.name,
            "inputs": self.tried,
            "arcs": len(self.arcs),
            "new": len(self.arcs) - begun,
            "slowest": self.slowest,
            "peak": self.peak,
            "crashes": self.crashes,
            "failures": self.told,
        }

    def give(self, data: bytes) -> None:
        trial = attempt(self.reader, data, self.path)
        self.tried += 1
        self.slowest = max(self.slowest, 1000 * trial.seconds / max(1.0, len(data) / 1000))
        self.peak = max(self.peak, trial.megabytes)
        if trial.problem:
            self.fail(data, trial)
        elif trial.seconds < TRACED and len(data) <= SMALL:
            before = len(self.arcs)
            attempt(self.reader, data, self.path, self.arcs, watched=False)
            if len(self.arcs) > before:
                self.corpus.append(data)
                if len(self.corpus) > CORPUS:
                    del self.corpus[self.rng.randrange(CORPUS // 2)]

    def fail(self, data: bytes, trial: Trial) -> None:
        """Count a failure, and keep the first input of each kind."""
        self.crashes += 1
        place = trial.where.splitlines()[-3:-1] if trial.where else []
        kind = f"{trial.problem.split(':')[0][:12].strip('0123456789. ')} {place}"
        if kind in self.seen or len(self.told) >= LISTED:
            return
        self.seen.add(kind)
        name = f"{self.reader.name.replace(' ', '-')}-{hashlib.sha256(data).hexdigest()[:10]}{self.reader.suffix}"
        self.failures.mkdir(parents=True, exist_ok=True)
        (self.failures / name).write_bytes(data)
        self.told.append(f"{self.failures / name} ({len(data):,} bytes): {trial.problem}\n{trial.where}")


def one(name: str, seconds: float, seed: int, failures: Path) -> None:
    """Fuzz one reader in this process and print its row as JSON."""
    reader = BY_NAME[name]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        loop = Loop(reader, seed, Path(folder), failures)
        attempt(reader, reader.seeds()[0], loop.path)  # what is imported is not counted
        pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
        if pages:
            most = pages * os.sysconf("SC_PAGE_SIZE") + ADDRESSES
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        print(json.dumps(loop.run(seconds)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each reader")
    parser.add_argument("--reader", action="append", choices=list(BY_NAME), help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--failures", type=Path, default=Path("build/fuzzing"), help="where inputs that fail are kept")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        one(given.reader[0], 60 * given.minutes, given.seed, given.failures)
        return 0
    print(f"{'reader':<14} {'inputs':>9} {'arcs':>6} {'new':>6} {'ms/kB':>8} {'peak MB':>8} {'crashes':>8}", flush=True)
    failed = 0
    for name in given.reader or [reader.name for reader in READERS]:
        command = [sys.executable, "-m", "tests.fuzzing", "--here", "--reader", name, "--minutes", str(given.minutes)]
        command += ["--seed", str(given.seed), "--failures", str(given.failures)]
        done = subprocess.run(command, capture_output=True, text=True)
        try:
            row = json.loads(done.stdout.strip().splitlines()[-1])
        except (ValueError, IndexError):  # the process died: a crash of a library, or killed for its memory
            failed += 1
            print(f"{name:<14} {'died':>9} ({done.returncode})\n{done.stderr[-2000:]}", flush=True)
            continue
        figures = f"{row['inputs']:>9,} {row['arcs']:>6,} {row['new']:>6,} {row['slowest']:>8.1f} {row['peak']:>8.0f}"
        print(f"{name:<14} {figures} {row['crashes']:>8,}", flush=True)
        # At once, not at the end: a night of fuzzing that is stopped has told what it found.
        for failure in row["failures"]:
            failed += 1
            print(f"\n{name}: {failure}\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
