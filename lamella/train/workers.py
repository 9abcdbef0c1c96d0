"""The same work on many parts, by several processes where there are several: each is a copy of this one, made by fork.

    for index, made in in_processes(work, range(100), workers=2):      made = work(index), JSON-able
        ...

A copy knows all that this process knows, so nothing is sent to it and only results come back, as JSON. Fewer parts than two, or
a system without fork: the work is done here.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from lamella import errors
from lamella.errors import LamellaError, TrainingError

Work = Callable[[int], Any]


def in_processes(work: Work, todo: Sequence[int], workers: int) -> Iterator[tuple[int, Any]]:
    """(index, work(index)) as they are done, in any order. What the work raises is raised here, and the others are ended."""
    workers = min(workers, len(todo))
    if workers < 2 or "fork" not in get_all_start_methods():
        for index in todo:
            yield index, work(index)
        return
    context = get_context("fork")
    processes, open_ends = [], []
    try:
        for number in range(workers):
            ours, theirs = context.Pipe(duplex=False)
            share = list(todo[number::workers])
            process = context.Process(target=_labour, args=(work, share, theirs, os.getpid()), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
            open_ends.append(ours)
        yield from _results(open_ends)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        for end in open_ends:
            end.close()


def _results(open_ends: Sequence[Connection]) -> Iterator[tuple[int, Any]]:
    """What the workers send, until all have said that they are done."""
    busy = list(open_ends)
    while busy:
        for end in wait(busy):
            assert isinstance(end, Connection)
            try:
                message = json.loads(end.recv_bytes())
            except EOFError as error:
                raise TrainingError(
                    "a process that helps to read or encode the data was ended, perhaps for want of memory. What is complete "
                    "is kept: run the same command again, with fewer --threads."
                ) from error
            if message is None:
                busy.remove(end)
            elif "error" in message:
                kind = getattr(errors, message["error"], TrainingError)
                raise kind(message["message"], message["details"])
            else:
                yield message["index"], message["made"]


def _labour(work: Work, share: Sequence[int], end: Connection, parent: int) -> None:
    """What a worker does. Ctrl-C is for its parent, which then ends it; without a parent it ends by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        for index in share:
            if os.getppid() != parent:
                os._exit(1)
            end.send_bytes(json.dumps({"index": index, "made": work(index)}).encode())
        end.send_bytes(b"null")
    except LamellaError as error:
        kind, details = type(error).__name__, error.details
        end.send_bytes(json.dumps({"error": kind, "message": str(error), "details": details}).encode())
    except Exception as error:
        text = f"a part of the data could not be read or encoded: {type(error).__name__}: {error}"
        end.send_bytes(json.dumps({"error": "TrainingError", "message": text, "details": []}).encode())
