"""Pictures with boxes in every format people have: read alike, and every box that is not used is named with its reason."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lamella.data.readers.boxes import read_boxes
from lamella.errors import DataError, LamellaError
from lamella.model.reading import examples_by_part

WIDE, TALL = 40, 20
# The same two pictures in every format: one with two boxes, one without any.
BOXES = [("cat", [4.0, 2.0, 14.0, 12.0]), ("big dog", [20.0, 5.0, 38.0, 19.0])]


def picture(path: Path, width: int = WIDE, height: int = TALL, orientation: int = 0, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    points = np.random.default_rng([seed, *path.name.encode()]).integers(0, 255, (height, width, 3), np.uint8)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.fromarray(points).save(path, exif=exif)
    return path


def coco(home: Path) -> Path:
    content = {
        "images": [
            {"id": 7, "file_name": "a.png", "width": WIDE, "height": TALL},
            {"id": 9, "file_name": "b.png", "width": WIDE, "height": TALL},
        ],
        "categories": [{"id": 3, "name": "cat"}, {"id": 90, "name": "big dog"}],
        "annotations": [
            {"id": i, "image_id": 7, "category_id": c, "bbox": [b[0], b[1], b[2] - b[0], b[3] - b[1]], "iscrowd": 0}
            for i, (c, (_, b)) in enumerate(zip((3, 90), BOXES))
        ],
    }
    (home / "annotations").mkdir()
    place = home / "annotations" / "instances.json"
    place.write_text(json.dumps(content))
    return place


def yolo(home: Path) -> Path:
    lines = [
        f"{i} {(b[0] + b[2]) / 2 / WIDE} {(b[1] + b[3]) / 2 / TALL} {(b[2] - b[0]) / WIDE} {(b[3] - b[1]) / TALL}\n"
        for i, (_, b) in enumerate(BOXES)
    ]
    (home / "labels").mkdir()
    (home / "labels" / "a.txt").write_text("".join(lines))
    (home / "data.yaml").write_text("path: .\ntrain: images  # here\nnames:\n  0: cat\n  1: 'big dog'\nnc: 2\n")
    return home / "data.yaml"


def voc(home: Path) -> Path:
    (home / "Annotations").mkdir()
    for name, boxes in (("a", BOXES), ("b", [])):
        things = "".join(
            f"<object><name>{label}</name><bndbox><xmin>{b[0] + 1}</xmin><ymin>{b[1] + 1}</ymin><xmax>{b[2]}</xmax>"
            f"<ymax>{b[3]}</ymax></bndbox></object>"
            for label, b in boxes
        )
        size = f"<size><width>{WIDE}</width><height>{TALL}</height></size>"
        (home / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.png</filename>{size}{things}</annotation>"
        )
    return home / "Annotations"


def cvat(home: Path) -> Path:
    boxes = (
        '<box label="cat" xtl="4" ytl="2" xbr="14" ybr="12"/><polygon label="big dog" points="20,5;38,5;38,19;20,19"/>'
    )
    (home / "annotations.xml").write_text(
        f'<annotations><version>1.1</version><image id="0" name="a.png" width="{WIDE}" height="{TALL}">{boxes}</image>'
        f'<image id="1" name="b.png" width="{WIDE}" height="{TALL}"/></annotations>'
    )
    return home / "annotations.xml"


def labelme(home: Path) -> Path:
    for name, shapes in (("a", BOXES), ("b", [])):
        content = {
            "shapes": [
                {"label": label, "shape_type": "rectangle", "points": [[b[2], b[1]], [b[0], b[3]]]}
                for label, b in shapes
            ],
            "imagePath": f"C:\\pictures\\{name}.png",
            "imageWidth": WIDE,
            "imageHeight": TALL,
        }
        (home / f"{name}.json").write_text(json.dumps(content))
    return home


def label_studio(home: Path) -> Path:
    results = [
        {
            "type": "rectanglelabels",
            "original_width": WIDE,
            "original_height": TALL,
            "value": {
                "x": 100 * b[0] / WIDE,
                "y": 100 * b[1] / TALL,
                "width": 100 * (b[2] - b[0]) / WIDE,
                "height": 100 * (b[3] - b[1]) / TALL,
                "rotation": 0,
                "rectanglelabels": [label],
            },
        }
        for label, b in BOXES
    ]
    tasks = [
        {"id": 1, "data": {"image": "/data/upload/1/0a1b2c3d-a.png"}, "annotations": [{"result": results}]},
        {"id": 2, "data": {"image": "/data/local-files/?d=x/b.png"}, "annotations": [{"result": []}]},
    ]
    (home / "export.json").write_text(json.dumps(tasks))
    return home / "export.json"


def own_table(home: Path) -> Path:
    boxes = [{"label": label, "box": b} for label, b in BOXES]
    rows = [{"image": "images/a.png", "boxes": json.dumps(boxes)}, {"image": "images/b.png", "boxes": "[]"}]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return home / "rows.jsonl"


FORMATS = [coco, yolo, voc, cvat, labelme, label_studio, own_table]


@pytest.fixture
def home(tmp_path) -> Path:
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize("write", FORMATS, ids=lambda f: f.__name__)
def test_every_format_gives_the_same(write, home):
    examples, lines = read_boxes([write(home)])
    assert [Path(e["image"]).name for e in examples] == ["a.png", "b.png"]
    assert [(b["label"], pytest.approx(b["box"], abs=1e-3)) for b in examples[0]["boxes"]] == BOXES
    assert examples[1]["boxes"] == []
    assert any("kept 2 pictures with 2 boxes of 2 labels" in line for line in lines)
    assert not any("left out" in line for line in lines)


@pytest.mark.parametrize("write", FORMATS[:6], ids=lambda f: f.__name__)
def test_a_folder_tells_its_format(write, home):
    write(home)
    examples, _ = read_boxes([home])
    assert sorted(len(e["boxes"]) for e in examples) == [0, 2]


def test_a_row_a_box(home):
    header = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    rows = [f"a.png,{WIDE},{TALL},{label},{','.join(map(str, b))}\n" for label, b in BOXES]
    (home / "labels.csv").write_text(header + "".join(rows))
    [example], _ = read_boxes([home / "labels.csv"])
    assert [(b["label"], b["box"]) for b in example["boxes"]] == BOXES
    # Open Images: shares of the sides, in another order, names without a suffix.
    rows = [f"a,{label},{b[0] / WIDE},{b[2] / WIDE},{b[1] / TALL},{b[3] / TALL}\n" for label, b in BOXES]
    (home / "open.csv").write_text("ImageID,LabelName,XMin,XMax,YMin,YMax\n" + "".join(rows))
    [example], _ = read_boxes([home / "open.csv"])
    assert [(b["label"], b["box"]) for b in example["boxes"]] == BOXES


def test_lists_of_voc(home):
    voc(home)
    lists = home / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\n")
    examples, _ = read_boxes([lists / "train.txt"])
    assert [Path(e["image"]).name for e in examples] == ["a.png"]
    (lists / "train.txt").write_text("a\nc\n")
    with pytest.raises(DataError, match='1 of 2 that are not there, such as "c"'):
        read_boxes([lists / "train.txt"])


# ---- turned pictures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_and_boxes_are_turned_together(tmp_path, orientation):
    """One bright corner with a box around it; whoever drew it saw the picture as stored, or upright."""
    from PIL import ImageOps

    points = np.zeros((TALL, WIDE, 3), np.uint8)
    points[2:8, 4:14] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(points).save(tmp_path / "a.png", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    rows, columns = np.nonzero(upright[:, :, 0])
    wanted = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    stored, seen = [4, 2, 14, 8], upright.shape[1::-1]
    for box, (width, height) in ((stored, (WIDE, TALL)), (wanted, seen)):
        if orientation in (2, 3, 4) and box is stored:
            continue  # its size does not tell that it was drawn on the stored picture; such are taken as upright
        left, top, right, bottom = map(int, box)
        content = {
            "images": [{"id": 1, "file_name": "a.png", "width": width, "height": height}],
            "categories": [{"id": 1, "name": "x"}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 1, "bbox": [left, top, right - left, bottom - top]}
            ],
        }
        (tmp_path / "x.json").write_text(json.dumps(content))
        [example], lines = read_boxes([tmp_path / "x.json"])
        assert example["boxes"][0]["box"] == wanted
        assert any("EXIF turns" in line for line in lines) == (orientation >= 5 and box is stored)


def test_another_size_of_the_same_picture_scales_the_boxes(home):
    place = coco(home)
    picture(home / "images" / "a.png", 2 * WIDE, 2 * TALL)
    examples, lines = read_boxes([place])
    assert examples[0]["boxes"][0]["box"] == [2 * side for side in BOXES[0][1]]
    assert any("of another size than their file says" in line for line in lines)


# ---- what is left out -------------------------------------------------------------------------------------------------


def many(home: Path, bad: list[str], good: int = 40) -> list[str]:
    """YOLO lines of which a few are bad, and the lines of the report about them."""
    yolo(home)
    (home / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n" * good + "\n".join(bad))
    return read_boxes([home / "data.yaml"])[1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5 0 0.2", "a box without an area"),
        ("0 3.5 0.5 0.2 0.2", "a box outside its picture"),
        ("7 0.5 0.5 0.2 0.2", "a class that has no name"),
        ("cat 0.5 0.5 0.2 0.2", "a line that is not a class and numbers"),
        ("0 nan 0.5 0.2 0.2", "a line that is not a class and numbers"),
        ("0 0.5 0.5", "a line of neither four sides nor a polygon"),
    ],
)
def test_a_bad_box_is_counted_with_file_and_reason(home, line, reason):
    lines = many(home, [line])
    at = lines.index(f"boxes left out, {reason}: 1")
    assert "labels/a.txt, line 41" in lines[at + 1]


def test_a_box_over_the_edge_is_cut(home):
    lines = many(home, ["0 0.95 0.5 0.4 0.2"])
    assert any("reach over the edge" in line for line in lines) and not any("left out" in line for line in lines)


def test_too_many_bad_boxes_stop_it(home):
    with pytest.raises(DataError, match="at most 10% bad boxes, received 20 of 60"):
        many(home, ["5 0.5 0.5 0.2 0.2"] * 20)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"image_id": 99}, "an image_id that no image has"), ({"category_id": 5}, "a category_id that no category has")],
)
def test_ids_that_name_nothing(home, change, reason):
    place = coco(home)
    content = json.loads(place.read_text())
    one = content["annotations"][0]
    content["annotations"] = [{**one, "id": i} for i in range(30)] + [{**one, "id": 77, **change}]
    place.write_text(json.dumps(content))
    lines = read_boxes([place])[1]
    at = lines.index(f"boxes left out, {reason}: 1")
    assert "instances.json, annotation 77" in lines[at + 1]


def test_a_crowd_is_no_box(home):
    place = coco(home)
    content = json.loads(place.read_text())
    content["annotations"][1]["iscrowd"] = 1
    place.write_text(json.dumps(content))
    examples, lines = read_boxes([place])
    assert len(examples[0]["boxes"]) == 1 and any("iscrowd" in line for line in lines)


def test_labels_without_a_picture_and_pictures_without_labels(home):
    place = yolo(home)
    (home / "labels" / "gone.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    examples, lines = read_boxes([place])
    assert len(examples) == 2  # b.png has no file and counts as empty
    at = lines.index("note: files of labels without a picture: 1")
    assert "labels/gone.txt" in lines[at + 1]
    assert any(line == "pictures without a box, which teach what is background: 1" for line in lines)


@pytest.mark.parametrize("write", [coco, voc, cvat, label_studio], ids=lambda f: f.__name__)
def test_pictures_that_are_not_there(write, home):
    place = write(home)
    for file in (home / "images").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"expected (its|the) .*pictures|none that can be used"):
        read_boxes([place])


def test_a_picture_of_another_shape(home):
    place = coco(home)
    picture(home / "images" / "a.png", TALL, WIDE)
    with pytest.raises(DataError, match="another shape than the file says"):
        read_boxes([place])


def test_yolo_without_pictures(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(DataError, match="expected pictures for the labels"):
        read_boxes([tmp_path])


def test_the_last_images_of_a_path_is_replaced(tmp_path):
    home = tmp_path / "images" / "mine"
    picture(home / "images" / "a.png")
    (home / "labels").mkdir()
    (home / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    [example], _ = read_boxes([home])
    assert len(example["boxes"]) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.json", "{", "expected JSON"),
        ("x.xml", "<a", "expected XML"),
        ("x.xml", "<html/>", "received <html>"),
        ("x.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "expected XML"),
        ("x.xml", "<annotations><track/></annotations>", "format for images"),
        ("x.yaml", "train: images\n", "expected names:"),
        ("x.txt", "one\ntwo\n", "a list of pictures"),
        ("x.bin", "", "suffix"),
        ("x.json", '{"images": [], "annotations": []}', "expected categories"),
    ],
)
def test_what_is_no_annotation(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message) as error:
        read_boxes([tmp_path / name])
    assert "\n" not in str(error.value)


def test_a_folder_without_annotations(home):
    with pytest.raises(DataError, match="expected a folder with annotations"):
        read_boxes([home])
    with pytest.raises(DataError, match="no such file"):
        read_boxes([home / "nothing"])


ODD = [None, True, -1, 0, 1e308, float("nan"), "", "x", [], {}, [1], {"a": 1}, "9" * 400, [[1, 2]], 10**30]


def places(value, at=()):
    """Every place in a JSON value."""
    yield at
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*at, key))


def put(value, at, new):
    if not at:
        return new
    value[at[0]] = put(value[at[0]], at[1:], new)
    return value


def damaged(raw: bytes, rng: random.Random, as_json: bool) -> bytes:
    """A file with a value that nobody expects, or with bytes changed, taken out and put in."""
    if as_json and rng.random() < 0.8:
        content = json.loads(raw)
        return json.dumps(put(content, rng.choice(list(places(content))), copy.deepcopy(rng.choice(ODD)))).encode()
    changed = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) or 1)
        more = rng.choice([b"nan", b"1e999", b"-", b"\0", b"<", b"&", b'"', b"9" * 20, b"\xff", b"\n", b",", b"\r"])
        changed[at : at + rng.choice([0, 1, 9])] = rng.choice([b"", more])
    return bytes(changed)


@pytest.mark.parametrize("write", FORMATS, ids=lambda f: f.__name__)
def test_a_damaged_file_is_read_or_refused_in_one_line(write, home):
    place, rng = write(home), random.Random(7)
    files = {f: f.read_bytes() for f in sorted(home.rglob("*")) if f.is_file() and f.suffix != ".png"}
    for _ in range(60):
        file = rng.choice(list(files))
        file.write_bytes(damaged(files[file], rng, file.suffix == ".json"))
        try:
            examples, _ = read_boxes([place])
            assert all(isinstance(b["label"], str) and len(b["box"]) == 4 for e in examples for b in e["boxes"])
        except LamellaError as error:
            assert "\n" not in str(error)
        file.write_bytes(files[file])


# ---- faults that nothing said -----------------------------------------------------------------------------------------


def drawn_on(home: Path, *names: str) -> None:
    from PIL import Image

    for n, name in enumerate(names):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        points = np.random.default_rng(n).integers(0, 255, (24, 32, 3), np.uint8)
        Image.fromarray(points).save(home / name)


def test_a_picture_that_coco_lists_twice_has_the_boxes_of_both(tmp_path):
    drawn_on(tmp_path, "a.png", "b.png")
    images = [{"id": n, "file_name": name} for n, name in enumerate(("a.png", "a.png"))]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [2 + 9 * n, 2, 8, 8]} for n in range(2)]
    content = {"images": images, "categories": [{"id": 1, "name": "x"}], "annotations": boxes}
    (tmp_path / "c.json").write_text(json.dumps(content))
    rows, lines = read_boxes([str(tmp_path)])
    said = "\n".join(lines)
    assert len(rows) == 1 and len(rows[0]["boxes"]) == 2 and "their boxes are put together: 1" in said
    assert "pictures that no file names, which are left out: 1" in said and "b.png" in said


def test_pictures_of_one_name_do_not_share_a_file_of_labels(tmp_path):
    drawn_on(tmp_path, "images/a.jpg", "images/a.png", "images/b.png")
    for name in "ab":
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{name}.txt").write_text("0 .5 .5 .2 .2\n")
    rows, lines = read_boxes([str(tmp_path)])
    assert [Path(row["image"]).name for row in rows] == ["b.png"]
    assert any("of one name with a single file of labels, which are left out: 2" in line for line in lines)


def test_pictures_without_a_file_are_named_and_masks_are_none_of_them(tmp_path):
    drawn_on(tmp_path, "JPEGImages/a.jpg", "JPEGImages/b.jpg", "SegmentationClass/a.png")
    (tmp_path / "Annotations").mkdir()
    box = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>12</xmax><ymax>12</ymax></bndbox>"
    text = f"<annotation><filename>a.jpg</filename><object><name>x</name>{box}</object></annotation>"
    (tmp_path / "Annotations" / "a.xml").write_text(text)
    rows, lines = read_boxes([str(tmp_path)])
    at = lines.index("note: pictures that no file names, which are left out: 1")
    assert len(rows) == 1 and lines[at + 1].endswith("b.jpg")


def test_a_file_of_labels_with_a_suffix_in_capitals(tmp_path):
    drawn_on(tmp_path, "images/a.JPG", "images/b.jpg")
    (tmp_path / "labels").mkdir()
    for name in ("a.TXT", "b.txt"):
        (tmp_path / "labels" / name).write_text("0 .5 .5 .2 .2\n")
    assert [len(row["boxes"]) for row in read_boxes([str(tmp_path)])[0]] == [1, 1]


# ---- shapes that other programs write -----------------------------------------------------------------------------------


def coco_of(names: list[str], **more: object) -> dict:
    """COCO's content: a box on each of these pictures, with more to say of each box."""
    return {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [4, 2, 10, 10], **more} for i in range(len(names))],
        "categories": [{"id": 1, "name": "cat"}],
    }  # fmt: skip


