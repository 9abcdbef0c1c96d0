"""Turn a trained direction into the model that ships: average, export, round to int8, measure, write.

    python -m recipes.translation.release en-fr                 measure and write lamella/models/en-fr
    python -m recipes.translation.release en-fr --limit 200     a quick look, nothing written
    python -m recipes.translation.release en-fr --dev           on the development sets, to choose by; nothing written

Measured on what training never saw, float32 beside int8: interface strings, descriptions, help pages, stories and
verses of held-out packages, and the everyday sentences of everyday.tsv. Placeholders are counted on whole catalogues
of held-out packages, and the two sentences that must not have been learned by heart are looked for in the corpus.
"""

import argparse
import hashlib
import json
import time
from collections import Counter
from pathlib import Path

import msgspec
import torch

import lamella
from lamella import metrics
from lamella import model as folder
from lamella.data.text import placeholders
from lamella.graphs import load_graphs
from lamella.graphs.int8 import quantize
from lamella.machine import cores
from lamella.model import card
from lamella.tasks.translation import Translation
from lamella.train import checkpoint
from lamella.train.engine import Run
from lamella.train.export import export_graphs
from lamella.train.optimizer import Optimizer
from lamella.train.ship import store_learned
from recipes.translation.common import Folders, Pair, read_pairs
from recipes.translation.train import CACHE, read_lines, shipped, task_for

MODELS = Path(lamella.__file__).parent / "models"
EVERYTHING = 100_000  # of each set
SETS = ("interface", "descriptions", "help", "stories", "verses")
WANTED = {
    "en-fr": {"Hello, world!": "bonjourlemonde", "The quick brown fox jumps over the lazy dog.": ""},
    "fr-en": {"Bonjour, le monde !": "helloworld", "Le chat dort sur la table.": ""},
}


def held_out(direction: str, limit: int, side: str) -> dict[str, list[tuple[str, str]]]:
    """(source, reference) pairs of each set of a side, "test" or "dev", in this direction."""
    found = {}
    for kind in SETS:
        found[kind] = [(p.source, p.target) for p in read_pairs(CACHE / f"{side}-{kind}.tsv")]
    lines = read_lines("everyday.tsv" if side == "test" else "everyday-dev.tsv")
    found["everyday"] = [(line.split("\t")[0], line.split("\t")[1]) for line in lines]
    if direction == "fr-en":
        found = {name: [(b, a) for a, b in pairs] for name, pairs in found.items()}
    return {name: pairs[:limit] for name, pairs in found.items()}


def trained(direction: str, average: bool, blend: float) -> tuple[Translation, torch.nn.Module, dict[str, float]]:
    """The task and its net with the latest weights of the newest checkpoint, or with their moving average.

    blend: share of what ships today, mixed in weight by weight. Both ends of a training that went on from it are good
    and its errors differ (Wortsman et al., 2022).
    """
    task = task_for(direction)
    net = task.build()
    run = Run(net, Optimizer(net, 1e-3))
    if not checkpoint.load(run, CACHE / f"run-{direction}", {}):
        raise SystemExit(f"no checkpoint of {direction}: run python -m recipes.translation.train {direction}")
    facts = {"steps": run.step, "seconds": run.seconds, "tokens": run.tokens}
    began = CACHE / f"run-{direction}" / "began.json"  # of the model whose weights it began with
    for name, value in json.loads(began.read_text()).items() if began.exists() else ():
        facts[name] += value
    net = (run.averaged() if average else run.current()).eval()
    if blend:
        before = shipped(direction)
        weights = {n: (1 - blend) * w + blend * before[n].to(w.dtype) for n, w in net.state_dict().items()}
        net.load_state_dict(weights)
    return task, net, facts


def measure(task: Translation, files: dict[str, bytes], sets: dict[str, list[tuple[str, str]]]) -> dict[str, dict]:
    """Scores with intervals on each set."""
    graphs = load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")}, cores())
    results = {}
    for name, pairs in sets.items():
        answers = task.answers([{"text": s} for s, _ in pairs], lambda some: folder.run_batches(task, graphs, some))
        scores = metrics.translation(answers, [r for _, r in pairs])
        results[name] = {"count": len(pairs), "scores": metrics.intervals(scores, 300), "notes": scores.notes}
    return results


def count_placeholders(task: Translation, files: dict[str, bytes], direction: str, limit: int) -> dict[str, float]:
    """Entries of held-out catalogues that have placeholders: how many come back whole, translated, kept."""
    packages = {p.package for p in read_pairs(CACHE / "test-interface.tsv")}
    pairs: list[Pair] = [
        p
        for path in sorted(Folders(CACHE.parent, "fr").clean.glob("*.tsv"))
        for p in read_pairs(path)
        if p.kind == "interface" and p.package in packages and placeholders.find(p.source)
    ]
    texts = list(dict.fromkeys(p.source if direction == "en-fr" else p.target for p in pairs))
    texts = sorted(texts, key=lambda t: hashlib.sha256(t.encode()).digest())[:limit]
    graphs = load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")}, cores())
    outcomes = task.outcomes([{"text": t} for t in texts], lambda some: folder.run_batches(task, graphs, some))
    status = Counter(o.status for o in outcomes)
    wordy = [(t, o) for t, o in zip(texts, outcomes, strict=True) if o.status != "copied"]
    whole = sum(placeholders.same(t, o.text) and o.status != "kept" for t, o in wordy)
    return {
        "entries": len(wordy),
        "whole and translated": whole / max(1, len(wordy)),
        "kept as the source": status["kept"] / max(1, len(wordy)),
        "same text as the source": sum(t == o.text for t, o in wordy) / max(1, len(wordy)),
        "repaired": status["repaired"] / max(1, len(wordy)),
    }


