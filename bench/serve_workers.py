"""Several workers beside one: throughput, memory, and what is lost when a worker is killed.

python -m bench.serve_workers                          requests a second of 1 and of 2 workers, in turns
python -m bench.serve_workers --workers 4 --pairs 3
python -m bench.serve_workers --memory                 shared and private memory of 1, 2 and 4 workers after requests
python -m bench.serve_workers --lost                   requests lost while one of three workers is killed, without a proxy

A server of one process may use all cores for one graph; with --pinned it has one core, as each worker has. Clients run in two
processes of their own and need time too.
"""

import argparse
import http.client
import multiprocessing
import os
import random
import signal
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from bench.serve import ask as ask_once
from bench.serve import clients, sentence, served

CLIENTS = 8  # of each worker
SIZES = ("Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty")


def throughput(workers: int, seconds: float, count: int, pinned: bool) -> float:
    """Requests a second of a server with so many workers, asked by `count` clients in two processes."""
    every = os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, sorted(every)[:workers])  # what is started now inherits it
    with served("--workers", str(workers)) as (host, port, _):
        os.sched_setaffinity(0, every)
        many(host, port, count, 2.0)  # the first ones fill what is filled on first use
        return many(host, port, count, seconds)


def many(host: str, port: int, count: int, seconds: float) -> float:
    queue: Any = multiprocessing.Queue()
    halves = [count // 2, count - count // 2]
    processes = [
        multiprocessing.Process(target=clients, args=(host, port, half, seconds, 0, queue)) for half in halves if half
    ]
    for process in processes:
        process.start()
    replies = [queue.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(len(took) / wall for wall, took in replies)


def compare(workers: int, pairs: int, seconds: float, pinned: bool) -> None:
    """One worker and several, A B A B, so that a machine that slows down slows both."""
    ratios = []
    for _ in range(pairs):
        one, several = (throughput(n, seconds, CLIENTS * workers, pinned) for n in (1, workers))
        ratios.append(several / one)
        print(f"1 worker {one:.1f} requests/s, {workers} workers {several:.1f}: {ratios[-1]:.2f} times", flush=True)
    print(f"median of {pairs}: {statistics.median(ratios):.2f} times the throughput of one worker")


def children(pid: int) -> list[int]:
    stats = [(int(p.parent.name), p.read_text().rpartition(")")[2].split()) for p in Path("/proc").glob("[0-9]*/stat")]
    return sorted(number for number, rest in stats if int(rest[1]) == pid)


def sizes(pid: int) -> dict[str, float]:
    """Megabytes of a process's memory, by whether others have the same pages; and its proportional share of all."""
    rows = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    kilobytes = {row[0][:-1]: int(row[1]) for row in rows}
    shared = sum(kilobytes[name] for name in SIZES[:2])
    private = sum(kilobytes[name] for name in SIZES[2:])
    return {"shared": shared / 1e3, "private": private / 1e3, "share": kilobytes["Pss"] / 1e3}


def memory(requests: int) -> None:
    for workers in (1, 2, 4):
        with served("--workers", str(workers)) as (host, port, pid):
            queue: Any = multiprocessing.Queue()
            clients(host, port, 4 * workers, 0.0, requests, queue)
            queue.get()
            processes = [pid, *children(pid)]
            print(f"{workers} workers, after {requests} requests:")
            for one in processes:
                size = sizes(one)
                name = "server" if workers == 1 else "parent" if one == pid else "worker"
                print(f"  {name}: shared {size['shared']:.1f} MB, private {size['private']:.1f} MB")
            print(f"  all together: {sum(sizes(one)['share'] for one in processes):.1f} MB", flush=True)


def lost(requests: int) -> None:
    """Clients that do not ask again, while one of three workers is killed."""
    with served("--workers", "3") as (host, port, pid):
        outcomes: list[bool] = []

        def work(seed: int) -> None:
            chance = random.Random(seed)
            connection = http.client.HTTPConnection(host, port, timeout=120)
            while len(outcomes) < requests:
                try:
                    ask_once(connection, sentence(chance))
                    outcomes.append(True)
                except (OSError, http.client.HTTPException):
                    outcomes.append(False)
                    connection.close()

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(12)]
        for thread in threads:
            thread.start()
        while len(outcomes) < requests // 2:
            time.sleep(0.01)
        os.kill(children(pid)[0], signal.SIGKILL)
        for thread in threads:
            thread.join()
        print(f"12 clients, {len(outcomes)} requests, one of three workers killed: {outcomes.count(False)} lost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each measurement")
    parser.add_argument("--requests", type=int, default=200, help="for --memory and --lost")
    parser.add_argument("--pinned", action="store_true", help="keep each server on one core for each worker")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--lost", action="store_true")
    given = parser.parse_args()
    if given.memory:
        memory(given.requests)
    elif given.lost:
        lost(given.requests)
    else:
        compare(given.workers, given.pairs, given.seconds, given.pinned)


if __name__ == "__main__":
    main()
