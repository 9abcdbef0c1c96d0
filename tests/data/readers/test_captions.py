"""Pictures with captions in every format people have: read alike, and every caption that is not used is named with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lamella.data.media.images import encode_png
from lamella.data.readers.captions import read_captions
from lamella.errors import DataError

# The same two pictures in every format: one with two captions, one with a caption that has a comma and quotes.
CAPTIONS = {"a.jpg": ["A dog runs.", "The dog is fast."], "b.png": ['A sign, "stop".']}
ROWS = [(name, caption) for name, own in CAPTIONS.items() for caption in own]


def picture(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    points = np.random.default_rng([seed, *path.name.encode()]).integers(0, 255, (12, 12, 3), np.uint8)
    Image.fromarray(points).save(path)
    return path


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def csv(home: Path) -> Path:
    (home / "captions.csv").write_text("image,caption\n" + "".join(f"{n},{quoted(c)}\n" for n, c in ROWS))
    return home / "captions.csv"


def tsv_without_header(home: Path) -> Path:
    rows = [("17", name, caption) for name, caption in ROWS]
    (home / "captions.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return home / "captions.tsv"


def flickr30k(home: Path) -> Path:
    body = "".join(f"{name}| {i}| {caption}\n" for i, (name, caption) in enumerate(ROWS))
    (home / "results.csv").write_text("image_name| comment_number| comment\n" + body)
    return home / "results.csv"


def jsonl(home: Path) -> Path:
    rows = [{"file_name": name, "text": caption} for name, caption in ROWS]
    (home / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return home / "metadata.jsonl"


def jsonl_of_lists(home: Path) -> Path:
    rows = [{"image": name, "captions": own} for name, own in CAPTIONS.items()]
    (home / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return home / "data.jsonl"


def json_array(home: Path) -> Path:
    (home / "data.json").write_text(json.dumps([{"image": n, "caption": c} for n, c in ROWS]))
    return home / "data.json"


def flickr8k(home: Path) -> Path:
    (home / "Flickr8k_text").mkdir()
    place = home / "Flickr8k_text" / "Flickr8k.token.txt"
    place.write_text("".join(f"{name}#{i}\t{caption}\n" for i, (name, caption) in enumerate(ROWS)))
    return place


def kaggle(home: Path) -> Path:
    """Commas in captions with quotes around them, and without."""
    lines = [f"{n},{quoted(c) if i % 2 else c}\n" for i, (n, c) in enumerate(ROWS)]
    (home / "captions.txt").write_text("image,caption\n" + "".join(lines))
    return home / "captions.txt"


def coco(home: Path) -> Path:
    ids = {name: 10 + i for i, name in enumerate(CAPTIONS)}
    content = {
        "images": [{"id": i, "file_name": name} for name, i in ids.items()],
        "annotations": [{"id": i, "image_id": ids[name], "caption": c} for i, (name, c) in enumerate(ROWS)],
    }
    (home / "annotations").mkdir()
    place = home / "annotations" / "captions_train.json"
    place.write_text(json.dumps(content))
    return place


def texts_beside(home: Path) -> Path:
    for name, own in CAPTIONS.items():
        (home / "images" / name).with_suffix(".txt").write_text("\n".join(own) + "\n")
    return home


def whole_folder(home: Path) -> Path:
    """A list in a folder, given as the folder."""
    return kaggle(home).parent


FORMATS = (
    csv, tsv_without_header, flickr30k, jsonl, jsonl_of_lists, json_array, flickr8k, kaggle, coco, texts_beside, whole_folder,
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in CAPTIONS:
        picture(tmp_path / "images" / name)
    return tmp_path


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.__name__)
def test_every_format_gives_the_same(form, home):
    examples, lines = read_captions([str(form(home))])
    assert {Path(e["image"]).name: e["caption"] for e in examples} == CAPTIONS
    assert all(Path(e["image"]).is_file() for e in examples)
    assert "kept 2 pictures with 3 captions, 3 of them different" in lines
    assert not [line for line in lines if "left out" in line]


def test_pictures_within_a_table(tmp_path):
    uri = encode_png(np.zeros((4, 4), np.uint8))
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"image": uri, "caption": json.dumps(["black", "dark"])}) + "\n")
    assert read_captions([path])[0] == [{"image": uri, "caption": ["black", "dark"]}]


def test_what_is_left_out_is_named_with_its_reason(home):
    path = home / "captions.txt"
    path.write_text(
        "".join(f"a.jpg\tcaption number {i}\n" for i in range(40)) + "b.png\t \nlost.jpg\tA cat.\nno picture\n"
    )
    examples, lines = read_captions([str(path)])
    assert len(examples) == 1 and len(examples[0]["caption"]) == 40
    said = "\n".join(lines)
    for reason, where in (
        ("an empty caption: 1", "captions.txt, line 41"),
        ("a picture that is not there, or of which several have that name: 1", "captions.txt, line 42"),
        ("a line that is no picture and its caption: 1", "captions.txt, line 43"),
    ):
        assert reason in said and where in said


def test_columns_are_chosen(home):
    path = home / "data.csv"
    path.write_text("a,b,c\n" + "".join(f"{n},x,{quoted(c)}\n" for n, c in ROWS))
    examples, _ = read_captions([str(path)], {"image": "a", "caption": "c"})
    assert [e["caption"] for e in examples] == list(CAPTIONS.values())


def bad(home: Path, name: str, text: str) -> Path:
    (home / name).write_text(text)
    return home / name


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda home: home / "none.csv", "received no such file or folder"),
        (lambda home: bad(home, "a.pdf", "x"), 'received a file with the suffix ".pdf"'),
        (lambda home: bad(home, "c.txt", "a.jpg\t\nb.png\tok\n"), "at most 10% bad captions, received 1 of 2, the first: "),
        (lambda home: bad(home, "c.txt", "x.jpg\tA cat.\n"), "a picture that is not there"),
        (lambda home: bad(home, "c.txt", ""), "expected pictures with captions, received none"),
        (lambda home: bad(home, "c.json", '{"images": [], "annotations": [{"bbox": []}]}'), "received 1 without. Give COCO's captions file"),
        (lambda home: bad(home, "c.csv", "image,label\na.jpg,3\n"), "Choose with --columns caption=NAME"),
        (lambda home: home, "received 2 pictures without a text beside them"),
        (lambda home: (home / "empty").mkdir() or home / "empty", "received a folder without pictures"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_that_says_what_to_do(make, expected, home):
    with pytest.raises(DataError, match=r".") as raised:
        read_captions([str(make(home))])
    assert expected in str(raised.value) and "\n" not in str(raised.value)


def test_damaged_and_enormous_pictures_are_named(home):
    (home / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nxxxx")
    Image.new("1", (10_000, 10_000)).save(home / "images" / "huge.png")
    for i in range(30):
        picture(home / "images" / f"p{i}.png")
    names = ["broken.png", "huge.png", *(f"p{i}.png" for i in range(30))]
    path = bad(home, "captions.txt", "".join(f"{name}\tcaption of {name}\n" for name in names))
    examples, lines = read_captions([str(path)])
    said = "\n".join(lines)
    assert len(examples) == 30 and "left out 2 of 32 pictures" in said
    assert "huge.png: expected at most 50 million points, received 10000 x 10000" in said and "broken.png" in said


def test_everything_that_is_left_out_of_a_folder_is_named(tmp_path):
    for name in ("a", "b", "c", "d"):
        picture(tmp_path / f"{name}.jpg")
    (tmp_path / "a.txt").write_text("".join(f"dog {n}\n" for n in range(12)) + "dog 0\n" * 10)
    (tmp_path / "b.txt").write_text("a tree\n")
    (tmp_path / "c.txt").write_text("a house\n" + "long " * 3000)
    (tmp_path / "z.txt").write_text("of no picture")
    examples, lines = read_captions([tmp_path])
    assert [e["caption"] for e in examples] == [[f"dog {n}" for n in range(12)], ["a tree"], ["a house"]]
    text = "\n".join(lines)
    assert "a caption that its picture has already: 10" in text and 'a.txt, line 13: "dog 0"' in text
    assert "a caption of more than 10,000 characters: 1" in text and "c.txt, line 2" in text
    assert "a text without a picture beside it: 1" in text and "z.txt" in text
    assert "a picture without a text beside it: 1" in text and "d.jpg" in text


def test_one_text_that_cannot_be_read_is_named(tmp_path):
    """It is one of many, and does not stop the others; nor does a binary file that belongs to no picture."""
    for n in range(12):
        picture(tmp_path / f"{n}.png", n)
        (tmp_path / f"{n}.txt").write_text(f"picture {n}\n")
    (tmp_path / "3.txt").write_bytes(b"\0\1\2" * 50)
    (tmp_path / "cache.txt").write_bytes(b"\0\1\2" * 50)
    examples, lines = read_captions([tmp_path])
    said = "\n".join(lines)
    assert len(examples) == 11 and "left out, a text that cannot be read: 1" in said
    assert "3.txt, line 1: expected text, received a NUL character" in said and "cache.txt" in said


def test_an_empty_caption_in_a_table_is_named_with_its_line(tmp_path):
    rows = []
    for number in range(12):
        picture(tmp_path / f"{number}.jpg")
        rows.append(f"{number}.jpg,{'' if number == 3 else f'dog {number}'}\n")
    (tmp_path / "a.csv").write_text("image,caption\n" + "".join(rows))
    assert any(line.endswith('a.csv, line 5: "3.jpg"') for line in read_captions([tmp_path / "a.csv"])[1])


def test_captions_in_numbered_columns(tmp_path):
    for number in range(3):
        picture(tmp_path / f"{number}.jpg")
    rows = "".join(f"{n}.jpg,dog {n},cat {n},\n" for n in range(3))
    (tmp_path / "a.csv").write_text("filename,caption_1,caption_2,caption_3\n" + rows)
    examples, lines = read_captions([tmp_path / "a.csv"])
    assert examples[0]["caption"] == ["dog 0", "cat 0"]
    assert any(line.endswith('further captions in "caption_2", "caption_3"') for line in lines)


def test_pictures_of_coco_without_captions_and_a_list_without_a_header(tmp_path):
    for number in range(3):
        picture(tmp_path / f"{number}.jpg")
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(3)]
    said = [{"id": n, "image_id": n, "caption": f"dog {n}"} for n in range(2)]
    (tmp_path / "captions.json").write_text(json.dumps({"images": images, "annotations": said}))
    assert "left out, a picture without a caption: 1" in read_captions([tmp_path / "captions.json"])[1]
    (tmp_path / "captions.txt").write_text("a dog\n" + "".join(f"{n % 3}.jpg\tdog {n}\n" for n in range(12)))
    assert any(line.endswith('captions.txt, line 1: "a dog"') for line in read_captions([tmp_path / "captions.txt"])[1])


def test_pictures_of_one_name_do_not_share_a_text(tmp_path):
    for name in ("a.jpg", "a.png", "b.jpg", "c.JPG"):
        picture(tmp_path / name)
    for name in ("a.txt", "b.txt", "c.TXT"):
        (tmp_path / name).write_text(f"The letter {name[0]}.")
    rows, lines = read_captions([tmp_path])
    assert [Path(row["image"]).name for row in rows] == ["b.jpg", "c.JPG"]
    said = "\n".join(lines)
    assert "of the same name as another one, with one text for both: 2" in said and "a.jpg" in said and "a.png" in said
    for name in ("b.jpg", "c.JPG"):
        (tmp_path / name).unlink()
    with pytest.raises(DataError, match="of the same name as another one"):
        read_captions([tmp_path])


def test_of_an_animation_the_first_frame_is_taken_and_said(tmp_path):
    frames = [Image.new("RGB", (9, 9), (n, n, 0)) for n in (1, 80, 160)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    picture(tmp_path / "b.jpg")
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(f"The letter {name}.")
    rows, lines = read_captions([tmp_path])
    assert len(rows) == 2
    assert any("1 pictures have several frames or pages" in line and "a.gif" in line for line in lines)


def test_a_table_whose_names_are_those_of_several_pictures_is_told_of(tmp_path):
    for folder in "xy":
        picture(tmp_path / folder / "a.jpg")
    (tmp_path / "c.csv").write_text("image,caption\na.jpg,A letter.\n")
    with pytest.raises(DataError, match=r"or of which several have that name: 1, the first .*c\.csv, line 2"):
        read_captions([tmp_path])
