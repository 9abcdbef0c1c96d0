"""Words that are few and have one translation each: days, months, titles, given names. An answer has those of its source.

Small nets take Friday for Thursday, and leave `Mr.` as it is. Where it is clear which word stands for which, it is put right.

    >>> mended("We left last Thursday.", "Nous sommes partis vendredi dernier.", "en", "fr")
    'Nous sommes partis jeudi dernier.'
    >>> mended("Ask Mr. Nakamura.", "Pregunta a Mr. Nakamura.", "en", "es"), lost("Closed on Monday.", "Fermé.", "en", "fr")
    ('Pregunta al Sr. Nakamura.', [(10, 16)])
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation.proper import word_set

_DAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday", "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag", "es": "lunes martes miércoles jueves viernes sábado domingo",
}  # fmt: skip
_MONTHS = {
    "en": "january february march april may june july august september october november december",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_HAN_DAYS, _HAN_MONTHS = "一二三四五六日", "一 二 三 四 五 六 七 八 九 十 十一 十二"
# The source's own form of a title, a language each: of men, of women.
_TITLES = {
    "en": (r"Mr\.?", r"(?:Mrs|Ms)\.?|Miss"), "fr": (r"M\.|Monsieur", r"Mme\.?|Madame|Mlle\.?"), "de": (r"Herrn?", r"Frau"),
    "es": (r"Sr\.|Señor|Don", r"Sra\.|Señora|Srta\.|Doña"),
}  # fmt: skip
_ADDRESSED = word_set("mr mrs ms miss m monsieur mme madame mlle herr herrn frau sr señor sra señora srta don doña")
_TITLE = {
    "en": ("Mr.", "Ms."),
    "fr": ("M.", "Mme"),
    "de": ("Herr", "Frau"),
    "es": ("Sr.", "Sra."),
    "zh": ("先生", "女士"),
}
_MARRIED = {"en": r"Mrs\.?", "fr": r"Mme|Madame", "es": r"Sra\.|Señora", "de": "Frau"}
# What a net writes for a title in English, which before a name is none.
_NO_TITLES = (r"(?i:(?:the |a )?(?:sire?|lord|master|gentleman|mister))", r"(?i:(?:the |a )?(?:woman|wife|lady))")
_NAME = r"(?P<name>[A-ZÀ-ÖØ-Þ](?:['’][A-ZÀ-Þ])?[^\W\d_]+(?:-[A-ZÀ-ÖØ-Þ][^\W\d_]+)*)"
# Before or after the name of a month, which is also another word or a name: in May, 3 March, but `May I?` and `August Wilson`.
_DOUBLE = word_set("may march august mars")
_BESIDE = r"(?:(?:[0-9][a-z.,]*|in|of|since|until|by|next|last|this|every|from|to|late|early|mid|before|after|during|de|en|fin|début|mi|depuis)[ -])"


# One name in several languages: a person keeps the own one, though kings and saints have one each.
_GIVEN = """
mary marie maria maría; john jean juan johann johannes hans; peter pierre pedro; james jacques jakob jaime santiago; william guillaume wilhelm guillermo
charles karl carlos; henry henri heinrich enrique; louis ludwig luis lewis; george georges georg jorge; michael michel miguel; stephen étienne stefan esteban
francis françois franz francisco; paul pablo; joseph josef josé; anthony antoine anton antonio; ann anne anna ana; catherine katharina catalina
elizabeth élisabeth elisabeth isabel; helen hélène helena elena; margaret marguerite margarete margarita; thomas tomás; philip philippe philipp felipe
edward édouard eduard eduardo; frederick frédéric friedrich federico; andrew andré andreas andrés; matthew matthieu matthias mateo; mark marc markus marcos
luke luc lukas lucas; julia julie; sophia sophie sofia sofía; lucy lucie lucía; christopher christophe christoph cristóbal; nicholas nicolas nikolaus nicolás
"""
_NAMES = [word_set(names) for line in _GIVEN.split("\n") for names in line.split(";") if names.strip()]
_KNOWN = frozenset().union(*_NAMES)
_OWN = lazy(r"(?:[mdks]ein|ihr|unser|euer|die|eine|m[ay]|his|her|su|sa|mi|ma)(?:e[rnms]?)? $", re.IGNORECASE)
_CROWNED = lazy(r" (?:[IVX]+(?!\w)|(?:the|le|la|der|die|el) [A-ZÀ-Þ])")
_SAINT = lazy(
    r"(?:saint|sainte|st\.?|san|santa|santo|sankt|pope|pape|papst|papa|king|roi|könig|rey|queen|reine|königin|reina)[ -]$",
    re.IGNORECASE,
)


class Class(NamedTuple):
    """The words of a language that are one of a kind, as a pattern with a group each, and how each is written."""

    pattern: re.Pattern[str]
    words: tuple[str, ...]


@cache
def _class(kind: str, language: str) -> Class | None:
    if language == "zh":
        if kind == "days":
            return Class(re.compile("(?:星期|周|礼拜)([一二三四五六日天])(?![年期岁次])"), tuple(_HAN_DAYS))
        return Class(
            re.compile(r"(?<![0-9个])(1[0-2]|[1-9])月(?!份?间?亮)|(?<![个十])(十[一二]?|[一二三四五六七八九])月(?!亮)"),
            tuple(map(str, range(1, 13))),
        )
    words = (_DAYS if kind == "days" else _MONTHS).get(language, "").split()
    if not words:
        return None
    ends = "(?!\\w)"
    if kind == "days":  # and months have none: mais is no plural of mai
        ends = "s?(?!\\w)" if language != "de" else "[sn]?(?=\\W|$|abend|morgen|nachmittag|vormittag|nacht|mittag)"
    either = "|".join(f"{word}n?" if word == "sonntag" else word for word in words)
    return Class(
        re.compile(
            rf"(?<![\w@#./-])({either}{'|sonnabend' * (language == 'de' and kind == 'days')}){ends}", re.IGNORECASE
        ),
        tuple(words),
    )


def _members(text: str, kind: str, language: str) -> list[tuple[int, int, int]]:
    """Where a text has words of a class: (which, start, end)."""
    one = _class(kind, language)
    found: list[tuple[int, int, int]] = []
    for match in one.pattern.finditer(text) if one else ():
        word = (match[1] or match[2]).lower()
        span = match.span(1) if match[1] else match.span(2)
        if language == "zh":
            which = "一二三四五六日天".index(word) % 7 if kind == "days" else _month(word)
            which = 6 if word == "天" else which
        elif word == "sonnabend":
            which = 5
        elif kind == "months" and word in _DOUBLE and not _is_month(text, *span, language):
            continue
        elif language in ("en", "de") and kind == "months" and text[span[0]].islower():
            continue  # to march, may
        else:
            which = one.words.index(word) if one and word in one.words else -1
        if which >= 0:
            found.append((which, *span))
    return found


def _month(word: str) -> int:
    return int(word) - 1 if word.isdigit() else _HAN_MONTHS.split().index(word)


def _is_month(text: str, start: int, end: int, language: str) -> bool:
    before = re.search(rf"(?<!\w){_BESIDE}$", text[max(0, start - 14) : start], re.IGNORECASE)
    return bool(before) or bool(re.match(r",? [0-9]", text[end : end + 3]))


def concerns(source: str, src: str) -> bool:
    """Whether a source may have words of these classes."""
    if src == "zh":
        return bool(re.search("[周月拜期]", source))
    small = source.lower()
    words = [*_DAYS.get(src, "").split(), *_MONTHS.get(src, "").split(), "sonnabend"]
    return any(word in small for word in words) or bool((_ADDRESSED | _KNOWN) & {*re.findall(r"[^\W\d_]+", small)})


def mended(source: str, answer: str, src: str, dst: str) -> str:
    """An answer with the days, months and titles of its source, where it is clear which word stands for which."""
    for kind in ("days", "months"):
        answer = _placed(source, answer, kind, src, dst)
    answer = _dated(answer, dst)
    return _titled(source, _called(source, answer), src, dst) if src != "zh" else answer


def _dated(answer: str, dst: str) -> str:
    """An answer with a full stop after the day of a month in German, and with none elsewhere.

    >>> _dated("am 15 März", "de"), _dated("le 5. mai", "fr")
    ('am 15. März', 'le 5 mai')
    """
    months = _MONTHS.get(dst, "(?!)").replace(" ", "|")
    day = rf"(?<![\w.,:/-])(3[01]|[12][0-9]|[1-9])\.? (?={'(?i:' + months + ')'}(?!\w))"
    if dst == "en":  # the 4, May
        answer = re.sub(rf"(?<=[Tt]he )(3[01]|[12][0-9]|[1-9]), (?=(?i:{months})(?!\w))", r"\1 ", answer)
    return re.sub(day, r"\1. " if dst == "de" else r"\1 ", answer)


def _called(source: str, answer: str) -> str:
    """An answer with the given names of its source, where a net wrote those of another language.

    >>> _called("Ni Jean ni Marie.", "Neither Jean nor Mary."), _called("Henri IV de France", "Henry IV of France")
    ('Neither Jean nor Marie.', 'Henry IV of France')
    """
    for match in re.finditer(r"(?<![\w-])[A-ZÀ-Þ][a-zß-ÿ]+(?![\w-])", source):
        name = match[0]
        if name.lower() not in _KNOWN or _CROWNED.match(source, match.end()) or _SAINT.search(source[: match.start()]):
            continue
        others = next(names for names in _NAMES if name.lower() in names) - {name.lower()}
        said = [one for one in re.finditer(r"(?<![\w-])[A-ZÀ-Þ][a-zß-ÿ]+(?![\w-])", answer) if one[0].lower() in others]
        if len(said) == 1 and said[0][0] not in source and not re.search(rf"(?<![\w-]){name}(?![\w-])", answer):
            answer = answer[: said[0].start()] + name + answer[said[0].end() :]
    return answer


def lost(source: str, answer: str, src: str, dst: str) -> list[Span]:
    """Where a source has a day or a month that its answer has not."""
    found: list[Span] = []
    for kind in ("days", "months"):
        theirs = {which for which, _, _ in _members(answer, kind, dst)}
        found += [(a, b) for which, a, b in _members(source, kind, src) if which not in theirs and _class(kind, dst)]
    return sorted(found)


_ABBREVIATED = lazy(
    r"(?<!\w)(?:jan|jän|ene|f[eéè][bv]|m[aä]r|abr|a[pv]r|may|mai|jun|juin|jul|juil|a[ugo]{2}|août|sep|o[ck]t|nov|d[eéi][czk]|mon|tue|wed|thu|fri|sat|sun"
    r"|lun|mar|mer|mié|jeu|jue|ven|vie|sam|sáb|dim|dom|mo|di|mi|do|fr|sa|so)(?:\w*\.|(?!\w))|[0-9] ?[/.-] ?[0-9]",
    re.IGNORECASE,
)


def alien(source: str, answer: str, src: str, dst: str) -> bool:
    """Whether an answer names a day or a month, and its source none of the kind, however written.

    >>> alien("\u6bcf\u67085\u65e5\u524d", "before 5 April", "zh", "en"), alien("on 4/5", "am 5. April", "en", "de")
    (True, False)
    """
    for kind in ("days", "months"):
        if _members(answer, kind, dst) and not _members(source, kind, src):
            return bool(_class(kind, src)) and not _ABBREVIATED.search(source) and not re.search("[0-9]月", source)
    return False


def _placed(source: str, answer: str, kind: str, src: str, dst: str) -> str:
    one = _class(kind, dst)
    ours = _members(source, kind, src)
    if not one or not ours:
        return answer
    theirs = _members(answer, kind, dst)
    wanted = {which for which, _, _ in ours}
    missing = sorted(wanted - {which for which, _, _ in theirs})
    extra = [place for place in theirs if place[0] not in wanted]
    # The word of the source, which a net may copy.
    copies = [] if dst == src else [p for p in _members(answer, kind, src) if p[0] in missing]
    copies = [p for p in copies if not any(a < p[2] and p[1] < b for _, a, b in theirs)]
    edits = []
    for which in missing:
        copied = [p for p in copies if p[0] == which]
        if len(copied) == 1:
            edits.append((*copied[0][1:], which))
        elif len(missing) == 1 and len({p[0] for p in extra}) == 1:
            edits += [(start, end, which) for _, start, end in extra]
    for start, end, which in sorted(edits, reverse=True):
        word = one.words[which]
        if dst == "zh":
            word = (
                word
                if re.match("月", answer[end:]) or answer[start - 1 : start] in ("期", "周", "拜")
                else f"{'星期' if kind == 'days' else ''}{word}{'月' if kind == 'months' else ''}"
            )
        elif dst in ("en", "de") or (start == 0 and answer[:1].isupper()):
            word = word.capitalize()
        if answer[start:end].isupper() and len(answer[start:end]) > 1:
            word = word.upper()
        end += answer[end : end + 1].lower() == "s" and (
            word.lower().endswith("s") or answer[start:end].istitle() and dst in ("fr", "es")
        )
        answer = answer[:start] + word + answer[end:]
    return answer


def _titled(source: str, answer: str, src: str, dst: str) -> str:
    """An answer whose names have the titles that they have in the source."""
    if src not in _TITLES or dst not in _TITLE:
        return answer
    found = [
        (woman, match)
        for woman, pattern in enumerate(_TITLES[src])
        for match in re.finditer(rf"(?<![\w.])(?P<title>{pattern}) {_NAME}", source)
        if not _OWN.search(source, max(0, match.start() - 8), match.start())  # meine Frau Anna is no title
    ]
    names = [match["name"] for _, match in found]
    for woman, match in found:
        if names.count(match["name"]) == 1:  # of Mr. and Mrs. Smith it is not clear which is which
            answer = _addressed(answer, match["title"], match["name"], woman, src, dst)
    return answer


def _addressed(answer: str, typed: str, name: str, woman: int, src: str, dst: str) -> str:
    """An answer whose name has a title of its language, where it has that of the source or one of the other sex."""
    title = "Mrs." if dst == "en" and woman and re.fullmatch(_MARRIED[src], typed) else _TITLE[dst][woman]
    every = [pattern for pair in _TITLES.values() for pattern in pair]
    wrong = "|".join(every if dst == "zh" else [_TITLES[dst][1 - woman]])
    if dst == "en":
        wrong += "|" + _NO_TITLES[woman]
    elif dst in ("de", "es"):
        wrong += r"|[HMS]\."
    right = _TITLES[dst][woman] if dst in _TITLES else "(?!)"
    place = re.search(
        rf"(?<![\w.])(?:(?P<own>{re.escape(typed)})|(?:{wrong})s?)(?:\.?s(?=\.))?\.* ?{re.escape(name)}(?![^\W\d_])",
        answer,
        re.ASCII,
    )
    if not place or (place["own"] and re.fullmatch(right, place["own"])):
        return answer
    before, after = answer[: place.start()], answer[place.end() :]
    if dst == "zh":
        return f"{before}{name}{title}{after.lstrip(' ')}"
    if dst == "en":
        before = re.sub(r"(?<!\w)[Tt]he $", "", before)
    article = r"\b(?:el|la|al|del|dear|estimad[oa]|querid[oa]|hola) $"
    if (
        dst == "es"
        and place["own"]
        and re.search(r"[^\W\d_] $", before)
        and not re.search(article, before, re.IGNORECASE)
    ):
        before = re.sub(r"\b(a|de) el $", lambda match: f"{match[1]}l ", before + ("el ", "la ")[woman])
    return f"{before}{title} {name}{after}"
