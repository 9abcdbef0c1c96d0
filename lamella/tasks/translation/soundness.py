"""Whether an answer of a net can be a translation of its source, and the mark at its end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamella.data.text import placeholders, sentences
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span
from lamella.tasks.translation import clauses
from lamella.tasks.translation.plans import FOREIGN
from lamella.tasks.translation.proper import word_set

_BROKEN = lazy(rf"[{FOREIGN}\n\u2047\ufffd]")  # U+2047 is how sentencepiece writes what it does not know
_STUTTER = lazy(r"(\w{2,30}?)\1{3,}|([^\W\d_])\2{7,}")
_REPEATS = 4


def is_sound(source: str, answer: str, format: str = "") -> bool:
    """Whether an answer can be a translation of the source: its placeholders, a credible length, no loop.

    >>> is_sound("a %s", "un %s"), is_sound("a %s", "un"), is_sound("a day", "un jour " * 4)
    (True, False, False)
    """
    if not answer or len(answer) > 3 * _weight(source) + 20 or 10 * _weight(answer) < _weight(source):
        return False
    if _BROKEN.search(answer) and not set(_BROKEN.findall(answer)) <= set(_BROKEN.findall(source)):
        return False
    if (_loops(answer) and not _loops(source)) or not placeholders.agree(source, answer, format):
        return False
    spans = placeholders.spans(source, format)
    if not spans:
        return any(map(str.isalpha, answer)) or sum(map(str.isalpha, source)) < 2
    ours, theirs = _beside(source, spans), _beside(answer, placeholders.spans(answer, format))
    return 10 * theirs >= ours or ours < 3


def _beside(text: str, spans: Sequence[Span]) -> int:
    """The weight of the letters of a text that stand in no placeholder.

    >>> _beside("{x} Delete", [(0, 3)])
    6
    """
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return sum(3 if sentences.is_wide(char) else 1 for char in text if char.isalpha())


def _weight(text: str) -> int:
    """The length of a text; a character of Chinese says as much as three letters."""
    return len(text) if text.isascii() else sum(3 if sentences.is_wide(char) else 1 for char in text)


def _loops(text: str) -> bool:
    """Whether words, or a part of a word, come four times in a row."""
    words = text.split()
    for size in range(1, min(20, len(words) // _REPEATS) + 1):
        run = 0
        for index in range(size, len(words)):
            run = run + 1 if words[index] == words[index - size] else 0
            if run >= (_REPEATS - 1) * size:
                return True
    return bool(_STUTTER.search(text))


_END = lazy(r"\.{3}$|[…:!?.]$")
_STOPPED = lazy(r"(?<![.。…])(?:(?P<word>[^\W\d_]{2,})|[)\]}>”»\"\u4e00-\u9fff])[.。]$")
_SHORTENED = word_set(
    "etc usw bzw st dr mr mrs ms prof inc ltd co corp nr no vs approx min max ca ggf inkl sr sra ud uds tel"
)
_RUN_OF_MARKS = lazy(r"[?!？！]+$")
_HALF, _FULL = str.maketrans("？！", "?!"), str.maketrans("?!", "？！")
_STOPS = ".!?:;…。！？：；।؟"
_STYLES = {
    "fr": {mark: f"\u00a0{mark}" for mark in ":!?"},
    "zh": {":": "：", "!": "！", "?": "？", ".": "。", "...": "……", "…": "……"},
    "ja": {":": "：", "!": "！", "?": "？", ".": "。"},
}


def finish(source: str, answer: str, target: str) -> str:
    """Put back the mark at the end of a sentence where the answer has none, in the style of the target language.

    >>> finish("Name:", "Nom", "fr"), finish("Open...", "Ouvrir.", "fr"), finish("Done.", "Fait !", "fr")
    ('Nom\xa0:', 'Ouvrir...', 'Fait !')
    """
    match = _END.search(source)
    answer = re.sub(r"(?<=[!?])[ \u00a0]+(?=[!?]+(?:\s|$))", "", answer)
    if ("?" in answer or "？" in answer) and not re.search("[?？]", source):  # a statement asks nothing
        answer = re.sub(r"[\s\u00a0]*[?？]+", "", answer)
    for mark, wide in (("?", "？"), ("!", "！")):  # “or what?”? and Who is it??
        if source.count(mark) + source.count(wide) == 1 and answer.count(mark) == 2 and mark * 2 not in source:
            answer = re.sub(rf"\{mark}(?=[\s\u00a0\"”»“’')]*\{mark})", "", answer)
    if run := _RUN_OF_MARKS.search(answer):  # `What?!!!` of `¡¿Qué?!`
        typed = _RUN_OF_MARKS.search(source)
        if typed and len(run[0]) != len(typed[0]) > 1:
            answer = answer[: run.start()] + (
                typed[0].translate(_FULL) if target[:2] == "zh" else typed[0].translate(_HALF)
            )
    if answer.endswith("..") and not answer.endswith("...") and not source.endswith(".."):
        answer = answer[:-1]
    if (
        answer and not match and (source[-1:].isalnum() or source[-1:] in ")}]>")
    ):  # a label, to which nets give a full stop
        stopped = _STOPPED.search(answer)
        return answer[:-1] if stopped and (stopped["word"] or "").lower() not in _SHORTENED else answer
    if not match or not answer:
        return answer
    mark = match[0]
    if mark != "." and answer.endswith(".") and not answer.endswith(".."):
        answer = answer[:-1].rstrip()
    if answer[-1:] in tuple(_STOPS) or (mark == "." and not answer[-1:].isalnum()):
        return answer
    return answer + _STYLES.get(target.replace("-", "_").partition("_")[0].lower(), {}).get(mark, mark)


# --- doubts ----------------------------------------------------------------------------------------------------------

_NEGATIONS = {
    "en": r"\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|no one)\b|n['’]t\b",
    "fr": r"\b(?:ne|pas|non|jamais|rien|aucune?s?|personne|sans|ni|guère|impossible)\b|\bn['’]",
    "de": r"\b(?:nicht|kein\w*|nie|niemals|nichts|niemand\w*|ohne|weder|nein|nirgend\w*)\b",
    "es": r"\b(?:no|nunca|jamás|nada|nadie|ning[uú]n\w*|sin|tampoco|ni)\b",
    "zh": r"[不没沒無无别別未非勿莫否]",
}
# What says no without a word for it: `unable`, `only`, `hardly`.
_SILENT = {
    "en": r"\b(?:un|in|im|dis|ir)\w{4,}|\b(?:only|hardly|barely|scarcely|few|little|fail\w*|refus\w*|avoid\w*|stop\w*|lack\w*|except|but|before|than"
    r"|until|unless|too|deny|denied|forbid\w*|prevent\w*|miss\w*|any\w*|wrong|free|less)\b",
    "fr": r"\b(?:in|im|dé|ir)\w{4,}|\b(?:que|qu|seul\w*|peu|refus\w*|évit\w*|manqu\w*|sauf|mais|avant|trop|interdit\w*|empêch\w*|moins|échou\w*)\b",
    "de": r"\bun\w{4,}|\b(?:nur|kaum|wenig\w*|verbot\w*|außer|bevor|zu|fehl\w*|aber)\b",
    "es": r"\b(?:in|im|des)\w{4,}|\b(?:sólo|solo|apenas|poco\w*|falt\w*|salvo|pero|antes|prohib\w*|que)\b",
    "zh": r"[只少禁拒免失缺]",
}
# `isn't it?` says nothing of its own, and `nicht ungültig` is not what `not valid` means.
_TAGGED = lazy(
    r"[,，]\s*(?:\w+n['’]t \w+|n['’]est-ce pas|non|nicht wahr|oder|no|verdad|不是[吗么]|对不对|是不是)[\s\u00a0]*[?？]$",
    re.IGNORECASE,
)
_DOUBLE = lazy(r"\bnicht un(?!ter|ser|ten|d\b|s\b|gef)\w{4,}", re.IGNORECASE)
_TWICE = lazy(r"(?<!\w)(\w{2,})\s+\1(?!\w)", re.IGNORECASE)
_JOINED = lazy(r"(?<!\w)(\w{4,}) (?:and|et|und|y|e|or|ou|oder|o|u) \1(?!\w)", re.IGNORECASE)
_JOINED_HAN = lazy(r"([\u3400-\u9fff]{2,})[和与或]\1")
_DOUBLED = word_set("nous vous had that die der das den sie es no so very bye ha la non go now tut tout")
# Chinese words with a character of a negation that say no such thing: otherwise, but, whether, is it.
_NO_DENIAL = lazy(
    "否则|不过|不[但仅止]|[是能可与]否|[别級级区特分个性类派告]别|别[人的墅针致]|[无不]论|不管|差不多|不久|不[同断错禁]|未来|没关系|不好意思|对不起|莫名|(.)[不没]\\1|有没有|有没|非常|非洲|除非|并非常|无线|无人机"
)
_LABEL = 60  # characters of a label
_LEAST, _LONGER = 0.42, 2.6  # of its source's length that a translation has, where there is enough to compare
_ENOUGH = 24


def doubts(source: str, answer: str, src: str, dst: str) -> list[str]:
    """What makes it doubtful that an answer says what its source says: "negation", "length", "repeated", "question".

    >>> doubts("I do not like it.", "J'aime cela.", "en", "fr"), doubts("He is late.", "Il est en en retard.", "en", "fr")
    (['negation'], ['repeated'])
    """
    found = []
    ours, theirs = (re.split("[-_]", code.lower())[0] for code in (src, dst))
    if ours in _NEGATIONS and theirs in _NEGATIONS:
        said = _TAGGED.sub("?", source)
        says = _denies(said, ours)
        answers = _denies(_TAGGED.sub("?", answer), theirs)
        silent = (
            re.search(_SILENT[theirs], answer, re.IGNORECASE)
            if says
            else re.search(_SILENT[ours], source, re.IGNORECASE)
        )
        if (says != answers and not silent) or (_DOUBLE.search(answer) and not _DOUBLE.search(source)):
            found.append("negation")
    size = _weight(source)
    whole = size < _ENOUGH or _LEAST * size <= _weight(answer) <= _LONGER * size
    short = _clipped(source, answer, theirs) or _unspoken(source, answer) or clauses.lost(source, answer, ours, theirs)
    if not whole or short:
        found.append("length")
    twice = [match[1].lower() for match in _TWICE.finditer(answer) if match[1].lower() not in _DOUBLED]
    if (twice and not _TWICE.search(source)) or (_joined(answer) and not _joined(source)):
        found.append("repeated")
    if source.count("?") + source.count("？") > answer.count("?") + answer.count("？"):
        found.append("question")
    if source == source.upper():  # what is said of small letters is to be said of capitals
        source, answer = source.lower(), answer.lower()
    elif not _END.search(source) and len(source) <= _LABEL:
        source, answer = (text[:1].lower() + text[1:] for text in (source, answer))
    if _left(source, answer) or _untranslated(source, answer, ours, theirs):
        found.append("untranslated")
    return found


_SPOKEN = lazy(r"[\"“”„«»「」『』]")


def _unspoken(source: str, answer: str) -> bool:
    """Whether a source goes on with words after its last quotation and an answer ends with it, or begins with words before.

    >>> _unspoken('She said, "I know," and left.', 'Elle dit : « Je sais. »'), _unspoken('"I know," she said.', '"Je sais."')
    (True, True)
    """
    if not _SPOKEN.search(source) or not _SPOKEN.search(answer):
        return False
    ours, theirs = _SPOKEN.split(source), _SPOKEN.split(answer)
    return any(
        _says(one) and not re.search(r"\w", other) for one, other in ((ours[0], theirs[0]), (ours[-1], theirs[-1]))
    )


def _says(text: str) -> bool:
    """Whether there are two words or more, or two characters of Chinese."""
    return len(re.findall(r"[^\W\d_]+", text)) > 1 or len(_han(text)) > 1


def _denies(text: str, language: str) -> bool:
    """Whether a text has a negation."""
    text = _NO_DENIAL.sub("", text) if language == "zh" else text
    text = re.sub(r"\b[Nn]o\. ?(?=[A-Z]{0,4}[0-9])", "", text) if language == "en" else text  # a number
    return bool(re.search(_NEGATIONS[language], text, re.IGNORECASE))


_TAG = lazy(r"<[^<>]*>")
_HAN = "\u3400-\u9fff"
_OFTEN = 12  # steps from which a word is so common that a translation would have another one
_PLAIN = lazy(r"(?<![\w@#./\\:'’-])[a-zß-ÿ]{3,}(?![\w@/\\:'’-]|\.\w)")
_RUN = lazy(r"(?<![\w@#./:-])[a-zà-ÿ]+(?: [a-zà-ÿ]+)+(?![\w@/:-])")


def _left(source: str, answer: str) -> bool:
    """Whether words of the source stand in the answer as they were: three in a row, or two amid Chinese."""
    least = 2 if _han(answer) else 3
    runs = [match[0] for match in _RUN.finditer(answer)]
    return any(len(run.split()) >= least and run in source for run in runs)


_ALONE = {"en": "aio", "fr": "aàyôoc", "es": "aeyou", "de": ""}  # letters that are words
_LETTER = lazy(r"(?<![\w@#./\\:'’&{%$-])[^\W\d_](?![\w@/\\:'’&.°-])")


def _clipped(source: str, answer: str, dst: str) -> bool:
    """Whether an answer has a small letter by itself that is no word of its language: what is left of one.

    >>> _clipped("The <b>dog</b> is big.", "Le <b>g</b> est grand.", "fr"), _clipped("x and y", "x et y", "fr")
    (True, False)
    """
    if dst not in _ALONE:
        return False
    ours, theirs = (set(_LETTER.findall(_TAG.sub(" ", text))) for text in (source, answer))
    return any(one.islower() and one not in _ALONE[dst] for one in theirs - ours)


# Words that begin a text and are no names, by language: what a net may copy before a name.
_GREETINGS = {
    "en": "hello hi goodbye welcome thanks please sorry congratulations dear yes", "fr": "bonjour bonsoir salut merci bienvenue désolé félicitations oui",
    "de": "hallo tschüss willkommen danke bitte entschuldigung guten", "es": "hola adiós bienvenido bienvenida gracias perdón felicidades",
}  # fmt: skip


def _greets(source: str, answer: str, src: str, dst: str) -> bool:
    """Whether an answer begins with the greeting of its source.

    >>> _greets("Hello Ann, come in.", "Hello Ann, entrez.", "en", "fr"), _greets("Hallo!", "Hallo!", "de", "en")
    (True, True)
    """
    words = [re.match(r"\W*([^\W\d_]+)", text) for text in (source, answer)]
    first = [word[1].lower() if word else "" for word in words]
    known = _GREETINGS.get(src, "").split()
    return first[0] in known and first[1] == first[0] and first[0] not in _GREETINGS.get(dst, "").split()


_HELLO = {"en": "Hello", "fr": "Bonjour", "de": "Hallo", "es": "Hola", "zh": "你好"}
_HELLOS = lazy(
    r"(?:hello|hi|bonjour|bonsoir|salut|coucou|hallo|guten (?:tag|morgen|abend)|hola|你好|您好)", re.IGNORECASE
)

_DEAR = lazy(r"dear|ch[eè]re?s?|liebe[rs]?|querid[oa]s?|estimad[oa]s?", re.IGNORECASE)


def greeted(source: str, answer: str, first: Span, src: str, dst: str) -> str:
    """An answer that begins with a greeting before a placeholder, where its source does: `Bonjour %s` is no `Play %s`.

    first: where the source has its first placeholder. Another word by itself before it gives way.

    >>> greeted("Bonjour %s, entrez.", "Play %s, come in.", (8, 10), "fr", "en"), greeted("Hola %s", "Hi %s", (5, 7), "es", "en")
    ('Hello %s, come in.', 'Hi %s')
    """
    before, name = source[: first[0]], source[slice(*first)]
    if src == dst or dst not in _HELLO or not re.fullmatch(rf"[¡\s]*{_HELLOS.pattern}[ ,，]*", before, re.IGNORECASE):
        return answer
    place = answer.find(name)
    match = re.fullmatch(r"(?P<start>[¡\s]*)(?P<word>[^\W\d_]+)(?P<end>[ ,，]*)", answer[: max(place, 0)])
    if (
        not match
        or (_HELLOS.fullmatch(match["word"]) and not _greets(source, answer, src, dst))
        or _DEAR.fullmatch(match["word"])
        or match["word"].lower() in _GREETINGS.get(dst, "").split()
    ):
        return answer
    return f"{match['start']}{_HELLO[dst]}{match['end']}{answer[place:]}"


_LATIN = lazy(r"(?<![A-Za-zÀ-ɏ0-9_@#.:/-])(?=[A-ZÀ-Þ]*[a-zß-ÿ])[A-Za-zÀ-ɏ]+(?![A-Za-zÀ-ɏ0-9_@:/-]|\.\w)")
_MEASURES = lazy(
    r"(?:[kcmdnµ]?m|[kmµ]?g|[cmd]?l|[kM]?bps|km|h|s|ms|min|px|pt|a|p|am|pm|x|e|i|k|kbit|mbit|per|vs|ph|app|web|wifi|email|ok)",
    re.IGNORECASE,
)


def left_over(source: str, answer: str, src: str, dst: str) -> bool:
    """Whether an answer has words of another writing that its source has not: Latin ones in Chinese, or Chinese characters.

    A net for several languages answers in a third one, or spells half a name: `是 langweilig`, `达vos`.

    >>> left_over("It weighs 5 kg.", "它 pesa 5 kg。", "en", "zh"), left_over("打电话或写信", "Call 或 write", "zh", "en")
    (True, True)
    """
    if dst == "zh":
        ours = {word.lower() for word in re.findall(r"[A-Za-zÀ-ɏ]+", source)}
        words = [word.lower() for word in _LATIN.findall(answer)]
        return any(word not in ours and not _MEASURES.fullmatch(word) for word in words)
    if src != "zh":
        return False
    quoted = "".join(re.findall('["“「『《（(][^"”」』》）)]*["”」』》）)]', source))
    return bool(set(_han(answer)) - set(quoted))


def _untranslated(source: str, answer: str, src: str, dst: str) -> bool:
    """Whether an answer has a word of the source that its language uses often and the target language does not.

    >>> _untranslated("Some (about 50) left.", "Certains (about 50).", "en", "fr"), _untranslated("The pizza.", "La pizza.", "en", "fr")
    (True, False)
    """
    ours = set(_PLAIN.findall(source))
    words = [word for word in _PLAIN.findall(answer) if word in ours]
    if src == dst:
        return False
    if _greets(source, answer, src, dst):
        return True
    if not words:
        return False
    from lamella.data.text.common_words import steps

    counts = [steps(word) for word in words]
    return any(one.get(src, 0) >= _OFTEN and not one.get(dst, 1) for one in counts)


def _han(text: str) -> list[str]:
    """The Chinese characters of a text, without a pattern: one of that many characters takes milliseconds to compile."""
    return [] if text.isascii() else [letter for letter in text if "\u3400" <= letter <= "\u9fff"]


def _joined(text: str) -> bool:
    """Whether a text says "tea and tea"."""
    return bool(_JOINED.search(text) or (_han(text) and _JOINED_HAN.search(text)))


def in_script(source: str, answer: str, target: str) -> bool:
    """Whether an answer is in letters of the target language: a net for several may answer in those of another.

    >>> in_script("It fixes 3 bugs.", "修复了 3 Fehler.", "de"), in_script("红 is red.", "红 ist rot.", "de")
    (False, True)
    """
    if target.replace("-", "_").partition("_")[0].lower() not in ("en", "fr", "de", "es"):
        return True
    return set(_han(answer)) <= set(source) or bool(re.fullmatch(rf"[\W\d{_HAN}]*", source))
