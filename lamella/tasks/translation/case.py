"""The case a net is asked in: texts in capitals, titles and small letters are one sentence to it, and get their case back.

Nets learn few texts in capitals, and to their vocabulary `CART` has nothing to do with `cart`. Placeholders, which a
caller names as `spans`, keep their own letters: `%s` is not `%S`.

    >>> asked = ask("ADD TO CART")
    >>> asked.text, asked.restore("Ajouter au panier")
    ('Add to cart', 'AJOUTER AU PANIER')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Literal, NamedTuple

from lamella.data.text import common_words, placeholders
from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import is_wide
from lamella.tasks.translation.capitals import emphasis, is_common, is_noun
from lamella.tasks.translation.confidence import Candidate
from lamella.tasks.translation.proper import ordinary, word_set

Span = tuple[int, int]
Cost = Callable[[str], int]
_WORD = lazy(r"[^\W\d_]+")
_PLAIN = lazy(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
ACRONYM = 4  # letters of a word that may well be an acronym: NATO, HTML, USB
# Words that a title leaves in small letters.
_SMALL = word_set(
    "a an the and or nor but of in on at to by for with from as vs via off up per into le la les l un une des d de du et ou à au aux en dans sur "
    "par pour avec sans der die das und oder von zu im am mit für el los las y o del al con por para"
)
# Short words in capitals that are words and no acronyms, whatever the net.
_LOUD = word_set(
    "no not do yes on off up new old all any and or but you we he she it is are was the to in of go stop open save exit quit help edit view file"
    " next back done non oui ne pas ou et le la les un une des du de au en sur où qui que ici nein ja und oder der die das ein aus an auf zu sí"
    " el los las y"
)
# Also ordinary words in small letters.
_BOTH = word_set(
    "may march mars earth sun moon mother father queen king president minister church river lake sea bay island city war world north south east west"
)
_LIKELIER = (
    0.5  # of the mean log-probability of a piece, by which the answer to one form of a word is likelier than to another
)
_LABEL = 60  # characters of a text that is taken for a label rather than for sentences


class Asked(NamedTuple):
    """What a net is asked, and what its case was."""

    text: str
    source: str
    case: Literal["", "capitals", "title", "small", "initial"]
    format: str = ""
    also: str = ""  # of one word: the same in the other case

    def chosen(self, answers: Sequence[str], others: Sequence[str]) -> list[str]:
        """Of the answers to a word in its two cases those to the first, unless the best of them is a copy of the word.

        A word that stands by itself is an entry of a dictionary, a label, or a name, which nets copy.
        """
        word = self.text.casefold()
        copied = not answers or answers[0].casefold() == word
        if self.case == "initial" and not copied and _likelier(others, answers):
            return list(others)
        return list(others if copied and others and others[0].casefold() != word else answers)

    def restore(self, answer: str, target: str = "") -> str:
        """An answer in the case of the source; target: its language, whose words have capitals that a title gave them.

        >>> Asked("Neue nachricht", "neue nachricht", "small").restore("New Message", "en")
        'new message'
        """
        if not self.case or not answer:
            return answer
        if self.case == "capitals":
            return to_capitals(answer, placeholders.spans(answer, self.format))
        if self.case == "small":
            own = _PLAIN.match(answer)
            keep = own is not None and (own[0] in self.source or (len(own[0]) > 1 and own[0][1:] != own[0][1:].lower()))
            answer = answer if keep else answer[:1].lower() + answer[1:]
            return _PLAIN.sub(partial(_smaller, source=self.source.casefold(), language=base_code(target)), answer)
        if self.case == "title":  # a name in it is in the answer as it is in the source
            names = {word.lower(): word for word in _PLAIN.findall(self.source) if word.lower() not in _SMALL}
            answer = _PLAIN.sub(lambda match: names.get(match[0], match[0]), answer)
        return answer[:1].upper() + answer[1:] if answer[:1].islower() else answer


def _smaller(match: re.Match[str], source: str, language: str) -> str:
    """A word of an answer to a source in small letters: in small letters too, if it is a common word and none of the source."""
    word, small = match[0], match[0].lower()
    title = language not in ("", "de", "zh") and len(word) > 1 and word == word.capitalize() != small
    plain = title and small not in source and small not in ordinary(language) and is_common(small, language)
    return small if plain else word


class Typed(str):
    """A text that a net is asked in the letters it is typed in."""

    __slots__ = ()


UNSURE = 0.3  # below this score a name by itself is left as it is
_NAME = lazy(r"[^\W\d_a-zß-ÿ][^\W\d_A-ZÀ-Þ]{2,}")  # one capital, then small letters


def ask(text: str, spans: Sequence[Span] = (), cost: Cost | None = None, language: str = "", format: str = "") -> Asked:
    """The case to ask a net in.

    spans: of placeholders, in order. cost: how many pieces a word is to the net; of `dog` and `Dog` the cheaper one is asked,
    which is how the net has mostly seen it. language: of the text, for words such as `Monday` that always have a capital.

        >>> [ask(text).text for text in ("MONDAY", "Save As", "add to cart", "I like it.")]
        ['Monday', 'Save as', 'Add to cart', 'I like it.']
    """
    plain = _outside(text, spans, str, lambda taken: " " * len(taken))
    words = _WORD.findall(plain)
    if isinstance(text, Typed) or not words or not any(word.lower() != word.upper() for word in words):
        return Asked(text, text, "")
    cheapest = partial(_cheapest, cost=cost, language=base_code(language))
    single = len(words) == 1 and cost is not None  # to a net without a vocabulary a capital does no harm
    loud = is_all_capitals(text, spans, cost)
    if single and (loud or words[0][1:] == words[0][1:].lower()) and plain.strip(" .!?…:") == words[0]:
        big = _sentence(text, spans, cheapest)
        also = _outside(big, spans, str.lower) if words[0].lower() not in ordinary(base_code(language)) else ""
        if also and cost is not None and cost(also) <= cost(big):  # the net has seen this form more often
            big, also = also, big
        return Asked(big, text, "capitals" if loud else "initial" if words[0][0].isupper() else "small", format, also)
    if loud:
        return Asked(_sentence(text, spans, cheapest), text, "capitals", format)
    if is_title_case(plain, language):
        return Asked(_sentence(text, spans, cheapest), text, "title", format)
    if plain == plain.lower() and len(words) > 1 and plain[:1].isalpha():
        return Asked(_sentence(text, spans, cheapest), text, "small", format)
    quiet = text
    for match in emphasis(plain, base_code(language)):
        small = match[0].lower() if quiet[: match.start()].strip() else match[0].capitalize()
        quiet = quiet[: match.start()] + small + quiet[match.end() :]
    return Asked(quiet, text, "")


def _likelier(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the net is clearly surer of the best of some answers than of the best of others."""
    best = ones[0] if ones else "", others[0] if others else ""
    means = [one.mean for one in best if isinstance(one, Candidate)]
    return len(means) == 2 and means[0] > means[1] + _LIKELIER


