"""The server's figures: throughput and waiting with 1 and 16 clients, and memory after many requests.

python -m bench.serve                         translation of short sentences over HTTP, the clients in a process of their own
python -m bench.serve --memory 1000 20000     memory of the server after so many requests
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WHO = "I You We They Anna Peter Maria|The teacher|My brother|Our neighbour|The doctor|The old man".replace(" ", "|", 6)
PLACES = ["kitchen", "garden", "station", "library", "office", "school", "market", "hotel", "street", "park"]
THINGS = ["book", "letter", "ticket", "coat", "table", "window", "phone", "picture", "map", "bag", "glass", "key"]
MODEL = "en-fr"


def sentence(chance: random.Random) -> str:
    """A short sentence, nearly never the same twice."""
    who = chance.choice(WHO.split("|"))
    number, thing = chance.randint(2, 900), chance.choice(THINGS)
    return chance.choice(
        [
            f"{who} left the {thing} in the {chance.choice(PLACES)}.",
            f"There are {number} people in the {chance.choice(PLACES)} today.",
            f"Where is the {thing} that {who} bought?",
            f"Please bring the {thing} to the {chance.choice(PLACES)} at {chance.randint(1, 12)} o'clock.",
            f"The {thing} costs {number} euros.",
        ]
    )


@contextlib.contextmanager
def served(*words: str) -> Iterator[tuple[str, int, int]]:
    """A server in a process of its own: host, port and process id."""
    command = [sys.executable, "-m", "lamella.cli.commands", "serve", *words, "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        facts = json.loads(process.stdout.readline())
        host, _, port = facts["url"].removeprefix("http://").partition(":")
        yield host, int(port), process.pid
    finally:
        process.terminate()
        process.wait(60)


def ask(connection: http.client.HTTPConnection, text: str, **options: Any) -> float:
    """Seconds until the answer is there."""
    body = json.dumps({"examples": [{"text": text}], "options": options})
    begin = time.perf_counter()
    connection.request("POST", f"/models/{MODEL}/predict", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    raw = reply.read()
    assert reply.status == 200, raw
    return time.perf_counter() - begin


def clients(host: str, port: int, count: int, seconds: float, requests: int, out: Any) -> None:
    """`count` clients that ask again as soon as they are answered, for a time or so many requests; puts how long each took."""
    took: list[float] = []
    left = iter(range(requests)) if requests else None
    lock = threading.Lock()
    until = time.perf_counter() + seconds

    def work(seed: int) -> None:
        chance = random.Random(seed)
        connection = http.client.HTTPConnection(host, port, timeout=120)
        while True:
            with lock:
                if (left is not None and next(left, None) is None) or (left is None and time.perf_counter() > until):
                    return
            options = {"beams": 1} if requests else {}  # many requests: as fast as can be
            took.append(ask(connection, sentence(chance), **options))

    begin = time.perf_counter()
    threads = [threading.Thread(target=work, args=(begin * 1e6 + i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.put((time.perf_counter() - begin, took))


def measure(host: str, port: int, count: int, seconds: float = 0.0, requests: int = 0) -> dict[str, float]:
    """Requests a second, and milliseconds: median, 99th percentile."""
    queue: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=clients, args=(host, port, count, seconds, requests, queue))
    process.start()
    wall, took = queue.get()
    process.join()
    took.sort()
    return {
        "clients": count,
        "requests": len(took),
        "a second": round(len(took) / wall, 1),
        "p50 ms": round(1000 * statistics.median(took), 1),
        "p99 ms": round(1000 * took[min(len(took) - 1, int(0.99 * len(took)))], 1),
    }


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def throughput(seconds: float) -> None:
    with served() as (host, port, _):
        measure(host, port, 4, seconds=2)
        rows = [measure(host, port, count, seconds=seconds) for count in (1, 16, 1, 16)]
    for row in rows:
        print("  ".join(f"{name} {value:g}" for name, value in row.items()))
    one, many = (max(r["a second"] for r in rows if r["clients"] == n) for n in (1, 16))
    worst = max(r["p99 ms"] / r["p50 ms"] for r in rows if r["clients"] == 16)
    print(f"16 clients: {many / one:.2f} times the throughput of one; p99 is {worst:.1f} times the median")


def memory(counts: list[int]) -> None:
    done, first = 0, 0.0
    with served() as (host, port, pid):
        for count in sorted(counts):
            row = measure(host, port, 16, requests=count - done)
            done, now = count, resident(pid)
            first = first or now
            print(
                f"after {count:,} requests: {now:.1f} MB ({now / first - 1:+.1%}), {row['a second']:g} a second",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each number of clients")
    parser.add_argument("--memory", type=int, nargs="+", metavar="REQUESTS", help="measure memory instead")
    given = parser.parse_args()
    if given.memory:
        memory(given.memory)
    else:
        throughput(given.seconds)


if __name__ == "__main__":
    main()
