"""How the files of models and trainings, and what is typed on the command line, are tried."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from lamella.errors import LamellaError
from tests.fuzzing import model_seeds


def read_archive(path: Path) -> None:
    import lamella

    lamella.load(path)


def read_manifest(path: Path) -> None:
    """A folder whose `model.json` is the input, its own digest put right where it can be."""
    import lamella
    from lamella.model import Manifest, own_digest

    raw = path.read_bytes()
    folder = path.with_name("model")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "vocabulary.model").write_bytes(b"")
    try:
        said = msgspec.json.decode(raw, type=Manifest)
        said.files.setdefault("vocabulary.model", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        said.digest = own_digest(said)
        raw = msgspec.json.encode(said)
    except (ValueError, RecursionError, TypeError):
        pass
    (folder / "model.json").write_bytes(raw)
    model = lamella.load(folder)
    repr(model)
    with suppress(LamellaError):
        model.predict("some text")


def read_vocabulary(path: Path) -> None:
    from lamella.data.text.pieces import Pieces

    pieces = Pieces(path.read_bytes())
    ids = pieces.encode(["Hello wörld"])
    pieces.decode(ids)
    pieces.words(ids[0])
    pieces.knows("x")


def vocabularies_seeds() -> list[bytes]:
    from lamella.data.text.pieces import learn

    return [learn([f"some words and {i} numbers of them" for i in range(50)], 60), b"", b"\x0a\x00"]


def read_checkpoint(path: Path) -> None:
    """A folder of checkpoints whose newest says what the input says, its checksums put right where they can be."""
    from lamella.train.checkpoint import peek

    raw, tensors = path.read_bytes(), b"\x02\x00\x00\x00\x00\x00\x00\x00{}"
    folder = path.with_name("checkpoint")
    with suppress(ValueError, RecursionError, TypeError, AttributeError):
        state = msgspec.json.decode(raw)
        state["sha256"] = hashlib.sha256(tensors).hexdigest()
        content = {name: value for name, value in state.items() if name != "digest"}
        state["digest"] = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
        raw = msgspec.json.encode(state)
    for name in ("step-00000003", "step-00000002+"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "run.json").write_bytes(raw)
        (folder / name / "run.safetensors").write_bytes(tensors)
    peek(folder)


def read_tensor_file(path: Path) -> None:
    from lamella.storage.tensors import read_tensors

    for array in read_tensors(path.read_bytes(), "input").values():
        assert array.size * array.itemsize <= path.stat().st_size


def read_graph(path: Path) -> None:
    from lamella.graphs.check import check

    check(path.read_bytes(), "net.onnx")


def read_fingerprint(path: Path) -> None:
    from lamella.model.fingerprint import trained_on

    trained_on(path.read_bytes(), [["a text"], ["another", "one"]])


def fingerprints_seeds() -> list[bytes]:
    from lamella.model.fingerprint import make

    return [make([]), make([["a text"]]), make([[f"text {i}"] for i in range(100)])]


def checkpoints_seeds() -> list[bytes]:
    import lamella.train.checkpoint  # noqa: F401  # with it torch, which takes long, and that is no fault of the reader

    return model_seeds.checkpoints()


def read_options(path: Path) -> None:
    import lamella
    from lamella import registry
    from lamella.options import make_config

    text = path.read_text("utf-8", "replace")
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        given = text
    if not isinstance(given, dict):
        given = dict.fromkeys(("to", "horizon", "dims", "net"), given)
    first: LamellaError | None = None
    for name in lamella.tasks():
        try:
            make_config(registry.find(name).Config, given, name)
        except LamellaError as error:
            first = first or error
    if first:
        raise first


def read_arguments(path: Path) -> None:
    from lamella.cli.arguments import options_last, split_columns, split_options

    text = path.read_text("utf-8", "replace")
    split_options(options_last(text.split(), {"-o": True, "--json": False}))
    split_columns(text)