def is_all_capitals(text: str, spans: Iterable[Span] = (), cost: Cost | None = None) -> bool:
    """Whether all letters are capitals, in words of which one at least is no acronym, or in three or more.

    cost: a short word that is fewer pieces to the net in small letters is no acronym either; of four letters by themselves,
    nor is one of as many: as a word it is asked for, and comes back in capitals either way.

    >>> is_all_capitals("ADD TO CART"), is_all_capitals("CANCEL"), is_all_capitals("DELETE %s", [(7, 9)])
    (True, True, True)
    >>> is_all_capitals("USB"), is_all_capitals("Add to CART"), is_all_capitals("HTML 5"), is_all_capitals("\u65e5\u672c")
    (False, False, False, False)
    """
    plain = _outside(text, spans, str, lambda taken: " " * len(taken))
    words = _WORD.findall(plain)
    if plain != plain.upper() or plain == plain.lower() or any(map(is_wide, plain)):  # Chinese has no capitals
        return False
    if len(words) > 2:
        return True
    return any(
        len(word) > ACRONYM
        or word.lower() in _LOUD
        or (cost is not None and cost(word.lower()) < cost(word) + (len(words) == 1 and len(word) == ACRONYM))
        for word in words
        if len(word) > 1
    )


def is_title_case(text: str, language: str = "") -> bool:
    """Whether a label has a capital on every word but the small ones: `Add To Cart`, not `Add to cart`.

    A sentence is none where mostly names have a capital after its first word: `Ask Kowalski!`, but `Are You Sure?`.

    >>> is_title_case("Save As"), is_title_case("Keep It Simple and Short"), is_title_case("Dog"), is_title_case("I met Tom")
    (True, True, False, False)
    >>> is_title_case("Ask Kowalski!", "en"), is_title_case("Are You Sure?", "en")
    (False, True)
    """
    words = _PLAIN.findall(text) if len(text) <= _LABEL else []
    if len(words) < 2 or text == text.upper():
        return False
    big = [word for word in words[1:] if word[0].isupper()]
    if not words[0][0].isupper() or not big or not all(word[0].isupper() or word.lower() in _SMALL for word in words):
        return False
    if not language or not re.search(r"^\s*[¿¡]|[.!?][\s\"'”’»)]*$", text):
        return True
    known = ordinary(base_code(language))
    common = [is_common(word.lower(), base_code(language)) and word.lower() not in known for word in big]
    return 2 * sum(common) > len(big)


