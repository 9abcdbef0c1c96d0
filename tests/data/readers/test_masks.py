"""Pictures with masks in every format people have: read alike, and every mask that is not used is named with its reason."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lamella.data.media.masks import IGNORE, encode_mask, read_mask
from lamella.data.readers.masked import group_of, group_pattern
from lamella.data.readers.masks import read_masks
from lamella.data.readers.rle import coco_rle, cvat_rle, expand
from lamella.errors import DataError, LamellaError, UsageError

WIDE, TALL = 24, 16
# The same picture in every format: a cat, and a dog that lies above the cat's corner. b.png is empty.
CAT, DOG = (4, 2, 12, 10), (10, 6, 20, 14)
WANTED = np.zeros((TALL, WIDE), np.uint8)
WANTED[CAT[1] : CAT[3], CAT[0] : CAT[2]] = 1
WANTED[DOG[1] : DOG[3], DOG[0] : DOG[2]] = 2
EMPTY = np.zeros_like(WANTED)
COLOURS = ((0, 0, 0), (250, 10, 10), (10, 250, 10))
NAMES = ["background", "cat", "dog"]


def picture(path: Path, width: int = WIDE, height: int = TALL, **save) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    points = np.random.default_rng([*path.name.encode()]).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(points).save(path, **save)
    return path


def put(path: Path, points: np.ndarray, mode: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(points)
    if mode == "P":
        image.putpalette([v for colour in COLOURS for v in colour] + [7] * (765 - 9) + [255, 255, 200])
    image.save(path)


def ring(box) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right, top, right, bottom, left, bottom]


@pytest.fixture
def home(tmp_path) -> Path:
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.png")
    return tmp_path


def both(home: Path, folder: str, write) -> None:
    for name, points in (("a", WANTED), ("b", EMPTY)):
        write(home / folder / f"{name}.png", points)


def palette(home: Path) -> Path:
    both(home, "masks", lambda path, points: put(path, points, "P"))
    (home / "labels.txt").write_text("\n".join(NAMES))
    return home


def colours(home: Path) -> Path:
    both(home, "masks", lambda path, points: put(path, np.array(COLOURS, np.uint8)[points]))
    lines = [f"{name}:{','.join(map(str, c))}::" for name, c in zip(NAMES, COLOURS)]
    (home / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n" + "\n".join(lines))
    return home


def camvid_table(home: Path) -> Path:
    colours(home)
    (home / "labelmap.txt").unlink()
    (home / "masks" / "label_colors.txt").write_text(
        "\n".join(f"{r} {g} {b}\t\t{name}" for name, (r, g, b) in zip(NAMES, COLOURS))
    )
    return home / "images"


def nnunet(home: Path) -> Path:
    for name, points in (("a", WANTED), ("b", EMPTY)):
        (home / "imagesTr").mkdir(exist_ok=True)
        (home / "images" / f"{name}.png").rename(home / "imagesTr" / f"{name}_0000.png")
        put(home / "labelsTr" / f"{name}.png", points)
    labels = {name: i for i, name in enumerate(NAMES)}
    (home / "dataset.json").write_text(json.dumps({"labels": labels, "file_ending": ".png"}))
    return home


def coco(home: Path) -> Path:
    annotations = [
        {"id": i, "image_id": 7, "category_id": c, "segmentation": [ring(box)]}
        for i, (c, box) in enumerate(((3, CAT), (90, DOG)))
    ]
    images = [{"id": i, "file_name": f"{n}.png", "width": WIDE, "height": TALL} for i, n in ((7, "a"), (9, "b"))]
    categories = [{"id": 3, "name": "cat"}, {"id": 90, "name": "dog"}]
    place = home / "instances.json"
    place.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return place


def coco_runs(home: Path) -> Path:
    place = coco(home)
    content = json.loads(place.read_text())
    for one, number in zip(content["annotations"], (1, 2)):
        flat = np.equal(WANTED, number).T.ravel()
        edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
        one["segmentation"] = {"size": [TALL, WIDE], "counts": np.diff(edges).tolist()}
    place.write_text(json.dumps(content))
    return place


def labelme(home: Path) -> Path:
    for name, shapes in (("a", (("cat", CAT), ("dog", DOG))), ("b", ())):
        content = {
            "shapes": [
                {"label": label, "points": np.reshape(ring(box), (-1, 2)).tolist(), "shape_type": "polygon"}
                for label, box in shapes
            ],
            "imagePath": f"..\\pictures\\{name}.png",
            "imageWidth": WIDE,
            "imageHeight": TALL,
        }
        (home / f"{name}.json").write_text(json.dumps(content))
    return home


def cvat(home: Path) -> Path:
    def points(box) -> str:
        return ";".join(f"{x},{y}" for x, y in np.reshape(ring(box), (-1, 2)))

    runs = f"0, {(DOG[2] - DOG[0]) * (DOG[3] - DOG[1])}"
    shapes = (
        f'<mask label="dog" z_order="1" left="{DOG[0]}" top="{DOG[1]}" width="{DOG[2] - DOG[0]}" height="{DOG[3] - DOG[1]}" rle="{runs}"/>'
        f'<polygon label="cat" z_order="0" points="{points(CAT)}"/>'
    )
    (home / "annotations.xml").write_text(
        "<annotations><meta><task><labels><label><name>cat</name></label><label><name>dog</name></label></labels></task></meta>"
        f'<image id="0" name="a.png" width="{WIDE}" height="{TALL}">{shapes}</image>'
        f'<image id="1" name="b.png" width="{WIDE}" height="{TALL}"/></annotations>'
    )
    return home / "annotations.xml"


def own_table(home: Path) -> Path:
    rows = [
        {"image": f"images/{n}.png", "mask": encode_mask(points, NAMES)} for n, points in (("a", WANTED), ("b", EMPTY))
    ]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return home / "rows.jsonl"


FORMATS = [palette, colours, camvid_table, nnunet, coco, coco_runs, labelme, cvat, own_table]


@pytest.mark.parametrize("write", FORMATS, ids=lambda f: f.__name__)
def test_every_format_gives_the_same(write, home):
    examples, lines = read_masks([write(home)])
    assert [Path(e["image"]).stem.removesuffix("_0000") for e in examples] == ["a", "b"]
    mask = read_mask(examples[0]["mask"])
    names = [mask.labels[i] for i in mask.points.ravel()]
    assert names == [NAMES[i] for i in WANTED.ravel()]
    assert {mask.labels[i] for i in np.unique(mask.points)} == set(NAMES)
    assert not read_mask(examples[1]["mask"]).points.any()
    assert any("kept 2 pictures" in line for line in lines) and any('"cat": ' in line for line in lines), lines


@pytest.mark.parametrize("write", [coco, coco_runs, labelme, cvat], ids=lambda f: f.__name__)
def test_shapes_are_things_of_their_own(write, home):
    mask = read_mask(read_masks([write(home)])[0][0]["mask"])
    assert len(np.unique(mask.things[mask.points == 1])) == len(np.unique(mask.things[mask.points == 2])) == 1
    assert len(np.unique(mask.things)) == 3


def test_black_and_white_masks(home):
    both(home, "masks", lambda path, points: put(path, (points > 0).astype(np.uint8) * 255))
    examples, lines = read_masks([home])
    mask = read_mask(examples[0]["mask"])
    assert mask.labels == ["background", "foreground"] and (mask.points == (WANTED > 0)).all()
    assert any("black and white" in line and "255 is foreground" in line for line in lines), lines


def test_sixteen_bits_are_things(home):
    both(home, "masks", lambda path, points: put(path, points.astype(np.uint16) * 300))
    examples, lines = read_masks([home])
    mask = read_mask(examples[0]["mask"])
    assert mask.labels == ["background", "thing"] and len(np.unique(mask.things)) == 3
    assert any("2 things told apart" in line for line in lines) and any("16 bits" in line for line in lines), lines


def voc(home: Path) -> Path:
    (home / "images").rename(home / "JPEGImages")
    edged = np.where((WANTED == 2) & (np.indices(WANTED.shape)[0] == DOG[1]), 255, WANTED).astype(np.uint8)
    for folder in ("SegmentationClass", "SegmentationObject"):
        for name, points in (("a", edged), ("b", EMPTY)):
            put(home / folder / f"{name}.png", points, "P")
    return home


def test_voc_ignores_255_and_tells_things_apart(home):
    examples, lines = read_masks([voc(home)])
    mask = read_mask(examples[0]["mask"])
    assert (mask.points == IGNORE).sum() == DOG[2] - DOG[0] and len(np.unique(mask.things)) == 3
    assert any("neither teach nor count" in line for line in lines), lines


def test_pictures_and_masks_in_one_folder(tmp_path):
    picture(tmp_path / "a.jpg")
    put(tmp_path / "a_mask.png", WANTED)
    picture(tmp_path / "c.jpg")
    examples, lines = read_masks([tmp_path])
    assert len(examples) == 1 and any("no mask" in line for line in lines) and any("c.jpg" in line for line in lines)


def test_masks_of_camvid_beside_their_pictures(tmp_path):
    picture(tmp_path / "train" / "a.png")
    put(tmp_path / "trainannot" / "a.png", np.where(WANTED == 2, 11, WANTED).astype(np.uint8))
    assert len(read_masks([tmp_path / "train"])[0]) == 1


def test_coco_crowds_are_not_known(home):
    place = coco(home)
    content = json.loads(place.read_text())
    content["annotations"][1]["iscrowd"] = 1
    place.write_text(json.dumps(content))
    assert (read_mask(read_masks([place])[0][0]["mask"]).points == IGNORE).sum() == (WANTED == 2).sum()


def test_labelme_masks_rectangles_and_circles(home):
    labelme(home)
    content = json.loads((home / "a.json").read_text())
    out = io.BytesIO()
    Image.fromarray(np.full((8, 10), 255, np.uint8)).save(out, "PNG")
    content["shapes"] = [
        {"label": "cat", "shape_type": "rectangle", "points": [CAT[:2], CAT[2:]]},
        {"label": "dog", "shape_type": "mask", "points": [[10, 6], [19, 13]], "mask": base64.b64encode(out.getvalue()).decode()},
        {"label": "sun", "shape_type": "circle", "points": [[22, 2], [23, 2]]},
        {"label": "line", "shape_type": "linestrip", "points": [[1, 1], [2, 2]]},
    ]  # fmt: skip
    (home / "a.json").write_text(json.dumps(content))
    examples, lines = read_masks([home])
    mask = read_mask(examples[0]["mask"])
    rest = mask.points[:, :20]
    assert ([mask.labels[i] for i in rest.ravel()]) == [NAMES[i] for i in WANTED[:, :20].ravel()]
    assert 3 <= (mask.points == mask.labels.index("sun")).sum() <= 9
    assert any("no areas" in line for line in lines) and any("a.json, shape 4" in line for line in lines)


def test_compressed_runs_are_those_of_pycocotools():
    coder = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    for _ in range(60):
        height, width = (int(v) for v in rng.integers(1, 60, 2))
        area = (rng.random((height, width)) < rng.random()).astype(np.uint8)
        coded = coder.encode(np.asfortranarray(area))["counts"].decode()
        assert (coco_rle(coded, height, width) == area).all()


@pytest.mark.parametrize("counts", ["~~", "9" * 50, [3, "x"], [-1, 5], None, {}, "P", [2**70]])
def test_damaged_runs(counts):
    with pytest.raises(DataError):
        coco_rle(counts, 4, 4)


def test_damaged_runs_of_cvat():
    with pytest.raises(DataError, match="whole numbers"):
        cvat_rle("1, x", 1, 2)
    with pytest.raises(DataError, match="add up"):
        cvat_rle("1, 7", 1, 2)
    with pytest.raises(DataError, match="cut off"):
        expand("o")


# ---- what cannot be used ---------------------------------------------------------------------------------------------


def many(home: Path, count: int = 12) -> Path:
    for i in range(count):
        picture(home / "images" / f"p{i}.png")
        put(home / "masks" / f"p{i}.png", (WANTED > 0).astype(np.uint8))
    for name in ("a", "b"):
        (home / "images" / f"{name}.png").unlink()
    return home


def spoilt(home: Path, change) -> list[str]:
    """The lines of a folder of twelve pictures, one mask of which is changed."""
    many(home)
    change(home / "masks" / "p3.png")
    examples, lines = read_masks([home])
    assert len(examples) == 11 and any("left out 1 mask of 12" in line for line in lines), lines
    return [line for line in lines if line.startswith("unusable: ")]


def test_a_jpeg_as_a_mask(home):
    def change(path: Path) -> None:
        path.unlink()
        Image.fromarray(WANTED).save(path.with_suffix(".jpg"))

    [line] = spoilt(home, change)
    assert "p3.jpg" in line and "received a JPEG" in line and "Save masks as PNG" in line


def test_a_jpeg_that_is_called_png(home):
    [line] = spoilt(home, lambda path: Image.fromarray(WANTED).save(path, "JPEG"))
    assert "received a JPEG" in line


@pytest.mark.parametrize(("suffix", "options"), [(".webp", {"quality": 60}), (".avif", {})])
def test_other_formats_that_lose_points(home, suffix, options):
    if suffix == ".avif" and ".avif" not in Image.registered_extensions():
        pytest.skip("Pillow without AVIF")

    def change(path: Path) -> None:
        path.unlink()
        Image.fromarray((WANTED > 0).astype(np.uint8)).save(path.with_suffix(suffix), **options)

    [line] = spoilt(home, change)
    assert "stored without loss" in line and "Save masks as PNG" in line


def test_webp_without_loss_is_a_mask(home):
    many(home)
    path = home / "masks" / "p3.png"
    path.unlink()
    Image.fromarray((WANTED > 0).astype(np.uint8)).save(path.with_suffix(".webp"), lossless=True)
    assert len(read_masks([home])[0]) == 12


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        (np.linspace(0, 1, WANTED.size, dtype=np.float32).reshape(WANTED.shape), "expected a mask of whole numbers"),
        (WANTED.astype(np.int32) - 1, "expected a mask of numbers from 0, received -1"),
        (
            WANTED.astype(np.uint16),
            "expected a mask of 8 bits, whose numbers are labels, as .*p0.png is, received one of 16",
        ),
        (WANTED.astype(np.float32), "expected a mask of 8 bits"),
    ],
)
def test_numbers_of_another_kind(home, numbers, says):
    """A share of a number, a number below 0, and what would be labels in one mask and things in the others."""

    def change(path: Path) -> None:
        path.unlink()
        Image.fromarray(numbers).save(path.with_suffix(".tif"))

    [line] = spoilt(home, change)
    assert re.search(says, line) and "p3.tif" in line


def test_masks_of_several_pages(home):
    def change(path: Path) -> None:
        path.unlink()
        page = Image.fromarray((WANTED > 0).astype(np.uint8))
        page.save(path.with_suffix(".tif"), save_all=True, append_images=[page, page])

    [line] = spoilt(home, change)
    assert "expected one mask, received 3 in one file" in line


def test_a_mask_of_another_size(home):
    [line] = spoilt(home, lambda path: put(path, WANTED[:10]))
    assert "expected a mask of 24 x 16 points" in line and "received 24 x 10" in line


def test_a_mask_that_fits_a_picture_that_exif_turns_neither_way(home):
    def change(path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture(home / "images" / "p3.png", exif=exif)
        put(path, WANTED[:10])

    [line] = spoilt(home, change)
    assert "expected a mask of 16 x 24 points" in line


def test_a_mask_in_colours_without_a_table(home):
    [line] = spoilt(home, lambda path: put(path, np.array(COLOURS, np.uint8)[WANTED]))
    assert "one in colours" in line and "labelmap.txt" in line


def test_a_damaged_mask(home):
    [line] = spoilt(home, lambda path: path.write_bytes(path.read_bytes()[:60]))
    assert "damaged" in line and "p3.png" in line


def test_colours_that_are_not_in_the_table(home):
    colours(home)
    table = home / "labelmap.txt"
    table.write_text("".join(line for line in table.read_text().splitlines(True) if "dog" not in line))
    with pytest.raises(DataError, match=r"colours of .*labelmap.txt, received another one, 10,250,10"):
        read_masks([home])


def test_numbers_that_have_no_name(home):
    palette(home)
    (home / "labels.txt").write_text("background\ncat\n")
    with pytest.raises(DataError, match=r"numbers of the 2 labels in .*labels.txt, received 2"):
        read_masks([home])


def test_too_many_numbers_for_labels():
    with pytest.raises(DataError, match="at most 254 labels"):
        read_mask(np.arange(400).reshape(20, 20))


def test_a_picture_of_100_megapixels(home):
    many(home)
    Image.new("1", (10_000, 10_000)).save(home / "images" / "p3.png")
    _, lines = read_masks([home])
    assert any("at most 50 million points" in line for line in lines), lines


def test_masks_without_pictures_and_pictures_without_masks(home):
    many(home)
    (home / "images" / "p3.png").unlink()
    (home / "masks" / "p5.png").unlink()
    examples, lines = read_masks([home])
    text = "\n".join(lines)
    assert (
        len(examples) == 10
        and "pictures with no mask, which are left out: 1" in text
        and "masks without a picture" in text
    )


@pytest.mark.parametrize("facts", ["{", "[]", '{"labels": {"a": 1}, "file_ending": ".nii.gz"}'])
def test_a_dataset_of_nnunet_that_cannot_be_read(home, facts):
    nnunet(home)
    (home / "dataset.json").write_text(facts)
    with pytest.raises(LamellaError, match=r"nnU-Net|Volumes are not read"):
        read_masks([home])


@pytest.mark.parametrize("name", ["nothing-here", "file.txt"])
def test_no_masks(home, name):
    if "." in name:
        (home / name).write_text("x")
    with pytest.raises(DataError, match="expected images/ and masks/"):
        read_masks([home / name])


def test_a_folder_of_pictures_alone(home):
    with pytest.raises(DataError, match="received a folder without any"):
        read_masks([home])


def test_coco_of_another_shape(home):
    place = coco(home)
    content = json.loads(place.read_text())
    content["images"][0]["width"] = 99
    place.write_text(json.dumps(content))
    with pytest.raises(DataError, match="the file says that the picture has 99 x 16"):
        read_masks([place])


def test_coco_of_another_size_is_scaled(home):
    place = coco(home)
    content = json.loads(place.read_text())
    for image in content["images"]:
        image["width"], image["height"] = 2 * WIDE, 2 * TALL
    for one in content["annotations"]:
        one["segmentation"] = [[2 * v for v in one["segmentation"][0]]]
    place.write_text(json.dumps(content))
    assert (read_mask(read_masks([place])[0][0]["mask"]).points == WANTED).all()


# ---- groups ----------------------------------------------------------------------------------------------------------


def test_groups(home):
    many(home)
    examples, _ = read_masks([home], group=r"(p1?)\d")
    assert {e["group"] for e in examples} == {"p", "p1"}
    assert {e["group"] for e in read_masks([home], group="folder")[0]} == {"images"}
    with pytest.raises(DataError, match="--group: expected"):
        read_masks([home], group=r"(patient\d+)")


@pytest.mark.parametrize("group", ["(", "a", "(a)(b)"])
def test_expressions_that_are_none(group):
    with pytest.raises(UsageError, match="--group"):
        group_pattern(group)


def test_a_column_of_groups(home):
    rows = [
        {"image": f"images/{n}.png", "mask": encode_mask(WANTED, NAMES), "patient": f"P{i}"} for i, n in enumerate("ab")
    ]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [e["group"] for e in read_masks([home / "rows.jsonl"])[0]] == ["P0", "P1"]
    assert group_of("x/P7/1.png", group_pattern("folder")) == "P7"


def test_masks_with_a_word_before_their_names(tmp_path):
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png")
        put(tmp_path / f"mask_{name}.png", WANTED)
    examples, _ = read_masks([tmp_path])
    assert [Path(e["image"]).name for e in examples] == ["a.png", "b.png"]


@pytest.mark.parametrize("given", ["", "train"])
def test_masks_in_a_folder_that_is_named_like_that_of_the_pictures(tmp_path, given):
    picture(tmp_path / "train" / "a.jpg")
    (tmp_path / "train_masks").mkdir()
    Image.fromarray(WANTED).save(tmp_path / "train_masks" / "a_mask.gif")
    assert len(read_masks([tmp_path / given])[0]) == 1


def test_one_part_of_two_folders_of_parts(tmp_path):
    for part in ("train", "val"):
        picture(tmp_path / "images" / part / "a.png")
        put(tmp_path / "labels" / part / "a.png", WANTED)
    assert len(read_masks([tmp_path / "images" / "val"])[0]) == 1
    assert len(read_masks([tmp_path])[0]) == 2


def coco_of(home: Path, annotations: list[dict], categories: list[dict]) -> Path:
    images = [{"id": i, "file_name": f"{n}.png", "width": WIDE, "height": TALL} for i, n in enumerate("ab")]
    path = home / "instances.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def test_areas_of_coco_that_are_left_out_are_named(home):
    area = {"id": 1, "image_id": 0, "category_id": 3, "segmentation": [ring(CAT)]}
    others = [
        {**area, "id": 2, "image_id": 77},
        {**area, "id": 3, "category_id": 9},
        {**area, "id": 4, "segmentation": []},
    ]
    path = coco_of(home, [area, *others], [{"id": 3, "name": "cat"}])
    lines = "\n".join(read_masks([path])[1])
    assert "areas of an image_id that no image has, which are left out: 1" in lines and "annotation 2: 77" in lines
    assert "areas of a category_id that no category has, which are left out: 1" in lines and "annotation 3: 9" in lines
    assert "no areas or have no label, which are left out: 1" in lines and "annotation 4" in lines


@pytest.mark.parametrize(
    ("area", "categories", "says"),
    [
        ({"segmentation": [ring(CAT)]}, [], "expected categories with id and name, received none"),
        ({"bbox": [1, 1, 5, 5]}, [{"id": 3, "name": "cat"}], "expected areas with labels, received none"),
    ],
)
def test_coco_without_anything_to_learn(home, area, categories, says):
    path = coco_of(home, [{"id": 1, "image_id": 0, "category_id": 3, **area}], categories)
    with pytest.raises(DataError, match=says):
        read_masks([path])


def labelme_of(home: Path, **more) -> Path:
    shape = {
        "label": "cat",
        "shape_type": "polygon",
        "points": [[4, 2], [12, 2], [12, 10], [4, 10]],
        **more.pop("shape", {}),
    }
    path = home / "labels" / "a.json"
    path.parent.mkdir()
    sides = {"imageWidth": WIDE, "imageHeight": TALL}
    path.write_text(json.dumps({"shapes": [shape], "imagePath": "a.png", **sides, **more}))
    return path


def test_rectangles_of_four_corners(home):
    path = labelme_of(home, shape={"shape_type": "rectangle"}, imagePath="../images/a.png")
    mask = read_mask(read_masks([path])[0][0]["mask"])
    assert mask.points[2:10, 4:12].all() and mask.points.sum() == 64


def test_a_picture_inside_labelme_of(tmp_path):
    inside = base64.b64encode(picture(tmp_path / "elsewhere" / "z.png").read_bytes()).decode()
    examples, _ = read_masks([labelme_of(tmp_path, imageData=inside)])
    assert examples[0]["image"].startswith("data:")


def test_pictures_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DataError, match=r'received none that can be used .*the first .*a.json: "a.png"'):
        read_masks([labelme_of(tmp_path).parent])


def test_regions_of_nnunet_and_pictures_without_masks(tmp_path):
    for name in ("a", "b"):
        picture(tmp_path / "imagesTr" / f"{name}_0000.png")
    put(tmp_path / "labelsTr" / "a.png", WANTED)
    facts = {"labels": {"background": 0, "whole": [1, 2], "core": [2]}, "file_ending": ".png"}
    (tmp_path / "dataset.json").write_text(json.dumps(facts))
    examples, lines = read_masks([tmp_path])
    assert read_mask(examples[0]["mask"]).labels == ["background", "whole", "core"]
    assert "note: pictures with no mask, which are left out: 1" in lines


def test_smoothed_black_and_white_masks_are_pointed_out(home):
    smooth = np.where(WANTED > 0, 255, 0).astype(np.uint8)
    smooth[2, 4:10], smooth[9, 4:10] = 64, 192
    both(home, "masks", lambda path, points: put(path, smooth))
    assert any(line.startswith("note: black and white masks that were smoothed") for line in read_masks([home])[1])


# ---- faults that nothing said -----------------------------------------------------------------------------------------


def report(home: Path) -> tuple[list[dict], str]:
    rows, lines = read_masks([str(home)])
    return rows, "\n".join(lines)


def test_pictures_of_one_name_do_not_share_a_mask(home):
    both(home, "masks", put)
    picture(home / "images" / "a.jpg")
    rows, said = report(home)
    assert [Path(row["image"]).name for row in rows] == ["b.png"]
    assert (
        "of one name with a single mask" in said and "a.jpg" in said and "a.png" in said and "masks without" not in said
    )


def test_names_are_the_same_in_both_ways_of_writing_accents(home):
    both(home, "masks", put)
    picture(home / "images" / "e\u0301.png")
    put(home / "masks" / "\u00e9.png", WANTED)
    assert len(report(home)[0]) == 3


def test_a_mask_that_is_told_by_transparency_alone_is_refused(home):
    def in_alpha(path: Path, points: np.ndarray) -> None:
        put(path, np.dstack([np.zeros((*points.shape, 3), np.uint8), 255 * (points > 0).astype(np.uint8)]))

    both(home, "masks", in_alpha)
    with pytest.raises(DataError, match="points of one colour are clear and opaque"):
        read_masks([str(home)])


@pytest.mark.parametrize(("orientation", "size"), [(6, (TALL, WIDE)), (8, (TALL, WIDE)), (3, (WIDE, TALL))])
def test_masks_of_pictures_that_exif_turns(home, orientation, size):
    """A mask in the picture's stored size is turned with it; one that fits the upright picture stays."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name, points in (("a", WANTED), ("b", EMPTY)):
        (home / "images" / f"{name}.png").unlink()
        picture(home / "images" / f"{name}.jpg", exif=exif)
        put(home / "masks" / f"{name}.png", points)
    rows, said = report(home)
    mask = read_mask(rows[0]["mask"])
    assert mask.points.shape == (size[1], size[0])
    turns = {6: np.rot90(WANTED, -1), 8: np.rot90(WANTED), 3: WANTED}
    assert np.array_equal(mask.points, turns[orientation])
    assert ("the masks are turned with them: 2" in said) == (orientation != 3)
    assert ("are taken for those of the upright pictures: 2" in said) == (orientation == 3)


