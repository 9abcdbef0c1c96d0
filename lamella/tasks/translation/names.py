"""Names, brands, acronyms, @mentions and #tags of a sentence: an answer keeps them or translates them, and bends none.

    >>> facts = Names("I met Johnson at @home with Kubernetes.", "en", "fr")
    >>> facts.check("J'ai rencontré Johnson à @hom avec Kubernets.", known={"Kubernetes": []}).text
    "J'ai rencontré Johnson à @home avec Kubernetes."

What the net itself makes of a name, asked for it alone (`known`), tells a translation from a loss: `Japon` for `Japan`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct, field

from lamella.data.text.languages import base_code
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation import places
from lamella.tasks.translation.acronyms import is_acronym, known_as, own
from lamella.tasks.translation.capitals import WORD, emphasis, german_names, is_common, possible_names
from lamella.tasks.translation.case import Typed, is_all_capitals, is_title_case
from lamella.tasks.translation.confidence import Candidate
from lamella.tasks.translation.likeness import NEAR, SHORT, WORDS, clipped, contains, half, like, likeness, plain
from lamella.tasks.translation.numerals import is_roman
from lamella.tasks.translation.proper import ordinary

_BARRIER = "\ue000"
_NAMED = "\ue001"  # stands for a name that was found: unlike a tag it begins the sentence
# Letter by letter: a mention, a tag, a word with a capital inside or an underscore, a face of punctuation.
_EXACT = lazy(
    r"(?<![\w@#./&])(?:[@#](?=[\w-]*[^\W\d_])[\w-]{2,60}|[^\W\d_]*[a-zà-ÿ][A-Z]\w*|[A-Z]{2,}[a-z]+[A-Z]\w*|O['’][A-Z][a-z]+|[^\W_]+(?:_[^\W_]+)+)(?![\w@])"
    r"|(?<!\S)[:;=]['-]?[()DPpO3](?!\S)"
)
# After an article that lost its vowel, too: l'ONU, d'Aisha.
_FREE = r"(?:(?<![\w'’.@#-])|(?<=(?<!\w)[LlDdNnQqSsCcJjMmTt]['’])|(?<=(?<!\w)[Qq]u['’]))"
_ACRONYM = lazy(rf"{_FREE}(?:[A-Z]{{2,8}}|(?:[A-Z]\.){{2,5}}|[A-Z]{{2,6}}-[A-Z]{{1,2}})(?=s?(?![\w-]))")
_CAPITAL = lazy(rf"{_FREE}{WORD}(?=['’]s\b|(?![\w'’]|-\w))")
# A small word with a capital within a sentence is the first of a name: Le Clézio, Los Angeles.
_PARTICLE = lazy(
    rf"{_FREE}(?:Le|La|Les|Los|Las|El|De|Del|Du|Des|Di|Da|Van|Von|Der|Den|Al|San|Saint|Sainte|Santa) (?={WORD}(?![\w'’]|-\w))"
)
# A word that begins a sentence, and that a list of names or a genitive goes on with: Zoë and Łukasz, Zoë's.
_LISTED = lazy(rf"{WORD}(?:['’]s\s|(?:, | and | et | y | e | & ){WORD})")
# Days and months that stand beside another name are names: Theresa May, August Wilson.
_DATED = lazy(
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
)
_LATIN = lazy(r"(?<![A-Za-z\u00c0-\u024f@#])[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f.-]*[A-Za-z\u00c0-\u024f]")
# After these a capital only begins a sentence, a title or an item.
_BEGINS = lazy(
    r"(?:^|(?:^|\s)[:;=]['-]?[()DPpO3]|[.!?…:;•|/>=¿¡]|[.!?…,:]?\s?[\"“”«»‹„‚(\[{*_`']|(?:^|\s)[-–—])[\s\ue000\"“«„‚(\[*_'¿¡]*$"
)
# A full stop after which a name goes on.
_TITLED = lazy(r"(?:^|[\s(\"“„«])(?:Dr|Mr|Mrs|Ms|Prof|St|Mme|Mlle|M|Hr|Fr|Sr|Sra|Srta|D|Dª|Ing|Mag|[A-Z])\.\s?$")
_NEXT = lazy(rf"\s(?:(?:de|del|de la|van|von|der|di|da|le)\s)?(?:{WORD}|[IVX]+(?!\w))")
_EXACTLY, _COPIED = 0.6, 0.85
_TRUSTED, _KNOWN = -0.22, -0.35  # mean log-probabilities: of an answer to trust, and of a word that the net knows
_GUESS = -0.8  # of a word that it does not
_MOST = 40
_WIDE = "[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"

# "initial" begins its sentence, "possible" and "probable" stand where a capital says little: they may be no names after all.
Kind = Literal["exact", "acronym", "name", "initial", "possible", "probable"]
_MAYBE = ("initial", "possible", "probable")


class Name(NamedTuple):
    """A name in a source, and what kind it is of."""

    span: Span
    text: str
    kind: Kind


class NameCheck(NamedTuple):
    """An answer with the names put right that it bent, those that are missing, and those that the net should be asked for."""

    text: str
    missing: list[Span]
    unsure: list[str]
    slight: bool = False  # all that is missing begins a sentence, and may be no name


class Names(Struct):
    """The names of a source.

    taken: spans that others take care of, and so are those of numbers. cost: how many pieces a word is to the net: a word
    that is one piece with a capital and several without is a name even where it begins the sentence.
    """

    source: str
    src: str = ""
    dst: str = ""
    taken: Sequence[Span] = ()
    cost: Callable[[str], int] | None = None
    numbers: Sequence[Span] = ()
    names: list[Name] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.src, self.dst = base_code(self.src), base_code(self.dst)
        text = self.source
        for start, end in self.taken:
            text = _bar(text, start, end)
        for start, end in self.numbers:
            text = _bar(text, start, end)
        if re.search('["“„«]', text):
            from lamella.tasks.translation.mentions import mentions  # only now: most sentences quote nothing

            for span in list(mentions(text, self.src)):
                self._add(span, "exact")
                text = _bar(text, *span)
        if not re.search(r"[A-Z@#_;:=À-ÞĀ-Ž]", text):
            return
        if self.src == "zh":  # its characters may touch a name
            text = re.sub(_WIDE, "。", text)
        titled = is_title_case(text, self.src)  # where a capital says nothing
        for match in _EXACT.finditer(text):
            self._add(match.span(), "exact")
            text = _bar(text, *match.span(), _NAMED)
        if text.upper() == text and is_all_capitals(text, cost=self.cost):
            return
        loud = {match.span() for match in emphasis(text, self.src)}
        for match in _ACRONYM.finditer(text):
            if match.span() in loud:  # for emphasis alone
                text = _bar(text, *match.span(), _NAMED)
                continue
            exact = is_roman(match[0]) or "-" in match[0]  # Henry VIII, USB-C
            self._add(match.span(), "exact" if exact else "acronym")
            text = _bar(text, *match.span(), _NAMED)
        if self.src == "zh":
            for match in _LATIN.finditer(text):
                self._add(match.span(), "name")
        elif self.src == "de":  # where every noun has a capital
            found = {match.span() for match in (*german_names(text, titled), *places.towns(text, "de"))}
            for span in sorted(found):
                self._add(span, "name")
            self._add_possible(text, titled=titled)
        else:
            self._add_capitals(text, titled)
        self.names.sort()

    def _add_capitals(self, text: str, titled: bool) -> None:
        """Note the words with a capital of a language where nouns have none."""
        end = 0
        for match in _CAPITAL.finditer(text):
            if match.start() < end:
                continue
            # After an apostrophe the name, or the word before it, began earlier: d'Aisha, D'Angelo.
            start = match.start() - 2 * (text[: match.start()][-1:] in ("'", "’") and match.start() > 1)
            begins = titled or bool(_BEGINS.search(text, 0, start)) and not _TITLED.search(text[:start])
            particle = not begins and _PARTICLE.match(text, match.start())
            if particle and (following := _CAPITAL.match(text, particle.end())):
                end = following.end()
                self._add((match.start(), end), "name")
                continue
            if match[0].casefold() in ordinary(self.src):
                if self._is_surname(text, match, titled):
                    self._add(match.span(), "name")
                continue
            span = (start, match.end()) if text[start].isupper() and self.src != "fr" else match.span()
            leads = begins and not titled and self._leads(text, match)
            if leads or not begins or self._is_name(match[0], titled):
                self._add(span, "initial" if begins and not leads else "name")
        listed = bool(_LISTED.match(text))
        if self.src and (titled or listed):
            self._add_possible(text, titled, listed=listed and not titled)

    def _is_surname(self, text: str, match: re.Match[str], titled: bool) -> bool:
        """Whether a day or a month stands beside another word with a capital, as in `August Wilson` and `Theresa May`."""
        if titled or not _DATED.fullmatch(match[0].lower()):
            return False
        after = _CAPITAL.match(text, match.end() + 1) if text[match.end() : match.end() + 1] == " " else None
        before = re.search(rf"({WORD}) $", text[: match.start()])
        beside = after[0] if after else before[1] if before and not _BEGINS.search(text, 0, before.start()) else ""
        if before and not beside:
            beside = before[1] if not is_common(before[1].lower(), self.src) else ""
        return bool(beside) and beside.casefold() not in ordinary(self.src)

    def _add_possible(self, text: str, everywhere: bool = True, titled: bool = False, listed: bool = False) -> None:
        """Note the words that may be names, though their capital says little.

        Not everywhere: the first alone. titled: each word has a capital, and none is a name for how it stands. listed: the
        first is named together with others.
        """
        known = {one.span for one in self.names}
        for match, probable in possible_names(text, self.src):
            if match.span() not in known and match[0].casefold() not in ordinary(self.src):
                begins = _BEGINS.search(text, 0, match.start())
                if not everywhere and match.start():
                    continue
                probable = (probable and not begins and not titled) or (listed and not match.start())
                self._add(match.span(), "probable" if probable else "possible")

    def _add(self, span: Span, kind: Kind) -> None:
        self.names.append(Name(span, self.source[slice(*span)], kind))

    def _is_name(self, word: str, titled: bool = False) -> bool:
        """Whether a word that begins a sentence is a name: to the net it is one rather with its capital than without.

        In a title, of which each word has a capital, it must be so clearly.
        """
        return self.cost is not None and self.cost(word) + titled < self.cost(word.lower())

    def _leads(self, text: str, match: re.Match[str]) -> bool:
        """Whether a word that begins a sentence is the first of a name: before a name, and no common word."""
        return bool(_NEXT.match(text, match.end())) and bool(self.src) and not is_common(match[0].lower(), self.src)

    def _is_common(self, word: str) -> bool:
        """Whether the net has seen a word so often that it can be trusted to know it."""
        return self.cost is not None and self.cost(word) <= 1

    def check(
        self,
        answer: str,
        taken: Sequence[Span] = (),
        known: Mapping[str, Sequence[str]] | None = None,
        sure: float | None = None,
    ) -> NameCheck:
        """Compare the names of an answer with those of the source, and put back those that are nearly there.

        taken: spans of placeholders in the answer. known: what the net makes of names by themselves, as far as it was asked.
        sure: the mean log-probability of the answer's pieces: of a likely answer only what is a name for sure is checked.
        """
        trusted = sure is not None and sure > _TRUSTED
        if not self.names:
            return NameCheck(answer, [], [])
        left = answer
        for start, end in taken:
            left = _bar(left, start, end)
        missing: list[Name] = []
        for name in sorted(self.names, key=lambda one: -len(one.text)):
            place = _place(name.text, left)
            other = own(name.text, self.src, self.dst) or places.own(name.text, self.src, self.dst)
            if not place and other:
                place = _place(other, left)
            if place:
                left = _bar(left, *place)
            elif not (trusted and name.kind in ("possible", "probable")) or self._misspelt(name, left):
                missing.append(name)
        edits: list[tuple[int, int, str]] = []
        lost: list[Span] = []
        slight = True
        unsure: list[str] = []
        sources = {plain(word) for word in WORDS.findall(self.source)}
        for name in missing[:_MOST]:
            words = [m for m in WORDS.finditer(left) if plain(m[0]) not in sources or plain(m[0]) == plain(name.text)]
            near = _nearest(name, left, words)
            verdict = self._judge(name, near and left[slice(*near)], words, (known or {}).get(name.text))
            if verdict == "bent" and near:
                edits.append((*near, name.text))
                left = _bar(left, *near)
            elif verdict != "translated":
                lost.append(name.span)
                slight = slight and name.kind in _MAYBE
                if verdict == "unsure":
                    unsure.append(Typed(name.text) if name.kind in ("possible", "probable") else name.text)
        for start, end, new in sorted(edits, reverse=True):
            answer = answer[:start] + new + answer[end:]
        return NameCheck(answer, sorted(lost), unsure, bool(lost) and slight)

    def _judge(
        self, name: Name, near: str | None, words: Sequence[re.Match[str]], known: Sequence[str] | None
    ) -> Literal["bent", "translated", "lost", "unsure"]:
        """What became of a name that an answer has not as it is."""
        if name.kind == "exact" or (near and name.kind not in _MAYBE and plain(near) == plain(name.text)):
            return "bent" if near else "lost"
        if known is None:
            return "unsure"
        if name.kind in ("possible", "probable"):
            return self._judge_possible(name, near, words, known)
        others = [candidate for candidate in known if plain(candidate) != plain(name.text)]
        if len(name.text) > SHORT:  # a letter or two are what a net leaves of a name
            others = [candidate for candidate in others if len(plain(candidate)) > 2 or not candidate.isascii()]
        if "." in name.text:  # L'U. is half of U.S.
            others = [candidate for candidate in others if not half(plain(candidate), plain(name.text))]
        if name.kind == "acronym":  # CDSF is none of SNCF
            others = [one for one in others if not is_acronym(one) or known_as(name.text, one)]
        if name.kind == "name" and not self._is_common(name.text):
            others = [candidate for candidate in others if not clipped(plain(candidate), plain(name.text))]
        if name.kind == "name" and not self._is_common(name.text):
            others = [candidate for candidate in others if not self._invented(candidate, name.text)]
        if name.kind == "name" and known and (plain(known[0]) == plain(name.text) or self._guessed(known[0])):
            others = []  # by itself the net would keep it, or has no idea of it
        # The translation of a name that the net hardly knows is a name too.
        small = name.kind != "name" or self._is_common(name.text)
        said = [plain(match[0]) for match in words if small or match[0] != match[0].lower()]
        if any(contains(said, candidate) for candidate in others):
            # A net that bends a name in a sentence may bend it alone as well; of one it knows, this is the translation.
            short = name.kind == "initial" or (name.kind == "acronym" and len(name.text) <= SHORT)
            if not near or short or self._is_common(name.text):
                return "translated"
            return "translated" if not any(like(plain(c), plain(name.text)) for c in others) else "bent"
        if near:
            return "translated" if self._is_common(name.text) and near[:1].isupper() and name.kind == "name" else "bent"
        return "lost"

    def _invented(self, candidate: str, name: str) -> bool:
        """Whether a common word of the target language is a net's guess at a name that its own language has not: Sun for Solène."""
        if self.src in ("", "de", "zh") or is_common(name.lower(), self.src) or like(plain(candidate), plain(name)):
            return False
        unsure = not isinstance(candidate, Candidate) or candidate.mean < _KNOWN
        return unsure and is_common(candidate.strip(" .!?").lower(), self.dst)

    def _misspelt(self, name: Name, answer: str) -> bool:
        """Whether an answer has what is nearly a copy of a name, with a capital: Narobi for Nairobi."""
        near = _nearest(name, answer, list(WORDS.finditer(answer)))
        word = answer[slice(*near)] if near else ""
        return (
            word[:1].isupper()
            and likeness(plain(word), plain(name.text)) >= _COPIED
            and not is_common(word.lower(), self.dst)
        )

    def _guessed(self, answer: str) -> bool:
        """Whether a net is so unsure of what it makes of a word by itself that it does not know the word.

        In German that says nothing of names: every noun has a capital, and there are many.
        """
        return self.src != "de" and isinstance(answer, Candidate) and answer.mean < _GUESS

    def _judge_possible(
        self, name: Name, near: str | None, words: Sequence[re.Match[str]], known: Sequence[str]
    ) -> Literal["bent", "translated", "lost"]:
        """What became of a word that may be a name.

        It is one if the answer has nearly the same with a capital and the net does not know it; if it stands like a name, also
        where the net by itself keeps it, or does not know it. What the net knows, or the answer says with the same letters,
        is a word that was translated.
        """
        key, best = plain(name.text), known[0] if known else ""
        copied = any(plain(one) == key for one in known)
        sure = isinstance(best, Candidate) and best.mean > _KNOWN and not copied
        same = near is not None and plain(near) == key
        probable = name.kind == "probable"
        if near and not sure and not is_common(near.lower(), self.dst) and (near[:1].isupper() or probable):
            return "translated" if same and not probable else "bent"
        if same or (self.src == "de" and not probable):
            return "translated"
        if probable and self._invented(best, name.text):
            return "lost"
        if contains([plain(match[0]) for match in words], best):
            common = any(is_common(word.lower(), self.dst) for word in WORDS.findall(best))
            return "translated" if sure or common or not probable else "lost"
        kept = best[:1].isupper() and like(plain(best), key) and not is_common(best.lower(), self.dst)
        return "lost" if copied or (probable and (kept or not sure)) else "translated"


