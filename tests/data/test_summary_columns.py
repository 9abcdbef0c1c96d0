"""Which column of a table of summaries is the summary: a title is one only where there is nothing else."""

import json
from pathlib import Path

import pytest

from lamella.data.readers.summaries import read_summaries

TEXT = "The zoo opened a new house for its owls on Monday. Visitors may see them at night."


@pytest.mark.parametrize("other", ["target", "tldr", "summary", "abstract", "references", "highlights", "synopsis"])
@pytest.mark.parametrize("title", ["title", "headline"])
@pytest.mark.parametrize("first", [True, False])
def test_a_title_gives_way_to_any_other_summary(tmp_path: Path, other: str, title: str, first: bool) -> None:
    said = {other: "Owls have a new house.", title: "Owls"}
    rows = {"source": TEXT, **(said if first else dict(reversed(said.items())))}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(rows) + "\n")
    [example], _ = read_summaries([str(path)])
    assert example["summary"] == "Owls have a new house."


def test_several_targets_beside_a_title_are_all_read(tmp_path: Path) -> None:
    """As in SciTLDR: sentences in a list, summaries in another, and the title of the paper."""
    path = tmp_path / "rows.jsonl"
    row = {
        "source": TEXT.split(". "),
        "paper_id": "x",
        "target": ["Owls have a new house.", "A house for owls."],
        "title": "Owls",
    }
    path.write_text(json.dumps(row) + "\n")
    [example], _ = read_summaries([str(path)])
    assert example["references"] == ["Owls have a new house.", "A house for owls."]
    assert example["summary"] == "Owls have a new house."


def test_a_title_alone_is_the_summary(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f'article,title\n"{TEXT}",Owls\n')
    [example], _ = read_summaries([str(path)])
    assert example == {"text": TEXT, "summary": "Owls"}
