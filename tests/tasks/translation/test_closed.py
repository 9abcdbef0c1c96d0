"""Money, centuries, days, titles, tokens: what a small net takes for something else, and how it is put right."""

from __future__ import annotations

import doctest
import re

import pytest

from lamella.data.text import icu, placeholders
from lamella.data.text.sentences import split
from lamella.tasks.translation import (
    capitals,
    case,
    chinese,
    closed,
    counts,
    masks,
    mentions,
    numerals,
    quantities,
    soundness,
    spacing,
    wording,
)
from lamella.tasks.translation.checks import Checks, Style
from lamella.tasks.translation.chinese import joined
from lamella.tasks.translation.confidence import Candidate
from lamella.tasks.translation.guard import Lists, translate_texts
from lamella.tasks.translation.masks import mask_of
from lamella.tasks.translation.names import Names
from lamella.tasks.translation.soundness import finish
from lamella.tasks.translation.wording import worded
from lamella.tasks.translation.words import Words, pack


@pytest.mark.parametrize(
    "module",
    [capitals, case, chinese, closed, counts, masks, mentions, numerals, quantities, soundness, spacing, wording],
    ids=lambda module: module.__name__,
)
def test_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def judged(source: str, answer: str, src: str, dst: str) -> tuple[str, list[str]]:
    verdict = Checks(source, "", [], Style(src, dst)).judge(answer, {})
    return verdict.text, verdict.faults


@pytest.mark.parametrize(
    ("text", "language", "asked"),
    [
        ("You sold it for €500?", "en", "You sold it for 500 euros?"),
        ("Il coûte 1 299,99 € ici.", "fr", "Il coûte 1 299,99 euros ici."),
        ("Es kostet 5 £, nicht 3 Mio. €.", "de", "Es kostet 5 Pfund, nicht 3 Millionen Euro."),
        ("They paid €2 million.", "en", "They paid 2 million euros."),
        ("卖了€500。", "zh", "卖了500欧元。"),
        ("It is $5 or ¥7.", "en", "It is $5 or ¥7."),
        ("Version €5.1.2", "en", "Version €5.1.2"),
        ("See no. 12 and Nr. A7.", "en", "See number 12 and number A7."),
        ("I said no. 12 came.", "de", "I said no. 12 came."),
        ("'Don't', he said, 'it's Tom's'", "en", '"Don\'t", he said, "it\'s Tom\'s"'),
        ("the dogs' and Tom's", "en", "the dogs' and Tom's"),
    ],
)
def test_a_net_is_asked_in_words_that_it_knows(text: str, language: str, asked: str) -> None:
    assert worded(text, language) == asked


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "wanted"),
    [
        ("It was €500.", "C'était 500 dollars.", "en", "fr", "C'était 500\u00a0€."),
        ("It was €500.", "C'était 500 euros.", "en", "fr", "C'était 500\u00a0€."),
        ("Cela fait 12,50 €.", "That makes 12,50 currency.", "fr", "en", "That makes €12.50."),
        ("It costs £3 or ¥500.", "Il coûte 3 livres ou 500.", "en", "fr", "Il coûte 3\u00a0£ ou 500\u00a0¥."),
        ("It was €500.", "它是500欧元。", "en", "zh", "它是500欧元。"),
        ("It was €500.", "它是500欧洲。", "en", "zh", "它是€500。"),
        ("Call +49 170 1234567 or 030 901820.", "Rufen Sie +49,170 1234567 oder 030,901820.", "en", "de", "Rufen Sie +49 170 1234567 oder 030 901820."),
        ("Au XVIIIe siècle.", "In the 12th century.", "fr", "en", "In the 18th century."),
        ("in the 12th century", "en el siglo 12", "en", "es", "en el siglo XII"),
        ("en el siglo XVI", "au 18e siècle", "es", "fr", "au XVIe siècle"),
        ("他在十九世纪出生。", "He was born in the 90th century.", "zh", "en", "He was born in the 19th century."),
        ("有250万人。", "There are 250 people.", "zh", "en", "There are 2,500,000 people."),
        ("卖120万元。", "It sells for 1,200,000 dollars.", "zh", "en", "It sells for 1,200,000 yuan."),
        ("共49.99元。", "49.99 in all.", "zh", "en", "49.99 yuan in all."),
        ("共5美元。", "It is $5.", "zh", "en", "It is $5."),
        ("加250毫升牛奶。", "Add 250 milligrams of milk.", "zh", "en", "Add 250 ml of milk."),
        ("Take 250 ml.", "Prenez 250 milligrammes.", "en", "fr", "Prenez 250 ml."),
        ("零下12度", "12 degrees", "zh", "en", "-12 degrees"),
        ("Um 7:05 Uhr.", "At 7:05 pm.", "de", "en", "At 7:05."),
        ("Le 7 au soir.", "At 7 pm.", "fr", "en", "At 7 pm."),
        ("in the 1990s", "dans le 1990", "en", "fr", "dans les années 1990"),
        ("the 1990s", "los 1990", "en", "es", "los años 1990"),
        ("the 1990s", "die 1990", "en", "de", "die 1990er"),
        ("the 1990s", "1990", "en", "zh", "1990年代"),
        ("Add ½ cup.", "Ajoutez une demi-tasse.", "en", "fr", "Ajoutez une demi-tasse."),
        ("1990年10月3日9:05开始。", "It began 1990年10月3日9:05.", "zh", "en", "It began October 3, 1990 9:05."),
    ],
)  # fmt: skip
def test_amounts_and_centuries_are_put_right(source: str, answer: str, src: str, dst: str, wanted: str) -> None:
    assert judged(source, answer, src, dst) == (wanted, [])


