"""Parallel text from tables, aligned files and gettext catalogues; its cleaning, its languages, its split."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import polib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamella.data.readers.catalogue_pairs import read_catalogues
from lamella.data.readers.parallel import read_parallel
from lamella.errors import DataError, LamellaError, UsageError

EN = (
    "The train to the city leaves at nine, and we will not wait for you.",
    "She has a house by the sea with a small garden and two old trees.",
    "What would you like to eat before the film begins?",
    "They have been working on this bridge for more than a year.",
    "If it rains tomorrow, some of us can stay at home and read.",
    "There was no one in the street when I came back from the office.",
    "You should have told me that the shop is closed on Monday.",
    "My brother and his wife were in the kitchen with their dog.",
)
FR = (
    "Le train pour la ville part à neuf heures, et nous ne vous attendrons pas.",
    "Elle a une maison au bord de la mer avec un petit jardin et deux vieux arbres.",
    "Que voulez-vous manger avant que le film ne commence ?",
    "Ils travaillent sur ce pont depuis plus d'un an.",
    "S'il pleut demain, nous pouvons rester à la maison et lire.",
    "Il n'y avait personne dans la rue quand je suis revenu du bureau.",
    "Vous auriez dû me dire que le magasin est fermé le lundi.",
    "Mon frère et sa femme étaient dans la cuisine avec leur chien.",
)
DE = (
    "Der Zug in die Stadt fährt um neun, und wir werden nicht auf dich warten.",
    "Sie hat ein Haus am Meer mit einem kleinen Garten und zwei alten Bäumen.",
    "Was möchtest du essen, bevor der Film beginnt?",
    "Sie arbeiten seit mehr als einem Jahr an dieser Brücke.",
    "Wenn es morgen regnet, können einige von uns zu Hause bleiben und lesen.",
    "Es war niemand auf der Straße, als ich aus dem Büro kam.",
    "Du hättest mir sagen sollen, dass der Laden am Montag zu ist.",
    "Mein Bruder und seine Frau waren mit ihrem Hund in der Küche.",
)
HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: {}\\n"\n\n'


def write(folder: Path, content: str | bytes, name: str = "a.tsv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tsv(*pairs: tuple[str, ...], header: str = "") -> str:
    return header + "".join("\t".join(pair) + "\n" for pair in pairs)


def refused(paths, *expected: str, **options) -> DataError:
    with pytest.raises(DataError) as caught:
        read_parallel(paths, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("expected", "received", *expected):
        assert part in message, message
    return caught.value


def pairs_of(table) -> list[tuple[str, str]]:
    return [(row["src"], row["dst"]) for row in table.rows]


# --- tables


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (tsv(*zip(EN, FR)), "a.tsv"),
        (tsv(*zip(EN, FR), header="en\tfr\n"), "a.tsv"),
        (tsv(*zip(FR, "12345678", EN), header="French\tid\tEnglish\n"), "a.tsv"),
        (tsv(*zip(FR, EN), header="target\tsource\n"), "a.txt"),
        (tsv(*zip(FR, EN, DE), header="fr\ten\tde\n"), "a.tsv"),
        ("".join(f'"{en}";"{fr}"\r\n' for en, fr in zip(EN, FR)), "a.csv"),
        ("".join(json.dumps({"translation": {"fr": fr, "en": en}}) + "\n" for en, fr in zip(EN, FR)), "a.jsonl"),
        (json.dumps([{"src": en, "dst": fr} for en, fr in zip(EN, FR)]), "a.json"),
    ],
)
def test_tables(tmp_path, content, name):
    table = read_parallel(write(tmp_path, content, name), "en", "fr")
    assert pairs_of(table) == list(zip(EN, FR)) and table.report.kept == len(EN)
    turned = read_parallel(write(tmp_path, tsv(*zip(EN, FR), header="en\tfr\n")), "fr", "en")
    assert pairs_of(turned) == list(zip(FR, EN))


def test_columns_by_number(tmp_path):
    path = write(tmp_path, tsv(*zip("12345678", FR, EN)))
    assert pairs_of(read_parallel(path, columns={"src": 3, "dst": "2"})) == list(zip(EN, FR))
    # Of three columns without names, the two that are in the languages; the report says which were taken.
    table = read_parallel(path)
    assert pairs_of(table) == list(zip(EN, FR)) and "src = column 3, dst = column 2" in table.report.notes[0]
    refused(path, "4 times as long (8)", src="xx", dst="yy")


def test_bad_tables(tmp_path):
    refused(tmp_path / "none.tsv", "none.tsv", "received nothing")
    refused(write(tmp_path, "", "e.tsv"), "empty")
    refused(write(tmp_path, "\x89PNG\r\n\x1a\n\0", "p.tsv"))
    refused(write(tmp_path, b"\x89PNG\r\n\x1a\n\0", "p.tsv"), "PNG")
    refused(write(tmp_path, "\n".join(EN), "one.tsv"), "2 columns")
    refused(write(tmp_path, "\n".join(EN), "one.en"), "text without columns")
    refused(
        write(tmp_path, tsv(*zip(EN, FR), header="English\tSpanish\n"), "es.tsv"), '"Spanish"', "--columns dst=NAME"
    )
    refused(write(tmp_path, tsv(*zip(EN, FR), ("alone",)), "ragged.tsv"), "1 of 9", "line 9")
    with pytest.raises(UsageError, match="two languages"):
        read_parallel(tmp_path, "en", "en")


# --- aligned files


def test_aligned(tmp_path):
    en, fr = write(tmp_path, "\n".join(EN), "news.en"), write(tmp_path, "\r\n".join(FR) + "\r\n", "news.fr")
    want = list(zip(EN, FR))
    assert pairs_of(read_parallel([en, fr])) == want
    assert pairs_of(read_parallel([fr, en])) == want
    assert pairs_of(read_parallel([en, fr], "fr", "en")) == list(zip(FR, EN))
    plain = [write(tmp_path, "\n".join(EN), "one.txt"), write(tmp_path, "\n".join(FR).encode("utf-16"), "two.txt")]
    table = read_parallel(plain)
    assert pairs_of(table) == want and table.rows[2].where.endswith("one.txt, line 3")
    assert table.report.sources[1].encoding == "UTF-16 LE"
    named = [write(tmp_path, "\n".join(FR), "train_fr.txt"), write(tmp_path, "\n".join(EN), "train_en.txt")]
    assert pairs_of(read_parallel(named)) == want
    odd = [write(tmp_path, "Hello\u2028you\nYes\n", "u.en"), write(tmp_path, "Salut\u2028toi\nOui\n", "u.fr")]
    assert len(read_parallel(odd)) == 2


def test_bad_aligned(tmp_path):
    en, fr = write(tmp_path, "\n".join(EN), "a.en"), write(tmp_path, "\n".join(FR[:-1]), "a.fr")
    refused([en, fr], "a.en", "a.fr", "8 and 7")
    refused([en, tmp_path / "none.fr"], "none.fr")
    refused([write(tmp_path, "", "b.en"), write(tmp_path, "", "b.fr")], "empty")
    refused([en, write(tmp_path, b"\x7fELF\0", "a.fr")], "ELF")


# --- catalogues

PO = (
    HEADER.format("fr")
    + 'msgid "Open the file"\nmsgstr "Ouvrir le fichier"\n\n#, fuzzy\nmsgid "Close"\nmsgstr "Ouvrir"\n\n'
    + 'msgid "Save"\nmsgstr ""\n\n#~ msgid "Old"\n#~ msgstr "Vieux"\n\n'
    + 'msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] "%d fichier"\nmsgstr[1] "%d fichiers"\n\n'
    + 'msgctxt "menu"\nmsgid "Two\\n"\n"lines"\nmsgstr "Deux\\n"\n"lignes"\n'
)
FRENCH = [
    ("Open the file", "Ouvrir le fichier"),
    ("%d file", "%d fichier"),
    ("%d files", "%d fichiers"),
    ("Two\nlines", "Deux\nlignes"),
]


def test_po(tmp_path):
    table = read_parallel(write(tmp_path, PO, "fr.po"))
    assert pairs_of(table) == FRENCH
    assert table.report.dropped == {"fuzzy": 1, "untranslated": 1, "obsolete": 1}
    assert table.rows[0].line == 6 and table.rows[0].where.endswith("fr.po, line 6")
    assert pairs_of(read_parallel(write(tmp_path, "\ufeff" + PO, "fr.po"), "fr", "en"))[0] == FRENCH[0][::-1]


def test_mo(tmp_path):
    polib.pofile(str(write(tmp_path, PO, "fr.po"))).save_as_mofile(str(tmp_path / "fr.mo"))
    assert sorted(pairs_of(read_parallel(tmp_path / "fr.mo"))) == sorted(FRENCH)
    raw = (tmp_path / "fr.mo").read_bytes()
    for damaged in (
        raw[:40],
        raw[:8] + struct.pack("<I", 1 << 30) + raw[12:],
        raw[: struct.unpack_from("<I", raw, 12)[0]] + struct.pack("<I", 1 << 30) + raw[-100:],
    ):
        refused(write(tmp_path, damaged, "bad.mo"), "bad.mo", "damaged")


def test_trees(tmp_path):
    german = PO.replace("Language: fr", "Language: de").replace("fichier", "Datei")
    for name in ("fr/LC_MESSAGES/app.po", "fr_CA/LC_MESSAGES/app.po", "de/LC_MESSAGES/app.po"):
        write(tmp_path / "gnu", german if name.startswith("de") else PO, name)
    table = read_parallel(tmp_path / "gnu")
    assert pairs_of(table) == FRENCH and len(table.report.sources) == 1
    assert pairs_of(read_parallel(tmp_path / "gnu", "en", "de"))[1] == ("%d file", "%d Datei")
    assert len(read_parallel(tmp_path / "gnu", "en", "fr_CA").report.sources) == 1
    for number, name in enumerate(("po/fr.po", "app.fr.po", "sub/app-fr.po", "fr/x.po", "po/de.po", "fr.txt")):
        write(tmp_path / "flat", PO.replace("file", f"file {number}"), name)
    assert len(read_parallel(tmp_path / "flat").report.sources) == 4
    # Nothing in the paths says which language it is: the headers do.
    write(tmp_path / "plain", PO, "one.po")
    write(tmp_path / "plain", german, "two.po")
    table = read_parallel(tmp_path / "plain")
    assert pairs_of(table) == FRENCH and "German (de) by its header" in table.report.notes[0]


def test_bad_catalogues(tmp_path):
    refused(write(tmp_path, "this is no catalogue\n", "a.po"), "a.po", "line 1")
    refused(write(tmp_path, "", "a.po"), "empty")
    refused(write(tmp_path, PO.replace("fr", "de", 1), "a.po"), "French (fr)", "German (de)", "--to")
    refused(write(tmp_path, PO.encode() + b'msgid "x"\nmsgstr "\xe9"\n', "a.po"), "utf-8", "header")
    refused(write(tmp_path, HEADER.format("fr"), "a.po"), "no entries")
    refused(write(tmp_path, HEADER.format("fr") + 'msgid "a"\nmsgstr ""\n', "a.po"), "untranslated (1)")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "none", "folder")
    write(tmp_path / "tree", PO, "de.po")
    refused(tmp_path / "tree", "French (fr)", "German (de)")
    write(tmp_path / "some", PO, "fr/a.po")
    write(tmp_path / "some", "junk", "fr/b.po")
    refused(tmp_path / "some", "1 of 2", "b.po")


# --- cleaning


def test_cleaning_is_mild_and_counted(tmp_path):
    kept = [("Yes", "Oui"), ("No", "No"), ("Open File", "Open File"), ("Hi", "Bonjour à tous"), ("Yes", "Ouais")]
    left_out = {
        ("Yes", "Oui"): "exact duplicate",
        ("Copyright by Ann", "Copyright by Ann"): "untranslated copy",
        ("Maybe", " "): "empty side",
        ("Ok", "Une très longue explication que personne n'a demandée"): "one side more than 4 times as long",
        ("a" * 1001, "b" * 1001): "longer than 1,000 characters",
    }
    table = read_parallel(write(tmp_path, tsv(*kept, *left_out)))
    assert pairs_of(table) == kept
    assert table.report.dropped == dict.fromkeys(left_out.values(), 1)
    assert "dropped 1: empty side" in table.report.lines() and json.dumps(table.report.as_dict())
    refused(write(tmp_path, tsv(("a b c", "a b c"), ("x", ""))), "untranslated copy (1)", "empty side (1)")


def test_chinese_is_short(tmp_path):
    pair = ("Please restart the computer to finish the installation of updates.", "请重启电脑以完成更新。")
    assert pairs_of(read_parallel(write(tmp_path, tsv(pair)), "en", "zh_CN")) == [pair]


# --- languages


def test_swapped_and_wrong_languages(tmp_path):
    swapped = write(tmp_path, tsv(*zip(FR, EN)))
    refused(swapped, "swapped", "--from fr --to en", "English (en)", "--columns")
    assert pairs_of(read_parallel(swapped, columns={"src": 2, "dst": 1})) == list(zip(EN, FR))
    assert pairs_of(read_parallel(swapped, "fr", "en")) == list(zip(FR, EN))
    assert len(read_parallel(swapped, check_language=False)) == 8
    refused(write(tmp_path, tsv(*zip(EN, DE))), "French (fr) in dst", "German (de)", "--to")
    refused(write(tmp_path, tsv(*zip(DE, FR))), "English (en) in src", "--from")
    refused(write(tmp_path, tsv(*zip(EN, [text.lower() for text in EN]))), "French (fr) in dst", "English")
    refused(write(tmp_path, tsv(*zip(FR, EN))), "swapped", dst="xx", src="fr", columns={"src": 2, "dst": 1})
    refused([write(tmp_path, "\n".join(FR), "a.txt"), write(tmp_path, "\n".join(EN), "b.txt")], "swapped")


def test_swapped_sentences_of_few_words(tmp_path):
    pairs = [(f"The {a} sees the {b} today.", f"Le {c} voit le {d} aujourd'hui.") for a, c in NOUNS for b, d in NOUNS]
    assert len(read_parallel(write(tmp_path, tsv(*pairs)), "en", "fr")) == len(pairs)
    refused(write(tmp_path, tsv(*((fr, en) for en, fr in pairs))), "received the opposite", "--from fr --to en")


NOUNS = [("dog", "chien"), ("cat", "chat"), ("boat", "bateau"), ("hat", "chapeau")]


def test_made_up_languages_are_left_alone(tmp_path):
    turned = [" ".join(word[::-1] for word in text.split()) for text in EN]
    assert len(read_parallel(write(tmp_path, tsv(*zip(EN, turned))), "en", "xx")) == 8
    assert len(read_parallel(write(tmp_path, tsv(*zip(EN, turned))), "en", "fr")) == 8
    assert len(read_parallel(write(tmp_path, tsv(("Open", "Öppna"), ("Cancel", "Avbryt"))), "en", "fr")) == 2


few = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(str.strip).filter(bool)


@few
@given(st.dictionaries(texts, texts, min_size=1, max_size=10))
def test_catalogue_round_trip(tmp_path, pairs):
    catalogue = polib.POFile()
    catalogue.metadata = {"Language": "fr", "Content-Type": "text/plain; charset=UTF-8"}
    catalogue.extend(polib.POEntry(msgid=one, msgstr=two) for one, two in pairs.items())
    catalogue.save(str(tmp_path / "fr.po"))
    catalogue.save_as_mofile(str(tmp_path / "fr.mo"))
    for name in ("fr.po", "fr.mo"):
        assert set(pairs_of(read_catalogues([tmp_path / name], "en", "fr"))) == set(pairs.items())


@few
@given(st.binary(max_size=200), st.sampled_from(["po", "mo", "tsv", "en"]), st.lists(st.integers(0, 90), max_size=9))
def test_anything_is_read_or_refused(tmp_path, raw, suffix, numbers):
    mo = struct.pack(f"<{len(numbers) + 2}I", 0x950412DE, 0, *numbers) if numbers and suffix == "mo" else b""
    path = write(tmp_path, mo + raw, f"a.{suffix}")
    for paths in (path, [path, path]):
        try:
            assert len(read_parallel(paths))
        except LamellaError as error:
            assert "\n" not in str(error)