def put_json(place: Path, content: object) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(content))
    return place


@pytest.mark.parametrize("name", ["{}.json", "instances_{}2017.json"])
def test_files_of_coco_over_one_folder_are_the_parts_of_the_data(tmp_path, name):
    names = [str(picture(tmp_path / "images" / f"{i}.png").name) for i in range(9)]
    for part, own in (("train", names[:5]), ("val", names[5:7]), ("test", names[7:])):
        put_json(tmp_path / "annotations" / name.format(part), coco_of(own))
    parts = examples_by_part([str(tmp_path)], read_boxes([tmp_path])[0])
    assert {part: [Path(e["image"]).name for e in own] for part, own in parts.items()} == {
        "learn": names[:5], "watch": names[5:7], "test": names[7:],
    }  # fmt: skip
    for part in ("val", "test"):
        (tmp_path / "annotations" / name.format(part)).unlink()
    assert examples_by_part([str(tmp_path)], read_boxes([tmp_path])[0]) is None, "a part alone is no part"


def test_captions_and_keypoints_beside_boxes(tmp_path):
    """The folder as COCO publishes it: persons are not counted twice, and captions are no boxes."""
    for part in ("train", "val"):
        names = [picture(tmp_path / f"{part}2017" / f"{part}{i}.png").name for i in range(3)]
        content = coco_of(names)
        put_json(tmp_path / "annotations" / f"instances_{part}2017.json", content)
        posed = {**content, "categories": [{"id": 1, "name": "person", "keypoints": ["nose"]}]}
        put_json(tmp_path / "annotations" / f"person_keypoints_{part}2017.json", posed)
        captions = {"images": content["images"], "annotations": [{"image_id": 0, "caption": "A cat."}]}
        put_json(tmp_path / "annotations" / f"captions_{part}2017.json", captions)
    examples, lines = read_boxes([tmp_path])
    assert [[b["label"] for b in e["boxes"]] for e in examples] == [["cat"]] * 6
    assert "note: JSON files that are no annotations with boxes: 2" in lines
    assert "note: files of keypoints beside files of boxes, which are left out: 2" in lines
    parts = examples_by_part([str(tmp_path)], examples)
    assert {part: len(own) for part, own in parts.items()} == {"learn": 3, "watch": 3, "test": 0}
    alone = put_json(tmp_path / "alone" / "persons.json", posed)
    picture(alone.parent / "val0.png"), picture(alone.parent / "val1.png"), picture(alone.parent / "val2.png")
    assert [len(e["boxes"]) for e in read_boxes([alone.parent])[0]] == [1, 1, 1], "keypoints alone have their boxes"


