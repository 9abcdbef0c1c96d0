"""What a reader is, and how each is tried: a function that reads a file, and checks what it gives."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

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


# ---- documents -------------------------------------------------------------------------------------------------------


def read_document(path: Path) -> None:
    from lamella.data.documents.formats import open_document

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


def read_plural(path: Path) -> None:
    from lamella.data.documents.plurals import parse_rule

    rule = parse_rule(path.read_text("utf-8", "replace"))
    if rule:
        assert 0 <= rule.singular < rule.forms
        assert rule.narrow in (True, False)
        assert 0 <= rule.form(10**6) < rule.forms or True


def read_pairs(path: Path) -> None:
    from lamella.data.readers.parallel import read_parallel

    for row in read_parallel(path, "en", "fr").rows:
        assert row["src"] and row["dst"]


def read_compiled(path: Path) -> None:
    from lamella.data.documents.catalogue import Catalogue

    first: LamellaError | None = None
    try:
        read_pairs(path)
    except LamellaError as error:
        first = error
    catalogue = Catalogue(seeds.PO.encode(), "a.po", "fr", [path])  # as a memory
    catalogue.render(catalogue.segments)
    if first:
        raise first


def read_aligned(path: Path) -> None:
    from lamella.data.readers.parallel import read_parallel

    other = path.with_name("other.fr")
    other.write_text("Oui\nNon\n")
    read_parallel([path, other], "en", "fr", check_language=False)


def read_glossary(path: Path) -> None:
    from lamella.tasks.translation.glossary import read_glossary

    glossary = read_glossary(path, "fr")
    terms = glossary.find("The file of the pull request, it's a File.")
    glossary.settle("La fichier de demande", terms)
    assert glossary.honoured("fichier", terms) >= 0


def read_text(path: Path) -> None:
    """Whatever the text: nothing of it is lost when it is cut, and a translation through the guard keeps its marks."""
    from lamella.data.text import placeholders
    from lamella.data.text.encoding import read_text
    from lamella.data.text.languages import guess
    from lamella.data.text.pieces import normalise
    from lamella.data.text.sentences import join, split
    from lamella.tasks.translation import guard
    from lamella.tasks.translation.plans import Plan, common, render

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


def read_labelled(path: Path) -> None:
    from lamella.data.readers.labels import read_labelled

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


def read_facts(path: Path) -> None:
    from lamella.data.readers.facts import read_facts
    from lamella.tasks.link_prediction import leaks

    facts, _ = read_facts([str(path)])
    assert facts and all(len(fact) == 3 and all(fact) for fact in facts)
    leaks.warnings(facts)


def read_events(path: Path) -> None:
    from lamella.data.readers.events import read_histories

    read = read_histories([str(path)])
    assert read.examples and all(e["next"] and isinstance(e["history"], list) for e in read.examples)
    assert all(isinstance(name, str) for e in read.examples for name in e["history"])


def read_rows(path: Path) -> None:
    from lamella.data.readers import measures

    rows, lines = measures.read_rows([str(path)])
    columns, _ = measures.learn_columns(rows)
    rows, _ = measures.check(columns, rows, lines)
    for row in rows[:50]:
        values, known = measures.encode(columns, row)
        assert np.isfinite(values).all(), "values that are not finite"
        assert len(values) == len(known) == measures.width(columns)
        measures.decode(columns, values)


def read_series(path: Path) -> None:
    from lamella.data.readers.series import read_series

    data = read_series(path)
    for track in data.tracks:
        assert np.isfinite(track.values).all() and len(track.values), "a series with gaps"
        data.stamp(track, len(track.values))
    data.step.seasons()


def read_windows(path: Path) -> None:
    from lamella.tasks.time_series_forecasting import windows

    windows.are_windows(path, None)
    examples, _ = windows.read_windows([str(path)], None)
    for example in examples[:20]:
        windows.rescale(windows.numbers(example["past"]), 1)


def read_forecasting(path: Path) -> None:
    """What the task itself makes of a file."""
    from lamella import registry

    cls = registry.find("time-series-forecasting")
    forecasting = cls(cls.Config(horizon=2))
    for example in forecasting.read([str(path)])[0][:20]:
        forecasting.keys(example)


def read_passages(path: Path) -> None:
    from lamella.data.readers.passages import read_passages

    for whole_words in (False, True):
        passages, _ = read_passages([str(path)], 8, whole_words)
        assert all(passages)


def read_cloze(path: Path) -> None:
    from lamella.data.readers.cloze import read_cloze
    from lamella.tasks.fill_mask.cloze import check, filled

    rows, _ = read_cloze([str(path)], 16, check)
    for row in rows:
        words = row["words"].split()
        assert check(row["text"]) == len(words)
        assert len(filled(row["text"], words)[1]) == len(words)


def read_summaries(path: Path) -> None:
    from lamella.data.readers.summaries import read_summaries

    for example in read_summaries([str(path)])[0]:
        assert example["text"] and 0 < len(example["summary"].split()) <= len(example["text"].split())
        assert all(example.get("references", ["x"]))


def read_stamps(path: Path) -> None:
    from lamella.data.readers import clock, stamps

    cells = [line.strip() for line in path.read_text("utf-8", "replace").split("\n")]
    read = stamps.read_stamps(cells)
    assert len(read.seconds) == len(cells)
    known = read.seconds[read.seconds != clock.NONE]
    for when in known[:5].tolist():
        read.style.write(when)
    step = clock.find_step([known])
    step.ticks(known)
    for cell in cells[:5]:
        try:
            clock.parse_step(cell)
        except LamellaError:
            continue


def read_numbers(path: Path) -> None:
    from lamella.data.readers import measures, typed_rows
    from lamella.tasks.dimensionality_reduction.examples import seed
    from lamella.tasks.time_series_forecasting import windows

    text = path.read_text("utf-8", "replace")
    columns = [{"name": "a", "mean": 2.0, "spread": 0.5}, {"name": "b", "names": ["x"], "shares": [1.0]}]
    first: LamellaError | None = None
    for action in (
        lambda: windows.numbers(text),
        lambda: measures.encode(columns, typed_rows.as_row(columns, text)),
        lambda: seed(text),
    ):
        try:
            action()
        except LamellaError as error:
            first = first or error
    if first:
        raise first


# ---- pictures --------------------------------------------------------------------------------------------------------


def read_picture(path: Path) -> None:
    from lamella.data.media.images import read_image

    points = read_image(path, 16, 3)
    assert points.shape == (3, 16, 16) and points.dtype == np.uint8


def read_picture_marks(path: Path) -> None:
    from lamella.data.media.images import fingerprint, shape_of

    assert len(fingerprint(path)) == 32
    shape_of([path])


def read_uri(path: Path) -> None:
    from lamella.data.media.images import read_image

    text = path.read_text("latin-1")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    read_image(value, 8, 1)


def read_captions(path: Path) -> None:
    from lamella.data.readers.captions import read_captions

    path.with_name("picture.png").write_bytes(seeds.pictures()[0])
    examples, _ = read_captions([str(path)])
    assert examples and all(e["caption"] and all(c.strip() for c in e["caption"]) for e in examples)


def read_half_labelled(path: Path) -> None:
    from lamella.data.readers.pictures import read_pictures

    path.with_name("picture.png").write_bytes(seeds.pictures()[0])
    rows, _ = read_pictures([str(path)])
    assert rows and all(row["image"] and row.get("label") != "" for row in rows)


def read_pictures(path: Path) -> None:
    from lamella.tasks.dimensionality_reduction.examples import read

    path.with_name("picture.png").write_bytes(seeds.pictures()[0])
    read([str(path)])
    read([str(path)], {"example": "1"})
