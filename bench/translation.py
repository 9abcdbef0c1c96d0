"""Translation beside CTranslate2 with the same weights: throughput, latency, memory, and whether the answers agree.

    python -m bench.translation                        makes the peer's environment, then measures; some 15 minutes
    python -m bench.translation --python PEER/bin/python --pairs 5 --write

The weights of a shipped translator are taken out of its graphs and given to CTranslate2 4.8.5, which rounds them to int8 again.
Both run on one core, pinned to the same one, in turn (A B A B), on the same sentences; each pair of runs gives a ratio, and the
table has their median and range. "batch": all sentences at once, in batches of 2,048 tokens; "one by one": a sentence of about
25 words alone, warm. Both cut texts into pieces and put them together again inside the measured time; what lamella does around
its net to keep numbers and names is not measured here. "with a map": CTranslate2 has our shortlist as its map of pieces (`vmap`).
--argos PYTHON: the whole of `Model.predict` beside argos-translate, which is given a package of the same weights. --write puts the table into docs/bench.md.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from lamella.data.text.pieces import normalise
from lamella.model import Model, run_batches
from lamella.model.shipped import translator
from lamella.options import replace_config

ROOT = Path(__file__).parent.parent
PEER = ["ctranslate2==4.8.5", "sentencepiece", "numpy"]
TOKENS = 2048
LONG = range(20, 31)  # words of a sentence that is measured alone


def weights_of(model: Model) -> dict[str, np.ndarray]:
    """The float32 weights behind the int8 graphs, by the names of the net; matrices as (outputs, inputs)."""
    found: dict[str, np.ndarray] = {}
    for name in ("encode.onnx", "step.onnx"):
        graph = onnx.load_from_string(model.files[name]).graph
        arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        for key, value in arrays.items():
            base, net = key.removesuffix("_int8"), "net."
            if not key.startswith(net) or key.endswith("_scale"):
                continue
            if key.endswith("_int8"):
                scale = arrays[f"{base}_scale"]
                rows = len(scale) == len(value) and base in ("net.table", "net.positions")
                value = value.astype(np.float32) * (scale[:, None] if rows else scale)
                value = value if rows else value.T
            if base != "net.positions" or not key.endswith("_int8"):  # the encoder has them in float32
                found[base.removeprefix(net)] = np.ascontiguousarray(value, np.float32)
    return found


def map_of(model: Model, mark: str) -> str:
    """Our shortlist as CTranslate2's map: a piece of the source, a tab, the pieces it may be answered by; those of any source first."""
    shortlist, pieces = model.task.shortlist, model.task.pieces.processor
    part = shortlist.parts.get(model.task.pieces.mark(mark) if mark else 0) or shortlist.parts[0]
    names = [pieces.IdToPiece(i) for i in range(shortlist.pieces[1])]

    def line(key: str, ids: Sequence[int]) -> str:
        return f"{key}\t{' '.join(names[i] for i in ids)}\n"

    lists = [part.ids[a:b].tolist() for a, b in pairwise(part.starts)]
    copies = [[i] if shortlist.shared else [] for i in range(len(lists))]
    always = np.flatnonzero(part.always(len(names)))
    return line("", always) + "".join(
        line(names[i], c + some) for i, (c, some) in enumerate(zip(copies, lists, strict=True)) if c + some
    )


class Peer:
    """CTranslate2 in a process of its own, asked by lines of JSON."""

    def __init__(self, python: str, model: Model, folder: Path, core: int, mark: str) -> None:
        weights = weights_of(model)
        heads = onnx.load_from_string(model.files["step.onnx"]).graph.input[1].type.tensor_type.shape.dim[2].dim_value
        np.savez(folder / "weights.npz", heads=np.array(heads), **weights)
        (folder / "vocabulary.model").write_bytes(model.files["vocabulary.model"])
        (folder / "map.txt").write_text(map_of(model, mark), "utf-8")
        script = str(Path(__file__).with_name("translation_peer.py"))
        self.places = [str(folder / name) for name in ("weights.npz", "vocabulary.model", "map.txt", "ctranslate2")]
        self.command = [python, script]
        self.process = subprocess.Popen(
            [*self.command, *self.places], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )  # fmt: skip
        self.version = self._read()["version"]

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the peer ended; see above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, texts: Sequence[str], beams: int, batch: int, mark: str, mapped: bool = False) -> dict[str, Any]:
        assert self.process.stdin is not None
        asked = {"texts": list(texts), "beams": beams, "batch": batch, "mark": mark, "map": mapped}
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        return self._read()

    def end(self) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()