def test_coco_with_polygons_alone_and_ids_in_quotes(home):
    content = coco_of(["a.png", "b.png"], segmentation=[[4, 2, 14, 2, 14, 12], [9, 2, 10, 3, 9, 12]])
    for one in content["annotations"]:
        del one["bbox"]
        one |= {"image_id": str(one["image_id"]), "category_id": "1"}
    examples, _ = read_boxes([put_json(home / "labels.json", content)])
    assert [e["boxes"] for e in examples] == [[{"label": "cat", "box": [4.0, 2.0, 14.0, 12.0]}]] * 2


def test_keypoints_of_yolo_are_no_polygon(home):
    yolo(home)
    described = home / "data.yaml"
    described.write_text(described.read_text() + "kpt_shape: [4, 3]\n")
    labels = home / "labels" / "a.txt"
    labels.write_text(labels.read_text().replace("\n", " 0.1 0.1 2 0.9 0.9 2 0 0 0 0.5 0.5 1\n"))
    for given in (described, home, home / "images"):
        examples, lines = read_boxes([given])
        assert [(b["label"], pytest.approx(b["box"], abs=1e-3)) for b in examples[0]["boxes"]] == BOXES
        assert not any("edge" in line for line in lines)


def test_annotations_in_folders_like_those_of_their_pictures(tmp_path):
    """`Annotations/train/1.xml` means `Images/train/1.png`, also where `Images/val/` has a 1.png."""
    for part in ("train", "val"):
        picture(tmp_path / "Images" / part / "1.png", seed=len(part))
        (tmp_path / "Annotations" / part).mkdir(parents=True)
        box = "<bndbox><xmin>5</xmin><ymin>3</ymin><xmax>14</xmax><ymax>12</ymax></bndbox>"
        text = f"<annotation><filename>1.png</filename><object><name>{part}</name>{box}</object></annotation>"
        (tmp_path / "Annotations" / part / "1.xml").write_text(text)
    examples, lines = read_boxes([tmp_path])
    assert [(Path(e["image"]).parent.name, e["boxes"][0]["label"]) for e in examples] == [("train",) * 2, ("val",) * 2]
    assert not any("no file names" in line for line in lines)


