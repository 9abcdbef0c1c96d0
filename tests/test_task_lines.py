"""The count of the lines that only one task uses: what it must include and what it must leave out."""

from __future__ import annotations

from tests.task_lines import ENTRIES, edges, modules, offered, owned, report, tasks


def test_what_belongs_to_a_task_and_what_is_shared():
    found = owned(edges(modules()), tasks(), [*ENTRIES, *offered()])
    for name, module in tasks().items():
        word = name.replace("-", "_")
        assert {module, f"lamella.data.samples.{word}"} <= found[name]
    assert "lamella.fields.boxes" in found["object-detection"]  # a kind that is loaded when it is first named
    shared = {"lamella", "lamella.task", "lamella.fields", "lamella.data.readers.tables", "lamella.fields.text"}
    assert not shared & set().union(*found.values())
    for name, own in found.items():
        assert not any(own & other for other_name, other in found.items() if other_name != name)


def test_an_import_in_a_function_counts_and_one_for_types_does_not(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from lamella.data import two\n"
        "def later():\n    from lamella.data.three import name\n"
    )
    (tmp_path / "empty.py").write_text("")
    others = ("lamella", "lamella.data", "lamella.data.two", "lamella.data.three")
    graph = edges({"lamella.one": path, **dict.fromkeys(others, tmp_path / "empty.py")})
    assert graph["lamella.one"] == {"lamella", "lamella.data", "lamella.data.three"}


def test_a_line_for_each_task():
    lines = report()
    for name in tasks():
        [line] = [line for line in lines if line.startswith(f"{name} ")]
        assert "tasks " in line
