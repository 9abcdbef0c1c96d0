"""The model folder and its zip: every byte verified, nothing run, nothing written outside, nothing half-written."""

from __future__ import annotations

import io
import os
import pickle
import random
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

import lamella
from lamella import model
from lamella.errors import DataError, LamellaError, ModelError, UsageError
from lamella.fields import Text
from lamella.model import Manifest, load, read, write, write_zip
from lamella.task import Task

WEATHER = Path(__file__).parents[1] / "tasks" / "weather.py"
FILES = {
    "encode.onnx": bytes(range(256)) * 5,
    "step.onnx": b"a graph, which is opened when it is first used",
    "vocabulary.model": b"pieces" * 20,
    "card.md": "# a card\n\néà\n".encode(),
}


def manifest(**changes) -> Manifest:
    content = {
        "lamella": "0.1.0",
        "task": "translation",
        "config": {"from": "en", "to": "fr", "beams": 2},
        "size": "tiny",
        "fields": {"text": {"kind": "text"}},
        "learned": {"vocabulary_": {"file": "vocabulary.model"}},
        "scores": {"held out": {"count": 1, "scores": {"chrF": {"value": 1.5, "low": 1.0, "high": 2.0}}}},
        "training": {"data": ["line one", "ligne deux à"], "steps": 9},
    }
    return Manifest(**{**content, **changes})