def test_sizes_in_a_table_are_those_of_the_pictures(home):
    """As in the other formats boxes are scaled where the file states another size; sizes of the boxes are none of pictures."""
    header = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    rows = [f"a.png,{2 * WIDE},{2 * TALL},{label},{','.join(str(2 * s) for s in b)}\n" for label, b in BOXES]
    (home / "large.csv").write_text(header + "".join(rows))
    own = [f"a.png,{b[2] - b[0]},{b[3] - b[1]},{label},{','.join(map(str, b))}\n" for label, b in BOXES]
    (home / "own.csv").write_text(header + "".join(own))
    for name, scaled in (("large.csv", True), ("own.csv", False)):
        [example], lines = read_boxes([home / name])
        assert [(b["label"], b["box"]) for b in example["boxes"]] == BOXES
        assert any("the boxes are scaled" in line for line in lines) == scaled


@pytest.mark.parametrize("header", ["", "image,x1,y1,x2,y2,class\n"])
@pytest.mark.parametrize("first", [True, False])
def test_a_picture_alone_on_its_line_has_no_boxes(home, header, first):
    """RetinaNet's table, with and without a header; an empty cell in a line of a box is none of a picture."""
    rows = [f"images/a.png,{','.join(map(str, b))},{label}\n" for label, b in BOXES]
    rows.insert(0 if first else 2, "images/b.png,,,,,\n")
    (home / "labels.csv").write_text(header + "".join(rows))
    examples, _ = read_boxes([home / "labels.csv"])
    assert {Path(e["image"]).name: len(e["boxes"]) for e in examples} == {"a.png": 2, "b.png": 0}
    (home / "labels.csv").write_text(header + "".join(rows) + "images/b.png,1,2,3,4,\n")
    _, lines = read_boxes([home / "labels.csv"])
    assert "note: rows with an empty cell, which are left out: 1" in lines


