"""Names of months and weekdays in fourteen languages, endings of days, and zones of time by their short names.

English, French, German, Spanish, Italian, Portuguese, Dutch, Polish, Czech, Swedish, Danish, Norwegian, Russian
and Turkish; names and short forms of the Unicode Common Locale Data Repository, as they stand behind a day. No short form means two months in two of these languages, so a name is read without knowing its language; it is
written in the language that most names of its column belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MONTHS = {
    "en": (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    ),
    "fr": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
    ),
    "de": (
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jan feb mär apr mai jun jul aug sep okt nov dez",
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sept oct nov dic",
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
    ),
    "pt": (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
    ),
    "nl": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
    ),
    "pl": (
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    ),
    "cs": (
        "ledna února března dubna května června července srpna září října listopadu prosince",
        "led úno bře dub kvě čvn čvc srp zář říj lis pro",
    ),
    "sv": (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "jan feb mars apr maj juni juli aug sep okt nov dec",
    ),
    "da": (
        "januar februar marts april maj juni juli august september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "nb": (
        "januar februar mars april mai juni juli august september oktober november desember",
        "jan feb mar apr mai jun jul aug sep okt nov des",
    ),
    "ru": (
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "янв фев мар апр мая июн июл авг сент окт нояб дек",
    ),
    "tr": (
        "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
        "oca şub mar nis may haz tem ağu eyl eki kas ara",
    ),
}
_DAYS = {  # from Monday
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda terça quarta quinta sexta sábado domingo",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pl": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
    "cs": "pondělí úterý středa čtvrtek pátek sobota neděle",
    "sv": "måndag tisdag onsdag torsdag fredag lördag söndag",
    "da": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "nb": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "ru": "понедельник вторник среда четверг пятница суббота воскресенье",
    "tr": "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
}
_SIGNS = ("月火水木金土日", "월화수목금토일", "一二三四五六日")  # weekdays of one sign, from Monday
_FURTHER = {  # other forms that are read and never written
    "sept": ("en", 9), "fevr": ("fr", 2), "fév": ("fr", 2), "fevrier": ("fr", 2), "aout": ("fr", 8), "decembre": ("fr", 12),
    "jänner": ("de", 1), "jän": ("de", 1), "maerz": ("de", 3), "mrz": ("de", 3), "marz": ("de", 3),
    "setiembre": ("es", 9), "sep": ("es", 9), "marco": ("pt", 3),
    "styczeń": ("pl", 1), "luty": ("pl", 2), "marzec": ("pl", 3), "kwiecień": ("pl", 4), "maj": ("pl", 5), "czerwiec": ("pl", 6),
    "lipiec": ("pl", 7), "sierpień": ("pl", 8), "wrzesień": ("pl", 9), "październik": ("pl", 10), "listopad": ("pl", 11),
    "grudzień": ("pl", 12), "leden": ("cs", 1), "únor": ("cs", 2), "březen": ("cs", 3), "duben": ("cs", 4), "květen": ("cs", 5),
    "červen": ("cs", 6), "červenec": ("cs", 7), "srpen": ("cs", 8), "říjen": ("cs", 10), "prosinec": ("cs", 12),
    "январь": ("ru", 1), "февраль": ("ru", 2), "март": ("ru", 3), "апрель": ("ru", 4), "май": ("ru", 5), "июнь": ("ru", 6),
    "июль": ("ru", 7), "август": ("ru", 8), "сентябрь": ("ru", 9), "октябрь": ("ru", 10), "ноябрь": ("ru", 11),
    "декабрь": ("ru", 12),
}  # fmt: skip
HALVES = {"오전": "오후", "上午": "下午", "午前": "午後"}
"""Half days that stand before the hour: the first, and the second."""
SHORTEST = 3  # letters of a shortened name
# Minutes from UTC. Names that several countries give to several times (IST, BST in Bangladesh) are those of most users, or left out.
ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "MEZ": 60, "MESZ": 120,
    "EET": 120, "EEST": 180, "MSK": 180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
    "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "JST": 540, "KST": 540, "HKT": 480, "SGT": 480,
    "AEST": 600, "AEDT": 660, "ACST": 570, "AWST": 480, "NZST": 720, "NZDT": 780,
}  # fmt: skip


def _names(position: int) -> dict[str, dict[str, int]]:
    return {lang: {name: n for n, name in enumerate(rows[position].split(), 1)} for lang, rows in _MONTHS.items()}


LONG, SHORT = _names(0), _names(1)


def _forms(lang: str) -> dict[str, int]:
    """What is read in a language: names, their short forms, and any other beginning of one name alone."""
    forms: dict[str, int] = {}
    for name in LONG[lang]:
        for end in range(SHORTEST, len(name)):
            fits = {number for other, number in LONG[lang].items() if other.startswith(name[:end])}
            if len(fits) == 1:
                forms[name[:end]] = fits.pop()
    own = {form: number for form, (of, number) in _FURTHER.items() if of == lang}
    return {**forms, **SHORT[lang], **LONG[lang], **own}


FORMS = {lang: _forms(lang) for lang in _MONTHS}


def month(name: str) -> int:
    """The number of a month by its name, whole or shortened, in any of the languages; 0 for none.

    >>> month("Sept"), month("märz"), month("Août"), month("dic"), month("ma"), month("monkey")
    (9, 3, 8, 12, 0, 0)
    """
    name = name.casefold().rstrip(".")
    return next((forms[name] for forms in FORMS.values() if name in forms), 0)


def language_of(names: Iterable[str]) -> str:
    """The language in which most of these names of months are; English where several are equal.

    A name or its usual short form counts more than another beginning of it, and a capital is a sign of English and German.

    >>> language_of(["Januar"]), language_of(["mai", "juin"]), language_of(["Mai"]), language_of(["Jan", "Okt"])
    ('de', 'fr', 'de', 'de')
    """
    words = [(name.casefold().rstrip("."), name[:1].isupper()) for name in names]

    def weight(lang: str) -> float:
        usual = sum(word in LONG[lang] or word in SHORT[lang] for word, _ in words)
        capitals = sum(capital for _, capital in words) if lang in ("en", "de") else 0
        return 2 * usual + sum(word in FORMS[lang] for word, _ in words) + 0.5 * capitals

    return max(FORMS, key=weight)


def language_of_days(names: Iterable[str]) -> str:
    """The language in which most of these names of weekdays are; English where several are equal.

    >>> language_of_days(["Mo", "Di", "Mi"]), language_of_days(["sam.", "dim."]), language_of_days([])
    ('de', 'fr', 'en')
    """
    words = [name.casefold().rstrip(".").removesuffix("-feira") for name in names]
    return max(_DAYS, key=lambda lang: sum(any(day.startswith(w) for day in _DAYS[lang].split()) for w in words))


def month_like(number: int, old: str, lang: str) -> str:
    """A month's name in the form that another one has: whole or short.

    >>> month_like(2, "januar", "de"), month_like(2, "Jan", "de"), month_like(9, "janv", "fr"), month_like(6, "Sept", "en")
    ('februar', 'feb', 'sept', 'jun')
    """
    form = old.casefold()
    whole = form in LONG[lang] and not (form in SHORT[lang] and len(form) == SHORTEST)
    return list((LONG if whole else SHORT)[lang])[number - 1]


def is_weekday(name: str) -> bool:
    """Whether a word is the name of a day of the week or its beginning.

    >>> is_weekday("Thu"), is_weekday("Mi"), is_weekday("samedi"), is_weekday("banana")
    (True, True, True, False)
    """
    name = name.casefold().rstrip(".").removesuffix("-feira")
    if any(name in signs for signs in _SIGNS if len(name) == 1):
        return True
    return len(name) > 1 and any(day.startswith(name) for days in _DAYS.values() for day in days.split())


def weekday_like(number: int, old: str, lang: str) -> str:
    """The name of a day of the week, 0 for Monday, as long as another one was."""
    if signs := next((signs for signs in _SIGNS if old in signs), ""):
        return signs[number]
    name, form = _DAYS[lang].split()[number], old.casefold()
    return name if form in _DAYS[lang].split() else name[: len(form)]


def day_ending(day: int, old: str) -> str:
    """What stands behind the number of a day where `old` stood behind another.

    >>> [day_ending(n, "th") for n in (1, 2, 3, 4, 11, 22)], day_ending(1, "er"), day_ending(2, "er"), day_ending(5, "º")
    (['st', 'nd', 'rd', 'th', 'th', 'nd'], 'er', '', 'º')
    """
    if old in ("er", "º"):
        return old if day == 1 or old == "º" else ""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th") if day // 10 != 1 else "th"
    return ending.upper() if old.isupper() else ending


def half_day(hour: int, like: str) -> str:
    """The half of a day that an hour is in, in the words that another stamp has.

    >>> half_day(17, "上午")
    '下午'
    """
    first = next(a for a, b in HALVES.items() if like in (a, b))
    return HALVES[first] if hour >= 12 else first


def cased(word: str, like: str) -> str:
    """A word in another one's case and with its points.

    >>> cased("feb", "JAN"), cased("february", "January"), cased("pm", "a.m.")
    ('FEB', 'February', 'p.m.')
    """
    if "." in like:
        word = ".".join(word) + "."
    return word.upper() if like.isupper() else word.capitalize() if like[0].isupper() else word


ZONE = "|".join(sorted(map(re.escape, ZONES), key=len, reverse=True))