def test_a_part_of_one_is_not_lost() -> None:
    assert judged("Add ½ tsp.", "Ajoutez une tasse.", "en", "fr")[1] == ["digits"]
    assert judged("Only 3 out of 10.", "只有三十。", "en", "zh")[1] == ["digits"]


def test_a_number_that_becomes_millions_is_refused() -> None:
    assert judged("a $20 bill", "un 20 milliard", "en", "fr")[1] == ["digits"]
    assert judged("20 million people", "20 millions de personnes", "en", "fr")[1] == []
    assert judged("2万人", "20 thousand people", "zh", "en")[1] == []


def test_a_token_with_a_digit_too_many_is_the_token() -> None:
    mask = mask_of("Ask %s and %d.", [(4, 6), (11, 13)], "X{}")
    assert mask.lift("Demandez à X11 et X2.") == "Demandez à %s et %d."
    assert mask.lift("Demandez à X12.") == mask.lift("Demandez à X11 et X11 ou X13, X2.") == ""


def test_parts_of_chinese_become_words_of_one_sentence() -> None:
    """Each part is asked by itself; blanks, small letters and the full stop make a sentence of them."""
    parts = {"开始": "The beginning.", "人住在这里。": "People live here.", "或": "or"}

    def nbest(sentences: list[str]) -> list[list[str]]:
        return [[parts.get(sentence, "?")] for sentence in sentences]

    def translate(text: str) -> str:
        return translate_texts([text], nbest, source="zh", target="en")[0].text

    assert translate("开始AB-12345人住在这里。") == "The beginning AB-12345 people live here."
    assert "或" not in translate("开始AB-12345或CD-67890人住在这里。")


