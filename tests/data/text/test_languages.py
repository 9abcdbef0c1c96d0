"""The language identifier: right on sentences, silent on everything else."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamella.data.text.languages import NAMES, base_code, guess, scores

# One paragraph a language, written for this test: the same few everyday sentences.
TEXTS = {
    "en": "The weather was so bad that we did not go to the beach, but all of us had a good time at home. What would you "
    "like to do if it rains again? There is a book on the table that you can read, and some tea for us.",
    "fr": "Le temps était si mauvais que nous ne sommes pas allés à la plage, mais tout le monde a passé une bonne "
    "journée avec nous. Que voulez-vous faire si la pluie revient ? Il y a un livre sur la table et du thé pour vous.",
    "de": "Das Wetter war so schlecht, dass wir nicht an den Strand gegangen sind, aber es war auch zu Hause schön. Was "
    "willst du machen, wenn es wieder regnet? Auf dem Tisch ist ein Buch für dich und eine Tasse Tee mit Milch.",
    "es": "El tiempo era tan malo que no fuimos a la playa, pero todos lo pasamos muy bien en casa. ¿Qué quieres hacer "
    "si llueve otra vez? Hay un libro sobre la mesa para usted y también un poco de té con leche, como siempre.",
    "it": "Il tempo era così brutto che non siamo andati alla spiaggia, ma è stato bello anche a casa con gli amici. Che "
    "cosa vuoi fare se piove ancora? C'è un libro sul tavolo della cucina e del tè per tutti, come nella vecchia casa.",
    "pt": "O tempo estava tão mau que não fomos à praia, mas todos passaram um bom dia em casa com os amigos. O que você "
    "quer fazer se chover mais uma vez? Há um livro na mesa para ele, e também um pouco de chá, como já é costume.",
    "nl": "Het weer was zo slecht dat we niet naar het strand zijn gegaan, maar het was ook thuis heel leuk. Wat wil je "
    "doen als het weer gaat regenen? Er ligt een boek op de tafel voor je en we hebben nog wat thee met melk.",
    "sv": "Vädret var så dåligt att vi inte åkte till stranden, men det var också trevligt här hemma. Vad vill du göra om "
    "det regnar igen? Det finns en bok på bordet som du kan läsa, och vi har lite te för alla som är med.",
    "pl": "Pogoda była tak zła, że nie poszliśmy na plażę, ale w domu też było miło i nikt się nie nudził. Co chcesz robić, "
    "jeśli znowu będzie padać? Na stole jest książka dla ciebie oraz trochę herbaty, bo to już jak zwyczaj po obiedzie. "
    "Można także iść do kina, które jest przy rynku, lub przez park za rzekę.",
    "cs": "Počasí bylo tak špatné, že jsme nešli na pláž, ale i doma to bylo hezké. Co chceš dělat, když bude zase pršet? "
    "Na stole je kniha, kterou si můžete přečíst, a trochu čaje pro všechny, jak je už u nás zvykem. Není to od nás "
    "daleko do kina, ale po dešti se tam nedá jít, protože za mostem je voda. Tento dům jsem koupil až letos.",
    "ru": "Погода была такая плохая, что мы не пошли на пляж, но дома было тоже хорошо. Что вы будете делать, если опять "
    "пойдёт дождь? На столе есть книга, которую он читал, и чай для всех. Это как у нас на даче, только без моря, но "
    "так же тихо. Я бы из дома не выходил, когда на улице вода. Может быть, они уже приехали за нами по этой дороге.",
    "uk": "Погода була така погана, що ми не пішли на пляж, але вдома також було добре. Що ви будете робити, якщо знову "
    "піде дощ? На столі є книга, яку він читав, і чай для всіх. Це як у нас на дачі, тільки без моря. Я б з дому не "
    "виходив, коли на вулиці вода, або ні? Може, вони вже приїхали за нами. Та чи буде де сісти, ще не знаю, бо їх є п'ять.",
    "ja": "天気がとても悪かったので、私たちは海へ行きませんでした。また雨が降ったら何をしたいですか。机の上に本があります。",
    "zh": "天气太坏了，所以我们没有去海边，但是大家在家里也过得很好。如果再下雨你想做什么？桌子上有一本书，还有一些茶给大家喝。",
    "ko": "날씨가 너무 나빠서 우리는 바다에 가지 않았지만 집에서도 즐거웠습니다. 다시 비가 오면 무엇을 하고 싶습니까? 책상 위에 책이 있습니다.",
}


def sentences(text: str) -> list[str]:
    return text.replace("? ", "?\n").replace(". ", ".\n").split("\n")


@pytest.mark.parametrize("code", TEXTS)
def test_paragraphs(code):
    found, confidence = guess(sentences(TEXTS[code]))
    assert found == code and 0.3 < confidence <= 1
    by_score = scores(TEXTS[code])
    assert max(by_score, key=by_score.__getitem__) == code and set(by_score) == set(NAMES)


INTERFACE = [
    "Open", "Save as...", "_File", "Edit", "Cancel", "OK", "Print preview", "Error: %s", "Zoom in", "Help", "No", "Undo",
    "Select all", "About", "Version 2.0", "Settings", "Log in", "Password:", "User name", "Exit", "en", "de", "la", "Menu",
]  # fmt: skip


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["12", "%s", "<b></b>", "http://www.example.org/de/la/que"],
        INTERFACE,
        INTERFACE * 50,
        ["Fichier", "Ouvrir", "Enregistrer sous", "Annuler", "Aide", "Quitter"],
        ["Hello"],
        ["東京"],
        ["toki! mi jan pona. sina pona ala pona e tomo mi? ona li lon tomo la mi tawa."] * 20,
        ["La hundo estas en la domo kaj la kato ne volas veni al ni, sed mi vidas ĝin de tie."] * 20,
        ["Cuaca sangat buruk sehingga kami tidak pergi ke pantai, tetapi semua orang senang di rumah."] * 20,
        ["Az idő olyan rossz volt, hogy nem mentünk a strandra, de otthon is jól éreztük magunkat."] * 20,
        ["Ο καιρός ήταν τόσο κακός που δεν πήγαμε στην παραλία, αλλά περάσαμε καλά στο σπίτι."] * 20,
    ],
)
def test_silent_when_unsure(texts):
    assert guess(texts) == (None, 0.0)


@pytest.mark.parametrize("code", [code for code in TEXTS if code not in ("ja", "zh", "ko", "ru", "uk")])
def test_made_up_languages(code):
    text = sentences(TEXTS[code])
    assert guess([codecs.encode(line, "rot13") for line in text])[0] is None
    assert guess([" ".join(word[::-1] for word in line.split()) for line in text])[0] is None


def test_syllables():
    rng = random.Random(0)
    syllables = [consonant + vowel for consonant in "ptkbdgmnlrs" for vowel in "aeiou"] + list("aeiou")
    for size in (5, 50, 500):
        lines = [" ".join("".join(rng.choices(syllables, k=rng.randint(1, 3))) for _ in range(9)) for _ in range(size)]
        assert guess(lines) == (None, 0.0)


def test_mixed_sets():
    english, french = sentences(TEXTS["en"]), sentences(TEXTS["fr"])
    assert guess(english + french)[1] < 0.7
    assert guess([*sentences(TEXTS["zh"]), "Debian GNU/Linux"])[0] == "zh"


def test_codes():
    assert [base_code(code) for code in ("PT_br", "zh-Hans", "sr@latin", "nn", "fr.UTF-8")] == [
        "pt",
        "zh",
        "sr",
        "nb",
        "fr",
    ]
    assert all(base_code(code) == code for code in NAMES)


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=10))
def test_never_fails(texts):
    code, confidence = guess(texts)
    assert (code is None and confidence == 0) or (code in NAMES and 0 < confidence <= 1)
    assert all(0 <= share <= 1 for share in scores(" ".join(texts)).values())
