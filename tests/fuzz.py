"""The API under random requests, made by schemathesis from the API's own description: none is answered with 5xx.

make test-fuzz                      a model of each task, trained for seconds, and the shipped translators
make test-fuzz ARGS="--examples 50 --models my-model"

Schemathesis brings packages that nothing else here needs, so it has an environment of its own, .venv-fuzz.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import lamella
from lamella.model import shipped

ROOT = Path(lamella.__file__).parent.parent
PLACE = ROOT / ".venv-fuzz"
STEPS = 20
# Long enough that no time limit is met on a busy machine: what takes too long is a 503, and that is tested elsewhere.
LIMITS = ("--seconds", "600", "--queue", "1000")


def schemathesis() -> Path:
    """The command, installed where it is not."""
    command = PLACE / "bin" / "schemathesis"
    if not command.is_file():
        venv.create(PLACE, clear=True, with_pip=True)
        pip = [PLACE / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "schemathesis>=4.3,<5"], check=True)
    return command


def trained(folder: Path) -> list[str]:
    """A small model of each task, and one that may be told more than its fields."""
    found = []
    for task in lamella.tasks():
        print(f"training {task} for {STEPS} steps", file=sys.stderr)
        place = str(folder / task)
        lamella.train(task, "sample", out=place, size="tiny", steps=STEPS, tell=lambda line: None)
        found.append(place)
    days = (datetime.date(2021, 3, 1) + datetime.timedelta(i) for i in range(120))
    rows = [f"{day},{50 + i % 7},{i * i % 3}" for i, day in enumerate(days)]
    sales, place = folder / "sales.csv", str(folder / "sales")
    sales.write_text("\n".join(["date,sold,warm", *rows]) + "\n")
    options = {"size": "tiny", "steps": STEPS, "horizon": 3, "known": "warm", "ensemble_size": 1}
    lamella.train("time-series-forecasting", str(sales), out=place, tell=lambda line: None, **options)
    return [*found, place]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=20, help="random requests for each route and phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="serve these")
    given = parser.parse_args()
    command = schemathesis()
    with tempfile.TemporaryDirectory() as folder:
        models = given.models or [*trained(Path(folder)), *(str(shipped.FOLDER / pair) for pair in shipped.pairs())]
        serve = [sys.executable, "-m", "lamella.cli.commands", "serve", *models, "--port", "0", "--json", *LIMITS]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                url = json.loads(server.stdout.readline())["url"]
                words = [
                    "run",
                    f"{url}/openapi.json",
                    "--checks",
                    "not_a_server_error",
                    "--phases",
                    "examples,coverage,fuzzing",
                ]
                more = ["--max-examples", str(given.examples), "--seed", str(given.seed), "--request-timeout", "900"]
                calm = ["--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"]
                done = subprocess.run([command, *words, *more, *calm], cwd=folder, env={**os.environ, "CI": "true"})
                alive = server.poll() is None
            finally:
                server.terminate()
    print("no answer was 5xx" if done.returncode == 0 and alive else "failed", file=sys.stderr)
    return done.returncode or int(not alive)


if __name__ == "__main__":
    sys.exit(main())
