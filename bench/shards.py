"""Corpora beyond memory: memory and time of `lamella train translation --shards`, by the number of sentence pairs.

    python -m bench.shards --pairs real.tsv --millions 1 5 --picture docs/pictures/shards.svg
    python -m bench.shards --pairs real.tsv.gz --millions 0.05 0.1          in half a minute each, on one core

The pairs are made of real ones, those of at most 80 characters a side: they are repeated with a number behind, another one each
time, so that none is the same as another. Each size is trained on for a few steps by a process of its own, as the command does
it: read, encoded into shards, trained, exported to ONNX, measured. The peak is what the system has counted of that process, and
of the largest of those that helped it to read and encode; the shards are made in a temporary folder.
"""

import argparse
import gzip
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from html import escape
from itertools import count
from pathlib import Path

LONGEST = 80  # characters of a side
STEPS = 5
TESTED = 50  # pairs


def real_pairs(path: str) -> list[tuple[str, str]]:
    """The pairs of a TSV, packed or not, whose last two columns are English and French."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as file:
        rows = (line.rstrip("\n").split("\t")[-2:] for line in file)
        return [(a, b) for a, b in rows if max(len(a), len(b)) <= LONGEST and a and b]


def made_pairs(real: list[tuple[str, str]]) -> Iterator[str]:
    """Lines without end, none the same as another."""
    for turn in count():
        for english, french in real:
            yield f"{english} ({turn})\t{french} ({turn})\n" if turn else f"{english}\t{french}\n"


def train(folder: Path) -> None:
    """Train on what is in a folder, and print what that took, as JSON."""
    import lamella

    marks: dict[str, float] = {}
    start = time.monotonic()

    def tell(line: str) -> None:
        for name in ("corpus", "shards", "net", "trained"):
            if line.startswith(name + ":"):
                marks[name] = time.monotonic() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{time.monotonic() - start:7.1f} s, {peak:5.0f} MB  {line[:120]}", file=sys.stderr, flush=True)

    lamella.train(
        "translation", str(folder / "pairs.tsv"), test=str(folder / "test.tsv"), out=str(folder / "model"), steps=STEPS,
        size="tiny", vocabulary_size=4000, shards=str(folder / "shards"), examples=False, tell=tell,
    )  # fmt: skip
    usage, helpers = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "peak_mb": round(usage.ru_maxrss / 1024),
                "helper_mb": round(helpers.ru_maxrss / 1024),
                "read_s": round(marks["corpus"]) if "corpus" in marks else 0,
                "encoded_s": round(marks["shards"] - marks.get("corpus", 0)),
                "trained_s": round(marks["trained"] - marks["shards"]),
                "all_s": round(time.monotonic() - start),
                "cpu_s": round(usage.ru_utime + usage.ru_stime + helpers.ru_utime + helpers.ru_stime),
                "disk_mb": round(sum(p.stat().st_size for p in (folder / "shards").rglob("*")) / 2**20),
            }
        )
    )


def measure(real: list[tuple[str, str]], pairs: int) -> dict[str, float]:
    """Make so many pairs in a temporary folder, and train on them in another process."""
    with tempfile.TemporaryDirectory(prefix="lamella-shards-") as name:
        folder = Path(name)
        lines = made_pairs(real)
        for file, number in (("test.tsv", TESTED), ("pairs.tsv", pairs)):
            with (folder / file).open("w", encoding="utf-8") as out:
                out.write("en\tfr\n")
                out.writelines(line for line, _ in zip(lines, range(number), strict=False))
        command = [sys.executable, "-m", "bench.shards", "--folder", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return {"pairs": pairs, "file_mb": round((folder / "pairs.tsv").stat().st_size / 2**20)} | json.loads(
            done.stdout
        )


def picture(rows: list[dict[str, float]]) -> str:
    """Peak memory and time by the number of pairs, as an SVG."""
    most = max(row["pairs"] for row in rows)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="260" font-family="sans-serif" font-size="12">',
        '<rect width="640" height="260" fill="white"/>',
    ]
    for left, key, title, colour in (
        (60, "peak_mb", "peak memory, MB", "#268"),
        (370, "all_s", "time in all, seconds", "#c44"),
    ):
        top = 1.15 * max(row[key] for row in rows)
        points = [(left + 230 * row["pairs"] / most, 210 - 170 * row[key] / top) for row in rows]
        parts.append(f'<text x="{left}" y="24">{escape(title)}</text>')
        parts.append(f'<path d="M{left} 40V210H{left + 240}" fill="none" stroke="#999"/>')
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), row in zip(points, rows, strict=True):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
            parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{row[key]:,.0f}</text>')
            parts.append(f'<text x="{x:.1f}" y="228" text-anchor="middle">{row["pairs"] / 1e6:g}</text>')
        parts.append(f'<text x="{left + 120}" y="248" text-anchor="middle">million pairs</text>')
    return re.sub(r"\s*\n", "\n", "\n".join([*parts, "</svg>\n"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", help="real pairs: TSV, the last two columns English and French; may be .gz")
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 5])
    parser.add_argument("--picture", help="draw memory and time into this SVG")
    parser.add_argument("--folder", help=argparse.SUPPRESS)  # of the process that trains
    given = parser.parse_args()
    if given.folder:
        train(Path(given.folder))
        return
    if not given.pairs:
        parser.error("--pairs: expected a file of real sentence pairs")
    real = real_pairs(given.pairs)
    rows = []
    for millions in given.millions:
        rows.append(measure(real, round(millions * 1e6)))
        print(json.dumps(rows[-1]), flush=True)
    rows.sort(key=lambda row: row["pairs"])
    print(f"peak of the largest against the smallest: {rows[-1]['peak_mb'] / rows[0]['peak_mb'] - 1:+.1%}")
    if given.picture:
        Path(given.picture).write_text(picture(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
