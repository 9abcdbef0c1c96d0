"""Names of people in Chinese, which small nets translate word by word: an answer without the family name is doubtful.

>>> lost("王小明去年见过李娜。", "The king was a woman."), lost("王小明去年来了。", "Wang Xiaoming came last year.")
(True, False)
>>> lost("我叫张伟。", "My name is great."), lost("高兴的人在工作。", "The happy man works."), lost("白天很热。", "The day is hot.")
(True, False, False)
"""

from __future__ import annotations

import re

from lamella.data.text.lazy import lazy

# The commonest family names, after the census of 2020, with their romanization.
_FAMILY = dict(
    pair.split(":")
    for pair in [
        "王:Wang",
        "李:Li",
        "张:Zhang",
        "刘:Liu",
        "陈:Chen",
        "杨:Yang",
        "赵:Zhao",
        "黄:Huang",
        "周:Zhou",
        "吴:Wu",
        "徐:Xu",
        "孙:Sun",
        "胡:Hu",
        "朱:Zhu",
        "林:Lin",
        "郭:Guo",
        "罗:Luo",
        "梁:Liang",
        "宋:Song",
        "郑:Zheng",
        "谢:Xie",
        "韩:Han",
        "唐:Tang",
        "冯:Feng",
        "董:Dong",
        "萧:Xiao",
        "曹:Cao",
        "袁:Yuan",
        "邓:Deng",
        "傅:Fu",
        "沈:Shen",
        "彭:Peng",
        "吕:L",
        "苏:Su",
        "卢:Lu",
        "蒋:Jiang",
        "蔡:Cai",
        "贾:Jia",
        "魏:Wei",
        "薛:Xue",
        "阎:Yan",
        "潘:Pan",
        "杜:Du",
        "戴:Dai",
        "钟:Zhong",
        "汪:Wang",
        "姜:Jiang",
        "姚:Yao",
        "谭:Tan",
        "廖:Liao",
        "邹:Zou",
        "崔:Cui",
        "邱:Qiu",
        "秦:Qin",
        "侯:Hou",
        "邵:Shao",
        "孟:Meng",
        "段:Duan",
        "钱:Qian",
        "尹:Yin",
        "黎:Li",
        "乔:Qiao",
        "龚:Gong",
        "欧阳:Ouyang",
        "诸葛:Zhuge",
        "司马:Sima",
        "上官:Shangguan",
    ]
)
_ANY = "|".join(sorted(_FAMILY, key=len, reverse=True))
_TITLES = "先生|女士|小姐|老师|教授|博士|医生|经理|总统|主席|同学|总理|部长"
_VERBS = "是|在|去|说|来|昨天|今天|明天|今年|去年|和|也|都|不|没|有|想|要|会|把|被|的|住|写|吃|喜欢|觉得|认为|告诉|出生"
# After a word for calling, before a title, or at the beginning of a sentence before a verb.
_NAME = lazy(
    rf"(?:叫|名叫|叫做|姓名是)(?P<called>{_ANY})[一-龥]{{1,2}}(?=[，。！？、；：,.!?]|$)"
    rf"|(?P<titled>{_ANY})[一-龥]{{0,2}}?(?:{_TITLES})|(?:^|(?<=[，。！？；：“]))(?P<first>{_ANY})[一-龥]{{1,2}}?(?={_VERBS})"
)


def lost(source: str, answer: str) -> bool:
    """Whether a Chinese text names a person whose family name an answer in Latin letters has not."""
    families = [_FAMILY[name] for match in _NAME.finditer(source) if (name := match[match.lastgroup or 0])]
    return any(not re.search(rf"(?<!\w){family}", answer) for family in families)
