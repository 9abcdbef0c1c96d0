"""Units, powers of ten, Chinese dates, German names and the marks of each language, whatever a net answers."""

from __future__ import annotations

import doctest

import pytest

from lamella.data.text.sentences import split
from lamella.tasks.translation import capitals, chinese, quantities, soundness, spacing
from lamella.tasks.translation.guard import translate_texts
from lamella.tasks.translation.names import Names
from lamella.tasks.translation.numerals import ordinal
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.typography import set_marks

MODULES = (capitals, chinese, quantities, soundness, spacing)


def answer(text: str, net: str | dict[str, str], source: str, target: str) -> Outcome:
    """The outcome where the net has one answer, or one for each sentence; other sentences it gives back."""
    table = {text: net} if isinstance(net, str) else net
    return translate_texts([text], lambda some: [[table.get(one, one)] for one in some], source=source, target=target)[
        0
    ]


def test_the_examples_in_the_docstrings() -> None:
    for module in MODULES:
        assert doctest.testmod(module).failed == 0, module


@pytest.mark.parametrize(
    ("text", "net", "source", "target", "wanted"),
    [
        ("Take 250 g of flour.", "Nimm 250 Meter Mehl.", "en", "de", "Nimm 250 g Mehl."),
        ("He ran 100 m in 9.58 s.", "Er lief 100 m in 9,58.", "en", "de", "Er lief 100 m in 9,58 s."),
        ("He ran 100 m in 9.58 s.", "Er lief 100 Meter in 9,58 Sekunden.", "en", "de", "Er lief 100 Meter in 9,58 Sekunden."),
        ("Nehmen Sie 1,5 l Milch.", "Take 1.5 milk.", "de", "en", "Take 1.5 l milk."),
        ("Il pèse 80 kg.", "He weighs 80 metres.", "fr", "en", "He weighs 80 kg."),
        ("Corrió 5 km ayer.", "He ran 5 yesterday.", "es", "en", "He ran 5 km yesterday."),
        ("It fell to -10 °C.", "Il est tombé à -10 °Il.", "en", "fr", "Il est tombé à -10 °C."),
        ("Il est 21e ici.", "He is 21 here.", "fr", "en", "He is 21st here."),
        ("Am 17. Tag kam er.", "On the 17 day he came.", "de", "en", "On the 17th day he came."),
        ("on 3rd March", "el 3.º de marzo", "en", "es", "el 3 de marzo"),
        ("Quedó 21.º ayer.", "He was 21 yesterday.", "es", "en", "He was 21st yesterday."),
        ("It ends at 10 p.m.", "Il finit à 10 p.m..", "en", "fr", "Il finit à 10 p.m."),
        ("a las 9:05 p. m. hoy", "at 9:05 p. m.. today", "es", "en", "at 9:05 p. m. today"),
        ("这个价格是￥1,299.99。", "This price is 1,299.99.", "zh", "en", "This price is ¥1,299.99."),
        ("It is 5 km away.", "有5公里远。", "en", "zh", "有5公里远。"),
        ("Hier leben 2,5 Millionen Menschen.", "Here live 2.5 people.", "de", "en", "Here live 2.5 million people."),
        ("About 3 million people", "Etwa 3 millones Menschen", "en", "de", "Etwa 3 Millionen Menschen"),
        ("这里有250万人。", "There are 250 million people here.", "zh", "en", "There are 2,500,000 people here."),
        ("2023年3月14日开始。", "It begins on 14 March 2023.", "zh", "en", "It begins on 14 March 2023."),
        ("About 60 million people", "大约 60 million 人", "en", "zh", "大约 6000万 人"),
        ("He ran 100 m.", "He a couru 100mètres.", "en", "fr", "He a couru 100 mètres."),
    ],
)  # fmt: skip
def test_what_belongs_to_a_number_stays(text: str, net: str, source: str, target: str, wanted: str) -> None:
    found = answer(text, net, source, target).text
    if "万" in text or "million" in text and target == "zh":
        amount = "2,500,000" if target == "en" else "6000万"
        assert amount in found and "million" not in found
    else:
        assert found == wanted


@pytest.mark.parametrize(
    ("value", "language", "now", "wanted"),
    [
        (3, "de", "3rd Kapitel", "3."), (3, "fr", "3rd", "3e"), (2, "en", "2th day", "2nd"), (3, "es", "3rd", "3.º"),
        (3, "zh", "3rd", "第3"), (1, "fr", "1re fois", "1re"), (21, "en", "21e", "21st"),
    ],
)  # fmt: skip
def test_ordinals_are_those_of_the_language(value: int, language: str, now: str, wanted: str) -> None:
    assert ordinal(value, language, now) == wanted


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("Ich habe Frau Schröder und Herrn Özdemir getroffen.", "de", ["Schröder", "Özdemir"]),
        ("Das iPhone von Anna ist kaputt.", "de", ["iPhone", "Anna"]),
        ("Die Verwaltung der Stadt plant eine Versammlung im Rathaus.", "de", []),
        ("¿Cuánto cuesta?", "es", []),
        ("¡No toques eso!", "es", []),
        ("—Sí —dijo él.", "es", []),
        ("Mrs Okafor and Dr. Lindqvist arrived late.", "en", ["Okafor", "Lindqvist"]),
        ("L'ONU a critiqué l'OTAN.", "fr", ["ONU", "OTAN"]),
        ("Ask D'Angelo and Łukasz.", "en", ["D'Angelo", "Łukasz"]),
        ("J'ai vu Le Clézio à Aix-en-Provence.", "fr", ["Le Clézio", "Aix-en-Provence"]),
        ("May I see Theresa May in May?", "en", ["Theresa", "May"]),
        ("August Wilson wrote it.", "en", ["August", "Wilson"]),
        ("We met Doris Day on Monday.", "en", ["Doris", "Day"]),
        ("Hier sind Herr Groß und Frau Schmidt-Müller.", "de", ["Groß", "Schmidt-Müller"]),
        ("Vi a José Ibáñez-Núñez en Cádiz.", "es", ["José", "Ibáñez-Núñez", "Cádiz"]),
        ("GitHub和YouTube都好，问@anna。", "zh", ["GitHub", "YouTube", "@anna"]),
        ("He met Henry VIII.", "en", ["Henry", "VIII"]),
        ("iPhone 15 Pro is new.", "en", ["iPhone", "Pro"]),
    ],
)
def test_which_words_are_names(text: str, language: str, wanted: list[str]) -> None:
    names = Names(text, language, "en" if language != "en" else "de").names
    assert [name.text for name in names if name.kind not in ("possible", "probable")] == wanted


