r"""Amounts in short, decades, one and a half, sections of a law: as the target language writes them.

>>> [one[2] for one in written("It costs £3.5m.", "en", "de")], [one[2] for one in written("soit 3,5 M€", "fr", "en")]
(['3,5\xa0Mio.\xa0£'], ['€3.5m'])
>>> [one[2] for one in written("les années 90", "fr", "en")], [one[2] for one in written("nach § 433 BGB", "de", "en")]
(['90s'], ['§ 433'])
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lamella.data.text.lazy import lazy

Written = tuple[int, int, str, str]  # start, end, as the target language writes it, a pattern of its forms

_B = "[ \u00a0\u202f]"
_NUMBER = r"[0-9]+(?:[.,\u00a0\u202f][0-9]{3})*(?:[.,][0-9]{1,2})?"
_SIGN = r"[$€£]"
# A power of ten in short, as it is typed, in small letters.
_POWERS = {
    "k": "k", "m": "m", "mio": "m", "mn": "m", "mm": "m", "bn": "b", "b": "b", "md": "b", "mds": "b", "mrd": "b", "mia": "b",
}  # fmt: skip
_SHORT = lazy(
    rf"(?<![\w.,])(?:(?P<sign>{_SIGN}){_B}?(?P<one>{_NUMBER}){_B}?(?P<power>(?i:k|m|mio|mn|bn|b))(?![\w]|[.,][0-9])"
    rf"|(?P<two>{_NUMBER}){_B}?(?P<short>k|K|M|Mio\.?|Mn|Md|Mds|Mrd\.?|Mia\.?|bn){_B}?(?P<behind>{_SIGN})(?!\w))"
)
_WORDS = {
    "en": {"k": "thousand", "m": "million", "b": "billion"}, "fr": {"k": "mille", "m": "millions?(?: d['’e])?", "b": "milliards?(?: d['’e])?"},
    "de": {"k": "tausend", "m": "Million(?:en)?|Mio\\.?", "b": "Milliarden?|Mrd\\.?"},
    "es": {"k": "mil", "m": "mill[oó]n(?:es)?(?: de)?", "b": "mil millones(?: de)?"},
}  # fmt: skip
_MONEY = {"$": "d[oó]l\\w+", "€": "euros?", "£": "pounds?|livres?(?: sterling)?|Pfund|libras?"}
_SPOKEN = {
    "en": ("thousand", "million", "billion"), "fr": ("mille", "millions", "milliards"),
    "de": ("Tausend", "Millionen", "Milliarden"), "es": ("mil", "millones", "mil millones"),
}  # fmt: skip
_NAMES = {
    "en": {"€": "euros", "£": "pounds", "$": "dollars"}, "fr": {"€": "d'euros", "£": "de livres", "$": "de dollars"},
    "de": {"€": "Euro", "£": "Pfund", "$": "Dollar"}, "es": {"€": "de euros", "£": "de libras", "$": "de dólares"},
}  # fmt: skip


def _number(number: str, src: str, dst: str) -> str:
    """A number with the marks of another language."""
    comma = {"en": ".", "zh": "."}.get(src, ","), {"en": ".", "zh": "."}.get(dst, ",")
    group = {"en": ",", "zh": ",", "fr": "\u202f"}.get(dst, ".")
    whole, mark, rest = number.partition(comma[0])
    return group.join(re.findall("[0-9]+", whole)) + (comma[1] if mark else "") + rest


def _shorts(source: str, src: str, dst: str) -> Iterator[Written]:
    for match in _SHORT.finditer(source):
        sign = match["sign"] or match["behind"]
        power = _POWERS[(match["power"] or match["short"]).lower().rstrip(".")]
        number = _number(match["one"] or match["two"], src, dst)
        if dst == "en":
            text = f"{sign}{number}{'bn' if power == 'b' else power}"
        else:
            own = {"fr": ("k", "M", "Md"), "de": ("Tsd. ", "Mio. ", "Mrd. "), "es": ("k", "M", "mil M")}[dst]
            text = f"{number}\u00a0{own['kmb'.index(power)].replace(' ', chr(160))}{sign}"
        digits = r"[.,\u00a0\u202f ]?".join(re.findall("[0-9]+", number))
        money, word = _MONEY[sign], _WORDS[dst][power]
        signed = re.escape(sign)
        yield (
            match.start(), match.end(), text,
            rf"(?i:{signed}{_B}?{digits}{_B}?(?:{word})|{digits}{_B}?(?:{word}){_B}?(?:{signed}|(?:{money})(?!\w)))",
        )  # fmt: skip


_DECADE = {
    "fr": rf"(?<!\w)années (?P<year>(?:19|20)?[0-9]0)(?!\w|[.,][0-9])(?!{_B}[0-9])", "es": r"(?<!\w)años (?P<year>(?:19|20)?[0-9]0)(?!\w|[.,][0-9])",
    "de": r"(?<!\w)(?P<year>(?:1[0-9]|20)?[0-9]0)er(?:[- ]?Jahren?)?(?!\w)",
}  # fmt: skip


def _decades(source: str, src: str, dst: str) -> Iterator[Written]:
    for match in re.finditer(_DECADE[src], source) if dst == "en" and src in _DECADE else ():
        year = match["year"]
        yield (
            match.start(),
            match.end(),
            f"{year}s",
            rf"['’]?(?:1[0-9]|20)?{year}['’]?s|(?:nine|eigh|seven|six|fif)ties",
        )


_SECTION = lazy(rf"§{{1,2}}{_B}?(?P<number>[0-9]+[a-z]?)(?!\w)")
_HALF = lazy(r"(?<!\w)(?:[Aa]nderthalb|[Ee]in(?:und)?einhalb)(?!\w)")


def written(source: str, src: str, dst: str) -> Iterator[Written]:
    """What is written in short in a source, and what languages have a way of their own for."""
    if src in _WORDS and dst in _WORDS and re.search(_SIGN, source):
        yield from _shorts(source, src, dst)
    yield from _decades(source, src, dst)
    if "§" in source:
        for match in _SECTION.finditer(source):
            words = r"sections?|articles?|paragraphs?|paragraphes?|art[ií]culos?|párrafos?|Paragraf|Abschnitt|第"
            number = match["number"]
            yield (
                match.start(),
                match.end(),
                match[0],
                rf"(?:§{{1,2}}{_B}?{number}|(?i:{words}){_B}?{number})(?![0-9])",
            )
    if src == "de" and dst == "en":
        for match in _HALF.finditer(source):
            text = "one and a half"
            yield match.start(), match.end(), text, r"(?i:one and a half|1\.5|1½|an? \w+ and a half)"


def spoken(text: str, language: str) -> str:
    """A text with amounts in short as they are said, which is how a net has seen them.

    >>> spoken("It costs £3.5m.", "en"), spoken("rund 4 Mrd. Dollar", "de"), spoken("soit 3,5 M€", "fr")
    ('It costs 3.5 million pounds.', 'rund 4 Milliarden Dollar', "soit 3,5 millions d'euros")
    """
    if language not in _SPOKEN:
        return text
    if re.search(_SIGN, text):

        def said(match: re.Match[str]) -> str:
            power = "kmb".index(_POWERS[(match["power"] or match["short"]).lower().rstrip(".")])
            name = _NAMES[language][match["sign"] or match["behind"]]
            name = name.removeprefix("de ").removeprefix("d'") if not power else name
            return f"{match['one'] or match['two']} {_SPOKEN[language][power]} {name}"

        text = _SHORT.sub(said, text)
    if language == "de":
        text = re.sub(r"(?<=[0-9] )Mio\.", "Millionen", text)
        text = re.sub(r"(?<=[0-9] )(?:Mrd\.|Mia\.)", "Milliarden", text)
        text = re.sub(r"(?<=[0-9] )Tsd\.", "Tausend", text)
        text = _HALF.sub("1,5", text)
    return text
