"""The language identifier: what it must know, what its recipe must never read, and what nobody may tell it."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

import lamella
from lamella.errors import UsageError
from lamella.model import shipped

pytest.importorskip("polib")

ROOT = Path(__file__).parents[2]
EVERYDAY = [line.split("\t") for line in (ROOT / "recipes/languages/everyday.tsv").read_text("utf-8").splitlines()]
PROMISED = ("en", "fr", "de", "es", "it", "pt", "nl", "ru", "zh", "ja")

installed = pytest.mark.skipif(
    not (shipped.FOLDER / "languages" / "model.json").is_file(), reason="no model that tells languages is installed"
)


# ---- the model that ships ----------------------------------------------------------------------------------------


@installed
def test_everyday_sentences() -> None:
    wrong = [(label, text, lamella.detect(text)[:2]) for label, text in EVERYDAY if lamella.detect(text)[0][0] != label]
    assert len(wrong) <= 0.015 * len(EVERYDAY), wrong
    count = {label: sum(label == one for one, _ in EVERYDAY) for label in PROMISED}
    assert min(count.values()) >= 20
    for label in PROMISED:
        assert sum(label == one for one, _, _ in wrong) <= 1, (label, wrong)


@installed
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("WHERE DO YOU WANT TO GO TOMORROW?", "en"),
        ("DONDE ESTA LA ESTACION DE TRENES", "es"),
        ("ou est-ce que tu as achete cette voiture", "fr"),
        ("ich weiss nicht, was soll es bedeuten", "de"),
        ("https://example.org/a?b=1 was ich dir noch sagen wollte: 12.30 Uhr!", "de"),
        ("The file /usr/share/doc/README.gz could not be opened", "en"),
        ("Я не знаю, где ты живёшь", "ru"),
        ("我不知道你住在哪里", "zh"),
        ("あなたがどこに住んでいるのか知りません", "ja"),
    ],
)
def test_as_people_type(text: str, language: str) -> None:
    assert lamella.detect(text)[0][0] == language


@installed
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Non sei onde vives, pero preciso a túa axuda esta semana, porque os rapaces aínda non chegaron", "gl"),
        ("No sé on vius, però necessito la teva ajuda aquesta setmana", "ca"),
        ("Я не знаю, де ти живеш, але мені потрібна твоя допомога", "uk"),
        ("Не знам къде живееш, но тази седмица имам нужда от помощта ти", "bg"),
    ],
)
def test_neighbours_of_the_promised_are_still_told(text: str, language: str) -> None:
    assert lamella.detect(text)[0][0] == language


@installed
def test_best_first_with_probabilities() -> None:
    found = lamella.detect("Mi hermano vive en Portugal")
    shares = [share for _, share in found]
    assert shares == sorted(shares, reverse=True) and 0.97 <= sum(shares) <= 1.01
    assert {code for code, _ in found} <= {*shipped.identifier().task.labels_}
    assert {*PROMISED} <= {*shipped.identifier().task.labels_}
    # A word that two languages share leaves more doubt than a sentence of one.
    assert lamella.detect("casa")[0][1] < lamella.detect("Wo ist denn hier der nächste Bahnhof?")[0][1]


@installed
@pytest.mark.parametrize("text", ["", " \n\t", "12:30", "?!", "🙂🙂"])
def test_nothing_to_tell(text: str) -> None:
    assert lamella.detect(text) == []


@installed
@pytest.mark.parametrize("text", ["a", "\ud800 hello", "x" * 100_000, "𝕳𝖊𝖑𝖑𝖔", "{name} %s <b>Hallo</b>", "ﷺ"])
def test_odd_texts(text: str) -> None:
    assert lamella.detect(text)


@installed
def test_not_a_text() -> None:
    with pytest.raises(UsageError, match="expected a string, received bytes"):
        lamella.detect(b"hello")  # type: ignore[arg-type]


@installed
def test_small_and_documented() -> None:
    folder = shipped.FOLDER / "languages"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3e6
    manifest = shipped.identifier().manifest
    assert (manifest.task, manifest.precision) == ("text-classification", "int8")
    card = (folder / "card.md").read_text("utf-8")
    for word in ("licence", "names begin with t", "wesnoth", "fortunes", "udhr", *PROMISED):
        assert word in card.lower(), word
    for name in ("held out, ten languages", "human rights, ten languages"):  # of 20 characters or more
        assert manifest.scores[name]["scores"]["accuracy"]["value"] >= 0.98, name
    for label in PROMISED:
        assert manifest.scores[f"held out, {label}"]["scores"]["accuracy"]["value"] >= 0.965, label


# ---- its recipe --------------------------------------------------------------------------------------------------


@installed
def test_prior_moves_log_odds_by_what_it_says() -> None:
    pytest.importorskip("onnx")
    from types import SimpleNamespace

    from lamella.graphs import OnnxGraph
    from recipes.languages.prior import AHEAD, BEHIND, favour, scored

    model = shipped.identifier()
    moved = SimpleNamespace(task=model.task, graphs={"classify": OnnxGraph(favour(model), "classify.onnx")})
    texts = ["Mi hermano vive en Portugal", "Дети спят наверху", "Nova versión dispoñible"]
    change = scored(moved, texts) - scored(model, texts)
    place = {label: i for i, label in enumerate(model.task.labels_)}
    for label in place:  # beside Czech, which has none
        expected = AHEAD if label in PROMISED else -BEHIND.get(label, 0.0)
        assert change[:, place[label]] - change[:, place["cs"]] == pytest.approx(expected, abs=1e-3), label


def test_reserved_packages_are_not_fetched() -> None:
    from recipes.languages.common import LABELS
    from recipes.languages.fetch import NAMED, wanted_packages
    from recipes.translation.common import is_reserved

    names = ("tellico", "Tomboy", "anki", "t")
    lines = [f"{name}: /usr/share/locale/{code}/LC_MESSAGES/x.mo" for name in names for code in LABELS]
    assert wanted_packages(lines, dict.fromkeys([*names, *NAMED], 1000)) == sorted(["anki", *NAMED])
    assert not any(map(is_reserved, NAMED))


def test_reserved_packages_are_not_read(tmp_path: Path) -> None:
    import polib

    from recipes.languages import extract
    from recipes.languages.common import Item
    from recipes.translation.common import write_rows

    record = (
        "Package: {}\nDescription-md5: {}\nDescription-de: Das ist ein schönes {} für alle\n .\n Es kann sehr viel.\n"
    )
    text = "\n".join(record.format(name, name, name) for name in ("tapir", "zebra", "texte"))
    (tmp_path / "x_Translation-de").write_text(text, encoding="utf-8")
    found = list(extract.descriptions(tmp_path))
    assert {item.package for item in found} == {"zebra"} and "schönes zebra" in found[0].text
    for name in ("wesnoth-1.16-x", "tales"):
        catalogue = polib.POFile()
        catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
        catalogue.append(polib.POEntry(msgid=f"The old man of {name}", msgstr=f"Der alte Mann von {name} schläft"))
        place = tmp_path / name / "usr/share/locale/de/LC_MESSAGES"
        place.mkdir(parents=True)
        catalogue.save_as_mofile(str(place / "x.mo"))
    found = list(extract.catalogues(tmp_path))
    assert {(item.package, item.language) for item in found} == {("wesnoth-1.16-x", "de"), ("wesnoth-1.16-x", "en")}
    with pytest.raises(AssertionError, match="reserved"):
        write_rows(tmp_path / "texts.tsv", [Item("help", "tapir/page", "de", "Ein Satz aus einem Handbuch")])


def test_split_keeps_tests_out_of_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recipes.languages import common, split
    from recipes.translation.common import write_rows
    from recipes.translation.normalise import key

    chance = random.Random(0)
    words = {label: [f"{label}{''.join(chance.choices('abcdefgh', k=5))}" for _ in range(60)] for label in ("en", "de")}

    def sentence(label: str) -> str:
        return " ".join(chance.choices(words[label], k=6))

    items = [
        common.Item("interface", f"package{i}", label, sentence(label))
        for i in range(100)
        for label in words
        for _ in "ab"
    ]
    items += [common.Item("interface", f"package{i}", "en", "Seen, everywhere it is") for i in range(100)]
    items += [common.Item("words", "names", label, text) for label, text in EVERYDAY]
    write_rows(tmp_path / "texts.tsv", items)
    monkeypatch.setattr(split, "CACHE", tmp_path)
    monkeypatch.setattr(split, "WHOLE", 1.0)
    split.split()
    train = [json.loads(line)["text"] for line in (tmp_path / "train.jsonl").read_text("utf-8").splitlines()]
    tested = [item for name in ("dev", "test") for item in common.read_items(tmp_path / f"{name}.tsv")]
    assert len(train) > 200 and len(tested) > 20
    assert not {key(text) for text in train} & {
        key(text) for text in [*(i.text for i in tested), *(t for _, t in EVERYDAY)]
    }
    sides = defaultdict(set)  # a package is on one side in all languages
    for name, texts in (("train", train), ("tested", [item.text for item in tested])):
        for text in texts:
            sides[next(i.package for i in items if key(i.text) == key(text))].add(name)
    assert all(len(found) == 1 for package, found in sides.items() if package != "package0")


def test_crops_are_parts() -> None:
    from recipes.languages.split import crop

    chance = random.Random(3)
    for text, dense in (
        ("Wo ist der Bahnhof, und wann fährt der nächste Zug?", False),
        ("火车站在哪里？请给我一杯咖啡。" * 3, True),
    ):
        crops = [crop(text, dense, chance) for _ in range(200)]
        assert all(part and part in text for part in crops)
        assert len({len(part) for part in crops}) > 8 and min(map(len, crops)) < 14


@pytest.mark.parametrize(
    ("text", "label", "kept"),
    [
        ("Die Datei konnte nicht geöffnet werden", "de", True),
        ("The file could not be opened by this program", "de", False),  # left in English by the translator
        ("火车站在哪里？", "zh", True),
        ("駅はどこですか？", "zh", False),
        ("重新启动计算机", "ja", False),
        ("Это не украинский язык", "uk", False),
        ("12:30 x 7 = 84, or 2 / 3", "en", False),
        ("OK", "en", False),
    ],
)
def test_what_may_be_a_sentence(text: str, label: str, kept: bool) -> None:
    from recipes.languages.extract import plausible

    assert plausible(text, label) == kept
