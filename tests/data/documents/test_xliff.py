"""XLIFF as tools of translators write it: states of 1.2 and 2.0, suggestions beside a unit, sources in segments."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from lamella.data.documents.formats import open_document

FIRST = """<xliff version="1.2"><file source-language="en" target-language="fr" original="a"><body>
<trans-unit id="1"><source>Open</source><target state="%s">Old</target></trans-unit>
</body></file></xliff>"""
SECOND = """<xliff version="2.0" srcLang="en" trgLang="fr"><file id="a"><unit id="u">
<segment id="s" state="%s"><source>Open</source><target>Old</target></segment></unit></file></xliff>"""


def filled(text: str, answer: str = "Ouvrir") -> str:
    document = open_document(text.encode(), "a.xlf", "fr")
    return document.render([answer] * len(document.segments)).decode()


@pytest.mark.parametrize("state", ["new", "needs-translation", "needs-l10n"])
def test_a_target_that_waits_is_translated(state):
    text = filled(FIRST % state)
    assert '<target state="needs-review-translation">Ouvrir</target>' in text and "Old" not in text
    ElementTree.fromstring(text)


@pytest.mark.parametrize("state", ["final", "signed-off", "translated", "needs-review-translation", "needs-adaptation"])
def test_a_target_that_is_translated_stays(state):
    other = '<trans-unit id="2"><source>Close</source></trans-unit></body>'
    text = filled((FIRST % state).replace("</body>", other), "Fermer")
    assert f'<target state="{state}">Old</target>' in text and text.count("Fermer") == 1


def test_states_of_the_second_version():
    text = filled(SECOND % "initial")
    assert '<segment id="s" state="translated"><source>Open</source><target>Ouvrir</target></segment>' in text
    more = (
        '<segment><source>Close</source></segment><segment state="final"><source>So</source><target/></segment></unit>'
    )
    for state in ("translated", "reviewed", "final"):
        text = filled((SECOND % state).replace("</unit>", more), "Fermer")
        assert f'state="{state}"><source>Open</source><target>Old</target>' in text and "<target/>" in text
        assert '<segment state="translated"><source>Close</source><target>Fermer</target></segment>' in text


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        # A suggestion is no translation; a source in segments stands before the target.
        ("<source>Yes</source><alt-trans><target>Si</target></alt-trans>", "<source>Yes</source>T<alt-trans>"),
        ("<source>Yes</source><seg-source>Yes</seg-source><note>n</note>", "</seg-source>T<note>"),
        ('<source>Yes</source><target xml:lang="fr" state="new"/>', '</source><target xml:lang="fr" state='),
    ],
)
def test_units_as_tools_write_them(unit, written):
    text = f'<xliff version="1.2"><file><body><trans-unit id="1">{unit}</trans-unit></body></file></xliff>'
    target = '<target state="needs-review-translation">Oui</target>'
    assert written.replace("T", target) in filled(text, "Oui")
    approved = filled(text.replace('id="1"', 'id="1" approved="yes"').replace("</body>", "<trans-unit><source>So</source></trans-unit></body>"), "x")  # fmt: skip
    assert len(re.findall(">x<", approved)) == 1, "what is approved stays"