@pytest.mark.parametrize(
    ("word", "language", "name"),
    [
        ("紧急出口", "zh", False),
        ("不再显示", "zh", False),
        ("Ausverkauft", "de", False),
        ("Adebayo", "de", True),
        ("Berlin", "en", True),
    ],
)
def test_a_chinese_or_german_label_is_no_name(word: str, language: str, name: bool) -> None:
    assert case.is_name(word, language) == name


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "wanted"),
    [
        ("We left last Thursday.", "Nous sommes partis vendredi dernier.", "en", "fr", "Nous sommes partis jeudi dernier."),
        ("Open Monday to Friday.", "Ouvert du lundi à Friday.", "en", "fr", "Ouvert du lundi à vendredi."),
        ("Since last Thursday.", "自上周三以来。", "en", "zh", "自上周四以来。"),
        ("Twice a week, on Monday.", "每周一次，星期二。", "en", "zh", "每周一次，星期一。"),
        ("Am Samstagabend.", "On Sunday evening.", "de", "en", "On Saturday evening."),
        ("CERRADO LOS DOMINGOS", "CLOSED DOMINGOS", "es", "en", "CLOSED SUNDAYS"),
        ("Le 3 octobre 1990", "On November 3, 1990", "fr", "en", "On October 3, 1990"),
        ("May I come in March?", "Puis-je venir en mai ?", "en", "fr", "Puis-je venir en mars\u00a0?"),
        ("Il parle mais ne lit pas.", "He speaks but does not read.", "fr", "en", "He speaks but does not read."),
        ("Weder Hans noch Maria kommt.", "Neither Hans nor Mary comes.", "de", "en", "Neither Hans nor Maria comes."),
        ("I met John.", "J'ai rencontré Jean.", "en", "fr", "J'ai rencontré John."),
        ("San Juan y el rey Carlos", "Saint John and king Charles", "es", "en", "Saint John and king Charles"),
        ("On 15 March 2024.", "Am 15 März 2024.", "en", "de", "Am 15. März 2024."),
        ("On May 5th, 2023.", "Le 5. mai 2023.", "en", "fr", "Le 5 mai 2023."),
        ("Dear Ms. Kovács,", "Dear Ms. Kovács,", "en", "es", "Dear Sra. Kovács,"),
        ("May 2024", "2024 5月", "en", "zh", "2024 5月"),
        ("Außer Frau Nguyen sah es niemand.", "Nobody but a woman Nguyen saw it.", "de", "en", "Nobody but Mrs. Nguyen saw it."),
        ("Meine Frau Anna sah es.", "My wife Anna saw it.", "de", "en", "My wife Anna saw it."),
        ("Mr. Fernández is out.", "S. Fernández no está.", "en", "es", "Sr. Fernández no está."),
        ("May I march?", "Puis-je marcher ?", "en", "fr", "Puis-je marcher\u00a0?"),
        ("We go in May.", "我们5月去。", "en", "zh", "我们5月去。"),
        ("On May 5th, 2023.", "在May 5th, 2023。", "en", "zh", "在2023年5月5日。"),
        ("Mrs. O'Neill is here.", "M. O'Neill est ici.", "en", "fr", "Mme O'Neill est ici."),
        ("Is it Mr. Nakamura?", "¿Es Mr. Nakamura?", "en", "es", "¿Es el Sr. Nakamura?"),
        ("La Sra. Ibarretxe empezó.", "The Sra. Ibarretxe began.", "es", "en", "Mrs. Ibarretxe began."),
        ("Mr. Nakamura is here.", "M. Nakamura 在这里。", "en", "zh", "Nakamura先生在这里。"),
    ],
)  # fmt: skip
def test_days_months_and_titles_are_those_of_the_source(
    source: str, answer: str, src: str, dst: str, wanted: str
) -> None:
    assert judged(source, answer, src, dst)[0] == wanted


