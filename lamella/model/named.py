"""Open a model by its path, or by its name where it came with the package: en-fr, encoder.

>>> load("en-fr").task.config.dst
'fr'
"""

import os
import re
from pathlib import Path

from lamella.model import Model
from lamella.model import load as open_path

FOLDER = Path(__file__).parent.parent / "models"
_NAME = re.compile(r"[a-z][a-z+_-]{0,99}")  # of a folder, or a pair of languages


def load(path: str | os.PathLike[str], task: str | None = None) -> Model:
    """Open a model folder or `.zip`, every byte of it verified; where there is none of that name, a model that came with lamella.

    Those are named by their pair of languages (en-fr) or their folder (encoder). A model of a task from outside the package
    needs `task`, the path of its file: code is never run unasked. UsageError where there is no such model.
    """
    if isinstance(path, str) and _NAME.fullmatch(path) and not os.path.lexists(path):
        if (FOLDER / path / "model.json").is_file():
            return open_path(FOLDER / path, task)
        if "-" in path:
            from lamella.model import shipped  # only now: it reads the names of languages

            if path in shipped.pairs():
                return shipped.translator(*path.split("-"))
    return open_path(path, task)
