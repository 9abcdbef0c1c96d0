"""`lamella serve --workers N`: several processes that answer at one address, and the parent that looks after them.

The parent reads the models, builds their graphs, lets each answer once, and forks. The workers share that memory, weights
prepared for this processor among it, as long as nobody writes there, and nobody does: each has a few megabytes of its own.
The parent answers nothing itself. It replaces a worker that died or hangs; it looks at the models' folders, and where one
has changed, or on SIGHUP, it tries the new model in a process apart, reads it, forks as many workers again, and lets the old
ones finish once the new ones answer. SIGINT and SIGTERM end all; where the parent itself is killed, the workers notice.

Graphs run in one thread each, since the threads of a pool do not survive a fork: take as many workers as cores.
"""

import gc
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn

from lamella.errors import LamellaError, UsageError
from lamella.graphs.limits import THREAD as OWN
from lamella.model import Model, single_threaded
from lamella.server.app import with_identifier
from lamella.server.common import Common
from lamella.server.facts import Opened
from lamella.server.models import Tried, read_again, warm
from lamella.server.replies import line_of, note, report
from lamella.server.run import BACKLOG, has_terminal
from lamella.server.watch import GONE, Watch
from lamella.server.work import Stopped
from lamella.server.worker import Message, Setup, messages, send, work
from lamella.storage import temporary

TICK = 0.2  # seconds between two looks at everything; signals and messages are seen at once
HUNG = 60.0  # seconds beyond the time limit of a request after which an event loop that does not turn is taken to hang
TRIES = 3  # deaths in a row before a worker is ready, after which a server that never was is given up
LONGEST = 30.0  # seconds until the next worker is tried, where they die before they are ready
LAST = 10.0  # seconds beyond those of a graceful end, until what is left is killed
REPLACED = "the model was replaced on disk by one that cannot be used: "


@dataclass
class Process:
    """A worker, or a trial of models that were replaced."""

    pid: int
    row: int  # in the common memory; -1: a trial
    generation: int
    control: socket.socket
    began: float = field(default_factory=time.monotonic)
    ready: bool = False
    leaving: bool = False
    raw: bytes = b""  # what it said and was not read yet


