"""Dictionaries: words that a net copied or lost, texts that it does not know; clauses, hours, moneys and marks that vanish."""

from pathlib import Path

import pytest

from lamella.errors import ModelError
from lamella.tasks.translation import clauses, closed, counts, lexical, times
from lamella.tasks.translation.checks import Checks, Style
from lamella.tasks.translation.confidence import Evidence
from lamella.tasks.translation.dictionary import Dictionaries, Dictionary, compound, instead, pack
from lamella.tasks.translation.glossary import read_glossary
from lamella.tasks.translation.guard import Lists, translate_texts
from lamella.tasks.translation.names import Names
from lamella.tasks.translation.numbers import Numbers
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.soundness import doubts, finish
from lamella.tasks.translation.typography import set_marks
from lamella.tasks.translation.wording import worded

FRENCH = Dictionary(
    "oven\tfour\nbug\tinsecte\nflour\t!farine\nkingdom\troyaume\ntenant\tlocataire\nwater\teau\napple\tpomme|apple"
)
ENGLISH = Dictionary(
    "mieter\ttenant\nmiete\t!rent\nnotausgang\temergency exit|fire escape\nmaria\tMary\nsonne\tsun\nblume\tflower\nbrot\tbread"
)


def test_dictionaries_are_packed_by_direction_and_other_bytes_are_refused() -> None:
    packed = pack({"en-fr": {"soap": "!savon|soap"}, "fr-en": {"savon": "soap"}})
    found = Dictionaries(packed)
    soap = found.of("en-US", "fr")
    assert soap is not None and soap.find("SOAP") == ["savon", "soap"] and soap.sure("Soap") and soap.gives("Savons")
    assert len(soap) == 1 and found.of("en", "de") is None and soap.find("soap\n") == []
    for broken in (b"", b"no\nlist", packed[:-4] + b"abcd", packed[: len(packed) - 9], b"en-fr 9\n123456789"):
        with pytest.raises(ModelError, match="dictionary"):
            Dictionaries(broken).of("fr", "en")
            Dictionaries(broken).of("en", "fr")


@pytest.mark.parametrize(
    ("source", "answer", "wanted"),
    [
        ("Clean the oven.", "Nettoyez l'oven.", "Nettoyez le four."),
        ("It fixes two bugs.", "Cela corrige deux bugs.", "Cela corrige deux insectes."),
        ("a cup of water", "une tasse de water", "une tasse d'eau"),
        ("Oven on.", "Oven allumé.", "Four allumé."),
        ("the United Kingdom", "l'Unité Kingdom", "l'Unité Kingdom"),  # a name, or half of one
        ("an apple", "une apple", "une apple"),  # its own translation
        ("Ask the tenant.", "Demandez à la tenantée.", "Demandez à la locataire."),
    ],
)
def test_a_copied_word_gets_its_translation(source: str, answer: str, wanted: str) -> None:
    assert lexical.mended(source, answer, [], FRENCH, "en", "fr") == wanted


def test_nouns_of_german_are_translated_and_names_stay() -> None:
    answer = "Maria is a Mieter and pays the Miete."
    source = "Maria ist Mieter und zahlt die Miete."
    assert lexical.mended(source, answer, [], ENGLISH, "de", "en") == "Maria is a tenant and pays the rent."
    assert lexical.mended(source, answer, [(10, 16)], ENGLISH, "de", "en") == "Maria is a Mieter and pays the rent."
    assert lexical.lost("Die Miete steigt.", "The meat rises.", [], ENGLISH, "de", "en") == [(4, 9)]
    assert lexical.lost("Der Mieter geht.", "The renter goes.", [], ENGLISH, "de", "en") == []  # may have other names


def test_a_lost_word_is_a_doubt_and_another_candidate_is_taken() -> None:
    lists = Lists(None, FRENCH)
    found = translate_texts(
        ["Sift the flour."],
        lambda texts: [["Tamisez la fleur.", "Tamisez la farine."] for _ in texts],
        source="en", target="fr", lists=lists,
    )[0]  # fmt: skip
    assert (found.text, found.doubts) == ("Tamisez la farine.", [])
    only = Checks("Sift the flour.", "", [], Style("en", "fr", dictionary=FRENCH)).judge("Tamisez la fleur.", {})
    assert only.doubts == ["words"]


