"""How the cost of translating grows: with the length of a sentence, the size of a batch, beams, threads, and lines of a file.

    python -m bench.growth                              some ten minutes
    python -m bench.growth --lines 1000 10000 --write   a shorter file; puts table and plot into docs/

Sentences are everyday English of `recipes/translation`, put together or cut to the length asked for, to French. Each figure is the median
of `--rounds` runs after one that does not count, in processor time but for threads, where it is time on the clock: so other work on the machine
changes little. A line of a file is two sentences in one by chance, so that hardly any comes twice, which would be translated once; its memory is the peak of a process that does only this.
"""

import argparse
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.translation import sentences
from lamella.model import Model, run_batches, single_threaded
from lamella.model.shipped import translator
from lamella.options import replace_config

ROOT = Path(__file__).parent.parent
WORDS = (5, 10, 25, 50, 100, 200, 400)
BATCHES = (1, 4, 16, 64, 256)
BEAMS = (1, 2, 4, 8)
LINES = (1_000, 10_000, 100_000)
Rows = list[tuple[str, float, str]]  # what was asked, milliseconds of one sentence, and in words


def text_of(words: int, start: int) -> str:
    """So many words of everyday sentences, one behind the other, without the marks that would divide them."""
    pool = [word.strip(".?!") for word in " ".join(sentences("en")).split()]
    return " ".join(itertools.islice(itertools.cycle(pool), start, start + words))


def timed(work: Callable[[], object], rounds: int, clock: Callable[[], float]) -> float:
    """Median seconds."""
    taken = []
    for turn in range(rounds + 1):
        start = clock()
        work()
        if turn:
            taken.append(clock() - start)
    return statistics.median(taken)


def with_beams(model: Model, beams: int) -> Model:
    return model.with_config(replace_config(model.task.config, {"beams": beams}, model.manifest.task))


def net(model: Model, texts: Sequence[str]) -> Callable[[], object]:
    """The net alone, without what cuts long texts and keeps numbers."""
    return lambda: run_batches(model.task, model.graphs, [{"text": text} for text in texts])


def of_file(lines: int) -> tuple[float, float]:
    """Processor seconds and peak megabytes of a process that translates a file of so many lines, all different."""
    pool = [text.rstrip(".") for text in sentences("en") if text.endswith(".")]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "lines.txt")
        rng = random.Random(0)
        some = ((rng.choice(pool), rng.choice(pool)) for _ in range(lines))
        source.write_text("".join(f"{a}, and {b[0].lower()}{b[1:]}.\n" for a, b in some), "utf-8")
        command = [sys.executable, "-m", "lamella", "translate", str(source), "--from", "en", "--to", "fr", "--lines"]
        said = Path(folder, "said.txt")
        with said.open("wb") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=ROOT)
            _, status, used = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{' '.join(command)}: {said.read_text('utf-8')[-500:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measured(given: argparse.Namespace) -> dict[str, Rows]:
    model, clock, found = translator("en", "fr"), time.process_time, dict[str, Rows]()
    greedy = with_beams(model, 1)
    found["words of a sentence"] = [
        (str(n), 1e3 * timed(net(greedy, [text_of(n, 0)]), given.rounds, clock), "greedy") for n in WORDS
    ]
    texts = [text_of(15, 7 * i) for i in range(max(BATCHES))]
    found["sentences at once"] = [
        (str(n), 1e3 * timed(net(greedy, texts[:n]), given.rounds, clock) / n, "greedy, 15 words each") for n in BATCHES
    ]
    found["beams"] = [
        (
            str(n),
            1e3 * timed(net(with_beams(model, n), texts[:64]), given.rounds, clock) / 64,
            "64 sentences of 15 words",
        )
        for n in BEAMS
    ]
    found["threads"] = []
    for threads in (1, 2):
        other = single_threaded([model])[0]  # graphs of its own, which are opened when they are first asked
        other.threads = threads
        seconds = timed(net(with_beams(other, 1), texts), given.rounds, time.perf_counter)
        found["threads"].append((str(threads), 1e3 * seconds / len(texts), "256 sentences, on the clock"))
    found["lines of a file"] = []
    for lines in given.lines:
        seconds, peak = of_file(lines)
        found["lines of a file"].append(
            (f"{lines:,}", 1e3 * seconds / lines, f"{seconds:.1f} s in all, peak {peak:.0f} MB")
        )
        print(found["lines of a file"][-1], flush=True)
    return found


def table(found: dict[str, Rows]) -> str:
    """Markdown."""
    lines = ["| what grows | | ms a sentence | |", "| --- | --- | --- | --- |"]
    lines += [f"| {what} | {size} | {ms:.2f} | {note} |" for what, rows in found.items() for size, ms, note in rows]
    return "\n".join(lines) + "\n"


def plot(found: dict[str, Rows]) -> str:
    """Four small plots of milliseconds a sentence, each with bars from zero, as SVG."""
    wide, high, parts = 230, 150, list[str]()
    shown = [(what, rows) for what, rows in found.items() if what != "threads"]
    for place, (what, rows) in enumerate(shown):
        most, left = max(ms for _, ms, _ in rows), place * wide
        parts.append(f'<text x="{left + 10}" y="16" font-weight="bold">{what}</text>')
        step = (wide - 20) / len(rows)
        for i, (size, ms, _) in enumerate(rows):
            tall = ms / most * (high - 50)
            x, y = left + 10 + i * step, high + 10 - tall
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{tall:.1f}" fill="#4a7ebb"/>')
            middle = x + (step - 4) / 2
            parts.append(f'<text x="{middle:.1f}" y="{y - 3:.1f}" text-anchor="middle">{ms:.3g}</text>')
            parts.append(f'<text x="{middle:.1f}" y="{high + 24}" text-anchor="middle">{size}</text>')
    size = f"{wide * len(shown)} {high + 34}"
    style = "text { font: 10px sans-serif; fill: #333 }"
    title = "<title>Milliseconds a sentence, as the cost of translating grows</title>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}"><style>{style}</style>{title}<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, nargs="*", default=LINES)
    parser.add_argument("--write", action="store_true", help="put table and plot into docs/")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = measured(given)
    print(table(found))
    if given.write:
        path = ROOT / "docs" / "bench.md"
        before, _, rest = path.read_text("utf-8").partition("<!-- growth -->\n")
        _, _, after = rest.partition("<!-- growth end -->\n")
        path.write_text(f"{before}<!-- growth -->\n{table(found)}<!-- growth end -->\n{after}", "utf-8")
        (ROOT / "docs" / "pictures" / "growth.svg").write_text(plot(found), "utf-8")


if __name__ == "__main__":
    main()
