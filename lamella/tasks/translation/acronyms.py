"""Acronyms that languages have of their own: NATO is OTAN in French. What a net makes of any other one is a slip.

>>> known_as("OTAN", "NATO"), known_as("SNCF", "CDSF"), translated("L'OTAN et la SNCF", "OTAN and SNCF", "fr", "en")
(True, False, 'NATO and SNCF')
"""

from __future__ import annotations

import re
from functools import cache

# English, French, German, Spanish, Chinese.
_TABLE = """
UN ONU UNO ONU 联合国
NATO OTAN NATO OTAN 北约
EU UE EU UE 欧盟
WHO OMS WHO OMS 世界卫生组织
IMF FMI IWF FMI 国际货币基金组织
ECB BCE EZB BCE 欧洲央行
WTO OMC WTO OMC 世贸组织
AIDS SIDA AIDS SIDA 艾滋病
HIV VIH HIV VIH HIV
DNA ADN DNA ADN DNA
RNA ARN RNA ARN RNA
AI IA KI IA 人工智能
GDP PIB BIP PIB GDP
VAT TVA MwSt. IVA 增值税
NGO ONG NGO ONG 非政府组织
USSR URSS UdSSR URSS 苏联
GMO OGM GVO OGM 转基因生物
UFO OVNI UFO OVNI UFO
"""
_LANGUAGES = ("en", "fr", "de", "es", "zh")
# Also said for the same: words, and acronyms of one language alone.
_ALSO = (
    ("UN", "U.N.", "VN", "UNO"), ("DNA", "DNS"), ("NGO", "NRO"), ("USA", "EE. UU.", "EE.UU.", "EUA", "US", "U.S.", "U.S.A."), ("CEO", "PDG"),
    ("UK", "RU", "R.-U."), ("TV", "TÉLÉ"), ("PC", "PKW"),
)  # fmt: skip


@cache
def _groups() -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in _TABLE.strip().splitlines()]


def known_as(acronym: str, other: str) -> bool:
    """Whether another acronym stands for the same: one of another language, or one of the same letters."""
    ours, theirs = acronym.upper(), other.upper().rstrip(".")
    if sorted(re.sub(r"\W", "", ours)) == sorted(re.sub(r"\W", "", theirs)):
        return True
    return any(
        ours in some and theirs in some for some in ({one.upper().rstrip(".") for one in group} for group in _all())
    )


def _all() -> list[tuple[str, ...]]:
    return [*_groups(), *_ALSO]


def is_known(text: str) -> bool:
    """Whether a word in capitals is an acronym that is known here, though it may be a word too: WHO, AIDS."""
    return any(text == one.upper().rstrip(".") for group in _all() for one in group)


def is_acronym(text: str) -> bool:
    """Whether a text is one word of capitals."""
    return bool(re.fullmatch(r"[A-ZÀ-Þ]{2,8}|(?:[A-Z]\.)+", text.strip()))


def own(acronym: str, src: str, dst: str) -> str | None:
    """What a language calls what another one has an acronym for, where it is known."""
    if src not in _LANGUAGES or dst not in _LANGUAGES:
        return None
    found = (group for group in _groups() if group[_LANGUAGES.index(src)].rstrip(".") == acronym.rstrip("."))
    return next((group[_LANGUAGES.index(dst)] for group in found), None)


def translated(source: str, answer: str, src: str, dst: str) -> str:
    """An answer with the acronyms of its own language for those of the source that it copied."""
    if src not in _LANGUAGES or dst not in _LANGUAGES or src == dst:
        return answer
    ours, theirs = _LANGUAGES.index(src), _LANGUAGES.index(dst)
    for group in _groups():
        own, wanted = group[ours], group[theirs]
        copied = rf"(?<![\w.@#/-]){re.escape(own.rstrip('.'))}(?![\w@/-])" + r"\.?" * own.endswith(".")
        if own != wanted and own in source and re.search(copied, source) and wanted not in answer:
            answer = re.sub(copied, wanted, answer)
    return answer
