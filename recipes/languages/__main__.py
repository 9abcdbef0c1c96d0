"""The language identifier from nothing, in one command: fetch, extract, split, train, evaluate, write.

    python -m recipes.languages                some 20 minutes on one core, half of it training

Each step is a module that can be called alone, in this order. Needs `pip install '.[train,dev]' lxml`, and to fetch:
apt-get, apt-file, npm. The model is written to lamella/models/languages.
"""

import subprocess
import sys

for step in ("fetch", "extract", "split", "train", "release"):
    print("+ python -m", f"recipes.languages.{step}", flush=True)
    subprocess.run([sys.executable, "-m", f"recipes.languages.{step}"], check=True)  # its memory is given back
