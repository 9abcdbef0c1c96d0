"""Folders of pictures as people have them: parts of a data set, tables above the pictures, folders around the classes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

Image = pytest.importorskip("PIL.Image")

from lamella import registry  # noqa: E402
from lamella.data.readers.image_folders import image_folder  # noqa: E402
from lamella.data.readers.parts import column_of_parts, find_parts  # noqa: E402
from lamella.data.readers.pictures import read_pictures  # noqa: E402
from lamella.errors import DataError  # noqa: E402
from lamella.train.gather import gather  # noqa: E402


def fill(place: Path, count: int = 6, start: int = 0) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for n in range(start, start + count):
        shade = (hash(str(place)) + n * 7) % 256
        picture = Image.new("L", (8, 8), shade)
        picture.putpixel((n % 8, n // 8 % 8), (shade + 99) % 256)
        picture.save(place / f"p{n}.png")
    return place


def classes(place: Path, count: int = 6, start: int = 0) -> Path:
    for name in ("cat", "dog"):
        fill(place / name, count, start)
    return place


def labels(rows):
    return sorted({row["label"] for row in rows})


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("train", "val", "test"), (24, 6, 8)),
        (("Training", "Validation"), (24, 6, 0)),
        (("train", "test"), (24, 0, 8)),
        (("train", "valid", "test", "extra"), (24, 6, 8)),
    ],
)
@pytest.mark.parametrize("around", ["", "animals"])
def test_parts_are_used_as_they_are_meant(tmp_path, names, wanted, around):
    root = tmp_path / around
    for name, count in zip(names, (12, 3, 4, 2), strict=False):
        count = 3 if name.lower().startswith("val") else 4 if name == "test" else count
        classes(
            root / name,
            count,
            start={"t": 0, "v": 20, "T": 0, "V": 20, "e": 50}[name[0]] + (30 if name == "test" else 0),
        )
    (tmp_path / "__MACOSX" / "._x").mkdir(parents=True)
    cls = registry.find("image-classification")
    gathered = gather(cls(cls.Config()), [str(tmp_path)], (), None, 0)
    assert {e["label"] for e in gathered.learn} == {"cat", "dog"}
    learn, watch, test = (len(part) for part in (gathered.learn, gathered.watched, gathered.held))
    if wanted[2]:
        assert test == wanted[2] and {Path(e["image"]).parts[-3] for e in gathered.held} == {
            names[2] if len(names) > 2 else names[1]
        }
    if wanted[1]:
        assert watch == wanted[1] and learn + (0 if wanted[2] else test) == wanted[0]
    assert any(line.startswith("parts of the data") for line in gathered.lines)


def test_a_test_without_classes_is_not_measured_with(tmp_path):
    classes(tmp_path / "train", 20)
    fill(tmp_path / "test", 5, 40)
    cls = registry.find("image-classification")
    gathered = gather(cls(cls.Config()), [str(tmp_path)], (), None, 0)
    assert {e["label"] for e in gathered.held} <= {"cat", "dog"}
    assert any("no labelled examples" in line for line in gathered.lines)


def test_parts_beside_classes_are_no_classes(tmp_path):
    classes(tmp_path)
    fill(tmp_path / "test", 3, 30)
    rows, lines = image_folder([tmp_path])
    assert labels(rows) == ["cat", "dog"] and any("part of a data set" in line for line in lines)
    with pytest.raises(DataError, match="parts of a data set"):
        image_folder([classes(tmp_path / "x" / "train").parent])


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("metadata.csv", "file_name,label\n{0}.png,a\n{1}.png,b\n"),
        ("labels.csv", "id,breed\n{0},a\n{1},b\n"),
        ("labels.csv", "id;cat;dog\n{0};1;0\n{1};0;1\n"),
        ("info.csv", ",0,1\n0,{0},a\n1,{1},b\n"),
        ("metadata.jsonl", '{{"file_name": "{0}.png", "label": "a"}}\n{{"file_name": "{1}.png", "label": "b"}}\n'),
        ("labels.csv", "path,class\n/home/me/data/{0}.png,a\nC:\\\\data\\\\{1}.png,b\n"),
    ],
)
@pytest.mark.parametrize("where", ["beside", "above", "two folders"])
def test_tables_of_labels(tmp_path, table, text, where):
    inside = {"beside": [""], "above": ["images"], "two folders": ["part_1", "part_2"]}[where]
    for at, folder in enumerate(inside):
        fill(tmp_path / folder, 8 // len(inside), at * 8 // len(inside))
    head, *rows = text.splitlines(keepends=True) if not table.endswith("l") else ["", *text.splitlines(keepends=True)]
    body = "".join(rows[n % 2].replace("{0}", f"p{n}").replace("{1}", f"p{n}") for n in range(8))
    if table == "info.csv":
        body = "".join(f"{n},p{n},{'ab'[n % 2]}\n" for n in range(8))
    (tmp_path / table).write_text((head + body).replace("{{", "{").replace("}}", "}"))
    rows, lines = image_folder([tmp_path])
    assert len(rows) == 8, lines
    assert labels(rows) in (["a", "b"], ["cat", "dog"]) and rows[0]["label"] != rows[1]["label"]
    if where != "two folders":
        given, _ = image_folder([tmp_path / table], {"image": "2", "label": "3"} if table == "info.csv" else None)
        assert [row["label"] for row in given] == [row["label"] for row in rows]


@pytest.mark.parametrize("where", ["pictures", ""])
def test_pictures_without_labels_are_all_read(tmp_path, where):
    """A table beside them tells captions, or the labels of a few: no picture is left out."""
    fill(tmp_path / "pictures", 8)
    (tmp_path / "captions.csv").write_text("image,caption\n" + "".join(f"p{n}.png,picture {n}\n" for n in range(5)))
    with pytest.raises(DataError, match="expected a column of labels"):
        image_folder([tmp_path / where])
    rows, lines = read_pictures([str(tmp_path / where)])
    assert len(rows) == 8 and any("captions.csv is not used" in line for line in lines)
    (tmp_path / "captions.csv").unlink()
    (tmp_path / "labels.csv").write_text("image,label\np0.png,a\np1.png,b\np2.png,\n")
    rows, lines = read_pictures([str(tmp_path / where)])
    assert [row.get("label", "") for row in rows] == ["a", "b"] + 6 * [""]
    assert any("6 pictures are in no row of" in line and "kept without" in line for line in lines), lines


def test_loose_pictures_are_kept_where_labels_are_optional(tmp_path):
    classes(tmp_path)
    fill(tmp_path, 3, 30)
    assert not [row for row in image_folder([tmp_path])[0] if row["label"] not in ("cat", "dog")]
    rows, lines = read_pictures([str(tmp_path)])
    assert sum("label" not in row for row in rows) == 3 and "3 have no label" in "".join(lines)


def test_files_that_are_parts(tmp_path):
    for name in ("train.csv", "val.csv", "test.csv", "readme.md"):
        (tmp_path / name).write_text("text,label\na,b\n")
    parts = find_parts(tmp_path)
    assert parts.learn == [str(tmp_path / "train.csv")] and parts.test == [str(tmp_path / "test.csv")]
    assert find_parts(tmp_path / "train.csv") is None and find_parts(classes(tmp_path / "other")) is None


def test_a_table_of_a_part_beside_its_folder(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "test", start=50)
    names = sorted(path.stem for path in (tmp_path / "train").iterdir())
    (tmp_path / "train.csv").write_text("id,breed\n" + "".join(f"{n},{'ab'[i % 2]}\n" for i, n in enumerate(names)))
    parts = find_parts(tmp_path)
    assert parts is not None and [Path(p).name for p in parts.learn] == ["train"]
    rows, _ = image_folder(parts.learn)
    assert [row["label"] for row in rows] == ["a", "b"] * 3


def test_lists_of_pictures_and_names_that_tell_the_class(tmp_path):
    fill(tmp_path / "one")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    (tmp_path / "one" / "labels.txt").write_text("".join(f"{n} {'ab'[i % 2]}\n" for i, n in enumerate(names)))
    (tmp_path / "one" / "README.txt").write_text("Pictures of two kinds, taken by us.\n")
    rows, lines = image_folder([tmp_path / "one"])
    assert [row["label"] for row in rows] == ["a", "b"] * 3 and "a picture and its class on each line" in lines[0]
    for number, path in enumerate(sorted(fill(tmp_path / "two").iterdir())):
        path.rename(path.with_name(f"{('cat', 'dog')[number % 2]}.{number}{path.suffix}"))
    rows, lines = image_folder([tmp_path / "two"])
    assert sorted(row["label"] for row in rows) == ["cat"] * 3 + ["dog"] * 3
    assert any('beginnings of the files\' names are taken as their classes: "cat", "dog"' in line for line in lines)


def test_a_column_of_parts(tmp_path):
    fill(tmp_path / "all", 40)
    names = sorted(path.name for path in (tmp_path / "all").iterdir())
    part = ["train", "train", "train", "Test", "valid"]
    rows = [f"all/{n},{'ab'[i % 2]},{part[i % 5]}" for i, n in enumerate(names)]
    table = tmp_path / "all.csv"
    table.write_text("\n".join(["file,label,split", *rows]))
    assert column_of_parts(table) == ("split", {"learn": "train", "test": "Test", "watch": "valid"})
    cls = registry.find("image-classification")
    found = gather(cls(cls.Config()), [str(table)], [], None, 0)
    assert (len(found.learn), len(found.watched), len(found.held)) == (24, 8, 8)
    assert any(
        "by the column 'split': to learn from 'train', to watch by 'valid', to measure with 'Test'" in x
        for x in found.lines
    )
    table.write_text("\n".join(["file,label,split", *rows, "all/p0.png,a,unknown"]))
    assert column_of_parts(table) is None, "it says something else"
    assert column_of_parts(tmp_path / "all") is None and column_of_parts(tmp_path / "no.csv") is None


@pytest.mark.parametrize(
    ("task", "head", "value"),
    [
        ("image-classification", "file_name,label,split", lambda i: "ab"[i % 2]),
        ("image-to-text", "file_name,caption,subset", lambda i: f"picture {i}"),
        ("image-generation", "file_name,label,Set", lambda i: "ab"[i % 2]),
        ("object-detection", "filename,class,split,xmin,ymin,xmax,ymax", lambda i: "cat"),
    ],
)
@pytest.mark.parametrize("place", ["", "images"])
def test_a_column_of_parts_of_a_table_in_the_folder(tmp_path, task, head, value, place):
    """`pictures/metadata.csv` says which pictures are to learn from; the pictures are in the folder, or in one beside the table."""
    names = sorted(path.name for path in fill(tmp_path / place, 40).glob("*.png"))
    part = ["train", "train", "train", "test", "val"]
    box = ",1,1,5,5" if task == "object-detection" else ""
    rows = [f"{f'{place}/' * bool(place)}{n},{value(i)},{part[i % 5]}{box}" for i, n in enumerate(names)]
    (tmp_path / "metadata.csv").write_text("\n".join([head, *rows]))
    cls = registry.find(task)
    found = gather(cls(cls.Config()), [str(tmp_path)], [], None, 0)
    assert (len(found.learn), len(found.watched), len(found.held)) == (24, 8, 8), found.lines
    assert any("by the column" in line for line in found.lines)
    assert not any("in no row" in line for line in found.lines), "those of another part are"


def test_a_column_of_parts_that_is_not_read_is_said(tmp_path):
    names = sorted(path.name for path in fill(tmp_path / "images", 40).glob("*.png"))
    (tmp_path / "masks").mkdir()
    for at, name in enumerate(names):
        mask = Image.new("L", (8, 8), 0)
        mask.putpixel((at % 8, at // 8), 1)
        mask.save(tmp_path / "masks" / name)
    rows = [f"{name},{'train' if at % 5 else 'test'}" for at, name in enumerate(names)]
    (tmp_path / "index.csv").write_text("\n".join(["image,split", *rows]))
    cls = registry.find("image-segmentation")
    found = gather(cls(cls.Config()), [str(tmp_path)], [], None, 0)
    assert (
        found.held
        and "note: the column 'split' is not used: these data are read from files, and no table" in found.lines
    )


@pytest.mark.parametrize(
    ("learn", "test"), [("seg_train", "seg_test"), ("training_set", "test_set"), ("Train-Images", "Test-Images")]
)
def test_parts_by_a_word_of_their_names(tmp_path, learn, test):
    """Folders whose names differ by that word alone are parts; one by itself, or of other names, is a class."""
    for start, part in enumerate((learn, test)):
        classes(tmp_path / "data" / part / part, start=50 * start)
    parts = find_parts(tmp_path / "data")
    assert [Path(p).name for p in parts.learn] == [learn] and [Path(p).name for p in parts.test] == [test]
    assert {row["label"] for row in image_folder([Path(parts.learn[0])])[0]} == {"cat", "dog"}
    (tmp_path / "data" / test).rename(tmp_path / "data" / "stations")
    assert find_parts(tmp_path / "data") is None


def test_pictures_that_a_table_leaves_out_are_named(tmp_path):
    fill(tmp_path, 8)
    rows = "".join(f"p{n}.png,{'ab'[n % 2]}\n" for n in range(6))
    (tmp_path / "labels.csv").write_text("path,label\n" + rows + "p6.png,\np99.png,a\n")
    said = "\n".join(image_folder([tmp_path])[1])
    assert 'left out: "p99.png"' in said and 'are left out: "p6.png", "p7.png"' in said
    kept, lines = read_pictures([str(tmp_path)])
    assert len(kept) == 8 and any('kept without one: "p6.png", "p7.png"' in line for line in lines)


def test_classes_that_differ_in_case_alone_are_said(tmp_path):
    fill(tmp_path / "Cat")
    fill(tmp_path / "cat")
    fill(tmp_path / "dog")
    assert 'note: classes "Cat" and "cat" differ in case or spaces alone' in image_folder([tmp_path])[1]


MAPS = {
    "a label each": {"p0.png": "cat", "p1.png": "dog", "p2.png": "cat", "p3.png": "dog"},
    "numbers": {"p0.png": 0, "p1.png": 3, "p2.png": 0, "p3.png": 3},
    "without a suffix": {"p0": "cat", "p1": "dog", "p2": "cat", "p3": "dog"},
    "a list of one": {"p0.png": ["cat"], "p1.png": ["dog"], "p2.png": ["cat"], "p3.png": ["dog"]},
    "an object each": {f"p{n}.png": {"label": "cat" if n % 2 else "dog", "by": "ann"} for n in range(4)},
    "names of a class": {"cat": ["p0.png", "p2.png"], "dog": ["p1.png", "p3.png"]},
    "below a key": {"version": 1, "labels": {"p0.png": "cat", "p1.png": "dog", "p2.png": "cat", "p3.png": "dog"}},
    "pairs": {"labels": [["p0.png", 0], ["p1.png", 1], ["p2.png", 0], ["p3.png", 1]]},
    "numbers with names": {"labels": {"p0.png": 0, "p1.png": 1, "p2.png": 0, "p3.png": 1}, "names": ["cat", "dog"]},
    "objects": [{"file": f"p{n}.png", "label": "cat" if n % 2 else "dog"} for n in range(4)],
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("where", ["labels.json", "images/../labels.json", "file"])
@pytest.mark.parametrize("kind", MAPS)
def test_a_map_of_json_labels_pictures(tmp_path, kind, where, indent):
    fill(tmp_path / "images" if "images" in where else tmp_path, 4)
    table = tmp_path / ("labels.json" if where == "file" else where)
    table.write_text(json.dumps(MAPS[kind], indent=indent))
    rows, lines = image_folder([str(table if where == "file" else tmp_path)])
    wanted = {"numbers": ["0", "3"], "pairs": ["0", "1"]}.get(kind, ["cat", "dog"])
    assert [len(rows), labels(rows)] == [4, wanted], lines
    by_name = {Path(row["image"]).stem: row["label"] for row in rows}
    assert by_name["p0"] == by_name["p2"] != by_name["p1"]
    rows, _ = read_pictures([str(table if where == "file" else tmp_path)])
    assert labels(rows) == wanted


def test_a_map_of_json_says_what_it_leaves_out(tmp_path):
    fill(tmp_path, 4)
    (tmp_path / "labels.json").write_text('{"p0.png": "cat", "p1.png": "dog", "gone.png": "dog", "p2.png": null}')
    rows, lines = image_folder([str(tmp_path)])
    assert [Path(row["image"]).name for row in rows] == ["p0.png", "p1.png"]
    said = "\n".join(lines)
    assert 'left out: "gone.png"' in said and 'left out: "p2.png", "p3.png"' in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"p0.png": ["cat", "dog"], "p1.png": ["dog"]}', 'expected one label a picture, received 2 for "p0.png"'),
        ('{"p0.png": {"by": 1, "at": 2}, "p1.png": {"by": 1, "at": 2}}', "expected a label for each picture"),
    ],
)
def test_a_map_of_json_without_one_label_is_refused(tmp_path, text, said):
    fill(tmp_path, 2)
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(DataError, match=said):
        image_folder([str(tmp_path)])
    assert len(read_pictures([str(tmp_path)])[0]) == 2  # where no label is needed


@pytest.mark.parametrize("text", ['{\n  "0": "cat",\n  "1": "dog"\n}', '{"width": 8,\n "classes": ["cat", "dog"]}'])
def test_other_json_beside_classes_is_passed_over(tmp_path, text):
    (classes(tmp_path, 4) / "class_indices.json").write_text(text)
    assert labels(image_folder([str(tmp_path)])[0]) == ["cat", "dog"]


def test_a_folder_without_labels_is_refused_with_the_way_out(tmp_path):
    task = registry.find("image-classification")()
    with pytest.raises(DataError, match=r"of one, .*one folder a class, .*labels\.csv: file,label.*--labels none"):
        task.fit(task.read([str(fill(tmp_path / "photos", 6))])[0])
