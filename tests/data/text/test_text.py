"""Bytes to text: every encoding people have, and everything that is not text refused in one clear line."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamella.data.text.encoding import decode_bytes, quote, read_text, split_lines
from lamella.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def refused(raw: bytes, *expected: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_bytes(raw, "a.csv")
    message = str(caught.value)
    assert message.isprintable()
    for part in ("expected", "received", *expected):
        assert part in message, message


@pytest.mark.parametrize(
    ("codec", "label"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with byte order mark"),
        ("utf-16", "UTF-16 LE"),
        ("utf-32", "UTF-32"),
        ("utf-16-le", "UTF-16 LE without byte order mark"),
        ("utf-16-be", "UTF-16 BE without byte order mark"),
        ("cp1252", "CP1252"),
    ],
)
def test_encodings(tmp_path, codec, label):
    path = tmp_path / "a.txt"
    path.write_bytes("Déjà vu – oui\r\nNon\r\n".encode(codec))
    assert read_text(path) == ("Déjà vu – oui\r\nNon\r\n", label)


def test_utf16_big_endian_mark():
    assert decode_bytes(b"\xfe\xff" + "né".encode("utf-16-be"), "a") == ("né", "UTF-16 BE")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (PNG, "PNG"),
        (gzip.compress(b"text", mtime=0), "gzip"),
        (b"\x7fELF\2\1\1", "ELF"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"a,b\nc\0,d\n", "line 2"),
        (bytes(range(1, 32)) * 20, "control characters"),
        ("text,label\nПривет всем добрым людям,да\n".encode("cp1251") * 4, "another encoding"),
        ("text,label\n今日は,はい\n".encode("shift-jis") * 9, "another encoding"),
        ("文本,标签\n你好 the lamp works well,好\nhello 再见,坏\n".encode("gb18030") * 3, "--encoding gb18030"),
        ("本文,ラベル\nこんにちは the lamp works well,良い\n".encode("shift_jis") * 3, "another encoding"),
        ("text,label\nit says привет to everyone here,да\n".encode("cp1251") * 9, "another encoding"),
        ("\ufefftext".encode("utf-16") + b"\x00", "UTF-16"),
    ],
)
def test_not_text(content, what):
    refused(content, "a.csv", what)


def test_spreadsheet_named_csv():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    refused(packed.getvalue(), "zip", "save it as CSV")


def test_damaged_utf8_is_not_taken_for_cp1252():
    raw = ("one\n" + "été à la plage\n" * 9).encode().replace(b"plage", b"pl\xffage", 1)
    text, encoding = decode_bytes(raw, "a")
    assert split_lines(text)[1:3] == ["été à la pl\ufffdage", "été à la plage"]
    assert "1 damaged byte" in encoding and "line 2" in encoding


@pytest.mark.parametrize(
    "text",
    [
        "«Où êtes-vous?» – «À l’hôtel…» répondit-elle. ",
        "Die Größe der Tür – „schön“ – und die Äpfel für Jürgen. ",
        "¿Qué? ¡Sí, señor! El año pasado «fuimos» a Cádiz… ",
        "Æblet blev spist på øen; ærø, å og ål. ",
        "© 2020 – “Quoted” words’ ends… 5 €, 20 °C ± 1 ",
    ],
)
def test_western_text_is_still_cp1252(text):
    assert decode_bytes((text * 9).encode("cp1252"), "a") == (text * 9, "CP1252")


def test_path_cannot_break_the_line(tmp_path):
    with pytest.raises(DataError) as caught:
        read_text(tmp_path / "a\nb\x1b[2J.csv")
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)
    with pytest.raises(DataError):
        read_text("nul\0byte")


@given(st.text())
def test_text_survives(text):
    for codec in ("utf-8-sig", "utf-16", "utf-32"):
        if "\0" not in text:
            assert decode_bytes(text.encode(codec), "a")[0] == text


@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_refused(raw):
    try:
        text, encoding = decode_bytes(raw, "a")
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert "\0" not in text and encoding


@given(st.text(), st.integers(0, 50))
def test_quote_is_printable(text, limit):
    assert quote(text, limit).isprintable()


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1))
def test_lines_round_trip(lines):
    for end in ("\n", "\r\n"):
        assert split_lines(end.join(lines) + end) == lines