def _sentence(text: str, spans: Sequence[Span], cheapest: Callable[[re.Match[str]], str]) -> str:
    """A text as a sentence, where a word is a name to the net with the capital that the net knows it by."""
    return to_sentence(_words(text, spans, cheapest), spans, keep=True)


def _words(text: str, spans: Sequence[Span], cheapest: Callable[[re.Match[str]], str]) -> str:
    return _outside(text, spans, lambda part: _PLAIN.sub(cheapest, part))


def _cheapest(match: re.Match[str], cost: Cost | None, language: str) -> str:
    """A word in small letters, or with a capital where that is fewer pieces to the net: `london` -> `London`."""
    word = match[0]
    small, big = word.lower(), word[:1].upper() + word[1:].lower()
    if word == "I" or (len(word) == 1 and word.isupper() and small not in ("a", "à", "y", "o", "e", "u")):
        return word
    if cost is None:
        return small
    if language == "de" and word.isupper() and "ss" in small:  # capitals have no ß, mostly
        forms = (small, big, small.replace("ss", "ß"), big.replace("ss", "ß"))
        return min(forms, key=cost)
    known = cost(big) <= cost(small) and small in ordinary(language) and small not in _BOTH
    return big if known or cost(big) + 1 < cost(small) else small


def to_sentence(text: str, spans: Iterable[Span] = (), keep: bool = False) -> str:
    """A text in capitals as a sentence: only its first letter stays one. keep: and those that other words have.

    >>> to_sentence("ADD %S TO CART", [(4, 6)])
    'Add %S to cart'
    """
    lower = text if keep else _outside(text, spans, str.lower)
    first = next((i for i, c in enumerate(lower) if c.isalpha() and not any(a <= i < b for a, b in spans)), None)
    return lower if first is None else lower[:first] + lower[first].upper() + lower[first + 1 :]


def to_capitals(text: str, spans: Iterable[Span] = ()) -> str:
    """A text in capitals, placeholders aside.

    >>> to_capitals("Supprimer %s", [(10, 12)])
    'SUPPRIMER %s'
    """
    return _outside(text, spans, str.upper)


def _outside(text: str, spans: Iterable[Span], change: Callable[[str], str], inside: Callable[[str], str] = str) -> str:
    """The text with `change` made between the spans, which are in order, and `inside` made in them."""
    parts, end = [], 0
    for start, stop in spans:
        parts += [change(text[end:start]), inside(text[start:stop])]
        end = stop
    return "".join([*parts, change(text[end:])])


def readable(text: str, knows: Callable[[str], bool], chinese: bool) -> str:
    """A text in letters that the net can read: small ones for capitals, and in Chinese simplified for traditional ones.

    knows: whether the net has a piece for a text. chinese: whether the text is Chinese.
    """
    if knows(text):
        return text
    text = "".join(c if knows(c) or not knows(c.lower()) else c.lower() for c in text)
    if not chinese:
        return text
    from lamella.tasks.translation.chinese import simplify

    return "".join(c if knows(c) else simplify(c) for c in text)


def made_up(text: str, language: str, score: float) -> bool:
    """Whether an answer with such a score is to a name by itself that the net has not met: it makes up a word for Berlin or Peter.

    Where lists of single words have what is no name.
    """
    return score < UNSURE and is_name(text, language)


def is_name(text: str, language: str) -> bool:
    """Whether a text is a single word with a capital that is not among the common words of its language: Berlin, Peter.

    Chinese has no capitals, and in German every noun has one: a word that is made of common ones is no name there.

    >>> is_name("Berlin", "en"), is_name("Kitchen", "en"), is_name("berlin", "en"), is_name("Berlin Wall", "en")
    (True, False, False, False)
    >>> is_name("Notausgang", "de"), is_name("Adebayo", "de"), is_name("\u7d27\u6025\u51fa\u53e3", "zh")
    (False, True, False)
    """
    word = text.strip().rstrip(".!?")
    if not _NAME.fullmatch(word) or any(map(is_wide, word)) or common_words.steps(word.lower()).get(language):
        return False
    return base_code(language) != "de" or not is_noun(word)
