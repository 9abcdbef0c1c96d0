"""Simple language detection, enough to notice swapped columns or a wrong file; it says nothing when unsure.

Some twenty languages with nothing but their commonest words and their letters: no model, no download, about 10 µs a line.
Languages outside the list, made-up ones, and short interface strings ("Open", "Save as...") get no answer: a false
alarm on someone's good data costs more than a missed one.

    code, confidence = guess(lines)
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from lamella.data.text.lazy import lazy

NAMES: dict[str, tuple[str, ...]] = {
    "en": ("English",),
    "fr": ("French", "français"),
    "de": ("German", "Deutsch"),
    "es": ("Spanish", "español", "castellano"),
    "it": ("Italian", "italiano"),
    "pt": ("Portuguese", "português"),
    "nl": ("Dutch", "Nederlands"),
    "af": ("Afrikaans",),
    "sv": ("Swedish", "svenska"),
    "da": ("Danish", "dansk"),
    "nb": ("Norwegian", "norsk", "bokmål"),
    "fi": ("Finnish", "suomi"),
    "pl": ("Polish", "polski"),
    "cs": ("Czech", "čeština"),
    "sk": ("Slovak", "slovenčina"),
    "ro": ("Romanian", "română"),
    "ca": ("Catalan", "català"),
    "gl": ("Galician", "galego"),
    "tr": ("Turkish", "Türkçe"),
    "ru": ("Russian", "русский"),
    "bg": ("Bulgarian", "български"),
    "uk": ("Ukrainian", "українська"),
    "ja": ("Japanese", "日本語"),
    "zh": ("Chinese", "中文"),
    "ko": ("Korean", "한국어"),
}
"""Names of the languages known here, English first: for messages and for the headers of columns."""

# Words that stand in nearly every paragraph and are not also the names of things. Apostrophes separate words.
_WORDS = {
    "en": """the of and to in is that it for was on are with as be this have from or had by but what some we can were
    which their if will would not you your an been has there when who more no so they all do does about any cannot""",
    "fr": """de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont ou avec son
    aux d l n qu s c cette ces leur être vous votre mais comme nous je on elle si sans fait tout peut été même""",
    "de": """der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er
    hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war kann oder wenn nur keine ich wir""",
    "es": """de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin
    sobre este ya entre cuando todo esta ser son dos también fue había era muy hasta desde está puede yo usted""",
    "it": """di che e la il un a per è in una sono mi si ho non lo ha le con i da ma se come gli al della del nel dei
    alla delle dell l d anche più questo questa essere cui nella o ai può ne sul stato dal dalla tutti era su""",
    "pt": """de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu
    sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem são você este""",
    "nl": """de van een het en in is dat op te zijn met voor niet die aan er om ook als dan maar bij nog naar uit door
    over ze hij heeft kan worden wordt deze dit of geen was ik je u zal tot hebben moet werd zich we wat meer""",
    "af": """die van en in is het dat nie te vir met wat om op deur n word ek jy hy sy ons hulle sal kan moet as maar
    ook aan uit by na tot of wees was nog meer baie hierdie daar jou sou geen ander waar toe nou een omdat wanneer""",
    "sv": """och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när
    hon vid nu också eller ska skulle mot efter än under detta finns här alla utan där bara hade kommer måste din""",
    "da": """og i at det er en til af på den for der de med som ikke et har han om men var jeg sig fra vi så kan hun
    ved eller blev nu også skal efter over ud op hvor denne dette være kun når alle bliver findes dig hvis mig""",
    "nb": """og i det er på som en til av for at med de har ikke den et han om var men jeg seg fra vi så kan hun ved
    eller ble nå også skal etter over ut opp hvor denne dette være bare når alle blir finnes deg hvis meg noen""",
    "fi": """ja on ei se että oli hän mutta ovat joka kun niin myös tai kuin sen ole jos jo mitä vain voi nyt minä ne
    olla mukaan hänen sekä sitä kanssa jälkeen ennen tämä tämän tätä siitä ollut olisi voidaan vielä sinä""",
    "pl": """w i na z się nie do to że jest o od jak po za przez co dla ale są ma być oraz tego tym ten czy który
    która które tak jego jej ich już może tylko lub gdy pod przed jako bez był było można nad także go mnie ze""",
    "cs": """a v se na je že s z do o i k ve pro by ale za jako které který která od po tak to si jsou podle při bylo
    nebo byl jeho jen ze jsem než už není být co není když bude až lze můžete tento tato pokud jsme mezi pouze""",
    "ca": """de la que el i a en un per es no amb una els les del se si al ha ser o aquest aquesta com més són està
    pot però seu seva fer s d l n dels als està hi ho també quan sense sobre fins entre cal ja què vostè això pel""",
    "gl": """de a o que e do da en un unha para é non os as se no na por máis dos das como ao con mais foi ser está
    pode este esta ou seu súa xa cando tamén hai só sen sobre ata entre polo pola unhas todos ten estes moi á""",
    "sk": """a v sa na je že s z do o k vo pre by ale za ako ktorý ktorá od po tak to si sú podľa pri bolo alebo bol
    jeho len zo som než už nie byť čo sme keď bude až môže tento táto ak medzi iba musí neplatný tohto ich""",
    "bg": """на и да в се не за от е с са по като до при или че ще този това тези които който която но ако може няма
    към след бъде само през има без преди трябва чрез още вече всички между където си във със като е""",
    "ro": """de și în a la cu pe nu este o care să din un pentru mai că se sunt au ca al ale fi prin sau lui dar cel
    ei am fost ce după poate această acest fără dacă când ar între către doar numai aceste acesta mi îl""",
    "tr": """ve bir bu için da de ile çok daha olarak gibi en kadar olan ne ama sonra o her değil var mi mı ki veya
    ya yok olduğu şu biz ben sen tarafından bunu hem ancak göre eğer içinde önce üzerinde şey diye ise""",
    "ru": """и в не на что с он как это по но из к у за от так о его для было же все она был бы только или мы их до
    при если может быть вы также который которые ее этот того чтобы нет со я есть этого будет где без уже""",
    "uk": """і в не на що з до та у як за це від по його для але про він й бути є так або ми вона був було які який
    також якщо може ви їх тільки при чи цей того щоб немає зі я із буде де без вже під між після яка її ні""",
}

# The letters beyond a-z that each language writes. A word with any other letter counts against it.
LETTERS = {
    "en": "",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "de": "äöüß",
    "es": "áéíñóúü",
    "it": "àèéìíîòóùú",
    "pt": "áâãàçéêíóôõúü",
    "nl": "áéëèïíóöüú",
    "af": "áéèêëíîïóôöúûüŉ",
    "sv": "åäöé",
    "da": "æøåé",
    "nb": "æøåéòô",
    "fi": "äöå",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "ro": "ăâîșțşţ",
    "tr": "çğıöşüâîû",
    "ca": "àçèéíïòóúü",
    "gl": "áéíñóúü",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
}


@cache
def _vocabulary() -> dict[str, frozenset[str]]:
    return {code: frozenset(words.split()) for code, words in _WORDS.items()}


@cache
def _foreign(code: str) -> re.Pattern[str]:
    """What is no letter of a language; compiled when it is first asked for."""
    return re.compile(f"[^a-z{LETTERS[code]}]")


_WORD = lazy(r"[^\W\d_]+")
_ASIAN = lazy("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_KANA = lazy("[\u3041-\u30fa\u30fd-\u30ff]")
_HAN = lazy("[\u3400-\u9fff]")
_HANGUL = lazy("[\uac00-\ud7a3]")
# What is not prose: placeholders, markup, addresses and options look like words of no language, or of English.
_NOT_PROSE = lazy(
    r"<[^>]{0,200}>|https?://\S+|\S{1,64}@\S+|%\(?\w{0,40}\)?[a-z]|\$?\{[^}]{0,200}\}|(?<!\w)--?\w[\w-]*|&\w{1,20};|\\\w"
)
# Other codes under which a language known here goes.
_ALIASES = {"no": "nb", "nn": "nb", "cmn": "zh", "jp": "ja", "ua": "uk", "cz": "cs"}


def base_code(code: str) -> str:
    """The code of a language without region or script.

    >>> base_code("pt_BR"), base_code("zh-Hans"), base_code("FR"), base_code("no")
    ('pt', 'zh', 'fr', 'nb')
    """
    base = re.split(r"[_\-.@]", code.strip().casefold())[0]
    return _ALIASES.get(base, base)


def scores(text: str) -> dict[str, float]:
    """A score for each language known here: how much of a text looks like it.

    In: any text. Out: code -> share from 0 to 1 of its words that are common words of the language, less those with
    letters foreign to it (for Chinese, Japanese and Korean: of its characters in their script). In real paragraphs the
    right language has 0.3 to 0.6 and the others a third of that or less.

    >>> found = scores("The cat is on the roof and it does not want to come down.")
    >>> max(found, key=found.get), found["en"] > 3 * found["fr"]
    ('en', True)
    >>> max(scores("")["en"], scores("12 %s")["en"])
    0.0
    """
    return {code: evidence.score for code, evidence in _evidence([text]).items()}


class _Evidence(NamedTuple):
    score: float
    hits: int  # common words met, or characters where the script tells the language
    words: dict[str, int]  # each common word met, and how often


def _evidence(texts: Iterable[str]) -> dict[str, _Evidence]:
    words: Counter[str] = Counter()
    kana = han = hangul = 0
    for text in texts:
        prose = _NOT_PROSE.sub(" ", text)
        if not prose.isascii():
            kana += len(_KANA.findall(prose))
            han += len(_HAN.findall(prose))
            hangul += len(_HANGUL.findall(prose))
            prose = _ASIAN.sub(" ", prose)
        words.update(_WORD.findall(prose.lower()))
    # Two characters make about one word, so that texts that mix scripts are weighed fairly.
    total = words.total() + (kana + han + hangul) / 2 or 1
    # Japanese mixes kana with Chinese characters; Chinese has kana in a name at most.
    japanese = kana > 0.1 * (kana + han)
    characters = {"ja": (kana + han) * japanese, "zh": han * (not japanese), "ko": hangul}
    accented = {word: count for word, count in words.items() if not word.isascii()}
    evidence = {}
    for code in NAMES:
        if code in characters:
            evidence[code] = _Evidence(characters[code] / 2 / total, characters[code], {})
            continue
        common = {word: words[word] for word in _vocabulary()[code] if word in words}
        foreign = sum(count for word, count in accented.items() if _foreign(code).search(word))
        hits = sum(common.values())
        evidence[code] = _Evidence(max(0.0, (hits - foreign) / total), hits, common)
    return evidence


def guess(texts: Iterable[str]) -> tuple[str | None, float]:
    """Detect the language of a set of lines; None when unsure.

    In: lines of text. Out: a code of `NAMES` and a confidence from 0 to 1, or (None, 0.0). Twenty interface strings or
    five sentences are enough for most languages; a thousand lines for close relatives such as Danish and Norwegian.

    >>> guess(["Le chat est sur le toit et ne veut pas en descendre.", "Nous l'avons appelé toute la journée, mais il "
    ...        "reste là avec les oiseaux.", "Que faire si la nuit tombe ?", "On ne peut pas dormir avec ce bruit."])[0]
    'fr'
    >>> guess(["Open", "Save as...", "Cancel"])
    (None, 0.0)
    """
    evidence = _evidence(dict.fromkeys(texts))  # a line repeated says nothing more
    code, second = sorted(evidence, key=lambda code: (-evidence[code].score, code))[:2]
    best, other = evidence[code], evidence[second]
    if code not in _vocabulary():
        return (code, round(min(1.0, best.score), 2)) if best.hits >= 40 and best.score >= 0.4 else (None, 0.0)
    # An unknown or made-up language shares a handful of very short words with one known here. Real text in a language
    # meets many different common words, more as it grows, and longer ones among them.
    longer = [word for word in best.words if len(word) > 3]
    if best.score < 0.1 or best.hits < 12 or len(best.words) < max(8, 4 * math.log2(best.hits) - 8):
        return None, 0.0
    if len(longer) < 2 or sum(best.words[word] for word in longer) < 0.04 * best.hits:
        return None, 0.0
    # Relatives share many words: only those that tell the two apart are counted.
    own = sum(count for word, count in best.words.items() if word not in _vocabulary().get(second, ()))
    others = sum(count for word, count in other.words.items() if word not in _vocabulary()[code])
    if own < 4 or own < 2.5 * others:
        return None, 0.0
    return code, round(1 - others / own, 2)
