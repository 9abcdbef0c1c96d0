"""What a server touches while it is asked at random: no connection but those of its own socket, no file but its own.

python -m bench.serve_watched --minutes 60          the shipped translators, and the models that are named

`serve` runs under strace, in an empty HOME and with a temporary folder of its own, for so many minutes of random allowed
requests: texts, documents, pages, explanations, the LibreTranslate API, and some that are refused. Then what the system
was asked for is read: a connect to any address, a name that was looked up, or a file that was made, written, renamed or
removed outside the folder that the server names is a failure, and each is printed.
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.serve import sentence

CALLS = "connect,sendto,sendmsg,socket,openat,open,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat,symlink,symlinkat"
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
CALL = re.compile(r"^(?:\[pid +)?\d*\]? *(?:<\.\.\. )?(\w+)\(")
NAMES = re.compile(r'"((?:[^"\\]|\\.)*)"')
QUIET = ("/dev/null", "/dev/shm/", "/proc/self/task/", "/dev/pts/")
JSON = {"Content-Type": "application/json"}


def requests(models: list[dict[str, Any]], rng: random.Random) -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """Random requests without end: method, path, body, headers."""
    while True:
        model = rng.choice(models)
        place = f"/models/{model['name']}"
        example = dict(rng.choice(model["examples"]))
        if model["fields"].get("text"):
            example["text"] = sentence(rng)
        kind = rng.choices(["predict", "progress", "document", "explain", "translate", "detect", "look", "odd"],
                           [40, 8, 10, 1, 20, 8, 20, 8])[0]  # fmt: skip
        if kind in ("predict", "progress"):
            accept = {"Accept": "application/x-ndjson"} if kind == "progress" else {}
            count = rng.choice([1, 1, 1, 3, 40])
            yield "POST", f"{place}/predict", json.dumps({"examples": [example] * count}).encode(), {**JSON, **accept}
        elif kind == "document" and model["suffixes"]:
            suffix = rng.choice([s for s in model["suffixes"] if s in (".txt", ".md", ".html", ".csv")] or [".csv"])
            text = "\n\n".join(sentence(rng) for _ in range(rng.randint(1, 30)))
            yield "POST", f"{place}/document", *form("a" + suffix, ("text\n" if suffix == ".csv" else "") + text)
        elif kind == "explain":
            yield "POST", f"{place}/explain", json.dumps({"example": example}).encode(), JSON
        elif kind == "translate":
            ask = {
                "q": sentence(rng),
                "source": rng.choice(["en", "auto"]),
                "target": "fr",
                "format": rng.choice(["text", "html"]),
            }
            yield "POST", "/translate", json.dumps(ask).encode(), JSON
        elif kind == "detect":
            yield "POST", "/detect", json.dumps({"q": sentence(rng)}).encode(), JSON
        elif kind == "look":
            pages = ["/", "/web/main.js", "/web/style.css", "/health", "/models", place, "/openapi.json", "/languages"]
            yield "GET", rng.choice(pages), b"", {}
        else:
            yield rng.choice([
                ("POST", f"{place}/predict", b"[" * 1000, JSON),
                ("POST", f"{place}/predict", b'{"examples": [{"image": "http://127.0.0.1:1/x.png"}]}', JSON),
                ("POST", f"{place}/predict", b'{"examples": [{"text": "x"}], "options": {"beams": 10000}}', JSON),
                ("GET", "/web/..%2f..%2fetc%2fpasswd", b"", {}),
                ("GET", f"{place}/explain", b"", {}),
                ("GET", "/models", b"", {"Host": "evil.example"}),
                ("POST", f"{place}/predict", b"{}", {**JSON, "Origin": "http://evil.example"}),
            ])  # fmt: skip


def form(name: str, text: str) -> tuple[bytes, dict[str, str]]:
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return f"{head}{text}\r\n--edge--\r\n".encode(), {"Content-Type": "multipart/form-data; boundary=edge"}


def ask_for(minutes: float, url: str, seed: int) -> Counter[int]:
    """Ask one request after another; how often each status came."""
    rng, found = random.Random(seed), Counter[int]()
    address = url.removeprefix("http://")
    connection = HTTPConnection(address, timeout=700)
    connection.request("GET", "/models")
    models = [m for m in json.loads(connection.getresponse().read())["models"] if m["examples"]]
    until, told = time.monotonic() + 60 * minutes, time.monotonic()
    for method, path, body, headers in requests(models, rng):
        if time.monotonic() > until:
            return found
        if rng.random() < 0.05:
            connection.close()
        try:
            connection.request(method, path, body or None, headers)
            reply = connection.getresponse()
            reply.read()
        except OSError:  # closed after a refusal
            connection = HTTPConnection(address, timeout=700)
            continue
        found[reply.status] += 1
        if time.monotonic() > told + 60:
            told = time.monotonic()
            print(f"{found.total():,} requests", file=sys.stderr, flush=True)
    return found


def judge(trace: Path, own: Path) -> tuple[list[str], Counter[str]]:
    """What a trace holds that a server may not do, and how many calls of each kind it holds."""
    bad, counts = [], Counter[str]()
    with trace.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            call = CALL.match(line)
            if not call:
                continue
            name = call[1]
            counts[name] += 1
            if name in ("connect", "sendto", "sendmsg"):
                if "AF_UNIX" in line and "/nscd/" in line:
                    counts["looks for a cache of names on this machine"] += 1
                elif "sa_family" in line:
                    bad.append(line.strip())
            elif name == "socket" and "SOCK_DGRAM" in line and "AF_INET" in line:
                bad.append(line.strip())
            elif name not in ("socket",) and (name not in ("openat", "open") or WRITES.search(line)):
                paths = [path for path in NAMES.findall(line) if not path.startswith(QUIET)]
                inside = all(path.startswith(str(own)) or not path.startswith("/") for path in paths)
                if "= -1 " not in line and not inside:
                    bad.append(line.strip())
                counts["files written in its own folder"] += bool(paths) and inside
    return bad, counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("strace is not installed: apt-get install strace")
    with tempfile.TemporaryDirectory() as name:
        home, own, trace = Path(name, "home"), Path(name, "tmp"), Path(name, "trace")
        home.mkdir()
        own.mkdir()
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "TMPDIR": str(own),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }
        serve = [
            sys.executable,
            "-m",
            "lamella.cli.commands",
            "serve",
            *given.models,
            "--port",
            "0",
            "--json",
            "--seconds",
            "300",
        ]
        watch = ["strace", "-f", "-qq", "-s", "300", "-e", f"trace={CALLS}", "-o", str(trace)]
        with subprocess.Popen(
            [*watch, *serve], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
        ) as server:
            assert server.stdout is not None
            found = ask_for(given.minutes, json.loads(server.stdout.readline())["url"], given.seed)
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            subprocess.run(["kill", "-TERM", *children], check=True)
            _, err = server.communicate(timeout=400)
        bad, counts = judge(trace, own)
        left = [str(path.relative_to(name)) for folder in (home, own) for path in folder.rglob("*")]
    print(
        f"{found.total():,} requests in {given.minutes:g} minutes: {', '.join(f'{n:,} of {s}' for s, n in sorted(found.items()))}"
    )
    print(", ".join(f"{n:,} {call}" for call, n in sorted(counts.items())))
    print("standard error:", *err.strip().splitlines(), sep="\n  ")
    for line in bad[:50]:
        print("not allowed:", line)
    print(
        f"{len(bad)} connects and files outside; {len(left)} files left behind {left[:5]}; {sum(found[s] for s in found if s >= 500)} replies of 5xx"
    )
    return int(bool(bad or left or any(s >= 500 for s in found)))


if __name__ == "__main__":
    sys.exit(main())
