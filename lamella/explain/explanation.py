"""An explanation and its output formats.

explanation.to_json()   one object          explanation.to_html()   one page, nothing fetched from elsewhere
str(explanation)        for the terminal    a notebook shows it as a page
"""

from typing import Any

import msgspec


class Explanation:
    """Why one example got its answer, or what a whole model has learned; `data` holds it as JSON can."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def __repr__(self) -> str:
        about = self.data.get("rendered") or f"{len(self.data.get('sections', ()))} sections"
        return f"<Explanation of {self.data['task']}: {' '.join(str(about).split())[:80]}>"

    def __str__(self) -> str:
        return self.to_text()

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def top(self, count: int = 5) -> list[tuple[str, str, float]]:
        """The units with the largest absolute weights: (field, label, weight)."""
        units = [(name, u["label"], u["weight"]) for name, f in self.data["fields"].items() for u in f["units"]]
        return sorted(units, key=lambda unit: -abs(unit[2]))[:count]

    def to_json(self) -> str:
        """One JSON object."""
        return msgspec.json.encode(self.data).decode()

    def to_html(self) -> str:
        """One page: styles and pictures are in it, and no script."""
        from lamella.explain.report import page

        return page(self.data)

    def to_text(self, colour: bool = False, width: int = 80) -> str:
        """The explanation as text for a terminal, optionally coloured."""
        from lamella.explain.terminal import picture

        return picture(self.data, colour, width)

    def _repr_html_(self) -> str:
        from lamella.explain.report import fragment

        return fragment(self.data)
