"""What this machine has: cores, memory, accelerators, and the number type in which each multiplies fastest.

Cores come from the affinity mask and the control group's quota, since libraries that count the host's cores start
sixty-four threads in a container of two. Precision comes from a measured product, since a processor's flags promise
what its libraries may not keep: bfloat16 is four times faster than float32 on some machines and two times slower on
others.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from lamella.errors import UsageError

CPU_PRODUCT = 2048, 256, 1024  # rows, columns, outputs: the shape that training makes most
ACCELERATOR_PRODUCT = 16_384, 1024, 1024  # a small one would measure how fast an accelerator is told what to do


def cores() -> int:
    """How many cores this process may use, at least 1."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, _quota() or count))


def _quota(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The control group's limit in whole cores, rounded up; None where there is none."""
    try:
        limit, period = (root / "cpu.max").read_text().split()  # version 2
    except (OSError, ValueError):
        try:
            limit = (root / "cpu/cpu.cfs_quota_us").read_text().strip()  # version 1
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return None if not limit.isdigit() else -(-int(limit) // int(period))


def memory() -> int | None:
    """Bytes of memory that this process may use, where the system tells."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def spin_little() -> None:
    """Let threads that wait for each other sleep soon, unless the user has said how they wait, or torch is there already.

    By default they spin for milliseconds. Beside other work that takes the time of the very thread that is waited for: two
    threads on one core made 0.7 steps a second where one made 18.6, and 16.5 so.
    """
    if "torch" in sys.modules or "OMP_WAIT_POLICY" in os.environ:
        return
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # of GNU: rounds, some microseconds
    os.environ.setdefault("KMP_BLOCKTIME", "1")  # of LLVM and Intel: milliseconds


def forget_peak() -> None:
    """Count the peak of this process's memory from now on, where the system can do that (Linux); else it is that of its life."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Bytes of memory that this process has held at most, in its life or since `forget_peak`."""
    if peak := _status("VmHWM:"):
        return peak
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most  # bytes there, kilobytes elsewhere


def held_memory() -> int:
    """Bytes of memory that this process holds now; where the system does not tell, the most that it has held."""
    return _status("VmRSS:") or peak_memory()


def _status(name: str) -> int:
    """An amount of memory that Linux tells of this process, in bytes; 0 where it does not."""
    with suppress(OSError, ValueError, IndexError):
        return 1024 * int(Path("/proc/self/status").read_text().partition(name)[2].split()[0])
    return 0


def devices() -> list[str]:
    """What torch can compute on here: "cpu", then each accelerator: "cuda:0", "cuda:1", "mps"."""
    import torch

    found = ["cpu"]
    if torch.cuda.is_available():
        found += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def find_device(word: str) -> str:
    """A device by what a user calls it: "cpu", "cuda" (the first one), "cuda:1", "mps", or "auto".

    "auto" is the first accelerator, and the processor where there is none. UsageError names the devices that there are.
    """
    there = devices()
    if word == "auto":
        return there[1] if len(there) > 1 else "cpu"
    wanted = "cuda:0" if word == "cuda" else word
    if wanted not in there:
        raise UsageError(
            f"--device {word}: expected one of {', '.join(there)}, which is what torch finds on this machine, or auto."
        )
    return wanted


def device_name(device: str) -> str:
    """A device as it is shown to people: "cuda:0 (its model)"."""
    if not device.startswith("cuda"):
        return device
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"


def peaks(precisions: tuple[str, ...], seconds: float = 0.05, rounds: int = 4, device: str = "cpu") -> list[float]:
    """Floating-point operations a second of a product of the shape that training makes most, in each precision.

    They are measured in turns, and the best of each counts: beside other work a single turn may be slow from end to end.
    """
    import torch

    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    rows, columns, outputs = CPU_PRODUCT if device == "cpu" else ACCELERATOR_PRODUCT
    pairs = [
        [torch.randn(rows, columns).to(device, dtypes[p]), torch.randn(columns, outputs).to(device, dtypes[p])]
        for p in precisions
    ]
    best = [float("inf")] * len(pairs)
    for _ in range(rounds):
        for i, (a, b) in enumerate(pairs):
            until = time.perf_counter() + seconds / rounds
            while time.perf_counter() < until or best[i] == float("inf"):
                start = time.perf_counter()
                a @ b
                if device != "cpu":
                    torch.accelerator.synchronize()  # an accelerator computes after the call has returned
                best[i] = min(best[i], time.perf_counter() - start)
    return [2 * rows * columns * outputs / fastest for fastest in best]


def precision(device: str = "cpu") -> str:
    """ "bfloat16" where its products are at least 1.5 times as fast as float32's on that device, else "float32"."""
    try:
        narrow, wide = peaks(("bfloat16", "float32"), seconds=0.1, device=device)
    except (RuntimeError, TypeError):  # the device has no bfloat16 at all
        if device == "cpu":
            raise
        return "float32"
    return "bfloat16" if narrow > 1.5 * wide else "float32"
