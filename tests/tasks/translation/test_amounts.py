"""Amounts in short, decades, Chinese numbers and hours, acronyms, words beside placeholders: whatever a net answers."""

from __future__ import annotations

import doctest
import re

import pytest

from lamella.data.text import icu, placeholders
from lamella.tasks.translation import acronyms, amounts, chinese_numbers, places
from lamella.tasks.translation.chinese import joined
from lamella.tasks.translation.dictionary import Dictionary
from lamella.tasks.translation.guard import translate_texts
from lamella.tasks.translation.lexical import mended
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.soundness import finish, is_sound
from lamella.tasks.translation.spacing import capital, inverted, unglued
from lamella.tasks.translation.typography import set_marks
from lamella.tasks.translation.wording import worded


def answer(text: str, net: str, source: str, target: str) -> Outcome:
    """The outcome where the net has one answer to the text, and of other sentences keeps tokens alone."""

    def best(one: str) -> str:
        return net if one == text else " ".join(["Here", *re.findall("X[0-9]", one), "is."])

    return translate_texts([text], lambda some: [[best(one)] for one in some], source=source, target=target)[0]


@pytest.mark.parametrize("module", [acronyms, amounts, chinese_numbers, places])
def test_the_examples_in_the_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "src", "dst", "wanted"),
    [
        ("It costs £3.5m.", "en", "de", ["3,5\u00a0Mio.\u00a0£"]), ("worth $2.5bn", "en", "fr", ["2,5\u00a0Md$"]), ("un budget de 250 k€", "fr", "en", ["€250k"]),
        ("rund 1,2 Mrd. € mehr", "de", "en", ["€1.2bn"]), ("unos 4 M€", "es", "en", ["€4m"]), ("las cifras de los años 80", "es", "en", ["80s"]),
        ("in den 1920er Jahren", "de", "en", ["1920s"]), ("nach §§ 12 und § 5a", "de", "en", ["§§ 12", "§ 5a"]), ("anderthalb Stunden", "de", "en", ["one and a half"]),
        ("It is 3.5 m long.", "en", "de", []), ("five $ 3 more", "en", "fr", []), ("il a 90 années", "fr", "en", []),
        ("il y a des années 90 000 personnes", "fr", "en", []), ("la mode des années 80.", "fr", "en", ["80s"]),
    ],
)  # fmt: skip
def test_what_is_in_short_is_written_as_the_target_language_does(
    text: str, src: str, dst: str, wanted: list[str]
) -> None:
    assert [one[2] for one in amounts.written(text, src, dst)] == wanted


@pytest.mark.parametrize(
    ("text", "net", "source", "target", "wanted"),
    [
        ("It costs £3.5m.", "Es kostet 3,5 Millionen Pfund.", "en", "de", "Es kostet 3,5 Millionen Pfund."),
        ("Il coûte 3,5 M€.", "It costs 3.5 M.", "fr", "en", "€3.5m"),
        ("Die 90er Jahre waren gut.", "The nineties were good.", "de", "en", "The nineties were good."),
        ("Les années 90 étaient bonnes.", "The years were 90.", "fr", "en", "90s"),
        ("两千五百元太贵了。", "Two thousand dollars is too expensive.", "zh", "en", "2,500"),
        ("一千人参加了。", "A thousand people took part.", "zh", "en", "A thousand people took part."),
        ("航班下午6点05分起飞。", "The flight leaves at 6 05.", "zh", "en", "6:05 p.m."),
        ("他用2小时3分59秒。", "He used 2 hours 3 59.", "zh", "en", "2 hours 3 minutes 59 seconds"),
        ("三分之二及格。", "Three degrees passed.", "zh", "en", "two thirds"),
        ("百分之三十没有来。", "Thirty percent did not come.", "zh", "en", "Thirty percent did not come."),
        ("19世纪有两位国王。", "There are two kings in 19th.", "zh", "en", "19th century"), ("80年代的歌", "Songs of the eighties", "zh", "en", "Songs of the eighties"),
        ("气温是零下18度。", "The climate is -18.", "zh", "en", "-18 degrees"), ("气温是零下18度。", "It is -18 degrees.", "zh", "en", "It is -18 degrees."),
        ("Ludwig XIV. starb 1715.", "Ludwig XIV. died in 1715.", "de", "en", "Ludwig XIV died in 1715."),
        ("Am Dienstag, dem 4. Mai.", "On Tuesday, the 4, May.", "de", "en", "On Tuesday, the 4 May."),
        ("Call 1-800-555-0199 ext. 42.", "Appelez 1-800-555-0199. 42.", "en", "fr", "1-800-555-0199 ext. 42"),
        ("我今年二十五岁。", "I am seventeen this year.", "zh", "en", "25"), ("我今年二十五岁。", "I am twenty-five.", "zh", "en", "I am twenty-five."),
        ("inkl. 19 % MwSt.", "including 19% MwSt.", "de", "en", "including 19% VAT"), ("刘德华1961年出生于香港。", "The fringe was born in 1961.", "zh", "en", "Liu Dehua"),
        ("El 3.er capítulo.", "The 3.er chapter.", "es", "en", "The 3rd chapter."),
        ("In the 19th century it was 2.", "En el siglo 19. Era 2.", "en", "es", "En el siglo XIX era 2."),
    ],
)  # fmt: skip
def test_an_answer_has_them(text: str, net: str, source: str, target: str, wanted: str) -> None:
    assert wanted in answer(text, net, source, target).text


@pytest.mark.parametrize("text", ["千万不要去", "老百姓", "成千上万", "第一百", "万一下雨", "几百人"])
def test_words_with_a_character_of_a_number_are_no_numbers(text: str) -> None:
    assert not list(chinese_numbers.written(text))