def test_the_first_page_is_taken_and_said(home):
    both(home, "masks", put)
    (home / "images" / "a.png").unlink()
    pages = [Image.new("RGB", (WIDE, TALL), (n, 0, 0)) for n in range(3)]
    pages[0].save(home / "images" / "a.tif", save_all=True, append_images=pages[1:])
    rows, said = report(home)
    assert len(rows) == 2 and "several frames or pages, of which the first is taken: 1" in said and "a.tif" in said


def test_a_grey_mask_with_a_number_beyond_the_table_of_colours_is_refused(home):
    both(home, "masks", lambda path, points: put(path, points * 3))
    (home / "masks" / "labelmap.txt").write_text("background:0,0,0::\ncat:250,10,10::\ndog:10,250,10::\n")
    with pytest.raises(DataError, match=r"numbers of its 3 labels, received the number 3\."):
        read_masks([str(home)])


def test_masks_of_things_that_are_missing_or_of_another_size(home):
    (home / "images").rename(home / "JPEGImages")
    both(home, "SegmentationClass", put)
    put(home / "SegmentationObject" / "a.png", WANTED)
    assert "masks that have none of the same name and size which tells things apart: 1" in report(home)[1]
    put(home / "SegmentationObject" / "a.png", WANTED[:-1])
    with pytest.raises(DataError, match="to be of the same size, 24 x 16, received 24 x 15"):
        read_masks([str(home)])


