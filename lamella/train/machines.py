"""Other machines than this one, and how fast a step would be there.

    8                 eight cores like those of this machine
    accelerator       one accelerator; accelerator=80 of 80 trillion operations a second in such products
    4x8@10            four machines of eight such cores on a network of 10 Gbit/s

More cores share the work of a step as far as it can be shared (Amdahl, 1967, by what was measured on one thread and on
several), or processes share the rows of each batch and add up their gradients (`--processes`): whatever is faster counts. What
does not depend on the rows, telling torch what to do and moving the weights, takes each process as long as one alone. To add up
gradients, every process sends and receives twice the weights (ring all-reduce; Patarasuk and Yuan, 2009).
"""

import math
import re
from collections.abc import Sequence

import msgspec

from lamella.errors import UsageError

USUAL = "1,8,64,accelerator,4x8@10"  # the machines of a forecast where none are named
TERAFLOPS = 400.0  # of an accelerator of a data centre of 2023, in bfloat16
REACHED = 0.4  # of its peak, by nets whose products are large
LAUNCH = 8e-6  # seconds to tell an accelerator one operation
TELL = 5e-6  # seconds to tell a processor one
MOVED = 60  # bytes that an update reads and writes for each weight: gradient, moments, average, weight
MEMORY_SPEED = 8e9  # bytes a second: of an update, and of processes of one machine that add up gradients
LATENCY = 5e-5  # seconds, of a message over a network
USUAL_PARALLEL = 0.7  # where the machine has one core only, so that it could not be measured
MOST_CORES, MOST_HOSTS = 4096, 100_000


class Machine(msgspec.Struct, frozen=True):
    """A machine, or several alike on a network."""

    word: str
    cores: int = 0  # of each; 0: an accelerator
    hosts: int = 1
    gigabits: float = 0.0  # a second, of the network
    teraflops: float = 0.0

    @property
    def name(self) -> str:
        """In words."""
        if not self.cores:
            return f"one accelerator of {self.teraflops:g} TFLOP/s"
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return cores if self.hosts == 1 else f"{self.hosts} machines of {cores} on {self.gigabits:g} Gbit/s"


class Work(msgspec.Struct, frozen=True):
    """A step as it was measured here."""

    seconds: float
    threads: int
    parallel: float  # the part of it that cores share
    flops: float
    operations: int
    weights: int
    rows: float  # of a batch

    @property
    def fixed(self) -> float:
        """Seconds that do not depend on the rows."""
        return min(0.9 * self.seconds, TELL * self.operations + MOVED * self.weights / MEMORY_SPEED)


def machines_of(words: str) -> list[Machine]:
    """Machines by their words, separated by commas. UsageError for a word that names none.

    >>> [machine.name for machine in machines_of("8, 4x8@10, accelerator=80")]
    ['8 cores', '4 machines of 8 cores on 10 Gbit/s', 'one accelerator of 80 TFLOP/s']
    """
    return [_machine(word.strip()) for word in words.split(",") if word.strip() not in ("", "none")]


def _machine(word: str) -> Machine:
    if match := re.fullmatch(r"accelerator(?:=([0-9.]{1,9}))?", word):
        teraflops = _number(match[1]) if match[1] else TERAFLOPS
        if teraflops > 0:
            return Machine(word, teraflops=teraflops)
    if match := re.fullmatch(r"(?:([0-9]{1,6})x)?([0-9]{1,6})(?:@([0-9.]{1,9}))?", word):
        hosts, cores, gigabits = int(match[1] or 1), int(match[2]), _number(match[3] or "0")
        # A network is what several machines need, and what one has no use for.
        if 0 < cores <= MOST_CORES and 0 < hosts <= MOST_HOSTS and (gigabits > 0) == (hosts > 1):
            return Machine(word, cores, hosts, gigabits)
    raise UsageError(
        f"--machines {word[:40]}: unknown machine. Expected a number of cores (8), accelerator or accelerator=TFLOPS, or "
        "HOSTSxCORES@GBITS for several machines on a network (4x8@10), separated by commas."
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # two points
        return 0.0


def batches_a_second(machine: Machine, work: Work) -> tuple[float, int]:
    """How many batches like that of `work` a machine computes a second, and in how many processes.

    >>> step = Work(seconds=1.0, threads=1, parallel=0.5, flops=1e9, operations=100, weights=1_000_000, rows=64)
    >>> batches_a_second(Machine("1", cores=1), step), batches_a_second(Machine("2", cores=2), step)[1]
    ((1.0, 1), 2)
    """
    if not machine.cores:
        seconds = max(work.flops / (REACHED * 1e12 * machine.teraflops), LAUNCH * work.operations)
        return 1 / seconds, 1
    one = work.seconds / (1 - work.parallel + work.parallel / work.threads)  # seconds on one core
    bytes_sent = 2 * 4 * work.weights
    best = 0.0, 1
    for own in (n for n in range(1, machine.cores + 1) if machine.cores % n == 0):  # processes of each machine
        processes, threads = own * machine.hosts, machine.cores // own
        if processes > max(work.rows, machine.hosts):
            break
        seconds = work.fixed + (one - work.fixed) / processes * (1 - work.parallel + work.parallel / threads)
        if own > 1:
            seconds += bytes_sent / MEMORY_SPEED
        if machine.hosts > 1:
            share = (machine.hosts - 1) / machine.hosts
            seconds += bytes_sent * share * 8 / (1e9 * machine.gigabits) + 2 * (machine.hosts - 1) * LATENCY
        best = max(best, (1 / seconds, processes))
    return best


class Rates(msgspec.Struct, frozen=True):
    """Watts, or the price of an hour: of this machine, and of others by their words."""

    here: float
    others: dict[str, float]

    @classmethod
    def parse(cls, text: str | float, option: str, machines: Sequence[Machine]) -> "Rates":
        """From what a user gives. UsageError where that is none, or names a machine that is not asked for.

        >>> Rates.parse("65,accelerator=700", "--watts", [Machine("accelerator", teraflops=400.0)])
        Rates(here=65.0, others={'accelerator': 700.0})
        """
        here, others = None, {}
        for word in str(text).split(","):
            name, _, number = word.strip().rpartition("=")
            try:
                value = float(number)
            except ValueError:
                value = math.nan
            if not 0 <= value < math.inf or (not name and here is not None):
                raise UsageError(
                    f"{option} {str(text)[:60]}: expected a number for this machine, and MACHINE=NUMBER for others, separated "
                    "by commas, such as 65,accelerator=700."
                )
            if name and name not in {other.word for other in machines}:
                raise UsageError(f"{option} {name[:40]}=...: expected a machine that --machines names.")
            if name:
                others[name] = value
            else:
                here = value
        if here is None:
            raise UsageError(f"{option} {str(text)[:60]}: expected a number for this machine first, such as 65.")
        return cls(here, others)

    def of(self, other: Machine, cores: int) -> float | None:
        """Of another machine: as named, else in proportion to its cores; None for an accelerator that is not named."""
        if other.word in self.others:
            return self.others[other.word]
        return self.here * other.cores * other.hosts / cores if other.cores else None