@pytest.fixture
def folder(tmp_path) -> Path:
    write(manifest(), FILES, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def packed(tmp_path) -> Path:
    write_zip(manifest(), FILES, tmp_path / "model.zip")
    return tmp_path / "model.zip"


def tree(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


def refused(path: Path, *parts: str, kind: type[LamellaError] = ModelError, **options) -> None:
    """One line that names what is wrong, and nothing written anywhere about it."""
    before = tree(path.parent)
    with pytest.raises(kind) as caught:
        load(path, **options)
    for part in (path.name, *parts):
        assert part in str(caught.value), caught.value
    assert "\n" not in str(caught.value)
    assert tree(path.parent) == before


# --- what is whole


def test_folder_and_zip_are_the_same(folder, packed):
    one, other = load(folder), load(packed)
    assert one.files == other.files and one.files.items() >= FILES.items() and set(one.files) == {*FILES, "model.json"}
    assert one.manifest == other.manifest and one.manifest.learned == manifest().learned
    for opened in (one, other):
        assert opened.task.vocabulary_ == FILES["vocabulary.model"]
        assert opened.task.config.beams == 2 and opened.task.config.src == "en"
        assert opened.bytes == sum(p.stat().st_size for p in folder.iterdir())
        assert "translation" in repr(opened)


def test_a_model_of_either_kind_answers(tiny_model, tmp_path):
    texts = ["The baker sells the round cake today.", "", "  \n", "The baker sells the round cake today."]
    wanted = load(tiny_model).predict(texts)
    assert wanted[0] == wanted[3] != "" and wanted[1:3] == texts[1:3]
    lamella.export(str(tiny_model), str(tmp_path / "model.zip"))
    assert load(tmp_path / "model.zip").predict(texts) == wanted
    assert "training/" not in " ".join(zipfile.ZipFile(tmp_path / "model.zip").namelist())


def test_a_zip_is_the_same_bytes_each_time(packed, tmp_path):
    write_zip(manifest(), dict(reversed(FILES.items())), tmp_path / "again.zip")
    assert sorted(zipfile.ZipFile(packed).namelist()) == sorted(zipfile.ZipFile(tmp_path / "again.zip").namelist())
    first = packed.read_bytes()
    write_zip(load(packed).manifest, FILES, packed)
    assert packed.read_bytes() == first


def test_what_is_beside_a_folder_is_not_read(folder):
    (folder / "training").mkdir()
    (folder / "training" / "run.pt").write_bytes(b"\x80\x04.")
    (folder / "other.onnx").write_bytes(b"not mine")
    assert set(load(folder).files) == {*FILES, "model.json"}


def test_other_options_leave_the_model_as_it_is(tiny_model):
    opened, text = load(tiny_model), "The baker sells the round cake today."
    config = opened.task.config
    lamella.predict(opened, text, beams=1)
    lamella.evaluate(opened, "sample", limit=2, beams=1, alternatives="2")
    assert opened.task.config is config
    other = opened.with_config(msgspec.structs.replace(config, beams=1))
    assert other.task.config.beams == 1 and opened.task.config is config and opened.with_config(config) is opened


# --- what is damaged


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_changed_byte_is_found(folder, name):
    path = folder / name
    raw = path.read_bytes()
    for place in sorted({0, 1, len(raw) // 3, len(raw) // 2, len(raw) - 1}):
        for bit in range(0, 8, 3):
            path.write_bytes(raw[:place] + bytes([raw[place] ^ 1 << bit]) + raw[place + 1 :])
            refused(folder, f"{name}: its checksum", "Copy the model again")
    for other in (raw[:-1], raw[: len(raw) // 2], b"", raw + b"\0"):
        path.write_bytes(other)
        refused(folder, f"{name}: its checksum")
    path.unlink()
    refused(folder, f"{name}: cannot be read (No such file")
    path.mkdir()
    refused(folder, f"{name}: cannot be read")


def test_a_changed_byte_in_model_json_is_found(folder):
    path = folder / "model.json"
    raw, whole, chance, loaded = path.read_bytes(), load(folder).manifest, random.Random(0), 0
    for place in range(0, len(raw), 2):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :])
        try:
            # Two changes say nothing: a newline for a space, and the name of a field that holds what it holds anyway.
            assert msgspec.structs.replace(load(folder).manifest, digest="") == msgspec.structs.replace(
                whole, digest=""
            )
            loaded += 1
        except ModelError as error:
            assert "model.json" in str(error) or "cannot be read" in str(error) or "reads format 1" in str(error)
    assert loaded < 0.1 * len(raw)
    for last in (0, 1, len(raw) // 2, len(raw) - 3):
        path.write_bytes(raw[:last])
        refused(folder, "model.json: damaged")


def test_a_changed_byte_in_a_zip_is_found(packed):
    raw, wanted, chance, loaded = packed.read_bytes(), load(packed).files, random.Random(0), 0
    for _ in range(400):
        place = chance.randrange(len(raw))
        packed.write_bytes(raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :])
        try:
            assert load(packed).files == wanted, place  # a date, say
            loaded += 1
        except ModelError as error:
            assert "model.zip" in str(error)
    assert loaded < 200
    for last in (0, 10, len(raw) // 2, len(raw) - 1):
        packed.write_bytes(raw[:last])
        refused(packed)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"{}", b"3", b'"text"', b"\xff\xfe", b"[" * 200_000, b'{"files": 3}', b'{"files": [1]}',
     b'{"files": {"a\\u0000b": "0"}}', b'{"files": {"": "0"}}', b'{"format": 1, "files": {}}', b'{"files": {".": ""}}'],
    ids=lambda c: repr(c[:20]),
)  # fmt: skip
def test_what_is_no_model_json(folder, tmp_path, content):
    (folder / "model.json").write_bytes(content)
    refused(folder)
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("model.json", content)
    refused(tmp_path / "odd.zip", "model.json")


def test_a_newer_format_says_so(folder):
    write(manifest(format=2), FILES, folder)
    refused(folder, "format 2", "Install a newer lamella")


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", "sub/file.onnx", ".."])
def test_a_model_json_that_names_files_elsewhere(folder, name):
    (folder.parent / "outside.txt").write_bytes(b"secret")
    (folder / "sub").mkdir()
    (folder / "sub" / "file.onnx").write_bytes(b"secret")
    content = msgspec.json.decode((folder / "model.json").read_bytes())
    content["files"][name] = model.digest(b"secret")
    (folder / "model.json").write_bytes(msgspec.json.encode(content))
    refused(folder, "model.json: names a file outside its folder")


def test_what_fit_learned_must_be_there(folder):
    write(manifest(learned={"vocabulary_": {"file": "none.model"}}), FILES, folder)
    refused(folder, "vocabulary_", "none.model")


def test_a_configuration_of_something_else(folder):
    write(manifest(config={"beams": "many"}), FILES, folder)
    refused(folder, "its configuration is not one of translation")
    write(manifest(task="telepathy"), FILES, folder)
    refused(folder, "unknown task 'telepathy'", "Install a newer lamella")


# --- what is no model


def test_what_is_no_model(tmp_path):
    refused(tmp_path / "nothing", "no such model", kind=UsageError)
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "not a model folder")
    for name, raw in {
        "a.zip": b"",
        "b.zip": b"PK\x05\x06" + bytes(18),
        "c.txt": b"text",
        "d.png": b"\x89PNG\r\n",
    }.items():
        (tmp_path / name).write_bytes(raw)
        refused(tmp_path / name)


class Bomb:
    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("name", ["model.pt", "model.pkl", "model.npy", "model.safetensors", "model.zip", "model"])
def test_nothing_is_unpickled(tmp_path, folder, name):
    torch = pytest.importorskip("torch")
    marker = tmp_path / "exploded"
    for protocol in (0, 2, 4):
        raw = pickle.dumps(Bomb(marker), protocol)
        (tmp_path / "is" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "is" / name).write_bytes(raw)
        refused(tmp_path / "is" / name)
    for new in (True, False):
        torch.save(Bomb(marker), tmp_path / "is" / name, _use_new_zipfile_serialization=new)
        refused(tmp_path / "is" / name)
    np.save(held := io.BytesIO(), np.array([Bomb(marker)], dtype=object), allow_pickle=True)
    (tmp_path / "is" / name).write_bytes(held.getvalue())
    refused(tmp_path / "is" / name)
    # In a folder: what model.json does not name is not opened, and what it is itself is JSON.
    (folder / name).write_bytes(raw) if name != "model" else None
    load(folder)
    (folder / "model.json").write_bytes(raw)
    refused(folder, "model.json")
    # Listed, with its right checksum: nothing that reads a model makes objects of bytes.
    write(manifest(learned={"vocabulary_": {"file": "v.pt"}}), {**FILES, "v.pt": raw, "net.onnx": raw}, folder)
    opened = load(folder)
    for use in (lambda: opened.graphs, lambda: opened.predict("text")):
        with pytest.raises(LamellaError):
            use()
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/tmp/evil.txt", "a/b.onnx", "..\\evil.txt", "C:\\evil.txt", "training/", "a/../../evil"]
)
def test_a_zip_with_folders(tmp_path, packed, name):
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"evil")
    refused(packed, "a model's zip has no folders")