def test_columns_that_say_no_sides(home):
    (home / "labels.csv").write_text("image,label,x,y,w,h\na.png,cat,4,2,10,10\n")
    with pytest.raises(DataError, match=r'such as filename, class, xmin.*received columns named "image", "label", "x"'):
        read_boxes([home / "labels.csv"])


def test_turned_boxes_ellipses_and_masks_have_a_box_around_them(home):
    for name in ("a", "b"):
        shapes = [
            {"label": "turned", "shape_type": "rotation", "points": [[9, 2], [14, 7], [9, 12], [4, 7]]},
            {"label": "mask", "shape_type": "mask", "points": [[4, 2], [14, 12]], "mask": "iVBORw0KGgo="},
        ]
        put_json(home / "labelme" / f"{name}.json", {"imagePath": f"../images/{name}.png", "shapes": shapes})
    (home / "labelme" / "images").symlink_to(home / "images")
    ellipse = {"x": 22.5, "y": 35, "radiusX": 12.5, "radiusY": 25, "rotation": 0, "ellipselabels": ["round"]}
    tasks = [{"data": {"image": f"{name}.png"}, "annotations": [{"result": [{"value": ellipse}]}]} for name in "ab"]
    put_json(home / "studio.json", tasks)
    shapes = (
        '<box label="turned" xtl="4" ytl="6" xbr="14" ybr="8" rotation="90"/><mask label="mask" left="4" top="2" width="10" '
        'height="10" rle="1, 2"/><ellipse label="round" cx="9" cy="7" rx="5" ry="5" rotation="30"/>'
    )
    images = "".join(f'<image name="{name}.png">{shapes}</image>' for name in "ab")
    (home / "cvat.xml").write_text(f"<annotations>{images}</annotations>")
    around = [4.0, 2.0, 14.0, 12.0]
    for given, labels in (("labelme", ["turned", "mask"]), ("studio.json", ["round"])):
        for example in read_boxes([home / given])[0]:
            assert [b["label"] for b in example["boxes"]] == labels
            assert all(b["box"] == pytest.approx(around) for b in example["boxes"])
    for example in read_boxes([home / "cvat.xml"])[0]:
        turned, mask, round_one = example["boxes"]
        assert turned["box"] == pytest.approx([8, 2, 10, 12]) and mask["box"] == around
        assert round_one["box"] == pytest.approx(around)


