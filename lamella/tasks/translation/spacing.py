"""What belongs to writing rather than to words: blanks beside placeholders, capitals, marks of another script, ¿ and ¡.

>>> unglued("Delete %(n)d files", "%(n)dDateien löschen"), capital("Ask Tom.", "frag Tom.", "en")
('%(n)d Dateien löschen', 'Frag Tom.')
>>> inverted("Realmente? Qué día!"), narrow("The house（old）is sold。")
('¿Realmente? ¡Qué día!', 'The house (old) is sold.')
"""

from __future__ import annotations

import re
from collections import defaultdict

from lamella.data.text import placeholders
from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import is_wide

_WIDE = {
    "（": " (", "）": ") ", "［": " [", "］": "] ", "【": " [", "】": "] ", "，": ", ", "、": ", ", "。": ". ", "！": "! ", "？": "? ", "；": "; ",
    "：": ": ", "％": "%", "　": " ",
}  # fmt: skip
_ENDS = lazy(r"(?P<mark>[?!]+)(?=$|[\s\"»”)\]}*_…\ue000])(?!\s+[a-zß-ÿ])")
# A full stop in a name, a number or after an abbreviation ends no sentence.
_STARTS = lazy(
    r"[!?…:;\n¿¡\"«“(\[—–]|(?<!(?<!\w)[A-ZÁÉ])(?<!(?<!\w)(?:Sr|Dr|Mr|Ms|St|Ud))(?<!(?<!\w)(?:Sra|Dra|Mrs|Uds|etc|Sto))(?<!Srta)(?<!Prof)\.(?=[\s\"»”)]|$)"
)


def unglued(source: str, answer: str, format: str = "") -> str:
    """The answer with a blank between a placeholder and a word where the source has no word right beside it."""
    spans = placeholders.spans(answer, format)
    if not spans:
        return answer
    beside: dict[tuple[str, int], bool] = defaultdict(
        bool
    )  # whether in the source a letter touches it, before and after
    blank: dict[str, bool] = defaultdict(bool)  # whether a blank follows it
    for start, end in placeholders.spans(source, format):
        blank[source[start:end]] |= source[end : end + 1].isspace()
        for side, char in enumerate((source[:start][-1:], source[end:][:1])):
            beside[source[start:end], side] |= char.isalnum() and not is_wide(char)
    for start, end in reversed(spans):
        token = answer[start:end]
        if token in ("\\n", "\\t", "\\r"):  # a break of lines stands beside words
            answer = answer[:end] + (answer[end:] if blank[token] else answer[end:].lstrip(" "))
            continue
        opens = bool(re.fullmatch(r"<[^/!?][^<>]*(?<!/)>|[\[*_~=]+", token))
        closes = token.startswith("</") or bool(re.fullmatch(r"[*_~=]+|\].*", token))
        if opens and answer[end:][:1] == " " and not blank[token]:  # <b> Note</b>
            answer = answer[:end] + answer[end:].lstrip(" ")
        if _word(answer[end:][:1]) and not opens and not beside[token, 1]:
            answer = f"{answer[:end]} {answer[end:]}"
        if _word(answer[:start][-1:]) and not closes and not beside[token, 0] and token[:1] not in "\\&":
            answer = f"{answer[:start]} {answer[start:]}"
    return answer


def _word(char: str) -> bool:
    return char.isalnum() and not is_wide(char)


def capital(source: str, answer: str, src: str) -> str:
    """The answer with the capital that its source begins with, or in Chinese a sentence has."""
    opening = re.match("[¿¡«“„\"‘'(\\[]*\u00a0?", answer)
    if opening and opening[0]:
        return opening[0] + capital(source.lstrip("¿¡«“„\"‘'([「『（\u00a0"), answer[opening.end() :], src)
    begins = source[:1].isupper() or (src == "zh" and source[-1:] in ("。", "！", "？"))
    word = re.match(r"[^\W\d_]+", answer)
    if not begins or not word or not word[0].islower() or word[0] in source or "\ue000" in answer[: len(word[0]) + 1]:
        return answer
    after = answer[len(word[0]) :][:2]
    return answer if re.match(r"[\d_]|[.@/]\w", after) else answer[0].upper() + answer[1:]


def inverted(text: str) -> str:
    """A Spanish text whose questions and exclamations begin with the mark turned round."""
    parts, end = [], 0
    for match in _ENDS.finditer(text):
        clause = text[end : match.end()]
        mark = "¿" if "?" in match["mark"] else "¡"
        starts = [m.start() for m in _STARTS.finditer(clause[: len(clause) - len(match["mark"])])]
        # A bracket that is closed again before the mark stands within the question.
        starts = [at for at in starts if clause[at] not in "([" or not re.search(r"[)\]]", clause[at:])]
        at = starts[-1] if starts else -1
        if at < 0 or clause[at] not in "¿¡":
            first = re.search(r"[\w\ue000]", clause[at + 1 :])
            if first and re.search(r"[^\W\d_]", clause[at + 1 :]):
                place = at + 1 + first.start()
                clause = clause[:place] + mark + clause[place:]
        parts.append(clause)
        end = match.end()
    return _paired("".join([*parts, text[end:]]))


def _paired(text: str) -> str:
    """A Spanish text without a mark turned round that nothing ends.

    >>> _paired("¡No se pudo: ¡acceso negado."), _paired("¡Hola! ¿Qué?!")
    ('No se pudo: acceso negado.', '¡Hola! ¿Qué?!')
    """
    for opening in "¿¡":
        text = re.sub(rf"{opening}(?=[^?!{opening}]*(?:{opening}|$))", "", text)
    return text


_FULL_WIDTH = {
    code: code - 0xFEE0 for first, last in ("09", "AZ", "az") for code in range(ord(first) + 0xFEE0, ord(last) + 0xFEE1)
}


def half_width(text: str) -> str:
    """A text with ASCII for full-width letters and digits, and for the marks between such digits; as many characters as before.

    >>> half_width("房间１２３，电话０１０－１２３４")
    '房间123，电话010-1234'
    """
    if not re.search("[\uff10-\uff5a]", text):
        return text
    return re.sub(
        "(?<=[0-9])[－．](?=[0-9])", lambda match: "-" if match[0] == "－" else ".", text.translate(_FULL_WIDTH)
    )


def narrow_mark(text: str) -> str:
    """What stands between Chinese sentences as it stands between others.

    >>> narrow_mark("！"), narrow_mark("，")
    ('!', ', ')
    """
    return re.sub(
        "[，、；：]", lambda match: _WIDE[match[0]], re.sub("[！？。]", lambda match: _WIDE[match[0]][0], text)
    )


def narrow(text: str) -> str:
    """A text with the punctuation of Latin letters in the place of full-width marks."""
    if not any(char in text for char in _WIDE):
        return text
    text = re.sub("|".join(_WIDE), lambda match: _WIDE[match[0]], text)
    text = re.sub(r"(?<=\S) {2,}", " ", re.sub(r" +(?=[,.;:!?)\]])", "", text))
    return re.sub(r"(?<=[(\[]) +", "", text).strip(" ")