def test_a_day_that_is_lost_is_asked_for() -> None:
    """It is asked for again with a token in its place, and the word that comes back becomes that of the target language."""
    assert judged("Closed on Monday.", "C'est fermé.", "en", "fr") == ("C'est fermé.", ["names"])
    assert judged("The sun is hot.", "Le soleil est chaud.", "en", "fr")[1] == []

    def nbest(sentences: list[str]) -> list[list[str]]:
        return [["X1 ist es zu." if "X1" in sentence else "Es ist zu."] for sentence in sentences]

    assert translate_texts(["It is closed on Monday."], nbest, source="en", target="de")[0].text == "Montag ist es zu."


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "doubts"),
    [
        ("He is late, isn't he?", "Il est en retard, n'est-ce pas ?", "en", "fr", []),
        ("Tu le veux, non ?", "You want it, don't you?", "fr", "en", []),
        ("Je parle mais tard.", "I speak but late.", "fr", "en", []),
        ("Run `pip install it` now.", "Exécutez `pip install it` maintenant.", "en", "fr", []),
        ("<%= count %> of them.", "<%= count %> d'entre eux.", "en", "fr", []),
        ("如果下雨，我们就在家，否则去湖边。", "If it rains, we stay; else we go to the lake.", "zh", "en", []),
        ("你有没有时间？", "Do you have time?", "zh", "en", []),
        ("我没有时间。", "I have time.", "zh", "en", ["negation"]),
        ("Terms and conditions", "Conditions et conditions", "en", "fr", ["repeated"]),
        ("She said, “I know,” and left.", "Elle dit : « Je sais. »", "en", "fr", ["length"]),
        ("Hello Ann, come in.", "Hello Ann, entrez.", "en", "fr", ["untranslated"]),
        ('"Hi, I am Ann," she said.', "« Hi, je suis Ann », dit-elle.", "en", "fr", ["untranslated"]),
        ("HOUSE FOR SALE", "HOUSE ZUM VERKAUF", "en", "de", ["untranslated"]),
        ("House for sale", "House zum Verkauf", "en", "de", ["untranslated"]),
    ],
)
def test_what_is_doubtful(source: str, answer: str, src: str, dst: str, doubts: list[str]) -> None:
    assert Checks(source, "", [], Style(src, dst)).judge(answer, {}).doubts == doubts


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "faults"),
    [
        ("It was boring.", "这是 langweilig。", "en", "zh", ["untranslated"]),
        ("Emma is here.", "Emma在这里，Dnight。", "en", "zh", ["untranslated"]),
        ("He is in Davos.", "他在达vos。", "en", "zh", ["names", "untranslated"]),
        ("It weighs 5 kg on my iPhone.", "我的iPhone上显示5 kg。", "en", "zh", []),
        ("请打电话或写信。", "Please call 或 write.", "zh", "en", ["untranslated"]),
        ("“红”是颜色。", "“红” is a colour.", "zh", "en", []),
    ],
)
def test_words_of_a_third_language_are_refused(source: str, answer: str, src: str, dst: str, faults: list[str]) -> None:
    assert judged(source, answer, src, dst)[1] == faults


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "wanted"),
    [
        (
            "Is it true that Mr. Poe came?",
            "Es verdad que el Sr. Poe vino?",
            "en",
            "es",
            "¿Es verdad que el Sr. Poe vino?",
        ),
        (
            "Not copied to %1!s!: denied.",
            "¡No se copió a %1!s!: ¡denegado.",
            "en",
            "es",
            "No se copió a %1!s!: denegado.",
        ),
        ("Is it 3.11?", "Es 3.11?", "en", "es", "¿Es 3,11?"),
    ],
)
def test_marks_turned_round_come_in_pairs(source: str, answer: str, src: str, dst: str, wanted: str) -> None:
    assert judged(source, answer, src, dst)[0] == wanted


def test_no_more_marks_at_the_end_than_the_source_has() -> None:
    assert [finish("What?!", text, "fr") for text in ("Quoi?!!!", "Quoi ?!")] == ["Quoi?!", "Quoi ?!"]
    assert finish("¡¿Qué?!", "什么？！！", "zh") == "什么？！"


def test_a_blank_after_a_tag_and_a_face() -> None:
    assert judged("<b>注意：</b>好", "<b> Note:</b> Good", "zh", "en")[0] == "<b>Note:</b> Good"
    assert judged("See you :-)", "Bis bald:-)", "en", "de")[0] == "Bis bald :-)"


