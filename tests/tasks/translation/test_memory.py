"""Near matches of a memory: what may differ, and what may not."""

from __future__ import annotations

import os

import pytest

from lamella.tasks.translation.documents import translate_document
from lamella.tasks.translation.memory import Memory, memory_first, read_memory
from lamella.tasks.translation.outcomes import Outcome

PAIRS = [
    ("Page 3 of 10.", "Page 3 sur 10."),
    ("Open the file", "Ouvrir le fichier"),
    ("2 files were copied to 2 places.", "2 fichiers ont été copiés à 2 endroits."),
    ("Twelve of 12 are left.", "Il en reste douze."),
    ("NASA was founded.", "La NASA fut fondée."),
    ("1 file", "1 fichier"),
    ("Are you sure?", "Êtes-vous sûr ?"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Page 4 of 12.", "Page 4 sur 12."),
        ("Page  3 of 10.", "Page 3 sur 10."),
        ("Page 10 of 3.", "Page 10 sur 3."),
        ("Open the file.", "Ouvrir le fichier."),
        ("open the file", "ouvrir le fichier"),
        ("Are you sure", "Êtes-vous sûr"),
        ("5 files were copied to 5 places.", "5 fichiers ont été copiés à 5 endroits."),
        ("5 files were copied to 6 places.", None),  # which of the two is which, nobody knows
        ("Twelve of 13 are left.", None),  # the number is not in the translation
        ("nASA was founded.", None),
        ("2 file", None),  # a noun may change its form
        ("Open a file", None),
        ("", None),
    ],
)
def test_near_matches(text, expected):
    assert Memory(PAIRS, "fr").find(text) == expected


def test_marks_of_the_other_script():
    memory = Memory([("Save the file.", "保存文件。"), ("Close the file", "关闭文件")], "zh")
    assert memory.find("Save the file!") == "保存文件！" and memory.find("Close the file.") == "关闭文件。"
    assert Memory([("保存文件。", "Save the file.")], "en").find("保存文件！") == "Save the file!"


def test_a_german_noun_keeps_its_capital():
    memory = Memory([("House number", "Hausnummer")], "de")
    assert memory.find("house number") is None and memory.find("House number!") == "Hausnummer!"


def test_a_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "memory.tsv"
    path.write_text("Yes\tOui\nNo\tNon\n")
    assert read_memory(path, "en", "fr") is read_memory(path, "en", "fr")
    path.write_text("Yes\tSi\nNo\tNon\n")
    os.utime(path, (1, 1))
    assert read_memory(path, "en", "fr").find("Yes.") == "Si."


def test_the_net_is_asked_for_the_rest_alone(tmp_path):
    path, asked = tmp_path / "memory.tsv", []
    path.write_text("Yes\tOui\nNo\tNon\n")

    def translated(examples):
        asked.extend(e["text"] for e in examples)
        return [Outcome(e["text"].upper(), "translated") for e in examples]

    found = memory_first(str(path), "en", "fr", [{"text": t} for t in ("Maybe", "No!", "Yes")], translated)
    assert [o.text for o in found] == ["MAYBE", "Non!", "Oui"] and asked == ["Maybe"]
    assert [o.status for o in found] == ["translated", "remembered", "remembered"]


def test_the_command_line_uses_it_for_a_text(tmp_path, tiny_model, cli):
    (tmp_path / "memory.tsv").write_text("The parrot sleeps\tLe perroquet dort\nNo\tNon\n")
    assert (
        cli("predict", tiny_model, "The parrot sleeps.", "--memory", tmp_path / "memory.tsv").out
        == "Le perroquet dort.\n"
    )


def test_a_broken_entry_of_a_memory_is_counted_in_a_document(tmp_path):
    unit = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="fr"><seg>{}</seg></tuv></tu>'
    units = (
        unit.format("Open the file", "Ouvrir le fichier") + unit.format("A & <b> B", "C") + unit.format("Yes", "Oui")
    )
    (tmp_path / "a.tmx").write_text(f'<tmx version="1.4"><header/><body>{units}</body></tmx>')
    (tmp_path / "a.txt").write_text("Open the file\n")
    place = str(tmp_path / "a.tmx")

    def remembered(examples):
        return memory_first(place, "en", "fr", examples, lambda rest: [Outcome(e["text"], "translated") for e in rest])

    raw, counts = translate_document(tmp_path / "a.txt", "en", "fr", place, remembered)
    assert raw == b"Ouvrir le fichier\n" and counts["memory"] == 1 and counts["broken entries of the memory"] == 1