def test_a_zip_with_more_than_its_model_lists(packed):
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("other.onnx", b"evil")
    refused(packed, "other.onnx: not one of the files that model.json lists")


def test_a_zip_with_a_link(packed):
    link = zipfile.ZipInfo("link.onnx")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(link, b"/etc/passwd")
    refused(packed, "link.onnx")


def test_a_zip_with_a_name_twice(packed):
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("step.onnx", b"another")
    refused(packed, "step.onnx")


def claim(path: Path, size: int, flags: int = 0) -> None:
    """Let the list of a zip say that its last file has another size."""
    raw = bytearray(path.read_bytes())
    place = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, place + 24, size)
    struct.pack_into("<H", raw, place + 8, flags)
    path.write_bytes(raw)


def test_a_zip_too_large_is_not_unpacked(packed, tmp_path, monkeypatch):
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(read.MEMBERS + 1):
            archive.writestr(f"{number}.onnx", b"")
    raw = packed.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "read", lambda *a, **k: pytest.fail("unpacked"))
        refused(many, "too many for a model")
        claim(packed, read.LARGEST)
        refused(packed, "too many for a model")
    for size in (0, 7):  # sizes that are not the real ones
        packed.write_bytes(raw)
        claim(packed, size)
        refused(packed)
    packed.write_bytes(raw)
    claim(packed, 20, flags=1)  # encrypted
    refused(packed)


# --- a task from outside


def test_code_from_outside_runs_only_when_asked_for(tmp_path):
    marker = tmp_path / "ran"
    path = tmp_path / "weather_marked.py"
    path.write_bytes(WEATHER.read_bytes() + f"\nimport os\nos.mkdir({str(marker)!r})\n".encode())
    facts = {"task": str(path), "config": {"days": 3}, "learned": {"mean_": 1.5, "spread_": 2.0}}
    write(manifest(**facts, task_digest=model.digest(path.read_bytes())), FILES, tmp_path / "model")
    refused(tmp_path / "model", "weather_marked.py, from outside lamella", "--task FILE.py", kind=UsageError)
    assert not marker.exists()
    with pytest.raises(UsageError, match=r"none\.py: no such file"):
        load(tmp_path / "model", task=str(tmp_path / "none.py"))
    with pytest.raises(ModelError, match="not the file this model was trained with"):
        load(tmp_path / "model", task=str(WEATHER))
    assert not marker.exists()
    opened = load(tmp_path / "model", task=str(path))
    assert marker.exists() and opened.task.config.days == 3 and opened.task.mean_ == 1.5
    marker.rmdir()
    path.write_bytes(path.read_bytes() + b"\n# changed")
    with pytest.raises(ModelError, match="not the file this model was trained with"):
        load(tmp_path / "model", task=str(path))
    assert not marker.exists()


# --- writing