@pytest.mark.parametrize(
    ("source", "answer", "wanted"),
    [
        ('"Tout va bien" means all is well.', "« De va bien » signifie que tout va bien.", ["names"]),
        ('The word "serendipity" is long.', "Le mot « sérendence » est long.", ["names"]),
        ('He said "come in" twice.', "Il a dit deux fois « entrez ».", []),
    ],
)
def test_a_quotation_in_another_language_stays(source: str, answer: str, wanted: list[str]) -> None:
    assert judged(source, answer, "en", "fr")[1] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("第 404 页 (new) 在 Davos 这里", "第404页(new)在Davos这里"),
        ("写到 a@b.org 或 https://a.org/b 这里", "写到 a@b.org 或 https://a.org/b 这里"),
        ("奥尔加住在 Gdańsk 年，电话 0800 123 456 年。", "奥尔加住在Gdańsk，电话0800 123 456。"),
        ("他10 岁，在2023 年。", "他10岁，在2023年。"),
        ("谈论星期二, 4月9日.", "谈论星期二，4月9日。"),
        ("用户%1!s!是 :smile: 的:ref:`guide`。", "用户%1!s!是 :smile: 的:ref:`guide`。"),
        ("“你好，Ann,”，她说。", "“你好，Ann”，她说。"),
        ("做到 /home/me.", "做到 /home/me。"),
        ("编辑.{{/if}}你好 %name%, 欢迎", "编辑。{{/if}}你好 %name%，欢迎"),
    ],
)
def test_chinese_beside_latin_letters(text: str, wanted: str) -> None:
    assert joined(text) == wanted


def test_a_label_gets_no_capitals_of_a_title() -> None:
    asked = case.Asked("Neue nachricht an google", "neue nachricht an google", "small")
    assert asked.restore("New Message to Google", "en") == "new message to Google"
    assert asked.restore("Neuer Titel", "de") == "neuer Titel"


def test_a_german_title_has_no_names_by_its_capitals() -> None:
    assert [one.kind for one in Names("Nicht Berühren", "de", "en").names] == ["possible"]
    assert [one.kind for one in Names("Kommt Anna Adebayo?", "de", "en").names] == ["name", "name"]


def test_a_sentence_of_tokens_alone_is_not_asked() -> None:
    asked: list[str] = []

    def nbest(sentences: list[str]) -> list[list[str]]:
        asked.extend(sentences)
        return [["nothing of it"] for _ in sentences]

    translate_texts(["AB-12345, CD-12345"], nbest, source="en", target="fr")
    assert not any(re.fullmatch(r"[\WX\d]+", sentence) for sentence in asked)


def test_acronyms_of_a_list_are_no_words_in_capitals() -> None:
    words = Words(
        pack({"en-fr": {"OK": "okay", "TV": "télévision", "no": "non", "No": "Nô", "DOG": "Chien", "Dog": "chien"}})
    )
    assert [words.find(text, "en", "fr") for text in ("OK", "TV", "NO", "DOG")] == [
        "Okay",
        "Télévision",
        "NON",
        "CHIEN",
    ]


def test_a_name_that_the_net_guesses_at_is_lost() -> None:
    known = {"Playstation": [Candidate("Jouabilité", -1.2), Candidate("Jouage", -1.3)]}
    answer = "Elle travaille pour le Jouage."
    assert Names("She works for Playstation.", "en", "fr").check(answer, known=known).missing
    sure = {"Playstation": [Candidate("Jouabilité", -0.3), Candidate("Jouage", -1.3)]}
    assert not Names("She works for Playstation.", "en", "fr").check(answer, known=sure).missing


def test_a_number_with_a_nought_before_it_is_no_word() -> None:
    assert judged("on the second page 02 40", "auf der zweiten Seite 02 40 02", "en", "de")[1] == ["digits"]
    assert judged("on the second page", "auf Seite 2", "en", "de")[1] == []


def test_a_word_on_a_line_of_its_own_is_looked_up() -> None:
    known = {"Hello": "Bonjour", "Monday": "lundi"}
    asked: list[str] = []

    def nbest(sentences: list[str]) -> list[list[str]]:
        asked.extend(sentences)
        return [["Traduit."] for _ in sentences]

    found = translate_texts(
        ["Hello\n\nIt is late.\n- Monday", "Hello"], nbest, source="en", target="fr", lists=Lists(known.get)
    )
    assert [one.text for one in found] == ["Bonjour\n\nTraduit.\n- lundi", "Traduit"]
    assert asked == ["It is late.", "Hello"]


