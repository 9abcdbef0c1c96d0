"""Round the trained encoder to int8 and write it where the package looks for it.

`lamella compress` would measure whether int8 answers faster; what ships has to be small, and is told what it loses.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

import lamella
from lamella import model as folder
from lamella.graphs.int8 import quantize
from lamella.model import card, digest, held_out

MOST = 12_000_000  # bytes
MEASURED = 200  # held-out passages, a word of each


def ship(trained: Path, out: Path) -> None:
    """Write the int8 model, and say what it scores beside the float32 one on what was held out of the training."""
    model = lamella.load(str(trained))
    files = {name: quantize(raw) if name.endswith(".onnx") else raw for name, raw in model.files.items()}
    for name in ("model.json", "card.md", "fingerprint.bin"):  # hashes of hundreds of thousands of passages are large
        files.pop(name, None)
    training = {k: v for k, v in model.manifest.training.items() if k not in ("weights", "data", "held_out")}
    manifest = msgspec.structs.replace(
        model.manifest, precision="int8", training={**training, "data": ["data: recipes/encoder"]}
    )
    manifest.files = {name: digest(raw) for name, raw in files.items()}
    size = sum(map(len, files.values()))
    files["card.md"] = card.write(manifest, size).encode()
    if size > MOST:
        raise SystemExit(f"ship: {size:,} bytes, expected at most {MOST:,}. Train it with a smaller --size.")
    folder.write(manifest, files, out)
    small, held = lamella.load(str(out)), held_out.read(model)[:MEASURED]
    for name, one in (("float32", model), ("int8", small)):
        measured = one.with_config(one.task.to_measure().config)
        scores = one.task.score(measured.predict([{"text": e["text"]} for e in held]), held).values
        print(f"ship: {name}: {', '.join(f'{k} {v:.4g}' for k, v in scores.items())}, {len(held)} words", flush=True)
    print(f"ship: {size / 1e6:.2f} MB in {out}")
