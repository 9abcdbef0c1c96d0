"""The readers that are fuzzed, an entry each."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from lamella.errors import LamellaError
from tests.fuzzing import seeds


class Reader(NamedTuple):
    """One thing that reads bytes."""

    name: str
    suffix: str
    read: Callable[[Path], object]  # a file; raises AssertionError where what it gives cannot be right
    seeds: Callable[[], list[bytes]]  # small files of the format
    words: Sequence[bytes] = ()  # tokens of the format
    seconds: float = 0.5  # of processor time that an input may take besides ...
    per_kilobyte: float = 0.01  # ... this for each kilobyte of it; the promise is 1
    mend: Callable[[bytes], bytes] = bytes  # puts right what nothing beyond would be reached with, as checksums


def words(text: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in text.split())


# ---- documents -------------------------------------------------------------------------------------------------------


def _document(path: Path) -> None:
    from lamella.data.documents import open_document

    data = path.read_bytes()
    document = open_document(path, target_language="fr")
    texts = document.segments
    assert len(document.formats) == len(texts)
    assert all(isinstance(text, str) for text in texts)
    kept = document.render([None] * len(texts))
    if path.suffix != ".po" and _is_utf8(data):
        assert kept == data, "a document without answers is not as it was"
    for answers in (texts, ["Réponse | <b>%s</b>\n- \ud800 x"] * len(texts), [text.upper() for text in texts]):
        again = document.render(answers)
        assert isinstance(again, bytes)
    summary = document.summary([None] * len(texts))
    assert summary["segments"] == len(texts)
    assert all(isinstance(count, int) for count in summary.values())


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plural(path: Path) -> None:
    from lamella.data.plurals import parse_rule

    rule = parse_rule(path.read_text("utf-8", "replace"))
    if rule:
        assert 0 <= rule.singular < rule.forms
        assert rule.narrow in (True, False)
        assert 0 <= rule.form(10**6) < rule.forms or True


def _pairs(path: Path) -> None:
    from lamella.data.parallel import read_parallel

    for row in read_parallel(path, "en", "fr").rows:
        assert row["src"] and row["dst"]


def _compiled(path: Path) -> None:
    from lamella.data.catalogue import Catalogue

    first: LamellaError | None = None
    try:
        _pairs(path)
    except LamellaError as error:
        first = error
    catalogue = Catalogue(seeds.PO.encode(), "a.po", "fr", [path])  # as a memory
    catalogue.render(catalogue.segments)
    if first:
        raise first


def _aligned(path: Path) -> None:
    from lamella.data.parallel import read_parallel

    other = path.with_name("other.fr")
    other.write_text("Oui\nNon\n")
    read_parallel([path, other], "en", "fr", check_language=False)


def _glossary(path: Path) -> None:
    from lamella.data.glossary import read_glossary

    glossary = read_glossary(path, "fr")
    terms = glossary.find("The file of the pull request, it's a File.")
    glossary.settle("La fichier de demande", terms)
    assert glossary.honoured("fichier", terms) >= 0


def _text(path: Path) -> None:
    """Whatever the text: nothing of it is lost when it is cut, and a translation through the guard keeps its marks."""
    from lamella.data import guard, placeholders
    from lamella.data.languages import guess
    from lamella.data.pieces import normalise
    from lamella.data.plans import Plan, common, render
    from lamella.data.sentences import join, split
    from lamella.data.text import read_text

    text, _ = read_text(path)
    assert join(split(text)) == text
    for format in ("", "c-format", "markdown", "srt", "python-brace-format"):
        taken = placeholders.spans(text, format)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(taken))
        placeholders.agree(text, text, format)
    plan = Plan(text, "", common)
    assert render(plan.nodes) == plan.core
    normalise(text)
    guess([text])
    outcome = guard.translate_texts([text], lambda sentences: [[s.upper(), s] for s in sentences], target="fr")[0]
    assert isinstance(outcome.text, str)


# ---- tables ----------------------------------------------------------------------------------------------------------


def _labelled(path: Path) -> None:
    from lamella.data.labels import read_labelled

    first: LamellaError | None = None
    for columns in (None, {"text": 1, "label": 2}):
        try:
            table = read_labelled(path, columns)
        except LamellaError as error:
            first = first or error
            continue
        assert all(set(row) == {"text", "label"} and row["text"] and row["label"] for row in table.rows)
        json.dumps(table.report.as_dict())
        table.report.lines()
    if first:
        raise first


def _rows(path: Path) -> None:
    from lamella.data import measures

    rows, lines = measures.read_rows([str(path)])
    columns, _ = measures.learn_columns(rows)
    rows, _ = measures.check(columns, rows, lines)
    for row in rows[:50]:
        values, known = measures.encode(columns, row)
        assert np.isfinite(values).all(), "values that are not finite"
        assert len(values) == len(known) == measures.width(columns)
        measures.decode(columns, values)


def _series(path: Path) -> None:
    from lamella.data.series import read_series

    data = read_series(path)
    for track in data.tracks:
        assert np.isfinite(track.values).all() and len(track.values), "a series with gaps"
        data.step.stamp((track.first or 0) + len(track.values))
    data.step.seasons()


def _windows(path: Path) -> None:
    from lamella.data import windows

    windows.are_windows(path, None)
    examples, _ = windows.read_windows([str(path)], None)
    for example in examples[:20]:
        windows.rescale(windows.numbers(example["past"]), 1)


def _forecasting(path: Path) -> None:
    """What the task itself makes of a file."""
    from lamella import task

    cls = task.find("time-series-forecasting")
    forecasting = cls(cls.Config(horizon=2))
    for example in forecasting.read([str(path)])[0][:20]:
        forecasting.keys(example)


def _passages(path: Path) -> None:
    from lamella.data.passages import read_passages

    for whole_words in (False, True):
        passages, _ = read_passages([str(path)], 8, whole_words)
        assert all(passages)


def _stamps(path: Path) -> None:
    from lamella.data import clock

    cells = [line.strip() for line in path.read_text("utf-8", "replace").split("\n")]
    together = clock.parse(cells)
    assert len(together) == len(cells)
    clock.ambiguous(cells)
    known = together[together != clock.NONE]
    step = clock.find_step([known])
    step.ticks(known)
    for cell in cells[:5]:
        try:
            clock.parse_step(cell)
        except LamellaError:
            continue


def _numbers(path: Path) -> None:
    from lamella.data import measures, windows
    from lamella.data.examples import seed

    text = path.read_text("utf-8", "replace")
    columns = [{"name": "a", "mean": 2.0, "spread": 0.5}, {"name": "b", "names": ["x"], "shares": [1.0]}]
    first: LamellaError | None = None
    for action in (
        lambda: windows.numbers(text),
        lambda: measures.encode(columns, measures.as_row(columns, text)),
        lambda: seed(text),
    ):
        try:
            action()
        except LamellaError as error:
            first = first or error
    if first:
        raise first


# ---- pictures --------------------------------------------------------------------------------------------------------


def _picture(path: Path) -> None:
    from lamella.data.images import read_image

    points = read_image(path, 16, 3)
    assert points.shape == (3, 16, 16) and points.dtype == np.uint8


def _picture_marks(path: Path) -> None:
    from lamella.data.images import fingerprint, shape_of

    assert len(fingerprint(path)) == 32
    shape_of([path])


def _uri(path: Path) -> None:
    from lamella.data.images import read_image

    text = path.read_text("latin-1")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    read_image(value, 8, 1)


def _pictures(path: Path) -> None:
    from lamella.data.examples import read

    path.with_name("picture.png").write_bytes(seeds.pictures()[0])
    read([str(path)])
    read([str(path)], {"example": "1"})


# ---- models ----------------------------------------------------------------------------------------------------------


def _archive(path: Path) -> None:
    import lamella

    lamella.load(path)


def _manifest(path: Path) -> None:
    """A folder whose `model.json` is the input, its own digest put right where it can be."""
    import lamella
    from lamella.model import Manifest, own_digest

    raw = path.read_bytes()
    folder = path.with_name("model")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "vocabulary.model").write_bytes(b"")
    try:
        said = msgspec.json.decode(raw, type=Manifest)
        said.files.setdefault("vocabulary.model", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        said.digest = own_digest(said)
        raw = msgspec.json.encode(said)
    except (ValueError, RecursionError, TypeError):
        pass
    (folder / "model.json").write_bytes(raw)
    model = lamella.load(folder)
    repr(model)
    with contextlib.suppress(LamellaError):
        model.predict(next(iter(["some text"])))


def _vocabulary(path: Path) -> None:
    from lamella.data.pieces import Pieces

    pieces = Pieces(path.read_bytes())
    ids = pieces.encode(["Hello wörld"])
    pieces.decode(ids)
    pieces.words(ids[0])
    pieces.knows("x")


def _vocabularies() -> list[bytes]:
    from lamella.data.pieces import learn

    return [learn([f"some words and {i} numbers of them" for i in range(50)], 60), b"", b"\x0a\x00"]


def _checkpoint(path: Path) -> None:
    from lamella.train.checkpoint import peek

    folder = path.with_name("checkpoint")
    for place in (folder / "step-00000003", folder / "step-x"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "run.json").write_bytes(path.read_bytes())
        (place / "run.safetensors").write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    peek(folder)


def _options(path: Path) -> None:
    import lamella
    from lamella import fields, task

    text = path.read_text("utf-8", "replace")
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        given = text
    if not isinstance(given, dict):
        given = dict.fromkeys(("to", "horizon", "dims", "net"), given)
    first: LamellaError | None = None
    for name in lamella.tasks():
        try:
            fields.make(task.find(name).Config, given, name)
        except LamellaError as error:
            first = first or error
    if first:
        raise first


def _arguments(path: Path) -> None:
    from lamella.arguments import options_last, split_columns, split_options

    text = path.read_text("utf-8", "replace")
    split_options(options_last(text.split(), {"-o": True, "--json": False}))
    split_columns(text)


DOCUMENT = (
    *words("%s {name} <b> </b> &amp; https://a.b/c `x` ' \" ( ) [ ] { } | - . , : ; ! ? … 。 $x \\n ~ ^ @ _ * # = +"),
    b" ",
    b"\n",
    b"\t",
)
MARKED = (
    *words(
        "# > - 1. * _ ** `` ``` ~~~ $$ | |- [ ]( ] [a]: [^1]: ! <!-- --> <div> </p> <pre> --- === +++ ::: \\ &amp; <a {#a}"
    ),
    b"  \n",
    b"    ",
    b"\n\n",
    b"> > ",
    b"- - ",
)
TAGS = (
    *words(
        "<p> </p> <b> </b> <i> </i> <a <!-- --> <! <? ?> <script> </script> <pre> <li> <td> <svg> </svg> <br/> &amp; &#233; &lt; &eacute; = "
        '=" =\' " \' > < </ /> <img alt=" translate=no charset=utf-16 charset=utf-7 charset=punycode <title> <plaintext> <code> </code> <x1 <1>'
    ),
    b" ",
    b'<a ="',
    b"<b> <i> ",
    b"&amp;amp;",
)
QUOTED = words('msgid "" msgstr "" msgctxt "a" msgid_plural "b" msgstr[0] msgstr[9] "" \\" \\\\ \\n \\x41 \\777 #, fuzzy #| #~ #: domain "a" "') + (
    b'msgid "a"\nmsgstr "b"\n\n', b'"Plural-Forms: nplurals=2; plural=n/0;\\n"\n', b'"Content-Type: text/plain; charset=utf-7\\n"\n',
    b"charset=idna", b"charset=rot13", b"charset=utf-16", b"charset=unicode_escape", b"Language: de\\n", b"#, c-format\n",
)  # fmt: skip
CUES = words("00:00:01,000 --> 999:99:99,999 <i> </i> <b> {\\an8} - # ♪ . … ! < > { } <font 1") + (
    b"\n\n", b"\n", b"\r\n", b"00:00:01,000 --> 00:00:02,000\n", b"# ", b"- ", b"<i>a</i>", b"a</b>", b"<i>a\n",
)  # fmt: skip
CELLS = (
    *words('" "" , ; | "a" 1 1.5 1,5 -1 1e999 nan inf NA text label en fr sep=; \\" \''),
    b"\t",
    b"\n",
    b'","',
    b'\\"',
    b'a,"b\n',
    b'"""',
    b"\r",
)
OBJECTS = (
    *words('{ } [ ] , : "text" "label" : "a" null true 1 1e999 NaN "\\u0000" "\\ud800" \\u {} [] [[ {"a": "\\'),
    b"\n",
    b'{"text": "a", "label": "b"}\n',
    b" ",
    b'{"a":',
    b"[{},",
)
TIMED = (
    *words(
        "2020-01-01 1970 99999-01-01 0000-00-00 2020Q1 01/02/2020 1e999 , ; 1 -1 nan now today NaT id time value Z +00:00 T 20200101 1000000000"
    ),
    b"\n",
    b"\t",
    b" ",
    b"-",
)
ELEMENTS = words("<tu> </tu> <tuv <seg> </seg> </tuv> <bpt> </bpt> <ph/> <sub> </sub> <hi> </hi> <!DOCTYPE <!ENTITY ]> &a; &lt; &#0; &#x110000; <![CDATA[ ]]> <!-- --> <?x ?>") + (
    b'<tuv xml:lang="en"><seg>a</seg></tuv>', b"<a>", b"</a>", b'<a b="c"/>', b' x="y"', b'encoding="utf-7"', b'<tu><tuv lang="en"><seg>',
)  # fmt: skip
HEADS = (
    b"\x89PNG\r\n\x1a\n",
    b"IHDR",
    b"IDAT",
    b"IEND",
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"iCCP",
    b"zTXt",
    b"tRNS",
    b"PLTE",
    b"GIF89a",
    b"\x21\xf9\x04",
    b"\x2c",
    b"\x3b",
    b"II*\x00",
    b"MM\x00*",
    b"RIFF",
    b"WEBPVP8X",
    b"ANIM",
    b"ANMF",
    b"\xff\xd8\xff\xe1",
    b"Exif\x00\x00",
    b"\xff\xc0",
    b"\xff\xda",
    b"BM",
    b"P6\n",
    b"P7\n",
    b"65535\n",
)
ZIPPED = (
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"model.json",
    b"../",
    b"\x0c\x00",
    b"\x0e\x00",
    b"\x01\x00",
    b"\xff\xff\xff\xff",
)
KEYS = words(
    '"task" "files" "learned" "config" "digest" "format" "size" "labels_" "file" {"file": ".." } "vocabulary.model" "translation" null [] {} 1e999 true "\\u0000" -1'
)