def test_a_plural_beside_its_own_number_is_a_message() -> None:
    message = icu.parse("{n} new {n, plural, one {mail} other {mails}}.")
    assert message is not None and message.texts == ["{n} new {n_1}.", "mail", "mails"]
    answer = message.render(["{n} nouveaux {n_1}.", "courriel", "courriels"], "fr")
    assert answer == "{n} nouveaux {n, plural, one {courriel} other {courriels}}."


def test_a_message_that_cannot_be_read_stays() -> None:
    broken = "{n, plural, one {a mail} other {mails} and more"
    found = translate_texts(
        [broken, "mails"], lambda texts: [[text.upper()] for text in texts], source="en", target="fr"
    )
    assert [(one.text, one.status) for one in found] == [(broken, "kept"), ("MAILS", "translated")]


def test_a_name_between_two_signs_is_a_placeholder() -> None:
    assert placeholders.find("@@user@@ has left") == ["@@user@@"]


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "doubts"),
    [
        ("Twenty-three people came.", "Zwenty-Dree Leute kamen.", "en", "de", ["digits"]),
        ("Twenty-three people came.", "Es kamen 23 Leute.", "en", "de", []),
        ("Il a quatre-vingt-dix ans.", "He is eighty years old.", "fr", "en", ["digits"]),
        ("Il a quatre-vingt-dix ans.", "He is ninety years old.", "fr", "en", []),
        ("Tiene treinta y cinco perros.", "He has thirty-five dogs.", "es", "en", []),
        ("Er ist dreiundfünfzig.", "He is thirty-five.", "de", "en", ["digits"]),
        ("她今年三十五岁。", "She's thirty-one years old.", "zh", "en", ["digits"]),
        ("二十世纪的第三十天", "the thirtieth day of it", "zh", "en", ["digits"]),
        ("Son las tres menos quince.", "It's a quarter to three.", "es", "en", []),
        ("It is twenty times bigger.", "Es ist zwanzigmal größer.", "en", "de", []),
        ("Um halb neun.", "At nine.", "de", "en", ["digits"]),
        ("Um halb neun.", "At 8:30.", "de", "en", []),
        ("Two hundred twenty men.", "Deux cents hommes.", "en", "fr", []),
    ],
)
def test_numbers_in_words(source: str, answer: str, src: str, dst: str, doubts: list[str]) -> None:
    assert [one for one in judged_doubts(source, answer, src, dst) if one == "digits"] == doubts


def judged_doubts(source: str, answer: str, src: str, dst: str) -> list[str]:
    return Checks(source, "", [], Style(src, dst)).judge(answer, {}).doubts


def test_half_hours() -> None:
    assert judged("We eat at half past seven.", "Wir essen um halb sieben.", "en", "de")[0] == "Wir essen um halb acht."
    assert judged("Half of it.", "Die Hälfte davon.", "en", "de")[0] == "Die Hälfte davon."


def test_single_marks_around_an_apostrophe() -> None:
    """A net is asked with double marks; its answer gets single ones back, as the language writes them."""
    assert (
        judged("He said: 'Don't go!'", "Il a dit : « Ne va pas ! »", "en", "fr")[0]
        == "Il a dit\u00a0: 'Ne va pas\u00a0!'"
    )
    assert judged("He said: 'Don't go!'", 'Er sagte: "Geh nicht!"', "en", "de")[0] == "Er sagte: ‚Geh nicht!‘"
    assert [p.text for p in split("See no. C02X. I said no. Come.")] == ["See no. C02X.", "I said no.", "Come."]


def test_a_quotation_that_stays_is_no_word_left() -> None:
    assert judged_doubts('"Tout va bien" is French.', "„Tout va bien“ ist Französisch.", "en", "de") == []


def test_what_is_left_of_a_name_is_no_translation() -> None:
    known = {"Yilmaz": [Candidate("Yerlmaz", -0.7), Candidate("Y", -1.6)]}
    assert Names("I saw Yilmaz here.", "en", "fr").check("J'ai vu Y Sholm ici.", known=known).missing
    assert judged("Use iOS 17.2 now.", "Utilisez iOS 17.2.", "en", "fr")[0] == "Utilisez iOS 17.2."
    assert joined("电话+90 212 555 , 你") == "电话+90 212 555，你"
