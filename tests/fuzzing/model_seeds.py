"""What a model and a training are kept in: small files of each kind, made by code."""

from __future__ import annotations

import io
import json
import struct
import warnings
from typing import Any


def manifest(**changed: Any) -> dict[str, Any]:
    """What the `model.json` of a small model says, its digest aside."""
    plain = {
        "format": 1,
        "lamella": "1.0",
        "task": "text-classification",
        "config": {},
        "size": "tiny",
        "fields": {},
        "learned": {"labels_": ["a", "b"], "vocabulary_": {"file": "vocabulary.model"}},
        "precision": "float32",
        "parameters": 10,
        "scores": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}},
        "training": {"steps": 3},
        "files": {},
        "digest": "",
    }
    return {**plain, **changed}


def manifests() -> list[bytes]:
    changed: list[dict[str, Any]] = [
        {},
        {"task": "image-classification", "learned": {"labels_": ["a"], "side_": 12, "channels_": 1}},
        {"task": "../../x.py"},
        {"task": ""},
        {"files": {"../x": "0"}},
        {"files": {"net.onnx": "0" * 64}},
        {"learned": {"__class__": 1, "config": {}, "read": 0}},
        {"learned": {"labels_": {"file": "model.json"}}},
        {"config": {"beams": 10**400}},
        {"size": "huge"},
        {"format": 2},
        {"digest": None},
    ]
    return [json.dumps(manifest(**one)).encode() for one in changed] + [b"[" * 100_000, b"{}", b"null", b'{"files": 3}']


def archives() -> list[bytes]:
    """Zips: a model without graphs, odd names, a bomb, one that lies about sizes."""
    import zipfile

    def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a name is there twice is the point
            for name, raw in members:
                archive.writestr(zipfile.ZipInfo(name), raw, method)
        return out.getvalue()

    said = ("model.json", json.dumps(manifest()).encode())
    plain = zipped(said, ("net.onnx", b"\x08\x08"), method=zipfile.ZIP_STORED)
    return [
        zipped(said),
        plain,
        zipped(said, ("../evil", b"x"), ("/abs", b"x"), ("a\\b", b"x")),
        zipped(said, ("net.onnx", b"\0" * 5_000_000)),
        zipped(said, ("net.onnx", b"\0" * 100_000), method=zipfile.ZIP_BZIP2),
        zipped(said, ("net.onnx", b"\0" * 100_000), method=zipfile.ZIP_LZMA),
        zipped(*((f"{i}", b"") for i in range(1200))),
        zipped(said, said),
        plain.replace(b"net.onnx", b"net.\xff\xfe\x00x"),
        b"PK\x05\x06" + b"\0" * 18,
    ]


def checkpoints() -> list[bytes]:
    good = {
        "step": 3,
        "seconds": 1.0,
        "tokens": 5,
        "updates": 3,
        "sha256": "0" * 64,
        "facts": {"task": "x"},
        "digest": "0" * 64,
    }
    kinds: list[Any] = [
        good,
        {**good, "facts": None},
        {**good, "step": "x"},
        {},
        [],
        None,
        3,
        "x",
        {**good, "sha256": 5},
    ]
    return [json.dumps(one).encode() for one in kinds] + [b"[" * 100_000, b"1" * 5000, b'{"step": 1e999}']


def tensor_files() -> list[bytes]:
    """safetensors: sound ones, and headers that lie."""

    def file(header: Any, body: bytes = b"", length: int | None = None) -> bytes:
        raw = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(raw) if length is None else length) + raw + body

    one = {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}
    return [
        file({"weight.a": one}, b"\0" * 8),
        file(
            {"a": one, "b": {"dtype": "BF16", "shape": [4], "data_offsets": [8, 16]}, "__metadata__": {"x": "y"}},
            b"\0" * 16,
        ),
        file({}),
        file({"a": {**one, "shape": [2**40, 2**40]}}, b"\0" * 8),
        file({"a": {**one, "data_offsets": [0, 10**18]}}, b"\0" * 8),
        file({"a": {**one, "data_offsets": [8, 0]}}, b"\0" * 8),
        file({"a": {**one, "dtype": "X"}}, b"\0" * 8),
        file({str(i): one for i in range(2000)}, b"\0" * 8),
        file(b"[" * 100_000),
        file({}, length=2**63),
    ]


def graphs() -> list[bytes]:
    """ONNX files in a few bytes, written by hand: field numbers and lengths as protobuf has them."""

    def field(number: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return bytes([number << 3, value])
        return bytes([number << 3 | 2]) + bytes([len(value) & 127 | 128, len(value) >> 7]) + value

    shape = field(1, field(1, 1) + field(2, field(1, field(2, b"n"))))
    inside = field(11, field(1, b"x") + field(2, shape)) + field(12, field(1, b"y") + field(2, shape))
    opset = field(8, field(1, b"") + field(2, 18))

    def model(operator: bytes, more: bytes = b"") -> bytes:
        node = field(1, b"x") + field(2, b"y") + field(4, operator) + more
        return field(1, 8) + field(7, field(1, node) + field(2, b"g") + inside) + opset

    tensor = field(1, 2) + field(2, 1) + field(8, b"w") + field(9, b"\0" * 8)
    outside = (
        field(1, 2)
        + field(2, 1)
        + field(8, b"w")
        + field(13, field(1, b"location") + field(2, b"secret"))
        + field(14, 1)
    )
    return [
        model(b"Relu"),
        model(b"Loop"),
        model(b"Constant", field(5, field(1, b"value") + field(5, tensor))),
        model(b"Constant", field(5, field(1, b"value") + field(5, outside))),
        model(b"Evil", field(7, b"com.example")),
        b"",
        b"\x08\x08" * 1000,
    ]
