"""Round the trained encoder to int8 and write it where the package looks for it.

`lamella compress` would measure whether int8 answers faster; what ships has to be small, and is told what it loses.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

import lamella
from lamella import model as folder
from lamella.data.readers.cloze import mask_a_word
from lamella.graphs.int8 import quantize
from lamella.model import card, digest, held_out
from lamella.tasks.fill_mask import Config, FillMask
from lamella.terms import SIZES
from lamella.train.adopt import fill
from lamella.train.export import export_graphs
from lamella.train.ship import store_learned
from lamella.version import __version__
from recipes.encoder import pack

MOST = 12_000_000  # bytes
RARE = 3  # times that a word must have been seen to be filled in where it has several pieces: most rarer ones are slips and codes
COUNTED = 20_000  # passages by which is told how many pieces words have
WORDS = "known.model"  # the checksums of the words that were seen
DATA = [
    "texts in English, two thirds of them, French, German, Spanish and Chinese: novels, sentences of Tatoeba, prose and documentation, "
    "dialogues of games, definitions of WordNet, lists of words that mean nearly the same; the recipe is recipes/encoder",
    "835,000 pairs that mean the same: translations of sentences, words and their definitions",
    "nothing from Debian packages whose names begin with t, and nothing that the translators are tested on",
]
LIMITS = [
    "Knows English, and some French, German, Spanish and Chinese. Texts in other languages fall into short pieces, about which it knows nothing.",
    "Fills in words with blanks around them: in Chinese, where there are none, it can be begun from and no more.",
    "Reads 128 pieces at a time, some 90 words.",
    "Small: it fills in what is common. It is there to be begun from, and to find slips.",
]
LICENCES = """
## Sources and their licences

recipes/encoder/SOURCES.md and recipes/translation/SOURCES.md name each source with its licence.
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


def assemble(weights: Path, vocabulary: Path, text: Path, out: Path) -> None:
    """The weights that `accelerator.py` wrote -> a float32 model like those that training writes, with its held-out passages.

    text: what `pack.py` packed, with the same vocabulary.
    """
    raw, facts = read_weights(weights)
    shapes = {(size.width, size.depth): name for name, size in SIZES.items()}
    task = FillMask(Config(vocabulary_size=len(raw["table"])), size=shapes[facts["width"], facts["depth"]])
    task.vocabulary_, task.heads_ = vocabulary.read_bytes(), facts["heads"]
    held, passages = pack.divided(text)
    task._count(list(islice(passages, COUNTED)))
    words = counted(text)
    task.known_ = np.array(sorted({crc32(word.encode()) for word in words}), np.uint32).tobytes()
    task.words_ = len(words)
    net = task.build()
    fill(net, raw).all_or_error(str(weights))
    files = export_graphs(net)
    learned, blobs = store_learned(task)
    files.update(blobs)
    rows = [row for passage in held if (row := mask_a_word(passage)) is not None]
    manifest = folder.Manifest(
        lamella=__version__,
        task="fill-mask",
        config=msgspec.to_builtins(task.config),
        size=task.size_name,
        fields={name: msgspec.to_builtins(field) for name, field in task.fields.items()},
        learned=learned,
        parameters=sum(array.size for array in raw.values()),
        training={
            "steps": facts["steps"], "seconds": facts["seconds"], "precision": facts["precision"], "device": facts["device"],
            "examples": [{"text": row["text"]} for row in rows[:3]],
        },
    )  # fmt: skip
    manifest.files = {name: digest(content) for name, content in files.items()}
    folder.write(manifest, files, out)
    (out / "training").mkdir(exist_ok=True)
    held_out.keep(out / "training", task, rows)


def read_weights(weights: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """The arrays in `weights-*.safetensors` by name, and the facts that came with them; `name|number` holds some rows of one."""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    facts: dict[str, Any] = {}
    for path in sorted(weights.glob("weights-*.safetensors"), key=lambda p: int(p.stem.rpartition("-")[2])):
        with safe_open(path, "numpy") as file:
            facts = json.loads(file.metadata()["facts"])
            for key in sorted(file.keys()):
                name = key.rpartition("|")[0].removeprefix("latest.")
                parts.setdefault(name, []).append(file.get_tensor(key).astype(np.float32))
    if not parts:
        raise SystemExit(
            f"{weights}: no weights-0.safetensors. Expected the folder that recipes.encoder.accelerator wrote."
        )
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}, facts


def frequent(known: bytes, text: Path) -> bytes:
    """The checksums of words, of which those stay that occur in the text at least `RARE` times."""
    common = np.array([crc32(word.encode()) for word in counted(text)], np.uint32)
    return np.intersect1d(np.frombuffer(known, np.uint32), common).tobytes()


def counted(text: Path) -> list[str]:
    """The words that occur in the text at least `RARE` times."""
    counts = Counter[str]()
    with text.open(encoding="utf-8") as stream:
        for line in stream:
            counts.update(re.findall(r"[^\W\d_]+", json.loads(line)["text"]))
    return [word for word, count in counts.items() if count >= RARE]
