"""A command ends at once, but not before what it wrote is out and what was registered for the end is done."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Printed only where Python takes its modules apart, as it does at the end of a program that does not leave.
LATE = "class Late:\n    def __del__(self): print('apart')\nlate = Late()\n"


def ended(program: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("code", "status"), [("0", 0), ("None", 0), ("3", 3), ("True", 1)])
def test_what_was_written_is_out_and_nothing_is_taken_apart(code, status):
    program = (
        f"import atexit, os\n{LATE}"
        "from lamella.cli.interrupt import leave\n"
        "atexit.register(print, 'registered')\n"
        "print('written', end='')\n"
        f"leave({code})"
    )
    assert ended(program) == (status, "writtenregistered\n")


@pytest.mark.parametrize(
    "more",
    [
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()\n",
        "import sys, types\nsys.modules['torch'] = types.ModuleType('torch')\n",
        "import sys, io\nclass Full(io.StringIO):\n    def flush(self): raise OSError('full')\nsys.stderr = Full()\n",
    ],
)
def test_where_there_is_more_to_do_python_does_it(more):
    _, out = ended(f"{LATE}{more}from lamella.cli.interrupt import leave\nleave(0)\nprint('back')")
    assert out.startswith("back\n") and out.endswith("apart\n") and ("thread" in out) == ("thread" in more)


@pytest.mark.parametrize(("args", "status"), [("'tasks'", 0), ("'--help'", 0), ("'nosuch'", 2)])
def test_every_command_leaves(args, status):
    program = f"import sys\n{LATE}sys.argv = ['lamella', {args}]\nfrom lamella.__main__ import main\nmain()"
    code, out = ended(program)
    assert code == status and "apart" not in out