def show(results: dict[str, dict[str, dict]]) -> None:
    """A table of chrF and BLEU, float32 beside int8."""
    kinds = list(results)
    print(f"{'set':14} {'pairs':>6}  " + "  ".join(f"{k + ' chrF':>13} {k + ' BLEU':>13}" for k in kinds))
    for name, first in results[kinds[0]].items():
        cells = [
            f"{results[k][name]['scores']['chrF']['value']:13.1f} {results[k][name]['scores']['BLEU']['value']:13.1f}"
            for k in kinds
        ]
        print(f"{name:14} {first['count']:6}  " + "  ".join(cells))


def release(direction: str, limit: int, full: bool, average: bool, blend: float, dev: bool) -> None:
    task, net, facts = trained(direction, average, blend)
    print(
        f"{direction}: {facts['steps']:,} steps in all, {facts['seconds'] / 60:.0f} min; {facts['tokens'] / 1e6:.1f} M tokens in this run"
    )
    learned, blobs = store_learned(task)
    plain = {**export_graphs(net), **blobs}
    small = {k: quantize(v) if k.endswith(".onnx") else v for k, v in plain.items()}
    sets = held_out(direction, limit, "dev" if dev else "test")
    results = {"int8": measure(task, small, sets)}
    if full:
        results = {"float32": measure(task, plain, sets), **results}
    show(results)
    if dev:
        return
    sizes = [sum(len(v) for k, v in f.items() if k.endswith(".onnx")) for f in (plain, small)]
    print(
        f"graphs: float32 {sizes[0] / 1e6:.1f} MB, int8 {sizes[1] / 1e6:.1f} MB, {sizes[0] / sizes[1]:.2f} times smaller"
    )
    kept = count_placeholders(task, small, direction, limit)
    print("placeholders: " + ", ".join(f"{k} {v:,.4g}" for k, v in kept.items()))
    graphs = load_graphs({k: v for k, v in small.items() if k.endswith(".onnx")}, cores())
    for text in WANTED[direction]:
        answer = task.answers([{"text": text}], lambda some: folder.run_batches(task, graphs, some))[0]
        print(f"{text} -> {answer}")
    if limit < EVERYTHING:
        return
    manifest = folder.Manifest(
        lamella=lamella.__version__,
        task="translation",
        config=msgspec.to_builtins(task.config),
        size=task.size_name,
        fields={k: msgspec.to_builtins(v) for k, v in task.fields.items()},
        learned=learned,
        precision="int8",
        parameters=sum(p.numel() for p in net.parameters()),
        scores=results["int8"],
        training={
            "data": [
                "987,906 English-French pairs (9.5 M English words) from free software packages; the recipe is recipes/translation",
                "some 6,500 everyday sentences written for it, with their translations, and 16,000 simple ones made by a grammar",
                "nothing from Debian packages whose names begin with t; test sets are held out by package",
            ],
            "steps": facts["steps"],
            "seconds": facts["seconds"],
            "precision": "bfloat16",
            "written": time.strftime("%Y-%m-%d"),
            "limits": [
                "Trained on software, its manuals, games and Bible verses: everyday and literary language is its weak side.",
                "One sentence at a time: what a pronoun refers to in the sentence before is not seen.",
                "Not tested on medical, legal or safety texts. Read what it writes before you rely on it.",
            ],
        },
    )
    files = dict(small)
    text = card.write(manifest, sum(map(len, files.values())), licences())
    text += "\nPlaceholders on held-out catalogues: " + ", ".join(f"{k} {v:,.4g}" for k, v in kept.items()) + ".\n"
    files["card.md"] = text.encode()
    folder.write(manifest, files, MODELS / direction)
    print(f"wrote {MODELS / direction}: {sum(map(len, files.values())) / 1e6:.1f} MB")


def licences() -> list[str]:
    """The table of sources from SOURCES.md: kind, source, licence."""
    lines = (Path(__file__).parent / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    first = [[cell.strip() for cell in line.strip("|").split("|")][:3] for line in table]
    rows = [
        cells
        for cells in first
        if cells[0] in ("descriptions", "interface", "help", "stories", "verses", "words", "phrases", "grammar")
    ]
    return ["## Sources and their licences", "", "| kind | source | licence |", "| --- | --- | --- |"] + [
        f"| {kind} | {source} | {licence} |" for kind, source, licence in rows if not licence.replace(",", "").isdigit()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("direction", choices=["en-fr", "fr-en"])
    parser.add_argument("--limit", type=int, default=EVERYTHING, help="at most so many of each set; nothing is written")
    parser.add_argument("--int8", action="store_true", help="measure int8 alone")
    parser.add_argument("--average", action="store_true", help="the moving average of the weights, not the latest")
    parser.add_argument("--blend", type=float, default=0.0, help="share of the weights of what ships today")
    parser.add_argument("--dev", action="store_true", help="measure on the development sets; nothing is written")
    given = parser.parse_args()
    release(given.direction, given.limit, not given.int8, given.average, given.blend, given.dev)


if __name__ == "__main__":
    main()