def test_a_net_is_asked_for_amounts_in_words() -> None:
    assert worded("It costs £3.5m.", "en") == "It costs 3.5 million pounds."
    assert worded("Rund 3 Mio. Menschen", "de") == "Rund 3 Millionen Menschen"
    assert worded("三百人", "zh") == "300人"
    assert worded("Das Wort ‚Liebe‘", "de") == "Das Wort 'Liebe‘"


@pytest.mark.parametrize(
    ("text", "net", "source", "target", "wanted"),
    [
        ("La SNCF est en grève.", "The CDSF is on strike.", "fr", "en", "SNCF"), ("L'OTAN arrive.", "NATO is coming.", "fr", "en", "NATO is coming."),
        ("Le SIDA tue.", "The SIDA kills.", "fr", "en", "The AIDS kills."), ("The IMF says no.", "El IMF dice que no.", "en", "es", "El FMI dice que no."),
        ("Wir fahren nach Köln.", "We go to college.", "de", "en", "Cologne"), ("Grüße aus München.", "Greetings of coins.", "de", "en", "Munich"),
        ("She saw Geneva.", "Sie sah Geneva.", "en", "de", "Sie sah Genf."), ("Nos vemos en Múnich.", "See you in Munick.", "es", "en", "See you in Munich."),
        ("我喜欢北京和上海。", "I like Tokyo and the sea.", "zh", "en", "Shanghai"), ("微软在加州。", "The microscope is in jail.", "zh", "en", "Microsoft"),
        ("Sarah works at Goldman Sachs.", "Sarah arbeitet bei Goldmanen Sachs.", "en", "de", "Goldman Sachs"),
    ],
)  # fmt: skip
def test_acronyms_and_names_are_kept_or_translated(text: str, net: str, source: str, target: str, wanted: str) -> None:
    assert wanted in answer(text, net, source, target).text


@pytest.mark.parametrize(
    ("source", "translation", "sound"),
    [
        ("{{#if admin}}Delete this page{{/if}}", "{{#if admin}} {{/if}}", False), ("{{#if a}}Delete{{/if}}", "{{#if a}}删除{{/if}}", True),
        ("%s", "%s", True), ("¿Qué?", "?", False), ("5 °", "5 °", True),
    ],
)  # fmt: skip
def test_words_beside_placeholders_are_not_lost(source: str, translation: str, sound: bool) -> None:
    assert is_sound(source, translation) is sound


WORDS = Dictionary("house\tmaison|héberger|house\nhelp\tayuda\nsale\tvente\nterm\tterme|term\noven\tfour")


@pytest.mark.parametrize(
    ("source", "translation", "dst", "wanted"),
    [
        ('The <a href="x">house</a> is old.', 'Le <a href="x">house</a> est vieux.', "fr", 'Le <a href="x">maison</a> est vieux.'),
        ('<a href="/help">Help</a> me', '<a href="/help">Help</a> a mí', "es", '<a href="/help">Ayuda</a> a mí'),
        ("HUGE SALE", "SALE ÉNORME", "fr", "SALE ÉNORME"),
        ("OVEN ON", "OVEN ALLUMÉ", "fr", "FOUR ALLUMÉ"),
    ],
)  # fmt: skip
def test_a_copied_word_gives_way(source: str, translation: str, dst: str, wanted: str) -> None:
    assert mended(source, translation, [], WORDS, "en", dst) == wanted


def test_marks_of_questions() -> None:
    assert finish("Ist das „gut“ oder „schlecht“?", "Is this “good” or “bad?”?", "en") == "Is this “good” or “bad”?"
    assert capital("¡Genial!", "¡great!", "es") == "¡Great!" and capital("he asks", "¿go", "en") == "¿go"
    assert inverted("Hay alguien (en casa)?") == "¿Hay alguien (en casa)?" and inverted("(Sí?) No") == "(¿Sí?) No"


def test_single_marks_of_an_answer_become_those_of_the_source() -> None:
    found = set_marks("In »%s« und in »%s«.", "In '%s' and in '%s'.", "de", "en")
    assert found.text == "In “%s” and in “%s”." and found.sound
    found = set_marks("el «%s» del «%s»", "the '%s' of \"%s\"", "es", "en")
    assert found.text == "the “%s” of “%s”" and found.sound
    assert set_marks("«=» inesperado", 'Unexpected "="', "es", "en").text == "Unexpected “=”"


def test_chinese_counters_behind_hours_and_amounts_go() -> None:
    assert (
        joined("他在2:03:59年跑了") == "他在2:03:59跑了"
        and joined("超过$9.99年代") == "超过$9.99"
        and joined("第9am开") == "9am开"
    )


def test_a_message_keeps_its_blanks_and_its_many() -> None:
    typed = "{n, plural, =0{None} one{# file} many{# of files} other{# files}}"
    message = icu.parse(typed)
    assert message and message.render(message.texts, "fr") == typed
    assert message.render(message.texts, "zh") == "{n, plural, =0{None} other{# files}}"


def test_a_break_of_lines_stands_beside_words() -> None:
    assert unglued("One\\nTwo", "Un\\n deux") == "Un\\ndeux" and unglued("One\\n Two", "Un\\n deux") == "Un\\n deux"


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("no pg_constraint entry for trigger", ""), ('function "close_sl" not implemented', ""), ("Save and e_xit", "_x"), ("_Open the last file of all", "_O"),
        ("Save _As a new file here", "_A"),
    ],
)  # fmt: skip
def test_a_name_with_an_underscore_is_no_accelerator(text: str, mark: str) -> None:
    assert placeholders.split_accelerator(text)[1] == mark


def test_overrides_of_subtitles_are_placeholders_anywhere() -> None:
    assert placeholders.find("Where {\\i1}now{\\i0}?") == ["{\\i1}", "{\\i0}"]
