"""Towns that languages have names of their own for, and what is well known and written in Chinese characters.

>>> own("München", "de", "en"), translated("Nach Wien!", "To Wien!", "de", "en"), translated("In Geneva.", "在Geneva。", "en", "zh")
('Munich', 'To Vienna!', '在日内瓦。')
>>> [(one.text, one.latin) for one in in_chinese("微软在北京大学，早上海边很美。")]
[('微软', 'Microsoft'), ('北京', 'Beijing')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from lamella.data.text.lazy import lazy

if TYPE_CHECKING:  # most nets have none
    from lamella.tasks.translation.chinese_names import Person
    from lamella.tasks.translation.dictionary import Dictionary

_LANGUAGES = ("en", "fr", "de", "es", "zh")
# English, French, German, Spanish, Chinese: words that mean nothing else in their language.
_TOWNS = """
Munich Munich München Múnich 慕尼黑
Cologne Cologne Köln Colonia 科隆
Vienna Vienne Wien Viena 维也纳
Geneva Genève Genf Ginebra 日内瓦
Zurich Zurich Zürich Zúrich 苏黎世
Basel Bâle Basel Basilea 巴塞尔
Bern Berne Bern Berna 伯尔尼
Milan Milan Mailand Milán 米兰
Venice Venise Venedig Venecia 威尼斯
Rome Rome Rom Roma 罗马
Florence Florence Florenz Florencia 佛罗伦萨
Naples Naples Neapel Nápoles 那不勒斯
London Londres London Londres 伦敦
Paris Paris Paris París 巴黎
Lisbon Lisbonne Lissabon Lisboa 里斯本
Brussels Bruxelles Brüssel Bruselas 布鲁塞尔
Antwerp Anvers Antwerpen Amberes 安特卫普
Warsaw Varsovie Warschau Varsovia 华沙
Prague Prague Prag Praga 布拉格
Moscow Moscou Moskau Moscú 莫斯科
Athens Athènes Athen Atenas 雅典
Copenhagen Copenhague Kopenhagen Copenhague 哥本哈根
Stockholm Stockholm Stockholm Estocolmo 斯德哥尔摩
Beijing Pékin Peking Pekín 北京
Seoul Séoul Seoul Seúl 首尔
Tokyo Tokyo Tokio Tokio 东京
Shanghai Shanghai Shanghai Shanghái 上海
Seville Séville Sevilla Sevilla 塞维利亚
Barcelona Barcelone Barcelona Barcelona 巴塞罗那
Nuremberg Nuremberg Nürnberg Núremberg 纽伦堡
Hamburg Hambourg Hamburg Hamburgo 汉堡
Berlin Berlin Berlin Berlín 柏林
Dresden Dresde Dresden Dresde 德累斯顿
Edinburgh Édimbourg Edinburgh Edimburgo 爱丁堡
Strasbourg Strasbourg Straßburg Estrasburgo 斯特拉斯堡
"""
# What Chinese has characters for, as it is written in Latin letters.
_CHINESE = (
    "广州:Guangzhou 深圳:Shenzhen 杭州:Hangzhou 香港:Hong_Kong 台湾:Taiwan 南京:Nanjing 武汉:Wuhan 重庆:Chongqing 天津:Tianjin 苏州:Suzhou 青岛:Qingdao 大连:Dalian 昆明:Kunming "
    "厦门:Xiamen 长沙:Changsha 郑州:Zhengzhou 哈尔滨:Harbin 台北:Taipei 澳门:Macau 四川:Sichuan 广东:Guangdong 浙江:Zhejiang 云南:Yunnan 加州:California "
    "华盛顿:Washington 马德里:Madrid 旧金山:San_Francisco 洛杉矶:Los_Angeles 芝加哥:Chicago 波士顿:Boston 多伦多:Toronto 悉尼:Sydney 墨尔本:Melbourne "
    "微软:Microsoft 谷歌:Google 华为:Huawei 阿里巴巴:Alibaba 腾讯:Tencent 微信:WeChat 淘宝:Taobao 支付宝:Alipay 抖音:TikTok 特斯拉:Tesla 脸书:Facebook "
    "亚马逊:Amazon 推特:Twitter 麦当劳:McDonald's 肯德基:KFC 星巴克:Starbucks 可口可乐:Coca-Cola 宜家:IKEA 丰田:Toyota 本田:Honda 宝马:BMW 耐克:Nike "
    "沃尔玛:Walmart 奥巴马:Obama 特朗普:Trump 拜登:Biden 普京:Putin 爱因斯坦:Einstein 莎士比亚:Shakespeare 马云:Jack_Ma 红楼梦:Dream_of_the_Red_Chamber "
    "西游记:Journey_to_the_West 三国演义:Romance_of_the_Three_Kingdoms 水浒传:Water_Margin"
)
# Before these the same characters are parts of other words: 早上海边.
_NOT_BEFORE = "早晚路地天身手以马船海变形构完组"


@cache
def _rows() -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in _TOWNS.strip().splitlines()]


@cache
def _table(src: str) -> dict[str, tuple[str, ...]]:
    """The towns of a language, by their names in it."""
    return {row[_LANGUAGES.index(src)]: row for row in _rows()} if src in _LANGUAGES else {}


def own(town: str, src: str, dst: str) -> str | None:
    """What a language calls a town of another one, where both are known."""
    row = _table(src).get(town)
    return row[_LANGUAGES.index(dst)] if row and dst in _LANGUAGES else None


_CAPITAL = lazy(r"(?<![\w@#./-])[A-ZÀ-Þ][^\W\d_A-Z]+(?![\w@/-]|\.\w)")


def towns(text: str, language: str) -> Iterator[re.Match[str]]:
    """The towns of a text that other languages call otherwise."""
    table = _table(language)
    yield from (match for match in _CAPITAL.finditer(text) if match[0] in table)


def translated(source: str, answer: str, src: str, dst: str) -> str:
    """An answer with its language's names for the towns of its source, where it has copies of these."""
    if src == "zh" or src == dst or dst not in _LANGUAGES:
        return answer
    for match in towns(source, src):
        wanted = own(match[0], src, dst)
        if wanted and wanted != match[0] and wanted not in answer:
            answer = re.sub(rf"(?<![\w@#./-]){re.escape(match[0])}(?![\w@/-])", wanted, answer, flags=re.ASCII)
    return answer