def _nearest(name: Name, left: str, words: Sequence[re.Match[str]]) -> Span | None:
    """The word of an answer that is nearly the name."""
    least = _EXACTLY if name.kind == "exact" else NEAR
    key, best = plain(name.text), None
    if name.kind == "exact" and not name.text[:1].isalpha():
        words = list(re.finditer(r"[@#:;=][^\s\ue000]+(?<![.,!?])", left))
    for match in words:
        word = match[0]
        if name.kind == "acronym" and not (word.isupper() and sorted(word) == sorted(name.text)):
            continue
        score = 1.0 if name.kind == "acronym" else likeness(key, plain(word))
        if score >= least and (name.kind != "name" or word[:1].isupper() or score > 0.8):
            best, least = match.span(), score
    if best and re.match(r"[ldnqscjmt]['’]", left[slice(*best)], re.IGNORECASE) and "'" not in name.text[:2]:
        best = best[0] + 2, best[1]
    return best


def _place(name: str, answer: str) -> Span | None:
    """Where an answer has a name, maybe with the ending of a plural or a genitive."""
    letters = "A-Za-z0-9\u00c0-\u024f"  # Chinese characters may touch a name
    edge = f"(?<![{letters}])" if name[:1].isalnum() else f"(?<![{letters}_])"
    ends = "['’]?s|es" if name[:1].isupper() and len(name) > 1 and not name.isupper() else "['’]?s|es|n|en"  # Goldmanen
    match = re.search(rf"{edge}{re.escape(name)}(?=(?:{ends})?(?![{letters}]))", answer)
    return match.span() if match else None


def _bar(text: str, start: int, end: int, barrier: str = _BARRIER) -> str:
    return text[:start] + barrier * (end - start) + text[end:]