def test_labels_that_differ_in_case_alone_are_named(home):
    content = coco_of(["a.png", "b.png"])
    content["categories"].append({"id": 2, "name": "Cat"})
    content["annotations"][0]["category_id"] = 2
    _, lines = read_boxes([put_json(home / "labels.json", content)])
    assert '  "Cat", "cat"' in lines


def test_tables_of_hugging_face(home):
    """Boxes and labels in two lists; left, top, width and height."""
    objects = {"bbox": [[b[0], b[1], b[2] - b[0], b[3] - b[1]] for _, b in BOXES], "categories": [k for k, _ in BOXES]}
    rows = [("a.png", objects), ("b.png", {"bbox": [], "categories": []})]
    lines = [json.dumps({"file_name": name, "objects": one}) + "\n" for name, one in rows]
    (home / "images" / "metadata.jsonl").write_text("".join(lines))
    examples, _ = read_boxes([home / "images"])
    assert [[(b["label"], b["box"]) for b in e["boxes"]] for e in examples] == [BOXES, []]
    lines[1] = lines[1].replace("[]", "[1, 2]", 1)
    (home / "images" / "metadata.jsonl").write_text("".join(20 * lines[:1] + lines[1:]))
    _, said = read_boxes([home / "images"])
    assert any("a box that is not" in line for line in said)


