"""Run work in threads that cannot stop the server, whatever they raise and even if they never end.

The threads are daemons: one that hangs in a native library is abandoned, and does not keep the process from ending.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Crashed(Exception):
    """Work that ended with something other than an `Exception`: SystemExit, or a panic of a native library."""


def contained(work: Callable[[], T]) -> T:
    """The result of `work`; anything that it raises becomes an `Exception`, since others would end the event loop."""
    try:
        return work()
    except (StopIteration, StopAsyncIteration) as error:  # a future cannot hold these exceptions
        raise Crashed(type(error).__name__) from error
    except Exception:
        raise
    except BaseException as error:
        raise Crashed(f"{type(error).__name__}: {error}") from error


def start(work: Callable[[], T], name: str) -> "asyncio.Future[T]":
    """Run `work` in a daemon thread; the future has what it returns or raises, once it has ended."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
            future.exception()  # marks it as retrieved, or asyncio logs it if nobody waits

    def run() -> None:
        result: Any = None
        failure: Exception | None = None
        try:
            result = contained(work)
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, failure)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError as error:  # the system gives no more threads
        raise MemoryError(str(error)) from error
    return future


async def in_thread(work: Callable[[], T], name: str = "work") -> T:
    """The result of `work` in a daemon thread. If cancelled or timed out it stops waiting, and the thread goes on."""
    return await start(work, name)


class Threads:
    """A few threads at a time. A place is free when its thread has ended, not when nobody waits for it any more.

    Otherwise clients that ask and leave would start one after another, each with a picture in memory. A thread that goes
    on much longer than it may is taken to hang, and its place is given away.
    """

    def __init__(self, name: str, count: int, longest: float) -> None:
        """longest: seconds until a thread is taken to hang."""
        self._name, self._longest = name, longest
        self._places = asyncio.Semaphore(count)

    async def run(self, work: Callable[[], T]) -> T:
        await self._places.acquire()
        free = [self._places.release]

        def release(_: object = None) -> None:
            if free:
                free.pop()()

        try:
            future = start(work, self._name)
        except BaseException:
            release()
            raise
        future.add_done_callback(release)
        timer = asyncio.get_running_loop().call_later(self._longest, release)
        future.add_done_callback(lambda _: timer.cancel())
        return await asyncio.shield(future)
