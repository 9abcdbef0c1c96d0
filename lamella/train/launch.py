"""Begin a training in several processes: start them here, or find out that torchrun has.

    with team_of(settings, request, resume) as team:
        ...

`--processes N` starts N - 1 processes more. They run the same training: what is to be trained comes as one line of JSON on
their standard input, and a closed input tells them to end. They meet over a file in a private folder and talk over the
loopback interface, so that no port is open to others.

Under torchrun, or anything else that sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT as it does, each process has been started
already.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import torch.distributed as dist

from lamella import machine
from lamella.errors import TrainingError, UsageError
from lamella.storage import temporary
from lamella.train.settings import Settings
from lamella.train.team import ALONE, COMING, Lost, Team, file_store, number_of, prefixed

MODULE = "lamella.verbs.train"  # what a process that is started runs
MEETING = "LAMELLA_MEETING"  # in its environment: the file over which it finds the others
LEFT = 75  # its exit code where it ends because others have
MOST = 1024
TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
LEAST = 250 << 20  # bytes that a process holds at least: torch, before it has read anything
AGAIN = 0.1  # seconds between two tries to reach process 0
PATIENCE = 10.0  # seconds in which a process that is told to end must have ended


def joined() -> bool:
    """Whether this process was started as one of several."""
    return MEETING in os.environ or all(os.environ.get(name) for name in TORCHRUN)


@contextmanager
def team_of(settings: Settings, request: Callable[[], dict[str, Any]]) -> Iterator[Team]:
    """This process and the others that train with it; those that it started end with the context.

    request: what the others are told, as keyword arguments of `lamella.train`. Raises UsageError where the environment and
    the settings do not fit together, TrainingError where the others cannot be reached.
    """
    if joined():
        team = _join(settings.processes)
        try:
            with loopback() if team.local == team.size else _nothing():
                yield team
        finally:
            team.leave()
    elif settings.processes == 1:
        yield ALONE
    else:
        _room_for(settings.processes)
        with temporary.folder("processes") as folder:
            started = _Started(folder, settings.processes, request())
            try:
                store = file_store(folder / "meeting", settings.processes)
                team = Team(0, settings.processes, store, settings.processes, started.ended)
                try:
                    with loopback():
                        yield team
                finally:
                    team.leave()
            finally:
                started.end()


def _room_for(processes: int) -> None:
    """UsageError where this machine has too little memory for so many processes: they would begin to be killed one by one."""
    memory = machine.memory()
    if memory is not None and processes * LEAST > memory:
        raise UsageError(
            f"--processes {processes}: expected at most {max(1, memory // LEAST)}, since each holds {LEAST >> 20} MB before it has read "
            f"anything, and this machine has {memory >> 20:,} MB. More processes than cores are not faster."
        )


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def loopback() -> Iterator[None]:
    """Let gloo talk over the loopback interface alone, unless the user has named another one."""
    name = "GLOO_SOCKET_IFNAME"
    interfaces = [found for _, found in socket.if_nameindex() if found in ("lo", "lo0")]
    if name in os.environ or not interfaces:
        yield
        return
    os.environ[name] = interfaces[0]
    try:
        yield
    finally:
        os.environ.pop(name, None)


def _join(wanted: int) -> Team:
    """The team that the environment names."""
    size = number_of("WORLD_SIZE", 1, MOST)
    rank = number_of("RANK", 0, size - 1)
    if wanted not in (1, size):
        raise UsageError(f"--processes {wanted}: {size} have been started already (WORLD_SIZE). Leave out --processes.")
    if size == 1:
        return ALONE
    if MEETING in os.environ:
        return Team(rank, size, file_store(Path(os.environ[MEETING]), size), size)
    local = number_of("LOCAL_WORLD_SIZE", 1, size) if "LOCAL_WORLD_SIZE" in os.environ else 1
    host, port = os.environ["MASTER_ADDR"], number_of("MASTER_PORT", 1, 65535)
    agents = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"  # torchrun holds the store itself
    if rank or agents:
        _wait_for(host, port, rank, size)
    try:
        store: Any = dist.TCPStore(  # type: ignore[attr-defined]
            host, port, size, rank == 0 and not agents, timeout=timedelta(seconds=COMING), wait_for_workers=False,
            multi_tenant=True,
        )  # fmt: skip
    except RuntimeError as error:
        if "EADDRINUSE" in str(error) or "in use" in str(error):
            raise TrainingError(
                f"MASTER_PORT {port}: is in use on {host}. Choose another one, the same for every process."
            ) from error
        raise _unreachable(host, port, rank, size) from error
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return Team(rank, size, prefixed(store, f"lamella/{attempt}"), local)


def _wait_for(host: str, port: int, rank: int, size: int) -> None:
    """Until process 0 listens. TrainingError where it never does.

    torch would wait too, but for each try that fails it asks the name server what the address is called.
    """
    until = time.monotonic() + COMING
    while True:
        try:
            socket.create_connection((host, port), timeout=max(0.1, until - time.monotonic())).close()
            return
        except OSError as error:
            if time.monotonic() > until:
                raise _unreachable(host, port, rank, size) from error
        time.sleep(AGAIN)


def _unreachable(host: str, port: int, rank: int, size: int) -> TrainingError:
    return TrainingError(
        f"process {rank} of {size} cannot reach process 0 at {host}, port {port}. Expected: process 0 running there, and no "
        "firewall between. Check MASTER_ADDR and MASTER_PORT."
    )


class _Started:
    """The processes that this one has started."""

    def __init__(self, folder: Path, size: int, request: dict[str, Any]) -> None:
        self.size, self._children = size, dict[int, subprocess.Popen[bytes]]()
        self._folder = folder
        line = json.dumps(request, default=str).encode() + b"\n"
        paths = [os.path.abspath(path) for path in sys.path]  # they import what this process imports, and nothing else
        try:
            for rank in range(1, size):
                environ = {
                    **{name: value for name, value in os.environ.items() if name not in TORCHRUN},
                    "RANK": str(rank),
                    "WORLD_SIZE": str(size),
                    MEETING: str(folder / "meeting"),
                    "PYTHONPATH": os.pathsep.join(paths),
                }
                with (folder / f"errors-{rank}").open("wb") as errors:
                    child = subprocess.Popen(
                        [sys.executable, "-P", "-m", MODULE], env=environ, stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL, stderr=errors,
                    )  # fmt: skip
                self._children[rank] = child
                assert child.stdin is not None
                child.stdin.write(line)
                child.stdin.flush()
        except OSError as error:
            self.end()
            raise TrainingError(
                f"--processes {size}: process {len(self._children)} could not be started ({error.strerror}). Train with fewer."
            ) from error

    def ended(self, seconds: float) -> None:
        """Raise Lost, with its rank, where a process has ended that should not have, or does within so many seconds."""
        until = time.monotonic() + seconds
        while True:
            codes = {rank: child.poll() for rank, child in self._children.items()}
            # One that ended because others had is not the cause.
            causes = [rank for rank, code in codes.items() if code not in (None, LEFT)]
            if causes:
                raise Lost(f"process {causes[0]} of {self.size} {self._how(causes[0], codes[causes[0]])}")
            if time.monotonic() >= until:
                return
            time.sleep(0.01)

    def _how(self, rank: int, code: int | None) -> str:
        """How a process ended, in words."""
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"was killed ({signal.Signals(-code).name})"
        said = (self._folder / f"errors-{rank}").read_text(errors="replace").strip().splitlines()
        return f"ended by itself: {said[-1].removeprefix('lamella: ') if said else f'exit code {code}'}"

    def end(self) -> None:
        """Tell all to end, wait for them, and kill those that do not."""
        for child in self._children.values():
            with suppress(OSError):
                assert child.stdin is not None
                child.stdin.close()
        until = time.monotonic() + PATIENCE
        for child in self._children.values():
            try:
                child.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def told() -> dict[str, Any]:
    """What a process that was started is to train: the line on its standard input. It ends when that is closed."""
    request: dict[str, Any] = json.loads(sys.stdin.buffer.readline())

    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(LEFT)  # whatever it does: the one who started it is gone, or needs it no more

    threading.Thread(target=wait, daemon=True).start()
    return request


def follows() -> bool:
    """Whether this process is one of several, and not the first."""
    return joined() and os.environ.get("RANK") != "0"


def settings_of(settings: Settings, team: Team) -> Settings:
    """The settings of this process: its device, and its share of the threads."""
    if settings.fsdp and team.size == 1:
        raise UsageError(
            "--fsdp: expected several processes to divide the net among. Add --processes N, or leave it out."
        )
    device = _device(machine.find_device(settings.device), team)
    threads = settings.threads or max(1, machine.cores() // team.local)
    return msgspec.structs.replace(settings, device=device, threads=threads, processes=team.size)


def _device(device: str, team: Team) -> str:
    """The device of this process: of several accelerators each process of a machine has its own."""
    if team.size == 1 or device == "cpu":
        return device
    there = [name for name in machine.devices() if name.startswith("cuda")]
    if not device.startswith("cuda"):
        raise UsageError(f"--device {device}: expected cpu or cuda with several processes.")
    if team.local > len(there):
        raise UsageError(
            f"--processes {team.size}: expected at most one for each accelerator, received {team.local} for {len(there)}."
        )
    return there[int(os.environ.get("LOCAL_RANK", team.rank))]


def remarks(team: Team, threads: int) -> list[str]:
    """What is said of several processes before they begin."""
    if team.size == 1:
        return []
    cores = machine.cores()
    lines = [f"{team.size} processes, {team.local} of them on this machine, {threads} threads each"]
    if team.local > cores:
        lines.append(f"note: {team.local} processes on {cores} cores wait for each other; {cores} or fewer are faster")
    return lines
