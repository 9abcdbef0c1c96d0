"""Names of people in Chinese, which small nets translate word by word: they are written in Latin letters, Wang Xiaoming.

>>> [(one.text, one.latin) for one in find("昨天王芳见到了李小明。", lambda word: False)], romanised("杭州")
([('王芳', 'Wang Fang'), ('李小明', 'Li Xiaoming')], 'Hangzhou')
>>> list(find("黄金是贵的，周末在家，谢谢你。", lambda word: word in ("黄金", "周末")))
[]
>>> lost("王小明去年见过李娜。", "The king was a woman."), lost("王小明去年来了。", "Wang Xiaoming came last year.")
(True, False)
>>> lost("我叫张伟。", "My name is great."), lost("高兴的人在工作。", "The happy man works."), lost("白天很热。", "The day is hot.")
(True, False, False)

How characters are read, `pinyin.txt`, was made from CC-CEDICT (CC BY-SA 4.0) by `recipes/translation/pinyin.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lamella.data.text.lazy import lazy

# The commonest family names, after the census of 2020, but for those that are common words too: 高, 马, 于.
_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董萧曹袁邓傅沈彭吕苏卢蒋蔡贾魏薛阎潘杜戴钟汪姜姚谭廖邹崔邱秦侯邵孟段钱尹黎乔龚"
_MORE = "高何马于程许曾丁叶余夏田任范方石熊金陆郝孔白康毛江史顾龙万雷汤易常武贺赖文"  # before a title, or after a word for calling
_DOUBLE = "欧阳|诸葛|司马|上官"
_READ = {
    "曾": "Zeng",
    "任": "Ren",
    "单": "Shan",
    "解": "Xie",
    "仇": "Qiu",
    "区": "Ou",
    "查": "Zha",
    "盖": "Ge",
    "朴": "Piao",
    "乐": "Yue",
    "吕": "Lyu",
}
_ANY = f"{_DOUBLE}|[{_FAMILY}]"
_EVERY = f"{_DOUBLE}|[{_FAMILY}{_MORE}]"
_TITLES = "先生|女士|小姐|太太|老师|教授|博士|医生|经理|总统|主席|同学|总理|部长|校长|律师|师傅"
_VERBS = (
    "是|在|去|说|来|昨天|今天|明天|今年|去年|和|跟|与|也|都|不|没|有|想|要|会|把|被|的|住|写|吃|喜欢|觉得|认为|告诉|出生|从|对|给|打|买|看|见|到|走|问|叫"
    "|已|很|正|先|刚|能|可|做|用|拿|得|爱|送|请|带|让|为|以|还|就|才|又|将|曾|吗|呢|吧|了|等|结婚|离婚|毕业|工作|生活|创办|创立|发明|获得|成为|担任"
)
_NO_GIVEN = "的是在不了和也都有我你他她它这那们上里个一二三四五六七八九日末说去来见过想要会把被从对给打买看到走问叫很没跟与及或先刚正已为代朝"
_GIVEN = f"(?:(?![{_NO_GIVEN}])[一-龥])"
_CALLED = rf"(?:叫|名叫|叫做|姓名是)(?P<called>{_EVERY})(?P<g1>{_GIVEN}{{1,2}})(?=[，。！？、；：,.!?]|$)"
_TITLED = rf"(?P<titled>{_EVERY})(?P<g2>{_GIVEN}{{0,2}}?)(?={_TITLES})"
_BEFORE = r"(?:^|(?<=[，。！？；：“「、和跟与给对向问找叫请让被把由及或到过])|(?<=昨天|今天|明天|去年|今年|告诉|认识|遇见|看见|喜欢|到了|因为|但是|如果|然后|联系|邀请|支持|采访|谢谢|感谢|朋友|同学|老师|哥哥|姐姐|弟弟|妹妹|经理|教授|总统|主席))"
_PLACED = rf"{_BEFORE}(?P<placed>{_ANY})(?P<g3>{_GIVEN}{{1,2}}?)(?=[，。！？、；：,.!?”」）)0-9]|$|{_VERBS})"
_NAME = lazy(f"{_CALLED}|{_TITLED}|{_PLACED}")
_HAN = lazy("[\u3400-\u9fff]+")


class Person(NamedTuple):
    """A name in a text: where, as it is there, and in Latin letters."""

    start: int
    end: int
    text: str
    latin: str


@cache
def _readings() -> dict[str, str]:
    rows = (line.split(" ") for line in (Path(__file__).parent / "pinyin.txt").read_text("utf-8").splitlines())
    return {char: syllable for syllable, chars in rows for char in chars}


def romanised(text: str) -> str:
    """Chinese characters as they are read, as one word with a capital."""
    return "".join(_readings().get(char, char) for char in text).capitalize()


def _family(name: str) -> str:
    return _READ.get(name) or romanised(name)


def _matches(source: str) -> Iterator[tuple[re.Match[str], str, str]]:
    for match in _NAME.finditer(source):
        for family, given in (("called", "g1"), ("titled", "g2"), ("placed", "g3")):
            if match[family]:
                yield match, family, given


def find(source: str, is_word: Callable[[str], bool]) -> Iterator[Person]:
    """The names of people in a text, where it is clear that they are names: how they stand, and no word begins as they do.

    is_word: whether a list of words has one.
    """
    for match, family, given in _matches(source):
        start, end = match.start(family), match.end(given)
        text = source[start:end]
        whole = start == 0 and end == len(source)
        if (whole and len(text) < 3) or match[given][:1] == match[family]:
            continue
        # Words that begin within the name count too: 和周围的人 has no Mr Zhou.
        if match[given] and any(is_word(source[start : start + size]) for size in (2, 3, 4)):
            continue
        if family == "placed" and len(match[given]) == 1 and is_word(source[start + 1 : start + 3]):
            continue
        first = _family(match[family])
        yield Person(start, end, text, f"{first} {romanised(match[given])}" if match[given] else first)


def lost(source: str, answer: str, is_word: Callable[[str], bool] = lambda word: False) -> bool:
    """Whether a Chinese text names a person whose family name an answer in Latin letters has not."""
    names = [one.latin.split(" ")[0] for one in find(source, is_word)]
    return any(not re.search(rf"(?<!\w){'L' if name == 'Lyu' else name}", answer) for name in names)


def strange(source: str, spans: list[tuple[int, int]], translation: Callable[[str], str | None]) -> list[Person]:
    """Stretches of characters that a net has not, with the word around each that a list has, else as they are read.

    translation: what a list has of a word.
    """
    found: list[Person] = []
    for start, end in spans:
        if not _HAN.fullmatch(source[start:end]):
            continue
        words = [
            (a, b)
            for size in (4, 3, 2)
            for a in range(max(0, end - size), start + 1)
            for b in [a + size]
            if b >= end and b <= len(source) and _HAN.fullmatch(source[a:b])
        ]
        word = next(((a, b) for a, b in words if translation(source[a:b])), None)
        a, b = word or (start, end)
        if not word and source[end : end + 1] in tuple("州县市省区镇村山江河湖岛"):
            b = end + 1  # a place: 杭州
        text = source[a:b]
        found.append(Person(a, b, text, translation(text) or romanised(text)))
    return found