def test_nothing_is_overwritten_unasked(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"mine")
    (tmp_path / "begun" / "training").mkdir(parents=True)
    (tmp_path / "nothing").mkdir()
    for name in ("file", "photos", "model"):
        with pytest.raises(UsageError, match=f"{name}: .*(exists already|other things|is a file)"):
            model.free(tmp_path / name, force=False, whole=True)
    for name in ("begun", "nothing", "new"):
        model.free(tmp_path / name, force=False, whole=True)
    with pytest.raises(UsageError, match="file: is a file, and a model is a folder"):
        model.free(tmp_path / "file", force=True, whole=True)
    model.free(folder, force=True, whole=True)
    with pytest.raises(UsageError, match="other things in it"):
        model.free(tmp_path / "photos", force=True, whole=True)
    monkeypatch.chdir(tmp_path / "nothing")
    for name in (".", "..", str(tmp_path)):
        with pytest.raises(UsageError, match="the folder you are in"):
            model.free(Path(name), force=True, whole=True)


@pytest.mark.parametrize("there", ["a model", "a training", "nothing"])
def test_a_disk_that_fails_at_any_moment(tmp_path, full_disk, there):
    out = tmp_path / "model"
    if there == "a model":
        write(manifest(), FILES, out)
    if there != "nothing":
        (out / "training" / "checkpoint").mkdir(parents=True)
        (out / "training" / "log.jsonl").write_text("kept")
    shutil.copytree(tmp_path, aside := tmp_path.with_name(tmp_path.name + "-before"))
    before, nth = tree(tmp_path), 1
    new = {**FILES, "step.onnx": b"another"}
    while True:
        failed = False
        with full_disk(nth) as disk:
            try:
                write(manifest(training={"steps": nth}), new, out)
            except ModelError as error:
                assert "model: the model could not be written (No space left" in str(error)
                failed = True
        if failed:
            assert tree(tmp_path) == before, f"failure {nth} left all as it was"
        else:  # the disk failed when the new model stood already, or not at all
            assert load(out).files["step.onnx"] == b"another" and load(out).manifest.training == {"steps": nth}
        if not disk.failed:
            break
        shutil.rmtree(tmp_path)
        shutil.copytree(aside, tmp_path)
        nth += 1
    assert nth > 3 * (len(FILES) + 1), "each file opened, written and flushed"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    assert {p.name for p in out.iterdir()} - {"training"} == {*FILES, "model.json"}, "nothing is left over"
    assert (there == "nothing") != ((out / "training" / "log.jsonl").exists())


def test_a_full_disk_leaves_the_old_zip(packed, full_disk):
    before = packed.read_bytes()
    for nth in (1,):
        with full_disk(nth), pytest.raises(DataError, match=r"model\.zip: could not be written"):
            write_zip(manifest(training={}), FILES, packed)
        assert packed.read_bytes() == before and [p.name for p in packed.parent.iterdir()] == ["model.zip"]


def test_a_file_is_never_replaced_by_a_folder(tmp_path):
    (tmp_path / "model").write_bytes(b"old")
    with pytest.raises(ModelError, match="model: the model could not be written"):
        write(manifest(), FILES, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["model"]


# --- answering


class Echo(Task):
    """Answers with its input, and keeps the sizes of its batches."""

    fields = {"text": Text()}
    sizes: list[tuple[int, int]]

    def inputs(self, example):
        return {"letters": np.frombuffer(example["text"].encode(), np.uint8).astype(np.int64)}

    def decode(self, graphs, inputs):
        self.sizes.append(inputs["letters"].shape)
        return [bytes(row[row != 0].tolist()).decode() for row in inputs["letters"]]


def test_answers_keep_their_order():
    job, chance = Echo(config=3), random.Random(0)
    job.sizes = []
    texts = ["x" * chance.choice([1, 5, 30, 400]) + str(n) for n in range(300)] + ["long" * 1000]
    assert model.run_batches(job, {}, [{"text": t} for t in texts]) == texts
    assert sum(rows for rows, _ in job.sizes) == 301
    assert all(rows == 1 or rows * width <= model.BATCH_TOKENS for rows, width in job.sizes)
    assert len(job.sizes) < 80, "batched"
    assert model.run_batches(job, {}, []) == []


def test_a_value_for_the_one_field():
    job = Echo(config=3)
    assert model.as_example(job, "a") == {"text": "a"} and model.as_example(job, {"text": "b"}) == {"text": "b"}
    job.fields = {"text": Text(), "other": Text()}
    with pytest.raises(UsageError, match="expected text and other, as a dict or a tuple, received str"):
        model.as_example(job, "a")


def test_copying_a_model_is_copying_its_folder(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert load(tmp_path / "copy").files == load(folder).files
