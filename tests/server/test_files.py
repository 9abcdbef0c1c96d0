"""Files of every format that is translated, sent to /translate_file: with a net that repeats, each comes back as it was."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from lamella.data.readers.packed import first_sheet
from lamella.tasks.translation import Translation
from lamella.tasks.translation.outcomes import Outcome
from tests.data.documents.samples import FILES, STRINGSDICT, XCSTRINGS, packed
from tests.data.readers.test_workbook import book
from tests.serving import one_pair, serving

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Good %s"\nmsgstr ""\n'
SRT = "1\n00:00:01,000 --> 00:00:02,000\nGood morning.\n\n2\n00:00:03,000 --> 00:00:04,000\n<i>You too.</i>\n"
HTML = '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>Café</title></head><body><p>A <b>big</b> house</p></body></html>\n'
MARKDOWN = "---\ntitle: x\n---\n\n# A head\n\nSome *text* of [mine](a.html).\n\n```\ncode\n```\n\n| a | b |\n|---|---|\n| one | two |\n"
SLIDES = (
    '<?xml version="1.0"?><office:document-content xmlns:text="urn:t" xmlns:office="urn:o" xmlns:draw="urn:d"><office:body>'
    "<draw:page><text:p>Our plan</text:p></draw:page></office:body></office:document-content>"
)
TMX = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4"><header srclang="en"/><body>\n<tu><tuv xml:lang="en-US"><seg>'
    'Open <bpt i="1">&lt;b></bpt>it<ept i="1">&lt;/b></ept></seg></tuv></tu>\n<tu><tuv xml:lang="en"><seg>Bye</seg></tuv><tuv xml:lang="fr">'
    '<seg>Salut</seg></tuv></tu>\n<tu><tuv xml:lang="fr"><seg>Seul</seg></tuv></tu></body></tmx>\n'
)
MORE = {
    "a.txt": b"A first line\nthat goes on.\n\nCaf\xc3\xa9 au lait.\n",
    "a.md": MARKDOWN.encode(),
    "a.markdown": MARKDOWN.encode(),
    "a.html": HTML.encode(),
    "a.htm": b"<p>Good morning.</p>",
    "a.srt": SRT.encode(),
    "a.ssa": FILES["a.ass"][0],
    "a.po": PO.encode(),
    "a.pot": PO.encode(),
    "a.yaml": FILES["a.yml"][0],
    "a.odp": packed({"mimetype": "application/vnd.oasis.opendocument.presentation", "content.xml": SLIDES}),
    "a.stringsdict": STRINGSDICT.encode(),
    "a.xcstrings": json.dumps(XCSTRINGS, indent=2, ensure_ascii=False, separators=(",", " : ")).encode(),
}
ZIPPED = (".docx", ".odt", ".odp", ".pptx", ".epub")
FILLED = (".xlf", ".xliff", ".xcstrings", ".po", ".pot", ".tmx")  # they get a translation beside each source


def given() -> list[tuple[str, bytes]]:
    """Each file under its name and under one that people give; files of text with other line ends and a mark before them too."""
    every = [*((name, data) for name, (data, _) in FILES.items()), *MORE.items()]
    found = []
    for name, data in every:
        stem, _, suffix = name.rpartition(".")
        found += [(name, data), (f"Ma {stem} é.{suffix.upper()}", data)]
        if f".{suffix}" not in ZIPPED and data[:1] not in (b"\xff", b"\xfe"):
            found += [(name, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))]
            found += [(name, b"\xef\xbb\xbf" + data)]
    return found


@pytest.fixture(scope="module")
def server():
    """A server whose net repeats; `server.texts` are those that it was asked."""
    patch = pytest.MonkeyPatch()
    texts: list[str] = []

    def repeat(self, examples, run, src, to):
        texts.extend(e["text"] for e in examples)
        return [Outcome(e["text"], "translated") for e in examples]

    patch.setattr(Translation, "_translated", repeat)
    patch.setattr(Translation, "words_", {})
    models = {name: one_pair(name) for name in ("en-fr", "fr-en")}
    for model in models.values():
        model.task.words_ = {}
    with serving(models) as found:
        found.texts = texts
        yield found
    patch.undo()


def translated(server, name, data, **fields):
    server.texts.clear()
    reply = server.send_file("/translate_file", name, data, **{"source": "en", "target": "fr", **fields})
    assert reply.status == 200, reply.raw
    return server.get(reply.json["translatedFileUrl"].removeprefix(server.url)).raw


@pytest.mark.parametrize(("name", "data"), given(), ids=lambda value: value if isinstance(value, str) else "")
def test_documents(server, name, data):
    raw = translated(server, name, data)
    assert server.texts, "nothing was translated"
    suffix = "." + name.rpartition(".")[2].lower()
    if suffix in ZIPPED:
        ours, theirs = (zipfile.ZipFile(io.BytesIO(one)) for one in (raw, data))
        assert [(one, ours.read(one)) for one in ours.namelist()] == [
            (one, theirs.read(one)) for one in theirs.namelist()
        ]
    elif suffix in FILLED:
        assert len(raw) > len(data) and (b"\r\n" in raw) == (b"\r\n" in data) and raw[:3] == data[:3]
    else:
        assert raw == data


def test_a_memory_gets_what_it_lacks(server):
    raw = translated(server, "a.tmx", TMX.encode()).decode()
    assert server.texts == ["Open <1>it</1>"], "not what has a translation, nor what is in another language"
    new = '<tuv xml:lang="fr"><seg>Open <bpt i="1">&lt;b></bpt>it<ept i="1">&lt;/b></ept></seg></tuv>'
    assert raw.count(new) == 1 and raw.replace(new, "") == TMX
    reply = server.send_file("/translate_file", "a.tmx", TMX.replace('"en', '"de').encode(), source="en", target="fr")
    assert reply.status == 422 and "units in de, fr, none in en" in reply.error
    assert server.send_file("/translate_file", "a.tmx", b"<x/>", source="en", target="fr").status == 422


def test_code_of_tools_in_xliff_is_carried_over(server):
    unit = '<source>Hello <bpt id="1">&lt;b&gt;</bpt>big<ept id="1">&lt;/b&gt;</ept> <ph id="2">{0}</ph></source>'
    file = f'<xliff version="1.2"><file><body><trans-unit id="1">{unit}</trans-unit></body></file></xliff>'
    raw = translated(server, "a.xlf", file.encode()).decode()
    assert server.texts == ["Hello <1>big</1> <2/>"]
    assert unit.replace("source>", "target>")[8:] in raw, "the same code in the target"


# ---- tables ------------------------------------------------------------------------------------------------------


TABLES = [
    ("a.csv", b"text\nGood morning\n", b"text,translation\nGood morning,Good morning\n"),
    ("A b.CSV", "id;text\r\n1;Café;\r\n2;\r\n".replace("é;", "é").encode("cp1252"), "id;text;translation\r\n1;Café;Café\r\n2;;\r\n".encode("cp1252")),
    ("a.tsv", b'n\ttext\n1\t"a ""big"" dog"\n', b'n\ttext\ttranslation\n1\t"a ""big"" dog"\t"a ""big"" dog"\n'),
    ("a.jsonl", b'{"text": "Hello", "n": 1}\n', b'{"text": "Hello", "n": 1, "translation": "Hello"}\n'),
    ("a.json", b'[{"text": "Hello"}]', b'[{"text": "Hello", "translation": "Hello"}]'),
    ("a.tab", b"text\tn\nHello there\t1\n", b"text\tn\ttranslation\nHello there\t1\tHello there\n"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "wanted"), TABLES)
def test_tables_get_a_column(server, name, data, wanted):
    assert translated(server, name, data) == wanted


def test_the_column_is_chosen(server):
    data = b"key,review,comment\na,Good,Very\nb,Bad,Not\n"
    for columns in ("comment", "text=comment"):
        raw = translated(server, "a.csv", data, columns=columns)
        assert raw == b"key,review,comment,translation\na,Good,Very,Very\nb,Bad,Not,Not\n", columns
    for columns, status in (("", 422), ("none", 422), ("text=", 400), ("other=comment", 400)):
        reply = server.send_file("/translate_file", "a.csv", data, source="en", target="fr", columns=columns)
        assert reply.status == status and "olumn" in reply.error, (columns, reply.raw)
    reply = server.send_file("/translate_file", "a.txt", b"Hello", source="en", target="fr", columns="text")
    assert reply.status == 400 and reply.error.startswith("columns: expected a table, received .txt")
    own = server.send_file("/models/en-fr/document", "a.csv", data, columns="comment")
    assert own.status == 200 and own.raw.endswith(b"b,Bad,Not,Not\n")


def test_spreadsheets(server, tmp_path):
    data = book(tmp_path / "a.xlsx").read_bytes()
    for path, fields in (("/translate_file", {"source": "en", "target": "fr"}), ("/models/en-fr/document", {})):
        reply = server.send_file(path, "a.xlsx", data, columns="text", **fields)
        assert reply.status == 200, reply.raw
        raw = (
            reply.raw
            if path.startswith("/m")
            else server.get(reply.json["translatedFileUrl"].removeprefix(server.url)).raw
        )
        (tmp_path / "b.xlsx").write_bytes(raw)
        rows = [values for _, values in first_sheet(tmp_path / "b.xlsx")[1]]
        assert rows[0][-1] == "translation" and rows[2][-1] == "Two runs"
    assert server.send_file("/translate_file", "a.xlsx", b"PK no", source="en", target="fr").status == 422


def test_each_row_has_its_own_language(server):
    data = "text\nWhere is the station?\nOù est la gare ?\n".encode()
    raw = translated(server, "a.csv", data, source="auto")
    assert server.texts == ["Where is the station?"], "what is in the target language stays as it is"
    assert raw.decode().splitlines()[2] == "Où est la gare ?,Où est la gare ?"


def test_the_formats_are_named(server):
    known = server.get("/frontend/settings").json["supportedFilesFormat"]
    suffixes = {"." + name.rpartition(".")[2].lower() for name, _ in given()} | {
        ".csv",
        ".tsv",
        ".xlsx",
        ".jsonl",
        ".tmx",
    }
    assert suffixes <= set(known)
    reply = server.send_file("/translate_file", "a.pdf", b"%PDF", source="en", target="fr")
    assert reply.status == 400 and ".csv" in reply.error and ".tmx" in reply.error
