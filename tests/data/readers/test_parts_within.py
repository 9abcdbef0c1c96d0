"""Parts of a data set that folders or lists inside it name: cat/train/, images/val/, train2017/, ImageSets/Main/test.txt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

Image = pytest.importorskip("PIL.Image")

from lamella import registry  # noqa: E402
from lamella.errors import DataError  # noqa: E402
from lamella.model.reading import examples_by_part, find_parts, read_to_measure  # noqa: E402
from lamella.train.gather import Gathered, gather  # noqa: E402

_COUNT = iter(range(10**6))
PARTS = (("train", 20), ("val", 6), ("test", 5))


def picture(path: Path, mode: str = "RGB") -> str:
    """A picture that no other one equals."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = next(_COUNT)
    image = Image.new(mode, (16, 16), (number % 256, number // 256, 9) if mode == "RGB" else 0)
    if mode == "L":
        image.putpixel((number % 16, number // 16 % 16), 1)
    image.save(path)
    return path.name


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def class_first(place: Path) -> None:
    for name in ("cat", "dog"):
        for part, count in PARTS:
            for n in range(count):
                picture(place / name / part / f"{n}.png")


def yolo(place: Path) -> None:
    for part, count in PARTS:
        for n in range(count):
            picture(place / "images" / part / f"{n}.png")
            text(place / "labels" / part / f"{n}.txt", "0 .5 .5 .2 .2\n")
    text(place / "classes.txt", "cell\n")


def coco(place: Path, year: str = "2017") -> None:
    for part, count in PARTS:
        names = [picture(place / f"{part}{year}" / f"{part}{n}.png") for n in range(count)]
        content = {
            "images": [{"id": n, "file_name": name, "width": 16, "height": 16} for n, name in enumerate(names)],
            "annotations": [
                {"id": n, "image_id": n, "category_id": 1, "bbox": [2, 2, 6, 6], "area": 36, "iscrowd": 0}
                for n in range(count)
            ],
            "categories": [{"id": 1, "name": "cell"}],
        }
        text(place / "annotations" / f"instances_{part}{year}.json", json.dumps(content))


def voc(place: Path) -> None:
    at = 0
    for part, count in PARTS:
        names = [f"{at + n:06}" for n in range(count)]
        at += count
        for name in names:
            picture(place / "JPEGImages" / f"{name}.png")
            box = "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
            kind = f"<object><name>cell</name>{box}</object>"
            text(
                place / "Annotations" / f"{name}.xml",
                f"<annotation><filename>{name}.png</filename>{kind}</annotation>",
            )
        text(place / "ImageSets" / "Main" / f"{part}.txt", "".join(f"{name}\n" for name in names))
    text(place / "ImageSets" / "Main" / "trainval.txt", "000000\n")


def masks(place: Path, images: str = "img_dir", labels: str = "ann_dir") -> None:
    for part, count in PARTS:
        for n in range(count):
            picture(place / images / part / f"{n}.png")
            picture(place / labels / part / f"{n}.png", "L")


def cityscapes(place: Path) -> None:
    for part, count in PARTS:
        for n in range(count):
            picture(place / "leftImg8bit" / part / "bonn" / f"bonn_{n}_leftImg8bit.png")
            picture(place / "gtFine" / part / "bonn" / f"bonn_{n}_gtFine_labelIds.png", "L")


def read(task: str, place: Path) -> Gathered:
    cls = registry.find(task)
    return gather(cls(cls.Config()), [str(place)], [], None, 0)


@pytest.mark.parametrize(
    ("task", "make", "times"),
    [
        ("image-classification", class_first, 2),
        ("image-generation", class_first, 2),
        ("dimensionality-reduction", class_first, 2),
        ("object-detection", yolo, 1),
        ("object-detection", coco, 1),
        ("object-detection", lambda place: coco(place, ""), 1),
        ("object-detection", voc, 1),
        ("image-segmentation", masks, 1),
        ("image-segmentation", lambda place: masks(place, "images", "labels"), 1),
        ("image-segmentation", cityscapes, 1),
    ],
)
def test_parts_inside_the_data_are_used_as_they_are_meant(tmp_path, task, make, times):
    make(tmp_path / "data")
    gathered = read(task, tmp_path / "data")
    assert [len(gathered.learn), len(gathered.watched), len(gathered.held)] == [20 * times, 6 * times, 5 * times]
    assert any(line.startswith("parts of the data, by the folders or lists in them") for line in gathered.lines)
    job = gathered_job(task)
    examples, said = read_to_measure(job, [str(tmp_path / "data")], None)
    assert len(examples) == 5 * times and "test part" in said[0]


def gathered_job(task: str):
    cls = registry.find(task)
    return cls(cls.Config())


def test_class_folders_with_loose_pictures_and_a_test_in_each(tmp_path):
    for name in ("cat", "dog"):
        for n in range(12):
            picture(tmp_path / name / f"{n}.png")
        for n in range(4):
            picture(tmp_path / name / "test" / f"{n}.png")
    gathered = read("image-classification", tmp_path)
    assert len(gathered.held) == 8 and {e["label"] for e in gathered.held} == {"cat", "dog"}
    picture(tmp_path / "bird" / "0.png")  # which has none to measure with
    assert examples_by_part([str(tmp_path)], read("image-classification", tmp_path).learn) is None


def test_a_folder_train_among_other_vehicles_is_a_class(tmp_path):
    for name in ("bus", "car", "train"):
        for n in range(8):
            picture(tmp_path / name / f"{n}.png")
    gathered = read("image-classification", tmp_path)
    assert {e["label"] for e in gathered.learn} == {"bus", "car", "train"}


def test_classes_within_a_folder_beside_lists(tmp_path):
    for part, count in PARTS[::2]:
        names = [f"{kind}/{part}{n}" for kind in ("pie", "rice") for n in range(count)]
        for name in names:
            picture(tmp_path / "images" / f"{name}.png")
        text(tmp_path / "meta" / f"{part}.txt", "\n".join(names))
    gathered = read("image-classification", tmp_path)
    assert {e["label"] for e in gathered.learn} == {"pie", "rice"}
    assert len(gathered.held) == 10 and all("test" in e["image"] for e in gathered.held)


def test_a_data_yaml_names_classes_and_parts(tmp_path):
    for part, count in (("train", 16), ("valid", 5), ("test", 4)):
        for n in range(count):
            picture(tmp_path / part / "images" / f"{part}{n}.png")
            text(tmp_path / part / "labels" / f"{part}{n}.txt", "0 .5 .5 .2 .2\n")
    text(
        tmp_path / "data.yaml", "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnames: ['cell']\n"
    )
    for given in (tmp_path, tmp_path / "data.yaml"):
        gathered = read("object-detection", given)
        assert [len(gathered.learn), len(gathered.watched), len(gathered.held)] == [16, 5, 4]
        every = [*gathered.learn, *gathered.watched, *gathered.held]
        assert {box["label"] for e in every for box in e["boxes"]} == {"cell"}
    text(tmp_path / "conda.yaml", "name: cells\n")
    assert find_parts(str(tmp_path / "conda.yaml")) is None


def test_a_table_with_a_column_of_parts_is_measured_on_its_test(tmp_path):
    rows = [f"good {n},{n % 2},{('train', 'test')[n > 25]}" for n in range(32)]
    text(tmp_path / "t.csv", "\n".join(["text,label,split", *rows]))
    examples, said = read_to_measure(gathered_job("text-classification"), [str(tmp_path / "t.csv")], None)
    assert len(examples) == 6 and "'split' is 'test'" in said[0]


def test_tables_that_differ_by_the_name_of_their_part(tmp_path):
    for part, count in (("train", 18), ("test", 6)):
        names = [picture(tmp_path / f"{part}{n}.png") for n in range(count)]
        head = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        text(tmp_path / f"{part}_labels.csv", head + "".join(f"{name},16,16,cell,2,2,9,9\n" for name in names))
    gathered = read("object-detection", tmp_path)
    assert len(gathered.held) == 6 and all("test" in e["image"] for e in gathered.held)


def test_too_few_to_learn_from_beside_many_to_test_are_told_apart(tmp_path):
    rows = [f"good {n},{n % 2},{'train' if n < 6 else 'test'}" for n in range(32)]
    text(tmp_path / "t.csv", "\n".join(["text,label,split", *rows]))
    with pytest.raises(DataError, match="of which 6 are to learn from"):
        gather(gathered_job("text-classification"), [str(tmp_path / "t.csv")], [], None, 0)