class Parent:
    """The process that forks the workers."""

    def __init__(self, place: socket.socket, models: Mapping[str, Model], count: int, setup: Setup) -> None:
        """place: a bound socket; count: workers. UsageError where processes cannot be forked here."""
        _check(count)
        every = with_identifier(models)
        self._models = dict(zip(every, single_threaded(list(every.values())), strict=True))
        self._place, self._count, self._setup = place, count, setup
        rows = 4 * count  # as many again while they are replaced, and some that take long to finish
        folder = temporary.named("serve")  # made when it is first needed
        self._common = Common(rows + 1, folder, list(models) if setup.metered else None)
        self._common.join(rows)
        self._free = list(range(rows))
        self._processes: list[Process] = []
        self._tried: dict[str, Tried] = {}
        self._watches: dict[str, Watch] = {}
        self._generation = self._deaths = 0
        self._not_before = 0.0
        self._asked: set[str] = set()  # models to read again
        self._trying: set[str] = set()
        self._signals: list[int] = []
        self._stopped = 0.0  # when it was told to

    # ---- the loop ------------------------------------------------------------------------------------------------

    def run(self, begun: Callable[[], None]) -> None:
        """Answer until SIGINT or SIGTERM; `begun` is called when all workers accept connections.

        LamellaError where the first ones end before that.
        """
        with self._hearing() as heard:
            try:
                for name, model in self._models.items():
                    self._tried[name] = self._try(name, model)
                    self._watches[name] = Watch(model)
                self._place.listen(BACKLOG)
                told = False
                while not (self._stopped and not self._processes):
                    self._obey()
                    self._fill()
                    self._listen(heard)
                    self._reap()
                    self._look()
                    if not told and self._ready:
                        told = True
                        begun()
                    if not told and self._deaths >= TRIES:
                        raise LamellaError("the workers end before they answer. Their own lines above say why.")
            finally:
                self._end()

    @property
    def _ready(self) -> bool:
        """Whether all workers of the newest generation accept connections."""
        return sum(p.ready and p.generation == self._generation for p in self._workers) >= self._count

    @property
    def _workers(self) -> list[Process]:
        return [p for p in self._processes if p.row >= 0]

    @contextmanager
    def _hearing(self) -> Iterator[socket.socket]:
        """Signals are noted, and wake the loop; what they meant before is set again afterwards."""
        heard, wake = socket.socketpair()
        heard.setblocking(False)
        wake.setblocking(False)
        self._inherited = [heard, wake]
        wanted = [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
            wanted.append(signal.SIGHUP)
        self._had_terminal = has_terminal()
        descriptor = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        before = {s: signal.signal(s, lambda number, _: self._signals.append(number)) for s in wanted}
        try:
            yield heard
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)
            heard.close()
            wake.close()

    def _obey(self) -> None:
        """Do what the signals ask."""
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGHUP and not (self._had_terminal and not has_terminal()):
                self._asked.update(self._tried)
            elif number != signal.SIGCHLD:
                again = self._stopped and number == signal.SIGINT  # Ctrl-C twice
                self._stopped = self._stopped or time.monotonic()
                self._place.close()
                self._tell(signal.SIGKILL if again else signal.SIGTERM)

    def _tell(self, number: int) -> None:
        for process in self._processes:
            os.kill(process.pid, signal.SIGKILL if process.row < 0 else number)

    def _listen(self, heard: socket.socket) -> None:
        """Wait for signals and for what the workers say."""
        with selectors.DefaultSelector() as selector:
            selector.register(heard, selectors.EVENT_READ)
            for process in self._processes:
                if process.control.fileno() >= 0:
                    selector.register(process.control, selectors.EVENT_READ, process)
            for key, _ in selector.select(TICK):
                if key.data is None:
                    with suppress(BlockingIOError):
                        heard.recv(4096)
                    continue
                self._hear(key.data)

    def _hear(self, process: Process) -> None:
        try:
            raw = process.control.recv(1 << 16)
        except OSError:
            raw = b""
        if not raw:  # it is ending, and is reaped soon
            process.control.close()
        process.raw += raw
        if process.row < 0 or not process.raw.endswith(b"\n"):
            return
        if any(message.ready for message in messages(process.raw)):
            process.ready, self._deaths = True, 0
        process.raw = b""
        if self._ready:
            for old in self._workers:
                if old.generation < self._generation and not old.leaving:
                    old.leaving = True
                    self._say(old, Message(leave=True))

    def _say(self, process: Process, message: Message) -> None:
        with suppress(OSError):  # it has ended meanwhile
            send(process.control, message)

    # ---- processes -----------------------------------------------------------------------------------------------

    def _fork(self, row: int, run: Callable[[socket.socket], None]) -> None:
        """A new process that does `run` with its end of a pair of sockets, and nothing else of this program."""
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        gc.collect()
        gc.freeze()  # otherwise the first collection would write to, and so copy, all that is shared
        pid = os.fork()
        if pid == 0:
            _become(theirs, [ours, *self._inherited, *(p.control for p in self._processes)], run)
        gc.unfreeze()
        theirs.close()
        self._processes.append(Process(pid, row, self._generation, ours))

    def _fill(self) -> None:
        """Start the workers that are missing."""
        alive = sum(p.generation == self._generation for p in self._workers)
        if self._stopped or time.monotonic() < self._not_before:
            return
        for row in self._free[: self._count - alive]:
            self._free.remove(row)
            self._common.clear(row)

            def run(control: socket.socket, row: int = row) -> None:
                self._common.join(row)
                work(self._place, self._tried, self._setup, self._common, control)

            self._fork(row, run)

    def _reap(self) -> None:
        """Look which processes have ended, and which hang."""
        for process in list(self._processes):
            silent = min(self._common.silent(process.row), time.monotonic() - process.began)
            late = self._stopped and time.monotonic() > self._stopped + self._setup.limits.seconds + LAST
            most = self._setup.limits.patience if process.row < 0 else self._setup.limits.seconds + HUNG
            hangs = silent > most and not process.leaving
            if late or hangs:
                os.kill(process.pid, signal.SIGKILL)
            with suppress(ChildProcessError):  # somebody else has waited for it
                pid, status = os.waitpid(process.pid, os.WNOHANG)
                if not pid:
                    continue
            self._hear_last(process)
            self._processes.remove(process)
            if process.row < 0:
                self._tried_again(process, status)
            else:
                self._ended(process, "hung" if hangs else _how(status))

    def _hear_last(self, process: Process) -> None:
        """What a process said before it ended."""
        if process.control.fileno() >= 0:
            process.control.setblocking(False)
            with suppress(OSError):
                while raw := process.control.recv(1 << 16):
                    process.raw += raw
            process.control.close()

    def _ended(self, process: Process, how: str) -> None:
        self._common.clear(process.row)
        if folder := self._common.folder_of(process.row):
            shutil.rmtree(folder, ignore_errors=True)
        self._free.append(process.row)
        if self._stopped or process.leaving:
            return
        if not process.ready:
            self._deaths += 1
            self._not_before = time.monotonic() + min(LONGEST, 2.0 ** (self._deaths - 1) - 1)
        if self._common.metrics:
            self._common.metrics.replaced()
        note(f"worker {process.pid} {how}: another takes its place.")

    def _end(self) -> None:
        """Leave no process and no file, however the loop ended."""
        self._tell(signal.SIGKILL)
        for process in self._processes:
            with suppress(ChildProcessError):
                os.waitpid(process.pid, 0)
            process.control.close()
        self._place.close()
        if self._common.folder:
            shutil.rmtree(self._common.folder, ignore_errors=True)

    # ---- models that are replaced --------------------------------------------------------------------------------

    def _try(self, name: str, model: Model) -> Tried:
        """A model as the workers get it, after it has answered once."""
        opened = Opened(name, model, self._setup.limits)
        try:
            return Tried(warm(opened, self._go_on))
        except Exception as error:
            report(error)
            line = f"the model cannot be used: {line_of(error)}"
            note(f"{name}: {line}")
            return Tried(opened, line, failed=True)

    def _go_on(self) -> None:
        if signal.SIGINT in self._signals or signal.SIGTERM in self._signals:
            raise Stopped("the server is stopping.")

    def _look(self) -> None:
        """Look at the models' folders, and try what has changed in a process apart: it may crash, and this one may not."""
        for name, watch in self._watches.items():
            if watch.changed():
                self._asked.add(name)
            if watch.gone:
                self._note(name, GONE)
        settled = self._ready and not any(p.row < 0 or p.generation < self._generation for p in self._processes)
        if not self._asked or not settled or self._stopped:
            return
        self._trying, self._asked = self._asked, set()
        self._fork(-1, self._trial)

    def _trial(self, control: socket.socket) -> None:
        failed: dict[str, str] = {}
        for name in self._trying:
            try:
                self._opened_again(name)
            except Exception as error:
                report(error)
                failed[name] = line_of(error)
        send(control, Message(failed=failed))

    def _opened_again(self, name: str) -> Opened:
        return warm(Opened(name, read_again(self._tried[name].opened.model, self._setup.task), self._setup.limits))

    def _tried_again(self, trial: Process, status: int) -> None:
        """Read the models that stood the trial, and begin a generation of workers with them."""
        if self._stopped:
            return
        said = messages(trial.raw)
        failed = said[0].failed if said else {name: f"what reads it {_how(status)}." for name in self._trying}
        for name in sorted(self._trying - set(failed)):
            try:
                self._tried[name] = Tried(self._opened_again(name))
            except Exception as error:
                failed[name] = line_of(error)
        for name in sorted(self._trying):
            if name in failed:
                self._watches[name].failed()
                before = "" if self._tried[name].failed else " The one from before still answers."
                self._note(name, f"{REPLACED}{failed[name]}{before}")
            else:
                self._watches[name].succeeded()
                note(f"{name.strip('/')}: the model was read again.")
        if self._trying - set(failed):
            self._generation += 1

    def _note(self, name: str, line: str) -> None:
        """What is wrong with a model: for /health in all workers, and once on standard error."""
        if self._tried[name].note != line:
            self._tried[name] = self._tried[name]._replace(note=line)
            note(f"{name.strip('/')}: {line}")
            for process in self._workers:
                self._say(process, Message(notes={name: line}))


def _check(count: int) -> None:
    """UsageError where this process cannot be forked."""
    if not hasattr(os, "fork"):
        raise UsageError(
            f"--workers {count}: expected 1 on this system, which cannot fork a process. Start a server for each port."
        )
    threads = [t for t in threading.enumerate() if t.name != OWN]
    if threads != [threading.main_thread()] or threading.current_thread() is not threading.main_thread():
        raise UsageError(
            f"--workers {count}: expected a process with one thread, since a fork loses the others, received "
            f"{len(threads)}. Call it in the main thread of a program of its own, such as: lamella serve"
        )


def _become(control: socket.socket, others: list[socket.socket], run: Callable[[socket.socket], None]) -> NoReturn:
    """What a forked process does: `run`, and then end, whatever this program would have done afterwards."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP):  # the parent hears them, and tells its workers
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        for other in others:  # or this process would keep them open, and nobody would notice that the parent has gone
            other.close()
        run(control)
        code = 0
    except Exception as error:
        report(error)
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _how(status: int) -> str:
    """How a process ended, in words."""
    if os.WIFSIGNALED(status):
        return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with code {os.WEXITSTATUS(status)}"