@pytest.mark.parametrize(
    ("text", "net", "mean", "wanted"),
    [
        ("NOTAUSGANG", "DEPARTMENT", -3.0, "EMERGENCY EXIT"),
        ("Notausgang!", "Fire escape!", -0.8, "Fire escape!"),  # the dictionary has it too
        ("Notausgang", "Way out", -0.05, "Way out"),  # the net is sure
        ("Notausgang", "Notausgang", -0.05, "Emergency exit"),  # of a copy
        ("Sonnenblumenbrot", "Sunglass", -1.0, "Sun flower bread"),
        ("Sonnenblumenbrot", "Sunflower bread", -0.5, "Sunflower bread"),
        ("Der Mieter zahlt.", "The miter pays.", -1.0, "The miter pays."),
    ],
)
def test_a_word_of_which_the_net_is_unsure_is_looked_up(text: str, net: str, mean: float, wanted: str) -> None:
    found = instead(text, Outcome(net, "translated", evidence=Evidence(mean, 10)), ENGLISH, "de", "en")
    assert found.text == wanted
    assert (found.status == "dictionary") == (wanted != net)
    assert instead(text, Outcome(net, "remembered"), ENGLISH, "de", "en").text == net
    assert compound("Sonnenxyz", ENGLISH) == []


def test_a_clause_that_vanishes_is_doubted() -> None:
    whole = "The train was late and I missed my connection, so I took a taxi to the airport."
    assert clauses.lost(whole, "Le train était en retard.", "en", "fr")
    assert not clauses.lost(whole, "Le train avait du retard, j'ai raté ma correspondance et pris un taxi.", "en", "fr")
    assert clauses.lost("火车晚点了，我错过了转车，所以打车去了机场。", "The train was late.", "zh", "en")
    assert "length" in doubts(whole, "Der Zug kam zu spät, also fuhr ich.", "en", "de")


@pytest.mark.parametrize(
    ("source", "answer", "src", "dst", "wanted"),
    [
        ("Ouvert de 9 h à 17 h 30.", "Open 9 h to 17 h 30.", "fr", "en", "Open 9:00 to 17:30."),
        ("Rendez-vous à 15h30.", "Appointment at 15h30.", "fr", "en", "Appointment at 15:30."),
        ("Nach 18 Uhr anrufen.", "Call after 18 Uhr.", "de", "en", "Call after 18:00."),
        ("Geöffnet Mo-Fr 9-17 Uhr.", "Open Mo-Fr 9-17.", "de", "en", "Open Mon-Fri 9-17."),
        ("Open Mon-Fri 9-5", "Ouvert Mon-Fri 9-5", "en", "fr", "Ouvert lun.-ven. 9-5"),
        ("El 3.º piso", "The 3.rd floor", "es", "en", "The 3rd floor"),
        ("the 12th day", "le 12 ième jour", "en", "fr", "le 12e jour"),
    ],
)
def test_hours_days_and_ordinals(source: str, answer: str, src: str, dst: str, wanted: str) -> None:
    assert Checks(source, "", [], Style(src, dst)).judge(answer, {}).text == wanted


def test_a_duration_is_no_hour() -> None:
    assert not list(times.hours("pendant 48 h, puis 24 h", "fr", "en"))
    assert Numbers("24 h/24", "fr", "en").constants[0].text == "24"


def test_moneys_are_those_of_the_source() -> None:
    assert times.with_money("5 Euro", "5 yen", "de", "en") == "5 euros"
    assert times.with_money("5 Euro, 6 Yen", "5 yen, 6 yen", "de", "en") == "5 yen, 6 yen"
    assert times.with_money("€5 a book", "5 euros le livre", "en", "fr") == "5 euros le livre"


def test_days_and_months_of_no_source_are_doubted() -> None:
    assert closed.alien("in the week", "am Montag", "en", "de") and not closed.alien("on Mon", "am Montag", "en", "de")
    assert counts.lost("他得了第十一名。", "He came first.", "zh", "en")
    assert not counts.lost("他得了第十一名。", "He came in 11th.", "zh", "en")


@pytest.mark.parametrize(
    ("source", "answer", "target", "wanted"),
    [
        ("Call me.", "Appelle-moi ?", "fr", "Appelle-moi."),
        ("Call me at 5", "Appelle-moi ? 5", "fr", "Appelle-moi 5"),
        ("No way!!! Really?", "Non ! !! Vraiment ?", "fr", "Non !!! Vraiment ?"),
    ],
)
def test_a_statement_asks_nothing(source: str, answer: str, target: str, wanted: str) -> None:
    assert finish(source, answer, target) == wanted