READERS: tuple[Reader, ...] = (
    Reader("text", ".txt", _document, lambda: seeds.pairs(seeds.TEXT), DOCUMENT),
    Reader("markdown", ".md", _document, lambda: seeds.pairs(seeds.MARKDOWN), MARKED),
    Reader("web page", ".html", _document, lambda: seeds.pairs(seeds.HTML), TAGS),
    Reader("subtitles", ".srt", _document, lambda: seeds.pairs(seeds.SRT), CUES),
    Reader("po", ".po", _document, lambda: seeds.pairs(seeds.PO), QUOTED),
    Reader("po pairs", ".po", _pairs, lambda: seeds.pairs(seeds.PO), QUOTED),
    Reader(
        "mo",
        ".mo",
        _compiled,
        seeds.catalogues,
        (b"\xde\x12\x04\x95", b"\x00", b"\x04", b"Plural-Forms:", b"charset=x"),
    ),
    Reader(
        "plural",
        ".txt",
        _plural,
        lambda: [rule.encode() for rule in seeds.PLURALS],
        words("nplurals=2; plural= n ( ) ? : ! && || == % / * - + < 0 99999999999999"),
    ),
    Reader(
        "tmx",
        ".tmx",
        _pairs,
        lambda: [*seeds.pairs(seeds.TMX), seeds.BOMB.format(seeds.ENTITIES).encode(), seeds.EXTERNAL.encode()],
        ELEMENTS,
    ),
    Reader(
        "glossary",
        ".tsv",
        _glossary,
        lambda: seeds.pairs(seeds.GLOSSARY),
        (b"\t", b"\n", b"# ", b"a\tb\n", b"'", b" ", b"source\ttarget\n"),
        per_kilobyte=0.03,
    ),
    Reader("guard", ".txt", _text, lambda: seeds.pairs(seeds.TEXT), DOCUMENT, per_kilobyte=0.05),
    Reader("csv", ".csv", _labelled, lambda: seeds.pairs(seeds.LABELLED, seeds.ROWS), CELLS),
    Reader("tsv", ".tsv", _labelled, lambda: seeds.pairs(seeds.LABELLED.replace(",", "\t")), CELLS),
    Reader("table", ".txt", _labelled, lambda: seeds.pairs(seeds.LABELLED, seeds.JSONL), CELLS),
    Reader("jsonl", ".jsonl", _labelled, lambda: seeds.pairs(seeds.JSONL), OBJECTS),
    Reader(
        "json", ".json", _labelled, lambda: [*seeds.pairs(seeds.ARRAY), b"[" * 100_000, b'{"a":' * 100_000], OBJECTS
    ),
    Reader("parallel", ".tsv", _pairs, lambda: seeds.pairs(seeds.PAIRS), CELLS),
    Reader("aligned", ".en", _aligned, lambda: seeds.pairs("Yes\nNo\n"), (b"\n", b"\r\n", b"\t", b"{", b"a")),
    Reader("rows", ".csv", _rows, lambda: seeds.pairs(seeds.ROWS, seeds.LABELLED), CELLS),
    Reader("json rows", ".jsonl", _rows, lambda: seeds.pairs(seeds.JSONL, '{"a": 1}\n{"a": 2}\n'), OBJECTS),
    Reader("series", ".csv", _series, lambda: seeds.pairs(seeds.SERIES, seeds.MONTHS), TIMED),
    Reader("long series", ".tsv", _series, lambda: seeds.pairs(seeds.LONG), TIMED),
    Reader(
        "json series",
        ".jsonl",
        _series,
        lambda: seeds.pairs('{"ds": "2020-01-01", "y": 1}\n{"ds": "2020-01-02", "y": 2.5}\n'),
        TIMED + OBJECTS,
    ),
    Reader("windows", ".csv", _windows, lambda: seeds.pairs(seeds.WINDOWS), TIMED),
    Reader("forecasting", ".csv", _forecasting, lambda: seeds.pairs(seeds.SERIES, seeds.WINDOWS), TIMED),
    Reader("passages", ".txt", _passages, lambda: seeds.pairs(seeds.TEXT), DOCUMENT),
    Reader("stamps", ".txt", _stamps, lambda: [seeds.STAMPS.encode(), seeds.STRANGE_STAMPS.encode()], TIMED),
    Reader("numbers", ".txt", _numbers, lambda: [b"1 2.5, 3", b"3.5, x", b'{"a": 3, "b": "x"}', b"7"], TIMED),
    Reader("picture", ".png", _picture, seeds.pictures, HEADS, seconds=4.0, per_kilobyte=0.2, mend=seeds.repaired),
    Reader(
        "picture marks",
        ".png",
        _picture_marks,
        seeds.pictures,
        HEADS,
        seconds=8.0,
        per_kilobyte=0.2,
        mend=seeds.repaired,
    ),
    Reader(
        "picture uri",
        ".txt",
        _uri,
        seeds.uris,
        (b"data:", b"image/png", b";base64,", b"=", b",", b"[", b"]", b"[[0", b"1e999", b"255"),
        seconds=1.0,
    ),
    Reader("picture table", ".csv", _pictures, lambda: seeds.pairs(seeds.PICTURES), CELLS, seconds=1.0),
    Reader("model zip", ".zip", _archive, seeds.archives, ZIPPED),
    Reader("model.json", ".json", _manifest, seeds.manifests, KEYS),
    Reader(
        "vocabulary", ".model", _vocabulary, _vocabularies, (b"\x0a", b"\x0b", b"\xe2\x96\x81", b"\x12\x03", b"\xff")
    ),
    Reader("checkpoint", ".json", _checkpoint, seeds.checkpoints, KEYS + words('"step" "sha256" "facts" "updates"')),
    Reader(
        "options",
        ".json",
        _options,
        lambda: [text.encode() for text in seeds.OPTIONS],
        KEYS + words('"to" "from" "horizon" "dims" "beams" "net"'),
    ),
    Reader(
        "arguments",
        ".txt",
        _arguments,
        lambda: [text.encode() for text in (*seeds.COLUMNS, "--beams 1 -o out model -- --text")],
        words("= , -- --a --a=b -o text="),
    ),
)
BY_NAME = {reader.name: reader for reader in READERS}
