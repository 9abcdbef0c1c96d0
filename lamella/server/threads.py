"""Work in threads of its own that can never take the server with it: not by what it raises, and not by never ending.

The threads are daemons: one that hangs in a native library is abandoned, and does not keep the process from ending.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Crashed(Exception):
    """Work was ended by something that is no ordinary exception: SystemExit, or the panic of a native library."""


def contained(work: Callable[[], T]) -> T:
    """What `work` returns; what it raises is an `Exception`, since others would end the thread or the event loop."""
    try:
        return work()
    except (StopIteration, StopAsyncIteration) as error:  # a future cannot hold these
        raise Crashed(type(error).__name__) from error
    except Exception:
        raise
    except BaseException as error:
        raise Crashed(f"{type(error).__name__}: {error}") from error


async def in_thread(work: Callable[[], T], name: str = "work") -> T:
    """What `work` returns, run in a daemon thread. Cancelled or timed out, it stops waiting and the thread goes on."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        result: Any = None
        failure: Exception | None = None
        try:
            result = contained(work)
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future
