"""Files and folders that are not what they seem: nothing waits for ever, fills the memory or is dropped without a word."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lamella.data.documents.formats import open_document
from lamella.data.documents.plurals import parse_rule
from lamella.data.media.images import WEBP_POINTS, read_image, shape_of
from lamella.data.readers import clock
from lamella.data.readers.catalogue_pairs import read_catalogues
from lamella.data.readers.image_folders import image_folder
from lamella.data.readers.measures import learn_columns, read_rows
from lamella.data.readers.parallel import read_parallel
from lamella.data.readers.passages import read_passages
from lamella.data.readers.series import read_series
from lamella.data.readers.stamps import read_stamps
from lamella.data.readers.tables import read_table
from lamella.data.text.encoding import decode_bytes, read_bytes, text_codec
from lamella.errors import DataError
from lamella.tasks.time_series_forecasting import windows
from lamella.tasks.translation.plans import Plan, common, render
from tests.fuzzing import seeds
from tests.fuzzing.readers import Reader
from tests.fuzzing.trial import attempt

SECONDS = 60  # far more than anything here takes, far less than for ever
posix = pytest.mark.skipif(os.name != "posix", reason="pipes with names and links are of POSIX")


def soon(action: Callable[[], object]) -> object:
    """What an action gives or raises, or a failure where it waits."""
    result: list[object] = []

    def run() -> None:
        try:
            result.append(action())
        except Exception as error:
            result.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert result, "it waits"
    return result[0]


# ---- pipes, devices, links, names ------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.po", "a.srt", "a.html"])
def test_a_pipe_that_nobody_writes_to_is_empty(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    error = soon(lambda: open_document(tmp_path / name))
    assert isinstance(error, DataError) and "received an empty file" in str(error)


@posix
def test_a_pipe_that_somebody_writes_to_is_read_to_its_end(tmp_path: Path) -> None:
    read, write = os.pipe()  # what a shell makes of <(command)
    threading.Thread(target=lambda: (os.write(write, b"one\n"), os.write(write, b"two\n"), os.close(write))).start()
    assert soon(lambda: read_bytes(f"/dev/fd/{read}")) == b"one\ntwo\n"
    os.close(read)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_a_device_is_no_file() -> None:
    for device in ("/dev/zero", "/dev/urandom", "/dev/null"):
        with pytest.raises(DataError, match=f"{device}: expected a file, received a device"):
            read_bytes(device)


@posix
def test_folders_with_pipes_and_links_in_circles(tmp_path: Path) -> None:
    texts, catalogues, pictures = (tmp_path / name for name in ("texts", "locale/fr", "pictures"))
    for folder in (texts, catalogues, pictures / "cat", pictures / "dog"):
        folder.mkdir(parents=True)
        os.symlink(folder, folder / "again")
        os.symlink("loop", folder / "loop")
    (texts / "a.txt").write_text("Some words.\n")
    os.mkfifo(texts / "pipe.txt")
    passages, lines = soon(lambda: read_passages([str(texts)], 8))
    assert "".join(passages) == "Some words.\n"
    assert any(line.startswith("left out: 2 that are no files") and "pipe.txt" in line for line in lines), lines

    (catalogues / "a.po").write_text(seeds.PO)
    assert len(soon(lambda: read_catalogues([str(tmp_path / "locale")], "en", "fr")).rows) == 2
    os.mkfifo(catalogues / "pipe.po")
    error = soon(lambda: read_catalogues([str(tmp_path / "locale")], "en", "fr"))
    assert isinstance(error, DataError) and "received 1 of 2" in str(error) and "pipe.po" in str(error)

    for name in ("cat", "dog"):
        (pictures / name / "1.png").write_bytes(seeds.pictures()[0])
    rows, _ = soon(lambda: image_folder([str(pictures)]))
    assert [row["label"] for row in rows] == ["cat", "dog"]
    os.mkfifo(pictures / "cat" / "pipe.png")
    error = soon(lambda: image_folder([str(pictures)]))
    assert isinstance(error, DataError) and "pipe.png: expected a picture file" in str(error)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    for folder in ("good\n\x1b[2J", "bad\udcff"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a\nb\udcfe.png").write_bytes(seeds.pictures()[0])
        (tmp_path / folder / "notes\udcfe.txt").write_text("x")
    rows, lines = image_folder([str(tmp_path)])
    assert len(rows) == 2
    for line in lines:
        assert line.isprintable() and line.encode(), line
    (tmp_path / "bad\udcff" / "c\n.png").write_bytes(b"no")
    with pytest.raises(DataError) as caught:
        image_folder([str(tmp_path)])
    assert str(caught.value).isprintable()
    (tmp_path / "x\ny.txt").write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"x\\ny.txt: expected text"):
        read_passages([str(tmp_path / "x\ny.txt")], 8)


# ---- what unfolds ----------------------------------------------------------------------------------------------------


def test_compressed_pairs_are_not_unpacked(tmp_path: Path) -> None:
    for name in ("pairs.tsv.gz", "pairs.tsv", "pairs.po", "pairs.tmx", "pairs.en"):
        (tmp_path / name).write_bytes(gzip.compress(b"a\tb\n" * 10_000_000, 9, mtime=0))
        with pytest.raises(DataError):
            read_parallel(tmp_path / name, "en", "fr")


def test_pictures_are_looked_at_one_at_a_time(tmp_path: Path) -> None:
    from PIL import Image

    place = tmp_path / "a.png"
    Image.new("L", (5000, 5000)).save(place)
    reader = Reader("shapes", ".png", lambda path: shape_of([place] * 6), list, seconds=60)
    trial = attempt(reader, b"", tmp_path / "b.png")
    assert not trial.problem, trial


def test_a_webp_may_have_fewer_points(tmp_path: Path) -> None:
    from PIL import Image

    side = int(WEBP_POINTS**0.5) + 1
    Image.new("L", (side, side)).save(tmp_path / "a.webp", method=0, quality=1)
    with pytest.raises(DataError, match=f"at most 20 million points, received {side} x {side}"):
        read_image(tmp_path / "a.webp", 8, 1)


def test_what_pictures_of_odd_modes_become() -> None:
    import io

    from PIL import Image

    def shown(mode: str, value: object, form: str = "PNG", **options: object) -> list[int]:
        out = io.BytesIO()
        Image.new(mode, (2000, 700), value).save(out, form, **options)  # more than one strip
        points = read_image(out.getvalue(), 2, 3)
        assert (points == points[:, :1, :1]).all(), "one colour everywhere"
        return points[:, 0, 0].tolist()

    assert shown("RGBA", (255, 0, 0, 0)) == [255, 255, 255], "clear is white"
    assert shown("RGBA", (255, 0, 0, 128)) == [255, 127, 127]
    assert shown("LA", (0, 51)) == [204, 204, 204]
    assert shown("P", 0, transparency=0) == [255, 255, 255]
    assert shown("L", 7, transparency=7) == [255, 255, 255]
    assert shown("I;16", 32896) == [128, 128, 128]
    assert shown("I", 65535, "TIFF") == [255, 255, 255]
    assert shown("F", 0.2, "TIFF") == [51, 51, 51]
    assert shown("CMYK", (0, 255, 255, 0), "TIFF") == [255, 0, 0]
    assert shown("1", 1) == [255, 255, 255]


def test_pictures_of_floats_whatever_their_range() -> None:
    import io

    from PIL import Image

    points = np.array([[-3e38, 3e38], [0, np.nan]], np.float32)
    out = io.BytesIO()
    Image.fromarray(points).save(out, "TIFF")
    assert read_image(out.getvalue(), 2, 1)[0].tolist() == [[0, 255], [128, 128]]


def test_compiled_catalogues_are_checked_where_they_are_a_memory(tmp_path: Path) -> None:
    from tests.fuzzing.regressions import overlapping

    (tmp_path / "a.mo").write_bytes(overlapping())
    (tmp_path / "b.mo").write_bytes(seeds.compiled(seeds.MESSAGES))
    with pytest.raises(DataError, match=r"a.mo: expected a compiled catalogue, .*its strings overlap"):
        open_document(seeds.PO.encode(), "fr.po", "fr", [tmp_path / "a.mo"])
    memory = open_document(b'msgid "Yes"\nmsgstr ""\n', "fr.po", "fr", [tmp_path / "b.mo"])
    assert memory.segments == [] and b'msgstr "Oui"' in memory.render([])


# ---- tables ----------------------------------------------------------------------------------------------------------

WANTED = {"text": ("text",), "label": ("label",)}


def test_a_field_of_ten_megabytes_and_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    rows = "".join(f"good {i},a\nbad {i},b\n" for i in range(200))
    (tmp_path / "long.csv").write_text("text,label\n" + rows + "x" * 10_000_000 + ",a\n")
    table = read_table(tmp_path / "long.csv", WANTED)
    assert len(table) == 400 and "line 402: expected at most 1,048,576 characters" in str(table.report.bad[0])
    (tmp_path / "open.csv").write_text("text,label\n" + rows + '"never closed,a\n' + rows)
    table = read_table(tmp_path / "open.csv", WANTED)
    assert len(table) == 800 and table.report.bad[0].line == 402


def test_numbers_of_any_length_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"text": {"9" * 5000}, "label": 1e999}}\n{{"text": 1.50, "label": -0}}\n')
    assert [dict(row) for row in read_table(tmp_path / "a.jsonl", WANTED).rows] == [
        {"text": "9" * 5000, "label": "1e999"},
        {"text": "1.50", "label": "-0"},
    ]


def test_rows_that_name_their_fields_cannot_ask_for_gigabytes(tmp_path: Path) -> None:
    wide = json.dumps({f"f{i}": i for i in range(9000)})
    (tmp_path / "a.jsonl").write_text(wide + "\n" + '{"f1": 2}\n' * 20_000)
    for read in (read_series, lambda path: read_rows([str(path)])):
        with pytest.raises(
            DataError, match="expected rows with the same fields, received 20,001 rows of 9,000 different"
        ):
            read(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").write_text('{"a": 1, "b": 2}\n{"a": 3}\n{}\n' * 50)  # gaps are no attack
    assert len(read_rows([str(tmp_path / "b.jsonl")])[0]) == 150


def test_columns_whose_values_are_too_large_to_be_scaled(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1e308,1\n-1e308,2\n1e308,3\n")
    rows, _ = read_rows([str(tmp_path / "a.csv")])
    with pytest.raises(DataError, match='expected numbers in "a" whose spread is finite'):
        learn_columns(rows)


# ---- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["now", "today", "NaT", "99999-01-01", "-5", "9999-12-31T23:59:59-23:59", "", "2020-13-01"]
)
def test_what_is_no_time(word: str) -> None:
    assert read_stamps([word, "2020-01-01"]).seconds.tolist() == [clock.NONE, 1577836800]


def test_stamps_centuries_apart(tmp_path: Path) -> None:
    rows = ["1000-01-01 00:00:00,1", *(f"2020-01-01 00:00:0{i},{i}" for i in range(9))]
    (tmp_path / "a.csv").write_text("time,v\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="expected a value a step"):
        read_series(tmp_path / "a.csv")
    rows = [f"2020-01-01 00:00:0{i},{i},1" for i in range(9)] + ["9999-01-01 00:00:00,,1"]
    (tmp_path / "b.csv").write_text("time,v,w\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match='expected "w" a step'):
        read_series(tmp_path / "b.csv", known=["w"])


@pytest.mark.parametrize("start", [[1], {"a": 1}, float("nan"), float("inf"), 10**400, "soon"])
def test_starts_that_are_none(start: object) -> None:
    frame = windows.Frame(4, 2, [1], clock.Step(86400, "s"), ["week"], {})
    with pytest.raises(DataError, match="start: expected a time"):
        frame.read({"past": [1, 2, 3, 4], "start": start})


def test_a_start_that_is_not_said() -> None:
    frame = windows.Frame(4, 2, [1], clock.Step(86400, "s"), ["week"], {})
    arrays = [frame.read({"past": [1, 2, 3, 4], **more})["known"] for more in ({}, {"start": None}, {"start": " "})]
    assert all((one == arrays[0]).all() for one in arrays)


# ---- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.md", b"> " * 100_000 + b"word\n"),
        ("a.md", b"".join(b" " * i + b"- word\n" for i in range(400))),
        ("a.html", b"<div>" * 100_000 + b"word" + b"</div>" * 100_000),
        ("a.html", b"<p>word " + b"<b><i>" * 50_000),
        ("a.srt", b"99999999999\n999:99:99,999 --> 000:00:00,000\nword goes\n\n2\n00:00:00,1 --> 00:00:00,0\non.\n"),
        ("a.txt", b"word " * 200_000),
    ],
)  # fmt: skip
def test_deep_and_absurd_documents_come_back_as_they_were(name: str, data: bytes) -> None:
    document = open_document(data, name, "fr")
    assert any("word" in segment for segment in document.segments)
    assert document.render([None] * len(document.segments)) == data


def test_encodings_that_a_file_may_name() -> None:
    assert [text_codec(name) for name in ("latin1", "KOI8-R", "gbk", "utf-8")] == [
        "iso8859-1",
        "koi8-r",
        "gbk",
        "utf-8",
    ]
    for name in (
        "rot13",
        "hex",
        "zlib",
        "utf-7",
        "utf-16",
        "utf-32",
        "idna",
        "punycode",
        "unicode-escape",
        "undefined",
        "cp037",
        "\u00e9",
    ):
        assert text_codec(name) == "", name
    koi8 = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=KOI8-R\\n"\n\nmsgid "Yes"\nmsgstr "Да"\n'.encode(
        "koi8-r"
    )
    assert open_document(koi8, "ru.po", "ru").summary([])["already"] == 1


def test_a_page_with_half_a_letter(tmp_path: Path) -> None:
    for data in (b"\xff\xfe<\x00p\x00>\x00a", b"\xff\xfe\x00\xd8a\x00", b"\xfe\xff\xdc\x00\x00a"):
        with pytest.raises(DataError, match=r"a.html: expected utf-16-.e as its first bytes say"):
            open_document(data, "a.html")
    page = "<p>Grüße</p>".encode("utf-16")
    assert open_document(page, "a.html").render([None]) == page


def test_rules_of_plurals() -> None:
    for rule in seeds.PLURALS[2:6]:
        assert parse_rule(rule) is None, rule
    assert parse_rule("nplurals=2; plural=(n==500 ? n/0 : 0);") is None, "tried with few numbers it is sound"
    assert parse_rule("nplurals=50; plural=0;") is None


def test_half_a_letter_in_an_answer() -> None:
    for name in ("a.txt", "a.md", "a.html"):
        assert b"x" in open_document(b"Hello.", name).render(["\ud800x"])


def test_a_paragraph_of_which_nothing_is_translated_keeps_its_lines() -> None:
    text = "This paragraph was wrapped at some\nforty columns by its author, who lives\nat home."
    plan = Plan(text, "", common)
    assert render(plan.nodes) == plan.core == text


def test_a_paragraph_whose_answer_has_too_few_words_for_its_lines_keeps_its_source() -> None:
    text = "This paragraph was wrapped at some\nforty columns by its author, who lives\nat home."
    plan = Plan(text, "", common)
    for answer, expected in (("Un seul mot", "Un\nseul\nmot"), ("Mot", text)):
        [unit] = plan.units
        unit.answer, unit.status = answer, "translated"
        assert render(plan.nodes) == expected
    assert unit.status == "kept"


def test_damaged_bytes_are_counted() -> None:
    text, how = decode_bytes("é".encode() * 30 + b"\xff", "a.txt")
    assert text.endswith("\ufffd") and "1 damaged byte" in how


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit it")
def test_a_small_file_asks_for_little_memory(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from lamella.storage import disk; from lamella.data.text.encoding import read_bytes;"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30));"
        "assert read_bytes(sys.argv[1]) == disk.read_regular(Path(sys.argv[1]), 8 << 30) == b'words'"
    )
    (tmp_path / "a.txt").write_bytes(b"words")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.txt")], check=True)
