"""Pictures that people have, and pictures made to hurt."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from lamella import DataError, MissingExtra
from lamella.data.media.images import MOST_POINTS, SUFFIXES, encode_png, fingerprint, read_image, shape_of, white_of
from lamella.data.readers.image_folders import image_folder

Image = pytest.importorskip("PIL.Image")
CHANCE = np.random.default_rng(0)
COLOUR = CHANCE.integers(0, 256, (6, 6, 3), dtype=np.uint8)  # (H, W, 3)
GREY = CHANCE.integers(0, 256, (6, 6), dtype=np.uint8)


def stored(picture, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


# --- what stands in it comes out


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_points_are_kept(kind, tmp_path):
    raw = stored(Image.fromarray(COLOUR), kind)
    path = tmp_path / "a"
    path.write_bytes(raw)
    for value in (raw, path, str(path), COLOUR, COLOUR.tolist(), COLOUR.transpose(2, 0, 1), encode_png(COLOUR)):
        assert np.array_equal(read_image(value, 6, 3), COLOUR.transpose(2, 0, 1))
    assert len({fingerprint(v) for v in (raw, path, COLOUR, encode_png(COLOUR))}) == 1
    assert fingerprint(255 - COLOUR) != fingerprint(COLOUR)


def test_grey_in_and_out():
    assert np.array_equal(read_image(encode_png(GREY), 6, 1), GREY[None])
    assert np.array_equal(read_image(encode_png(GREY[None]), 6, 3), np.stack([GREY] * 3))
    assert np.array_equal(read_image(GREY / 255, 6, 1), GREY[None]), "floats are from 0 to 1"
    assert np.abs(read_image(COLOUR, 6, 1)[0] - COLOUR @ [0.299, 0.587, 0.114]).max() <= 1, (
        "as television weighs colours"
    )


def test_another_size():
    step = np.zeros((8, 8), np.uint8)
    step[:, 4:] = 240
    small = read_image(step, 2, 1)[0]
    assert small[0, 0] < 40 < 200 < small[0, 1], "made smaller by averages"
    large = read_image(step, 32, 1)[0]
    assert large.shape == (32, 32) and (np.diff(large.astype(int), axis=1) >= 0).all()
    assert (read_image(np.full((30, 7, 3), 77, np.uint8), 12, 3) == 77).all()


@pytest.mark.parametrize("orientation, turned", [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_upright(orientation, turned):
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = stored(Image.fromarray(COLOUR), "PNG", exif=exif)
    assert np.array_equal(read_image(raw, 6, 3), np.rot90(COLOUR, turned).transpose(2, 0, 1))


def test_modes():
    wide = (GREY.astype(np.uint16) << 8) + 99
    assert np.abs(read_image(stored(Image.fromarray(wide), "PNG"), 6, 1)[0].astype(int) - wide / 257).max() <= 1
    halves = Image.fromarray(np.stack([GREY * 0, GREY * 0 + 128], axis=2), "LA")
    assert set(read_image(stored(halves, "PNG"), 6, 1).ravel()) == {127}, "half black on white"
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (read_image(stored(clear, "PNG"), 4, 3) == 255).all()
    few = Image.fromarray(COLOUR).quantize(8)
    assert np.array_equal(read_image(stored(few, "PNG"), 6, 3), np.asarray(few.convert("RGB")).transpose(2, 0, 1))
    marked = Image.new("P", (4, 4), 0)
    marked.putpalette([9, 9, 9] * 4)
    assert (read_image(stored(marked, "PNG", transparency=0), 4, 3) == 255).all()
    ink = CHANCE.integers(0, 256, (6, 6, 4), dtype=np.uint8)
    paper = (255 - ink[..., :3].astype(float)) * (255 - ink[..., 3:].astype(float)) / 255
    cmyk = read_image(stored(Image.fromarray(ink, "CMYK"), "TIFF"), 6, 3)
    assert np.abs(cmyk.transpose(1, 2, 0) - paper).max() <= 1.5
    depth = CHANCE.random((6, 6)).astype(np.float32)
    assert np.abs(read_image(stored(Image.fromarray(depth), "TIFF"), 6, 1)[0] - 255 * depth).max() <= 0.51
    assert set(read_image(stored(Image.fromarray(GREY > 99), "PNG"), 6, 1).ravel()) == {0, 255}


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("L", (5, 5), shade) for shade in (10, 200, 90)]
    raw = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (read_image(raw, 5, 1) == 10).all()


def test_side_and_colour_are_found():
    assert shape_of([GREY[:, :5]] * 2) == (12, 1)
    assert shape_of([np.zeros((30, 31, 3), np.uint8)] * 3) == (32, 1), "three equal channels are one"
    assert shape_of([np.zeros((900, 20), np.uint8), COLOUR, np.zeros((70, 200), np.uint8)]) == (64, 3)


# --- hostile


def bomb(side: int) -> bytes:
    return stored(Image.new("1", (side, side)), "PNG")


def test_what_would_unfold_is_never_decoded(monkeypatch):
    from PIL import ImageFile

    large, huge = bomb(12_000), stored(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(large) < 20_000 < 12_000**2
    frames = [Image.fromarray(np.full((900, 900), i, np.uint8)) for i in range(80)]
    many = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert len(many) < 900 * 900 < MOST_POINTS < 80 * 900 * 900

    def decoded(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    for raw, received in ((large, "12000 x 12000"), (huge, "far more"), (many, "80 frames of 900 x 900")):
        with pytest.raises(DataError, match=f"50 million points, received {received}"):
            read_image(raw, 28, 1)


JPEG = stored(Image.fromarray(np.tile(COLOUR, (9, 9, 1))), "JPEG")
PNG = stored(Image.fromarray(COLOUR), "PNG")


@pytest.mark.parametrize(
    "raw, told",
    [
        (b"", "an empty file"),
        (b"hello, world", 'text that begins "hello, world"'),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "begins"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text that begins"),
        (JPEG[: len(JPEG) // 2], "damaged"),
        (PNG[:40], "begins"),
        (PNG[: len(PNG) // 2], "damaged"),
        (b"GIF89a" + bytes(3), "begins"),
    ],
)
def test_what_is_no_picture(tmp_path, raw, told):
    path = tmp_path / "a.png"
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_image(path, 8, 3)
    message = str(caught.value)
    assert told in message and "a.png" in message and "expected" in message and "\n" not in message
    with pytest.raises(DataError):
        fingerprint(str(path))


def test_any_byte_may_be_wrong():
    """A picture or an error, never another exception."""
    chance = np.random.default_rng(1)
    kinds = [PNG, JPEG, *(stored(Image.fromarray(COLOUR), k) for k in ("GIF", "BMP", "TIFF", "PPM"))]
    for raw in kinds:
        for _ in range(60):
            bad = bytearray(raw)
            for place in chance.integers(0, len(bad), 3):
                bad[place] = chance.integers(0, 256)
            try:
                assert read_image(bytes(bad), 6, 3).shape == (3, 6, 6)
            except DataError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "\x00",
        "é" * 3000,
        "/nowhere/a.png",
        ".",
        "data:",
        "data:image/png;base64,%%",
        "data:image/png,abc",
        7,
        None,
        {},
        [[1, 2], [3]],
        [["a"]],
        [[-1.0]],
        [[float("nan")]],
        np.zeros((3, 4, 5, 6)),
        np.zeros((0, 4)),
        np.zeros(9),
    ],
)
def test_what_is_not_even_a_file(value):
    with pytest.raises(DataError) as caught:
        read_image(value, 8, 3)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtra, match=r"lamella\[image\]"):
        read_image(PNG, 8, 3)


# --- folders and tables


@pytest.fixture
def album(tmp_path) -> Path:
    """120 pictures of two classes, no two alike."""
    for i in range(120):
        place = tmp_path / "album" / ("cat", "dog")[i % 2] / f"{i}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(stored(Image.fromarray(CHANCE.integers(0, 256, (4, 4), dtype=np.uint8)), "PNG"))
    return tmp_path / "album"


def test_a_folder_a_class(album):
    rows, lines = image_folder([album])
    assert len(rows) == 120 and {r["label"] for r in rows} == {"cat", "dog"}
    assert all(Path(r["image"]).parent.name == r["label"] for r in rows)
    assert rows == image_folder([str(album)])[0] == sorted(rows, key=lambda r: (r["label"], r["image"]))
    assert rows == image_folder([album / "cat", album / "dog"])[0], "class folders by themselves"
    assert lines == [f"{album}: 120 pictures in 2 class folders", 'kept 120 pictures of 2 classes: "cat" 60, "dog" 60']


def test_what_is_odd_is_said(album):
    (album / "empty").mkdir()
    (album / "bird" / "far").mkdir(parents=True)
    (album / "bird" / "far" / "1.PNG").write_bytes((album / "cat" / "0.png").read_bytes())
    (album / "cat" / "again.png").write_bytes((album / "cat" / "2.png").read_bytes())
    (album / "loose.png").write_bytes(PNG)
    (album / "cat" / "notes.txt").write_text("x")
    (album / "cat" / ".DS_Store").write_text("x")
    rows, lines = image_folder([album])
    said = "\n".join(lines)
    assert len(rows) == 122
    for wanted in (
        f"{album}/empty: a class without a picture",
        'class "bird" has a single picture',
        f'1 pictures directly in {album} belong to no class and are left out: "loose.png"',
        f"1 files are no pictures by their suffix and are left out: {album}/cat/notes.txt",
        "2 pictures repeat another one",
        "1 pictures are in more than one class",
    ):
        assert wanted in said, wanted


def test_unreadable_pictures_are_counted_or_stop_it(album):
    (album / "cat" / "0.png").write_bytes(b"text")
    rows, lines = image_folder([album])
    assert len(rows) == 119 and "left out 1 of 120 pictures that cannot be read" in lines
    assert any(line.startswith("unreadable: ") and "cat/0.png" in line for line in lines)
    for i in range(1, 30):
        (album / ("cat", "dog")[i % 2] / f"{i}.png").write_bytes(JPEG[:99])
    with pytest.raises(DataError, match="received 30 of 120") as caught:
        image_folder([album])
    assert len(caught.value.details) == 10 and all(".png: expected" in line for line in caught.value.details)


def test_folders_without_pictures(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("x")
    with pytest.raises(DataError, match="received none among 1 files"):
        image_folder([tmp_path])
    for part in ("train", "test"):
        (tmp_path / "parts" / part / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match=r"received test, train, which are parts.*--test"):
        image_folder([tmp_path / "parts"])
    with pytest.raises(DataError, match="no such file or folder"):
        image_folder([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="suffix"):
        image_folder([tmp_path / "a" / "b.txt"])


@pytest.mark.parametrize("name, cut", [("table.csv", ","), ("table.tsv", "\t")])
def test_tables_name_files_beside_them(album, name, cut):
    lines = (
        ["file", "class"],
        *([f"{k}/{i}.png", k] for i, k in enumerate(("cat", "dog") * 20)),
        [encode_png(COLOUR), "cat"],
    )
    quote = '"' if cut == "," else ""  # tables of tabs have no quotation marks
    quoted = [f"{quote}{a}{quote}{cut}{b}" for a, b in lines]
    (album / name).write_text("\n".join(quoted) + "\n")
    rows, _ = image_folder([album / name])
    assert len(rows) == 41 and rows[1] == {"image": str(album / "dog" / "1.png"), "label": "dog"}
    assert rows[-1]["image"].startswith("data:image/png")
    (album / name).write_text("\n".join(quoted).replace("cat/0.png", "nowhere.png"))
    rows, said = image_folder([album / name])
    assert len(rows) == 40 and any("nowhere.png" in line for line in said), "one of 41 is left out, and named"
    (album / name).write_text("\n".join(quoted).replace("cat/", "nowhere/x"))
    with pytest.raises(DataError, match=r"at most 10% bad pictures, received \d+ of 41.*nowhere"):
        image_folder([album / name])


# --- more bits than eight


def test_twelve_bits_in_sixteen(tmp_path):
    points = np.linspace(0, 4095, 64).reshape(8, 8).astype(np.uint16)
    Image.fromarray(points).save(tmp_path / "a.png")
    Image.fromarray(points // 2).save(tmp_path / "b.png")
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    assert white_of(paths) == white_of([points]) == 4095
    assert white_of(paths[1:]) == 2047 and white_of([points.astype(np.uint8)]) == 65535
    for value in (paths[0], points):
        assert read_image(value, 8, 1, white=4095).max() == 255
        assert read_image(value, 8, 1).max() == 16, "by the range of the type alone it is nearly black"
    assert abs(int(read_image(paths[1], 8, 1, white=4095).max()) - 127) <= 1, "the range of the data set, not its own"
    Image.fromarray((points + 1).clip(0, 4095)).save(tmp_path / "c.png")
    assert fingerprint(paths[0]) != fingerprint(str(tmp_path / "c.png"))


def test_avif_where_pillow_reads_it(tmp_path):
    from PIL import features

    if "avif" not in features.get_supported():
        pytest.skip("this Pillow reads no AVIF")
    Image.new("RGB", (16, 16), (250, 10, 10)).save(tmp_path / "a.avif")
    assert read_image(str(tmp_path / "a.avif"), 16, 3)[0].mean() > 200 and ".avif" in SUFFIXES
