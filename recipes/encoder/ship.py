"""Round the trained encoder to int8 and write it where the package looks for it.

`lamella compress` would measure whether int8 answers faster; what ships has to be small, and is told what it loses.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np

import lamella
from lamella import model as folder
from lamella.graphs.int8 import quantize
from lamella.model import card, digest, held_out

MOST = 12_000_000  # bytes
RARE = 3  # times that a word must have been seen to be filled in where it has several pieces: most rarer ones are slips and codes
WORDS = "known.model"  # the checksums of the words that were seen
DATA = [
    "English and French text, some two thirds English: sentences of Tatoeba, prose, stories and games, descriptions, documentation, "
    "help, interfaces, verses; the recipe is recipes/encoder",
    "nothing from Debian packages whose names begin with t, and nothing that the translators are tested on",
]
LIMITS = [
    "Knows English and French. Texts in other languages fall into short pieces, about which it knows nothing.",
    "Reads 128 pieces at a time, some 90 words.",
    "Small: it fills in what is common. It is there to be begun from, and to find slips.",
]
LICENCES = """
## Sources and their licences

The texts are those of the translators from English to French and back, and English sides of the others: recipes/translation/SOURCES.md
names each with its licence.
"""


def ship(trained: Path, text: Path, out: Path) -> None:
    """Write the int8 model, and say what it scores beside the float32 one on what was held out of the training.

    text: the passages that it was trained on, of which the rare words are left out.
    """
    model = lamella.load(str(trained))
    files = {name: quantize(raw) if name.endswith(".onnx") else raw for name, raw in model.files.items()}
    for name in ("model.json", "card.md", "fingerprint.bin"):  # hashes of hundreds of thousands of passages are large
        files.pop(name, None)
    files[WORDS] = frequent(files[WORDS], text)
    training = {k: v for k, v in model.manifest.training.items() if k not in ("weights", "data", "held_out")}
    manifest = msgspec.structs.replace(
        model.manifest, precision="int8", training={**training, "data": DATA, "limits": LIMITS}
    )
    manifest.files = {name: digest(raw) for name, raw in files.items()}
    size = sum(map(len, files.values()))
    if size > MOST:
        raise SystemExit(f"ship: {size:,} bytes, expected at most {MOST:,}. Train it with a smaller --size.")
    held = str(trained / "training" / held_out.FILE)
    for name in ("float32", "int8"):  # the card has what was measured last, of the weights that ship
        if name == "int8":
            folder.write(manifest, files, out)
        result = lamella.evaluate(str(trained if name == "float32" else out), held)
        scores = {measure: score["value"] for measure, score in result["scores"].items()}
        print(
            f"ship: {name}: {', '.join(f'{k} {v:.4g}' for k, v in scores.items())}, {result['count']} words", flush=True
        )
    manifest.scores = {"held out": {key: result[key] for key in ("count", "scores", "notes")}}
    files["card.md"] = card.write(manifest, size, LICENCES.splitlines()).encode()
    folder.write(manifest, files, out)
    print(f"ship: {size / 1e6:.2f} MB in {out}")


def frequent(known: bytes, text: Path) -> bytes:
    """The checksums of words, of which those stay that occur in the text at least `RARE` times."""
    counts = Counter[str]()
    with text.open(encoding="utf-8") as stream:
        for line in stream:
            counts.update(re.findall(r"[^\W\d_]+", json.loads(line)["text"]))
    common = np.array([crc32(word.encode()) for word, count in counts.items() if count >= RARE], np.uint32)
    return np.intersect1d(np.frombuffer(known, np.uint32), common).tobytes()