def listed(home: Path, annotations: list[dict], files=("a.png", "b.png")) -> None:
    images = [{"id": n, "file_name": file, "width": WIDE, "height": TALL} for n, file in enumerate(files)]
    kinds = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    (home / "images" / "c.json").write_text(
        json.dumps({"images": images, "categories": kinds, "annotations": annotations})
    )


def test_areas_outside_of_their_picture_are_named(home):
    areas = [ring(CAT), [100, 100, 120, 100, 120, 120]]
    listed(
        home, [{"id": n + 7, "image_id": n, "category_id": 1, "segmentation": [area]} for n, area in enumerate(areas)]
    )
    rows, said = report(home / "images")
    assert (
        len(rows) == 2 and "cover no point of their picture, which are left out: 1" in said and "annotation 8" in said
    )


def test_a_picture_that_is_listed_twice_has_the_areas_of_both(home):
    shapes = [(0, 1, CAT), (1, 2, DOG)]
    listed(
        home,
        [{"id": i, "image_id": i, "category_id": k, "segmentation": [ring(b)]} for i, k, b in shapes],
        ("a.png",) * 2,
    )
    rows, said = report(home / "images")
    assert len(rows) == 1 and np.array_equal(read_mask(rows[0]["mask"]).points, WANTED)
    assert "lists again; their areas are put together: 1" in said