def test_quotations_within_quotations() -> None:
    source = 'Elle a dit : « Je sais que "peut-être" suffit. »'
    assert set_marks(source, 'She said: "I know that "maybe" is enough."', "fr", "en").text == (
        "She said: “I know that ‘maybe’ is enough.”"
    )
    lost = Checks("He said, \"Say 'maybe' now.\"", "", [], Style("en", "fr")).judge("Il dit : « Dites-le. »", {})
    assert "marks" in lost.doubts


def test_abbreviations_of_number_are_asked_as_words() -> None:
    assert worded("facture n° 12, Nr. 3", "fr") == "facture numéro 12, Nr. 3"
    assert worded("Rechnung Nr. 12", "de") == "Rechnung Nummer 12" and worded("n.º 45", "es") == "número 45"


def test_set_phrases_within_a_text_and_to_somebody() -> None:
    known = {"Happy birthday!": "Joyeux anniversaire !", "Happy birthday": "Joyeux anniversaire", "See you": "À plus"}
    asked: list[str] = []

    def nbest(texts: list[str]) -> list[list[str]]:
        asked.extend(texts)
        return [["Traduit."] for _ in texts]

    texts = ["Happy birthday! Come in.", "Happy birthday, Zoé! 🎉", "New York", "I see you :) See you ;-)"]
    found = translate_texts(texts, nbest, source="en", target="fr", lists=Lists(known.get))
    assert [one.text for one in found][:2] == ["Joyeux anniversaire ! Traduit.", "Joyeux anniversaire, Zoé\u00a0! 🎉"]
    assert asked == ["Come in.", "New York", "I see you"] and found[3].text.endswith(" :) À plus ;-)")


def test_placeholders_and_terms_of_a_glossary_are_no_words(tmp_path: Path) -> None:
    style = Style("en", "fr", dictionary=FRENCH)
    found = Checks("Clean the oven {oven} of <b id='oven'>x</b>.", "", [], style)
    assert found.judge("Nettoyez le oven {oven} de <b id='oven'>x</b>.", {}).text == (
        "Nettoyez le four {oven} de <b id='oven'>x</b>."
    )
    (tmp_path / "t.tsv").write_text("oven\toven\n")
    terms = read_glossary(str(tmp_path / "t.tsv"), "fr")
    lists = Lists(None, FRENCH)
    one = translate_texts(
        ["Clean the oven."], lambda _: [["Nettoyez le oven."]], source="en", target="fr", glossary=terms, lists=lists
    )
    assert one[0].text == "Nettoyez l'oven."


def test_a_message_in_a_batch_changes_nothing_for_the_others() -> None:
    known = {"Happy birthday!": "Joyeux anniversaire !"}
    lists = Lists(known.get, FRENCH)

    def nbest(texts: list[str]) -> list[list[str]]:
        return [["Nettoyez le oven." if "oven" in text else "Traduit."] for text in texts]

    texts = ["Happy birthday! Come in.", "Clean the oven."]
    alone = [translate_texts([text], nbest, source="en", target="fr", lists=lists)[0] for text in texts]
    message = "{n, plural, one {# day} other {# days}}"
    assert translate_texts([*texts, message], nbest, source="en", target="fr", lists=lists)[:2] == alone


def test_german_nouns_behind_an_article_are_no_names() -> None:
    table = Dictionary("miete\trent\nschneider\ttailor")
    style = Style("de", "en", dictionary=table)
    assert "rent" in Checks("Die Miete steigt.", "", [], style).judge("The Miete rises.", {}).text
    assert "Schneider" in Checks("Gestern kam Schneider.", "", [], style).judge("Yesterday Schneider came.", {}).text


def test_signs_of_programs_runs_of_marks_and_initials() -> None:
    checks = Checks("make && make test", "", [], Style("en", "fr"))
    assert checks.judge("make & test", {}).faults == ["marks"] and not checks.judge("make && teste", {}).faults
    assert finish("Over an hour!!!", "Plus d'une heure !!", "fr").endswith("heure !!!")
    names = Names("The U.S. dollar fell.", "en", "fr").check("L'U. le dollar.", known={"U.S.": ["L'U.", "U.S."]})
    assert names.missing == [(4, 8)]


def test_half_a_letter_is_in_no_dictionary():
    assert Dictionaries(pack({"en-de": {"soap": "Seife"}})).of("en", "de").find("so\ud83dap") == []
