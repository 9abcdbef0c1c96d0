"""Two network namespaces as two machines: torchrun in each, with a cable between them, trains as one process does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from bench import processes as bench

ROOT = Path(__file__).parents[2]
STEPS = 5


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=60)


@pytest.fixture
def hosts() -> Iterator[list[tuple[str, str]]]:
    """(namespace, its interface) of two machines at 10.231.77.1 and .2; skipped where none may be made."""
    names = [f"lamella-{os.getpid()}-{rank}" for rank in range(2)]
    ends = [f"lam{os.getpid() % 10**8}{end}" for end in "ab"]
    try:
        try:
            for name in names:
                ip("netns", "add", name)
            ip("link", "add", ends[0], "netns", names[0], "type", "veth", "peer", ends[1], "netns", names[1])
            for rank, (name, end) in enumerate(zip(names, ends, strict=True)):
                ip("-n", name, "address", "add", f"10.231.77.{rank + 1}/30", "dev", end)
                for link in ("lo", end):
                    ip("-n", name, "link", "set", link, "up")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"network namespaces cannot be made here ({error})")
        yield list(zip(names, ends, strict=True))
    finally:
        for name in names:
            with suppress(OSError, subprocess.CalledProcessError):
                ip("netns", "delete", name)


def test_two_machines_train_as_one_process(hosts, tmp_path):
    started = []
    try:
        for rank, (name, interface) in enumerate(hosts):
            command = ["ip", "netns", "exec", name, sys.executable, "-m", "torch.distributed.run", "--nnodes=2"]
            command += [f"--node-rank={rank}", "--nproc-per-node=1", "--master-addr=10.231.77.1", "--master-port=29500"]
            command += ["-m", "bench.processes", "--train", str(tmp_path / "two"), f"--steps={STEPS}", "--processes=2"]
            environ = {**os.environ, "GLOO_SOCKET_IFNAME": interface, "PYTHONPATH": str(ROOT)}
            with (tmp_path / f"said-{rank}").open("wb") as said:
                started.append(
                    subprocess.Popen(command, cwd=ROOT, env=environ, stdout=said, stderr=said, start_new_session=True)
                )
        codes = [process.wait(600) for process in started]
        assert codes == [0, 0], [(tmp_path / f"said-{rank}").read_text()[-2000:] for rank in range(2)]
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what torchrun has started too
            process.wait()
    bench.end_of(bench.training(tmp_path / "one", 1, STEPS))
    two, one = bench.weights_of(tmp_path / "two"), bench.weights_of(tmp_path / "one")
    assert float(np.abs(two - one).max()) < 1e-3, "the same but for rounding"