def test_groups_ten_and_one_of_cvat_are_two(home):
    def box(group: int, left: int) -> str:
        return f'<box label="cat" group_id="{group}" xtl="{left}" ytl="1" xbr="{left + 3}" ybr="4"/>'

    areas = box(10, 1) + box(1, 6) + box(10, 11)
    names = "".join(f'<image name="{n}.png" width="{WIDE}" height="{TALL}">{areas}</image>' for n in "ab")
    (home / "images" / "all.xml").write_text(f"<annotations>{names}</annotations>")
    mask = read_mask(read_masks([str(home / "images")])[0][0]["mask"])
    assert len(np.unique(mask.things)) == 1 + 2


def test_a_picture_that_nobody_drew_on_is_named(home):
    shape = {"label": "cat", "points": [[1, 1], [9, 1], [9, 9]], "shape_type": "polygon"}
    (home / "images" / "a.json").write_text(json.dumps({"shapes": [shape], "imagePath": "a.png"}))
    rows, said = report(home / "images")
    assert len(rows) == 1 and "pictures that no file names, which are left out: 1" in said and "b.png" in said


def test_rows_and_pictures_that_repeat_others_are_named(home):
    both(home, "masks", put)
    (home / "t.csv").write_text(
        "image,mask\nimages/a.png,masks/a.png\nimages/b.png,masks/b.png\nimages/a.png,masks/b.png\n"
    )
    said = "\n".join(read_masks([str(home / "t.csv")])[1])
    assert "another one names the same picture: 1" in said and "the same mask: 1" in said and "line 4" in said
    (home / "images" / "c.png").write_bytes((home / "images" / "a.png").read_bytes())
    put(home / "masks" / "c.png", WANTED)
    assert "pictures that repeat another one, point for point: 1" in report(home)[1]
