"""What a hostile model keeps beside its graphs: whatever its bytes are, they give an answer or a typed error.

The parts are those that a training writes: vocabularies, counts, rules, languages, features. Each is damaged in a few ways
and given the right checksum again, as whoever means harm would.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

import lamella
from lamella.errors import LamellaError
from lamella.model import Manifest, seal, shipped

CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "half": lambda raw, rng: raw[: len(raw) // 2],
    "empty": lambda raw, rng: b"",
    "no text": lambda raw, rng: b"\xff" * len(raw),
    "a few bytes": lambda raw, rng: scattered(raw, rng, len(raw)),
    "its beginning": lambda raw, rng: scattered(raw, rng, min(len(raw), 64)),
}


def scattered(raw: bytes, rng: random.Random, most: int) -> bytes:
    """Five of the first `most` bytes changed."""
    changed = bytearray(raw)
    for place in [rng.randrange(most) for _ in range(5)] if most else []:
        changed[place] = rng.randrange(256)
    return bytes(changed)


def damaged(model: Path, out: Path) -> Iterator[tuple[str, Path]]:
    """Copies of a model, one part of each changed."""
    said = msgspec.json.decode((model / "model.json").read_bytes(), type=Manifest)
    files = {name: (model / name).read_bytes() for name in said.files}
    for part in [name for name in files if name.endswith((".model", ".bin"))]:
        for how, change in CHANGES.items():
            shutil.rmtree(out, ignore_errors=True)
            for name, raw in seal(said, {**files, part: change(files[part], random.Random(how))}).items():
                path = out / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(raw)
            yield f"{part}, {how}", out


def answers(model: lamella.Model) -> None:
    """Ask each question once."""
    example = model.task.sample("test")[0]
    for question in model.task.questions or [None]:
        asked = model.ask(question) if question else model
        asked.predict(asked.task.given(example))


@pytest.mark.parametrize("task", lamella.tasks())
def test_damaged_parts_are_typed(trained, tmp_path, task):
    for what, folder in damaged(trained(task), tmp_path / "model"):
        try:
            answers(lamella.load(folder))
        except LamellaError as error:
            assert str(error) and "\n" not in str(error), what
        except Exception as error:
            raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("pair", [("en", "fr"), ("de", "en")])
def test_damaged_parts_of_translators_are_typed(tmp_path, pair):
    """The dictionary, the shortlist and the lists of words, which a sample's translator has not."""
    for what, folder in damaged(shipped.directions()[pair], tmp_path / "model"):
        try:
            model = lamella.load(folder)
            for text in ("soap", "emergency exit", "The cat drinks milk.", "Seife", "Notausgang"):
                model.predict(text)
        except LamellaError as error:
            assert str(error) and "\n" not in str(error), what
        except Exception as error:
            raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