def ours(model: Model, texts: Sequence[str], beams: int, batch: int) -> tuple[float, list[str]]:
    """Seconds and answers of the net alone, without what stands around it."""
    _ = model.task.pieces, model.graphs  # warm, as the peer is: read once, and kept by the copy with other options
    config = replace_config(model.task.config, {"beams": beams}, model.manifest.task)
    model = model.with_config(config)
    groups = [list(texts)] if batch else [[text] for text in texts]
    start = time.perf_counter()
    answers = [a for group in groups for a in run_batches(model.task, model.graphs, [{"text": t} for t in group])]
    best = [answer[0] if isinstance(answer, list) else answer for answer in answers]
    return time.perf_counter() - start, [str(getattr(one, "text", one)) for one in best]


def sentences(lang: str) -> list[str]:
    """Everyday sentences that no net has learned from, English or French."""
    rows = []
    for name in ("everyday.tsv", "everyday-dev.tsv"):
        path = ROOT / "recipes" / "translation" / name
        rows += [line.split("\t")[:2] for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    side = 0 if lang == "en" else 1
    return [normalise(row[side]) for row in rows]


def net_size(model: Model) -> dict[str, int]:
    """How large the net of a translator is."""
    from lamella.graphs.compiled.weights import read_weights

    w = read_weights(model.files["encode.onnx"], model.files["step.onnx"])
    assert w is not None
    return {name: getattr(w, name) for name in ("pieces", "width", "heads", "inner", "encoders", "decoders")}


def put(name: str, table: str) -> None:
    """Put a table between its marks in docs/bench.md."""
    path = ROOT / "docs" / "bench.md"
    before, mark, rest = path.read_text("utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    if not (mark and end):
        raise SystemExit(f"{path}: expected a line <!-- {name} --> and a line <!-- end --> after it.")
    path.write_text(f"{before}{mark}{table}{end}{after}", "utf-8")


class Generate:
    """Hugging Face's `generate` on a net of the same size, in a process of its own."""

    def __init__(self, python: str, model: Model, core: int) -> None:
        size = json.dumps(net_size(model))
        self.process = subprocess.Popen(
            [python, str(Path(__file__).with_name("translation_generate.py")), size],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )  # fmt: skip
        assert self.process.stdout is not None
        self.version = json.loads(self.process.stdout.readline())["version"]

    def compared(self, model: Model, texts: list[str], pairs: int, beams: int) -> str:
        """A row of the table: its seconds by ours, in turn, for as many pieces as our answers have."""
        assert self.process.stdin is not None and self.process.stdout is not None
        sources = [model.task.inputs({"text": text})["source"].tolist() for text in texts]
        mine, theirs, answers = [], [], ours(model, texts, beams, TOKENS)[1]
        lengths = [len(ids) + 1 for ids in model.task.target_pieces.encode(answers)]
        asked = json.dumps({"sources": sources, "lengths": lengths, "batch": TOKENS, "beams": beams})
        for turn in range(pairs + 1):
            seconds = ours(model, texts, beams, TOKENS)[0]
            print(asked, file=self.process.stdin, flush=True)
            other = json.loads(self.process.stdout.readline())["seconds"]
            if turn:
                mine.append(seconds)
                theirs.append(other)
        what = "greedy" if beams == 1 else f"{beams} beams"
        return (
            f"| `generate` of transformers {self.version}, batch, {what} | {len(texts)} | {row_of(mine, theirs, 1)} | |"
        )


def environment(place: Path) -> str:
    """The python of a new environment with the peer in it."""
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    python = str(place / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", *PEER], check=True)
    return python


def compared(
    model: Model, peer: Peer, texts: list[str], pairs: int, beams: int, batch: int, mark: str, name: str
) -> list[str]:
    """Two rows of the table: runs in turn, one of each uncounted, of ours, of the peer's, and of the peer's with its map."""
    mine: list[float] = []
    theirs: dict[bool, list[float]] = {False: [], True: []}
    same = {}
    for turn in range(pairs + 1):
        seconds, answers = ours(model, texts, beams, batch)
        others = {mapped: peer.ask(texts, beams, batch, mark, mapped) for mapped in theirs}
        if turn:
            mine.append(seconds)
            for mapped, other in others.items():
                theirs[mapped].append(other["seconds"])
                same[mapped] = sum(a == b for a, b in zip(answers, other["texts"], strict=True)) / len(texts)
    rows = []
    for mapped, times in theirs.items():
        what = f"{name}, with a map" if mapped else name
        rows.append(f"| {what} | {len(texts)} | {row_of(mine, times, 2)} | {same[mapped]:.0%} |")
        print(rows[-1], flush=True)
    return rows


def row_of(mine: Sequence[float], theirs: Sequence[float], digits: int) -> str:
    """The cells of one comparison: the median of the ratios, their range, and the medians of the seconds."""
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
    low, middle, high = (f"{r:.{digits}f}" for r in (min(ratios), statistics.median(ratios), max(ratios)))
    return f"{middle} | {low} to {high} | {statistics.median(mine):.2f} | {statistics.median(theirs):.2f}"


def argos(python: str, peer: Peer, model: Model, texts: list[str], pairs: int, core: int, pair: str, mark: str) -> str:
    """A row of the table: argos-translate and the whole of lamella on the same text, a sentence a line, each as it comes."""
    src, dst = pair.split("-")
    packages = Path(peer.places[-1] + "-packages")
    packages.mkdir()
    made = [*peer.command, *peer.places[:-1], str(packages / f"{src}_{dst}"), "--package", dst, mark]
    subprocess.run(made, check=True)
    script = str(Path(__file__).with_name("translation_argos.py"))
    other = subprocess.Popen(
        [python, script, str(packages), src, dst], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    assert other.stdin is not None and other.stdout is not None
    version = json.loads(other.stdout.readline())["version"]
    mine, theirs = [], []
    for turn in range(pairs + 1):
        start = time.perf_counter()
        answers = model.predict(texts)
        seconds = time.perf_counter() - start
        print(json.dumps({"text": "\n".join(texts)}), file=other.stdin, flush=True)
        found = json.loads(other.stdout.readline())
        if turn:
            mine.append(seconds)
            theirs.append(found["seconds"])
    other.kill()
    lines = found["text"].split("\n")
    same = (
        f"{sum(a == b for a, b in zip(answers, lines, strict=True)) / len(texts):.0%}"
        if len(lines) == len(texts)
        else ""
    )
    return f"| argos-translate {version}, the whole text, 4 beams | {len(texts)} | {row_of(mine, theirs, 1)} | {same} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", default="en-fr", help="a shipped translator")
    parser.add_argument("--pairs", type=int, default=5, help="of runs that count, of each kind")
    parser.add_argument("--python", help="an interpreter with ctranslate2 and sentencepiece; else one is made")
    parser.add_argument("--many", type=int, default=2000, help="sentences of the run that measures memory; 0: none")
    parser.add_argument("--transformers", help="an interpreter with torch and transformers, for `generate`")
    parser.add_argument("--argos", help="an interpreter with argostranslate")
    parser.add_argument("--write", action="store_true", help="put the table into docs/bench.md")
    given = parser.parse_args()
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})  # before anything asks how many cores there are
    model = translator(*given.pair.split("-"))
    mark = f"<2{given.pair.split('-')[1]}>" if model.task.directions_ else ""  # what stands before each source
    texts = sentences(given.pair.split("-")[0])
    long = [text for text in texts if len(text.split()) in LONG] or sorted(texts, key=len)[-10:]
    rows = []
    with tempfile.TemporaryDirectory() as place:
        python = given.python or environment(Path(place, "peer"))
        peer = Peer(python, model, Path(place), core, mark)
        for name, some, beams, batch in (
            ("batch, greedy", texts, 1, TOKENS), ("batch, 4 beams", texts, 4, TOKENS),
            ("one by one, greedy", long, 1, 0), ("one by one, 4 beams", long, 4, 0),
        ):  # fmt: skip
            rows += compared(model, peer, some, given.pairs, beams, batch, mark, name)
        if given.transformers:
            generate = Generate(given.transformers, model, core)
            for beams in (1, 4):
                rows.append(generate.compared(model, texts, given.pairs, beams))
                print(rows[-1], flush=True)
            generate.process.kill()
        if given.argos:
            rows.append(argos(given.argos, peer, model, texts, given.pairs, core, given.pair, mark))
            print(rows[-1], flush=True)
        memory = ""
        if given.many:
            many = [
                f"{text} {i}."
                for i, text in zip(range(given.many), texts * (given.many // len(texts) + 1), strict=False)
            ]
            ours(model, many, 4, TOKENS)
            theirs = peer.ask(many, 4, TOKENS, mark)["peak"]
            own_peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            memory = f"Peak memory after {given.many:,} sentences with 4 beams: {own_peak / 1e6:.0f} MB, CTranslate2 {theirs / 1e6:.0f} MB."
            print(memory)
        version = peer.version
        peer.end()
    head = [
        f"CTranslate2 {version}, the weights of `{given.pair}` in int8, one core, {platform.machine()}, {time.strftime('%Y-%m-%d')}.", "",
        "| | sentences | lamella is so many times as fast | range | seconds | the other's | answers alike |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    table = "\n".join([*head, *rows, "", memory]).rstrip() + "\n"
    print(table)
    if given.write:
        put("translation", table)


if __name__ == "__main__":
    main()
