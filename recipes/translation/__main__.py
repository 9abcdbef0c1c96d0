"""The shipped translators from nothing, in one command: fetch, clean, split, train, evaluate, write.

    python -m recipes.translation                    about five hours on two cores; stop it and call it again at will
    python -m recipes.translation --hours 0.5        the same path, with little training

Each step is a module that can be called alone: `corpus`, `train`, `release`. A step that is done is not done again,
training goes on from its last checkpoint, and the models are written to lamella/models/. Needs `pip install
'.[train,dev]' lxml`, and to fetch: apt-get, apt-file, npm.
"""

import argparse
import os
import subprocess
import sys

from recipes.translation.train import CACHE

SHARED = 0.1  # of the training time for the net of both directions
EVERYDAY = 0.07  # of a direction's time, the last of it, with everyday sentences more often
DIRECTIONS = ("en-fr", "fr-en")


def run(*words: str) -> None:
    """One step as a process of its own, so that its memory is given back."""
    print("+ python -m", *words, flush=True)
    subprocess.run([sys.executable, "-m", *words], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=4.0, help="of training, all stages together")
    hours = parser.parse_args().hours
    if not (CACHE / "FINAL").exists():
        run("recipes.translation.corpus", "all", "--lang", "fr")
        (CACHE / "FINAL").touch()
    if not (CACHE / "vocabulary.model").exists():
        run("recipes.translation.train", "vocabulary")
    if not (CACHE / "encoded.npz").exists():
        run("recipes.translation.train", "encode")
    minutes = 60 * hours
    run("recipes.translation.train", "shared", "--minutes", f"{SHARED * minutes:.1f}", "--threads", f"{os.cpu_count()}")
    # One process a direction, a thread each: two threads of one process would wait for each other.
    whole = (1 - SHARED) * minutes
    for length, more in (((1 - EVERYDAY) * whole, []), (whole, ["--everyday"])):
        each = ["--minutes", f"{length:.1f}", "--cooldown", "0.4", *more]
        words = [[sys.executable, "-m", "recipes.translation.train", d, *each] for d in DIRECTIONS]
        running = [subprocess.Popen(w) for w in words]
        if any([process.wait() for process in running]):
            raise SystemExit("training failed; see above. Call this again to go on.")
    for direction in DIRECTIONS:
        run("recipes.translation.release", direction)


if __name__ == "__main__":
    main()