def test_boxes_of_a_table_may_be_json_and_not_a_text_of_it(home):
    rows = [
        {"image": "images/a.png", "boxes": [{"label": k, "box": b} for k, b in BOXES]},
        {"image": "images/b.png", "boxes": []},
    ]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    examples, _ = read_boxes([home / "rows.jsonl"])
    assert [[(b["label"], b["box"]) for b in e["boxes"]] for e in examples] == [BOXES, []]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_coco_with_addresses_and_numbers_in_quotes(home, encoding):
    content = coco_of(["https://host.org/x/a.png?size=1", "http://host.org/b.png"])
    for one in content["annotations"]:
        one["bbox"] = [str(side) for side in one["bbox"]]
    (home / "labels.json").write_bytes(json.dumps(content).encode(encoding))
    examples, _ = read_boxes([home / "labels.json"])
    assert [e["boxes"] for e in examples] == [[{"label": "cat", "box": [4.0, 2.0, 14.0, 12.0]}]] * 2


def test_labels_of_pictures_in_another_list_are_not_without_a_picture(home):
    yolo(home)
    (home / "labels" / "b.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (home / "train.txt").write_text("./images/a.png\n")
    _, lines = read_boxes([home / "train.txt"])
    assert not any("without a picture" in line for line in lines)
    (home / "labels" / "c.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    _, lines = read_boxes([home / "train.txt"])
    assert "note: files of labels without a picture: 1" in lines