@cache
def _written() -> dict[str, str]:
    pairs = (pair.split(":") for pair in _CHINESE.split())
    return {**{row[4]: row[0] for row in _rows()}, **{name: latin.replace("_", " ") for name, latin in pairs}}


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(sorted(_written(), key=len, reverse=True))
    return re.compile(f"(?<![{_NOT_BEFORE}])(?:{names})(?![包])")


def in_chinese(source: str) -> Iterator[Person]:
    """What a Chinese text has of towns, firms, people and books that are written in Latin letters in one way."""
    from lamella.tasks.translation.chinese_names import Person  # only now: most texts are not Chinese

    for match in _pattern().finditer(source):
        yield Person(match.start(), match.end(), match[0], _written()[match[0]])


def held(
    source: str, frozen: Sequence[tuple[int, int]], dictionary: Dictionary | None
) -> tuple[list[Person], list[Person]]:
    """What of a Chinese sentence is written in Latin letters: what a net never sees, and what its answer must have.

    The first are names of people, and what it cannot read; the second are in a list here: a net may know them. frozen: where
    it cannot read the source.
    """

    from lamella.tasks.translation.chinese_names import find, strange

    def listed(word: str) -> str | None:
        found = dictionary.find(word) if dictionary else []
        return found[0] if found else None

    known = list(in_chinese(source))
    people = find(source, lambda word: listed(word) is not None)
    taken: list[Person] = []
    for one in (*people, *strange(source, list(frozen), listed)):
        if not any(other.start < one.end and one.start < other.end for other in (*known, *taken)):
            taken.append(one)
    # What the net cannot read all of, it does not see.
    hidden = [one for one in known if any(a < one.end and one.start < b for a, b in frozen)]
    return [*hidden, *taken], [one for one in known if one not in hidden]
