"""What the whole suite touches: no connection to another machine, no file outside the folders that tests are given.

python -m bench.suite_watched                      every test, in two processes
python -m bench.suite_watched tests/data -n 1      some of them; what follows goes to pytest

The tests run under strace, in an empty HOME and with a temporary folder of their own. A connect or a message to an
address that is not this machine's, a name that is looked up, and a file that is made, written, renamed or removed
outside these two folders, the clone's own folder `build` and Python's folders `__pycache__` is printed and counted; so
is each file that is left in HOME. Left out are the tests that trace a process themselves, since a process can be traced once only, the one that
opens a file with LibreOffice, which writes into HOME and beside its own program, and the one that makes two networks of its own to
connect them: they lead nowhere else.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.serve_watched import CALL, CALLS, NAMES, WRITES

ROOT = Path(__file__).parents[1]
OPENS = ("open", "openat")
TALKS = ("connect", "sendto", "sendmsg")
# A socket of one machine, written as strace does: by path, of the kernel, or with an address that leads back.
HERE = re.compile(r'AF_UNIX|AF_NETLINK|AF_UNSPEC|inet_addr\("127\.|"::1"|"::ffff:127\.')
# -y writes what a descriptor stands for: 3</tmp/x>, AT_FDCWD</tmp>; a relative path follows the folder that it is in.
FOLDER = re.compile(r'(?:AT_FDCWD|\d+)<([^>]*)>, "((?:[^"\\]|\\.)*)"')
DEVICES = ("/dev/", "/proc/")


def paths(name: str, line: str) -> list[str]:
    """The files that a call names, as whole paths."""
    if name.endswith("at") or name in ("openat", "renameat2"):
        found = [os.path.normpath(os.path.join(folder, path)) for folder, path in FOLDER.findall(line)]
        return found if name != "symlinkat" else found[-1:]
    found = NAMES.findall(line)
    return found[-1:] if name == "symlink" else found  # what a link points to is not written


def judge(lines: Iterable[str], allowed: tuple[str, ...]) -> tuple[Counter[str], Counter[str]]:
    """What the lines of a trace hold that no test may do, and how many calls of each kind there were."""
    bad, counts = Counter[str](), Counter[str]()
    for line in lines:
        call = CALL.match(line)
        if not call:
            continue
        name = call[1]
        counts[name] += 1
        if name in TALKS:
            if ("sa_family" in line or "AF_INET" in line) and not HERE.search(line):
                bad[line.split(" ", 1)[-1].strip()] += 1
        elif name == "socket" or (name in OPENS and not WRITES.search(line)) or " = -1 " in line:
            continue
        else:
            for path in paths(name, line):
                relative = not path.startswith("/")  # of a call without a descriptor: below the working folder
                if not relative and not path.startswith((*allowed, *DEVICES)) and "/__pycache__" not in path:
                    bad[f"{name} {path}"] += 1
                counts["files written, made or removed"] += 1
    return bad, counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given, rest = parser.parse_known_args()
    del given
    if not shutil.which("strace"):
        sys.exit("strace is not installed: apt-get install strace")
    rest = rest if any(word == "-n" for word in rest) else ["-n", "2", "--dist", "worksteal", *rest]
    with tempfile.TemporaryDirectory() as name:
        home, own, pipe = Path(name, "home"), Path(name, "tmp"), Path(name, "trace")
        home.mkdir()
        own.mkdir()
        os.mkfifo(pipe)  # the trace of a whole suite is too long to keep
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(own),
            "LANG": "C.UTF-8",
            "CI": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(own / "hypothesis"),
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        tests = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "not nothing_connects and not libreoffice_reads and not test_hosts",
            *rest,
        ]
        watch = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "300", "-e", f"trace={CALLS}", "-o", str(pipe)]
        with (
            subprocess.Popen([*watch, *tests], cwd=ROOT, env=env) as suite,
            pipe.open(encoding="utf-8", errors="replace") as lines,
        ):
            bad, counts = judge(lines, (name, str(ROOT / "build")))
        left = sorted(str(path.relative_to(home)) for path in home.rglob("*"))
    print(", ".join(f"{n:,} {call}" for call, n in sorted(counts.items())))
    for line, n in bad.most_common(60):
        print(f"not allowed ({n} times): {line}")
    print(
        f"{bad.total()} connects and files outside; {len(left)} files left in HOME {left[:20]}; tests: {suite.returncode}"
    )
    return int(bool(bad or left))


if __name__ == "__main__":
    sys.exit(main())
