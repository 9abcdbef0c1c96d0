"""Chinese as its readers expect it: traditional characters are understood, and punctuation is full-width.

The table of characters, `simplified.txt`, was made from CC-CEDICT (CC BY-SA 4.0) by `recipes/translation/chinese.py`: a
traditional character that simplified words use too is not in it, since what it would become depends on the word.
"""

import re
from functools import cache
from pathlib import Path

from lamella.data.text import placeholders
from lamella.data.text.lazy import lazy

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WIDE = f"{_HAN}\u3000-\u303f\uff01-\uff60"
_BLANK = lazy(rf"(?<=[{_WIDE}]) +(?=[{_WIDE}])")
_FULL = {",": "，", "?": "？", "!": "！", ":": "：", ";": "；"}
# A mark after a Chinese character; not in `12:30` or `http://`, where what stands before it is no such character.
_MARK = lazy(rf"(?<=[{_WIDE}]) *([,?!;]|:(?!//)) *")
_STOP = lazy(rf"(?<=[{_HAN}”」）]) *\.(?=\s|$|[{_WIDE}])")
_BRACKETS = lazy(rf"\(([^()\n]*[{_HAN}][^()\n]*)\)")
_QUOTES = lazy(rf'"([^"\n]*[{_HAN}][^"\n]*)"')


@cache
def _table() -> dict[int, str]:
    traditional, simple = (Path(__file__).parent / "simplified.txt").read_text("utf-8").split()
    return {ord(a): b for a, b in zip(traditional, simple, strict=True)}


def simplify(text: str) -> str:
    """A text with simplified characters for the traditional ones; as many characters as before.

    >>> simplify("這裡")
    '这里'
    """
    return text if text.isascii() else text.translate(_table())


# What the table once made of 么 and 宁, which simplified texts have too: nets learned it from their texts.
_MENDED = str.maketrans("幺㝉", "么宁")
_TWICE = lazy(r"([，：；])[：:，,；;]+")
_BESIDE = lazy(r" +(?=[，。！？：；、）”》])|(?<=[，。！？：；、（“《]) +")
_LAST = lazy(r"(?<=[A-Za-z0-9%)\]}\"”>\ue000]) ?(\.|[?!;])$")


def punctuate(text: str) -> str:
    """A Chinese text without blanks between characters and with full-width punctuation after them, and at its end.

    >>> punctuate("你好, 世界! (你好) 12:30"), punctuate("什幺 ， 你在 GitHub.")
    ('你好，世界！（你好） 12:30', '什么，你在 GitHub。')
    """
    if not re.search(f"[{_HAN}]", text):
        return text
    text = _BRACKETS.sub("（\\1）", text.translate(_MENDED))
    text = _QUOTES.sub("“\\1”", text)
    text = _MARK.sub(lambda match: _FULL[match[1]], text)
    text = _TWICE.sub(r"\1", _BESIDE.sub("", text))
    if not text.endswith(".."):
        text = _LAST.sub(lambda match: {**_FULL, ".": "。"}[match[1]], text)
    return _BLANK.sub("", _STOP.sub("。", text))


# What stands between Chinese characters and Latin ones needs no blank, but an address would not end before a character.
_LATIN = lazy(rf"(?<=[{_HAN}]) (?=[A-Za-z0-9(\[])|(?<=[A-Za-z0-9%)\]]) (?=[{_HAN}])")
FACE = lazy(r"(?<!\S)[:;=]['-]?[()DPpO3](?!\S)")  # of punctuation
_HELD = "\ue000"  # stands for a placeholder
_AFTER = lazy(rf"(?<=[A-Za-z0-9%)\]{_HELD}]) ?([,?!;:]) ?(?=[{_HAN}])")
_BEFORE = lazy(rf"(?<=[{_HAN}])\.(?={_HELD})")
# A net writes a counter of years behind whatever has digits or Latin letters.
_YEARS = lazy(
    r"((?:(?<![A-Za-z0-9])[A-Za-z\u00c0-\u024f]{2,}|[$€£][0-9][0-9.,]*|\+?[0-9]+(?:[ -][0-9]+)+|[0-9]+(?:[./][0-9]+){2,})) ?[年岁日](?=[，。！？；,.]|$)"
)
_COUNTER = lazy(r"([$€£¥][0-9][0-9.,]*|[0-9]{1,2}(?::[0-9]{2})+) ?年代?|第(?=[0-9]{1,2}(?::[0-9]{2}|[ap]m))")


def joined(text: str, format: str = "") -> str:
    """A Chinese text without blanks between its sentences, or between its characters and Latin ones, placeholders aside.

    format: which of them there are (see `placeholders`); addresses are among them.

    >>> joined("真的吗？ 没办法！"), joined("第 404 页在 https://a.org/b 这里"), joined("你好 {name}, 欢迎. {x}")
    ('真的吗？没办法！', '第404页在 https://a.org/b 这里', '你好 {name}，欢迎。 {x}')
    >>> joined("谢谢 :) 回头见 ;-)")
    '谢谢 :) 回头见 ;-)'
    """
    spans = placeholders.spans(text, format)
    if ":" in text or ";" in text or "=" in text:
        faces = [match.span() for match in FACE.finditer(text)]
        spans = sorted([*spans, *(one for one in faces if not any(a < one[1] and one[0] < b for a, b in spans))])
    held = [text[start:end] for start, end in spans]
    for start, end in reversed(spans):
        text = text[:start] + _HELD + text[end:]
    text = _BLANK.sub("", _STOP.sub("。", _MARK.sub(lambda match: _FULL[match[1]], text)))
    text = re.sub(r"(?<=[A-Za-z0-9]) +(?=[,;] )", "", text)
    text = re.sub(r",(?=”[，。！？])", "", text)
    if re.search(f"[A-Za-z0-9{_HELD}]", text):
        if re.search(f"[{_HAN}]", text) and not text.endswith(".."):
            text = _LAST.sub(lambda match: {**_FULL, ".": "。"}[match[1]], text)
        text = _AFTER.sub(lambda match: _FULL[match[1]], _YEARS.sub(r"\1", _COUNTER.sub(r"\1", text)))
        text = _LATIN.sub("", _BEFORE.sub("。", text))
    parts = iter(held)
    return re.sub(_HELD, lambda _: next(parts), text)