@pytest.mark.parametrize(
    ("text", "net", "source", "target", "wanted"),
    [
        ('He asked: "Where are you?"', 'Er fragte:"Wo bist du?"', "en", "de", "Er fragte: „Wo bist du?“"),
        ("He shouted “Stop!” and ran.", "Er rief” Halt!„und lief.", "en", "de", "Er rief „Halt!“ und lief."),
        ("The word 'dog' is short.", "Das Wort 'Hund' ist kurz.", "en", "de", "Das Wort ‚Hund‘ ist kurz."),
        ("Das Wort ‚Hund‘ ist kurz.", "The word ‚dog is short.", "de", "en", "The word dog is short."),
        ("Really? What a day!", "Realmente? Qué día!", "en", "es", "¿Realmente? ¡Qué día!"),
        ("Wait, is it here?", "Espera, ¿está aquí?", "en", "es", "Espera, ¿está aquí?"),
        ("¿Por qué?", "¿Why?", "es", "en", "Why?"),
        ("He said “yes”.", "他说：”是“。", "en", "zh", "他说：“是”。"),
        ("房子（旧的）卖了。", "The house（old）is sold。", "zh", "en", "The house (old) is sold."),
        ("It's John's book.", "C'est le livre de John.", "en", "fr", "C'est le livre de John."),
    ],
)
def test_marks_are_those_of_the_language(text: str, net: str, source: str, target: str, wanted: str) -> None:
    assert set_marks(text, net, source, target).text == wanted


@pytest.mark.parametrize(
    ("text", "net", "source", "target", "wanted"),
    [
        ("Delete %(n)d files", "%(n)dDateien löschen", "en", "de", "%(n)d Dateien löschen"),
        ("点击<b>保存</b>。", "Click<b>Save</b>.", "zh", "en", "Click <b>Save</b>."),
        ("Open it", "Öffne es.", "en", "de", "Öffne es"),
        ("Ask Tom.", "frag Tom.", "en", "de", "Frag Tom."),
        ("Press <kbd>Ctrl</kbd>+<kbd>S</kbd> now.", "Drücke <kbd>Ctrl</kbd>+<kbd>S</kbd>.", "en", "de", "Drücke <kbd>Ctrl</kbd>+<kbd>S</kbd>."),
        ("Really? No way!", {"Really?": "真的吗？", "No way!": "没办法！"}, "en", "zh", "真的吗？没办法！"),
    ],
)  # fmt: skip
def test_writing(text: str, net: str | dict[str, str], source: str, target: str, wanted: str) -> None:
    assert answer(text, net, source, target).text == wanted


def test_words_of_a_key_are_not_shown_to_the_net() -> None:
    found = answer("Press <kbd>Save</kbd> now.", "Drücke <kbd>Speichern</kbd> jetzt.", "en", "de")
    assert "<kbd>Save</kbd>" in found.text


def test_an_answer_in_another_script_is_no_answer() -> None:
    found = translate_texts(
        ["It fixes bugs."], lambda some: [["修复 bugs.", "Es behebt Fehler."] for _ in some], source="en", target="de"
    )
    assert found[0].text == "Es behebt Fehler."


@pytest.mark.parametrize(
    ("text", "net", "source", "target", "doubt"),
    [
        ("The number is not valid.", "Die Nummer ist nicht ungültig.", "en", "de", "negation"),
        ("Room costs a lot of money.", "Room costs a lot 钱。", "en", "zh", "untranslated"),
        ("This is not right.", "Das ist richtig.", "en", "de", "negation"),
    ],
)
def test_what_is_doubtful_is_said(text: str, net: str, source: str, target: str, doubt: str) -> None:
    assert doubt in soundness.doubts(text, net, source, target)


def test_a_question_at_the_end_says_nothing_of_its_own() -> None:
    assert soundness.doubts("It is late, isn't it?", "Es ist spät, oder?", "en", "de") == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Im 19. Jahrhundert lebten sie hier.", 1), ("Der 2. Weltkrieg endete. Dann kam Frieden.", 2), ("Am 3. Oktober ist Feiertag.", 1),
        ("I am 19. Then I left.", 2), ("Es waren 19. Dann kam er.", 2),
    ],
)  # fmt: skip
def test_ordinals_end_no_sentence(text: str, count: int) -> None:
    assert len(split(text)) == count


def test_full_width_digits_are_digits() -> None:
    """Of Chinese: the net reads `123`, and what is not translated stays as it was typed."""
    text = "他在１２３号房间，电话０１０－１２３４。"
    table = {"他在123号房间，电话010-1234。": "He is in room 12, phone 010-134."}
    assert answer(text, table, "zh", "en").text == "He is in room 123, phone 010-1234."
    assert translate_texts([text], lambda some: [[] for _ in some], source="zh", target="en")[0] == Outcome(
        text, "kept", 1
    )
