"""Translation memories: pairs, their languages, the markup inside, and files that are attacks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lamella.data.readers.parallel import read_parallel
from lamella.errors import DataError

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header srclang="en-US"/><body>\n'
TAIL = "</body></tmx>\n"


def unit(**texts: str) -> str:
    return (
        "<tu>"
        + "".join(f'<tuv xml:lang="{k.replace("_", "-")}"><seg>{v}</seg></tuv>' for k, v in texts.items())
        + "</tu>\n"
    )


def read(path: Path, body: str, src: str = "en", dst: str = "fr", **options):
    path.write_text(body, encoding="utf-8")
    return read_parallel(path, src, dst, **options)


def test_pairs_and_their_report(tmp_path: Path) -> None:
    body = (
        HEAD
        + unit(en_US="Open the file", fr_FR="Ouvrir le fichier", de="Datei öffnen")
        + unit(EN_gb="Colour &amp; light", FR="Couleur &amp; lumière")
        + unit(en_US="Only English")
        + unit(fr="Seulement le français", de="Nur so")
        + unit(en="The\n   window", fr="La\n   fenêtre")
        + unit(en_US="", fr="Vide")
        + '<tu><prop type="x">not this</prop><note>nor this</note><tuv lang="en"><seg>Old</seg></tuv><tuv lang="fr"><seg>Vieux</seg></tuv></tu>'
        + TAIL
    )
    table = read(tmp_path / "a.tmx", body)
    assert [(row["src"], row["dst"]) for row in table.rows] == [
        ("Open the file", "Ouvrir le fichier"),
        ("Colour & light", "Couleur & lumière"),
        ("The window", "La fenêtre"),
        ("Old", "Vieux"),
    ]
    assert table.report.dropped == {"a unit without fr": 1, "a unit without en": 1, "empty side": 1}
    assert table.report.sources[0].format == "TMX" and table.report.kept == 4
    assert [row.line for row in table.rows] == [4, 5, 8, 12]
    swapped = read(tmp_path / "b.tmx", body, "fr", "en", check_language=False)
    assert (swapped.rows[0]["src"], swapped.rows[0]["dst"]) == ("Ouvrir le fichier", "Open the file")
    assert len(read(tmp_path / "c.tmx", body, "en", "de").rows) == 1


def test_the_variety_that_was_asked_for_comes_first(tmp_path: Path) -> None:
    body = HEAD + unit(en="bus", pt_PT="autocarro", pt_BR="ônibus") + TAIL
    for code, wanted in (("pt_BR", "ônibus"), ("pt-PT", "autocarro"), ("pt", "autocarro"), ("pt-AO", "autocarro")):
        assert read(tmp_path / "a.tmx", body, "en", code).rows[0]["dst"] == wanted


@pytest.mark.parametrize(
    ("english", "french", "wanted"),
    [
        # The same known markup on both sides stays, and teaches to carry it over.
        (
            'Press <bpt i="1">&lt;b&gt;</bpt>Start<ept i="1">&lt;/b&gt;</ept> now',
            'Appuyez sur <bpt i="1">&lt;b&gt;</bpt>Démarrer<ept i="1">&lt;/b&gt;</ept>',
            ("Press <b>Start</b> now", "Appuyez sur <b>Démarrer</b>"),
        ),
        ('Delete <ph x="1">%s</ph>?', 'Supprimer <ph x="1">%s</ph> ?', ("Delete %s?", "Supprimer %s ?")),
        # On one side alone, or of a format of its own, it goes.
        ('Press <ph x="1">&lt;br/&gt;</ph>now', "Appuyez maintenant", ("Press now", "Appuyez maintenant")),
        (
            r'A <bpt i="1">{\b </bpt>bold<ept i="1">}</ept> word',
            r'Un mot <bpt i="1">{\b </bpt>gras<ept i="1">}</ept>',
            ("A bold word", "Un mot gras"),
        ),
        ("A <hi type='x'>marked</hi> word", "Un mot <hi>marqué</hi>", ("A marked word", "Un mot marqué")),
        (
            "See<ph>fn<sub>a footnote</sub></ph> here",
            "Voir<ph>fn<sub>une note</sub></ph> ici",
            ("See here", "Voir ici"),
        ),
    ],
)
def test_markup(tmp_path: Path, english: str, french: str, wanted: tuple[str, str]) -> None:
    [row] = read(tmp_path / "a.tmx", HEAD + unit(en=english, fr=french) + TAIL, check_language=False).rows
    assert (row["src"], row["dst"]) == wanted


def bomb(levels: int = 9) -> str:
    entities = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(levels))
    return f'<?xml version="1.0"?><!DOCTYPE tmx [{entities}]><tmx><body>{unit(en=f"&l{levels};", fr="x")}</body></tmx>'


@pytest.mark.parametrize(
    "body",
    [
        bomb(),
        f'<!DOCTYPE tmx [<!ENTITY a "{"a" * 50_000}">]><tmx><body>{unit(en="&a;" * 1000, fr="x")}</body></tmx>',
        f'<!DOCTYPE tmx [<!ENTITY x SYSTEM "file:///etc/hostname">]><tmx><body>{unit(en="&x;", fr="x")}</body></tmx>',
        f'<!DOCTYPE tmx [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><tmx><body>{unit(en="a", fr="x")}</body></tmx>',
    ],
    ids=["billion laughs", "quadratic", "external", "parameter"],
)
def test_attacks_are_refused(tmp_path: Path, body: str, cli) -> None:
    start = time.perf_counter()
    with pytest.raises(DataError, match="refused") as caught:
        read(tmp_path / "a.tmx", body)
    assert time.perf_counter() - start < 2 and "\n" not in str(caught.value) and len(str(caught.value)) < 300
    done = cli("train", "translation", tmp_path / "a.tmx", "-o", tmp_path / "m", "--steps", "1")
    assert done.code == 2 and "refused" in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "empty"),
        ("not XML", "no XML"),
        (HEAD + unit(en="a", fr="b"), "no XML"),
        ("<html><body/></html>", "root <html>"),
        (HEAD + TAIL, "languages: none"),
        (HEAD + unit(de="a", it="b") + TAIL, r"languages: de \(1\), it \(1\)"),
        ('<?xml version="1.0" encoding="nonsense"?><tmx/>', "no XML"),
    ],
)
def test_what_is_no_memory(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "a.tmx", body)
    assert "\n" not in str(caught.value)


def test_utf_16(tmp_path: Path) -> None:
    body = HEAD.replace("UTF-8", "UTF-16") + unit(en="The tea", fr="Le thé") + TAIL
    (tmp_path / "a.tmx").write_bytes(body.encode("utf-16"))
    assert read_parallel(tmp_path / "a.tmx", "en", "fr").rows[0]["dst"] == "Le thé"


def test_one_bad_unit_costs_no_other(tmp_path: Path) -> None:
    body = (
        HEAD
        + unit(en="Yes", fr="Oui")
        + unit(en="A & B", fr="A & B")
        + unit(en="\x0b", fr="x")
        + unit(en="No", fr="Non")
        + TAIL
    )
    table = read(tmp_path / "a.tmx", body)
    assert [(row["src"], row["dst"], row.line) for row in table.rows] == [("Yes", "Oui", 4), ("No", "Non", 7)]
    assert table.report.dropped == {"a unit that is no XML": 2}
    with pytest.raises(DataError, match="what is no XML"):
        read(tmp_path / "b.tmx", HEAD + unit(en="A & B", fr="A & B") + TAIL)
