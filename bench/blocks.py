"""The layer in sequence, the layer in parallel, and two decoders: trained side by side for the same minutes each.

    python -m bench.blocks [--minutes 30] [--size small] [--threads 1]

The corpus is that of recipes/translation where it was built, else the task's own sample; en to fr. The three take turns,
a step each for whoever has had the least time, so that a busy moment of the machine slows all of them alike. Answers are
those of the exported int8 graphs alone, by greedy search, on texts that were never trained on: the recipe's dev sets.
"""

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import torch

from lamella.graphs import load_graphs
from lamella.graphs.int8 import quantize
from lamella.machine import precision
from lamella.model import run_batches
from lamella.task import Example
from lamella.tasks.translation import Config, Translation
from lamella.train.engine import Batches, Run, Step, Store, steps
from lamella.train.export import export_graphs
from lamella.train.schedule import Budget, Schedule

KINDS: dict[str, dict[str, Any]] = {"sequence": {}, "parallel": {"block": "parallel"}, "2 decoders": {"decoders": 2}}
PIECES = 15_000  # of the recipe's vocabulary
DEV = 60  # texts of each dev set


def recipe() -> tuple[Store, Any, bytes, list[Example]]:
    """The corpus of the recipe: examples, how often each is drawn, the vocabulary, and texts to measure on."""
    from recipes.translation.common import read_pairs
    from recipes.translation.many import Corpus
    from recipes.translation.mix import CACHE, OUT

    task = Translation(Config(both=True))
    task.vocabulary_ = (OUT / f"vocabulary-{PIECES}.model").read_bytes()
    corpus = Corpus(OUT, PIECES, task.pieces, "to", ["fr"])
    dev: list[Example] = []
    for path in sorted((CACHE / "en-fr").glob("dev-*.tsv")):
        pairs = list(read_pairs(path))
        dev += [{"text": p.source, "translation": p.target} for p in pairs[:: max(1, len(pairs) // DEV)][:DEV]]
    return corpus, corpus.weight, task.vocabulary_, dev


def sample() -> tuple[Store, Any, bytes, list[Example]]:
    task = Translation(Config(both=True, vocabulary_size=500))
    learn = task.sample("train")
    task.fit(learn)
    store = Store.of([{**task.inputs(e), **task.prompt(e), **task.targets(e)} for e in learn])
    return store, None, task.vocabulary_, task.sample("test")[: 3 * DEV]


class Trial:
    """One kind of net on its way."""

    def __init__(self, kind: str, data: tuple[Store, Any, bytes, list[Example]], given: argparse.Namespace) -> None:
        store, weights, vocabulary, self.dev = data
        self.task = Translation(Config(both=True, dropout=given.dropout, beams=1, **KINDS[kind]), given.size)
        self.task.vocabulary_ = vocabulary
        torch.manual_seed(given.seed)
        net = self.task.build()
        self.parameters = sum(p.numel() for p in net.parameters())
        self.run = Run.start(net, given.rate or self.task.size.rate, precision())
        self.losses: list[float] = []
        budget, schedule = Budget(seconds=60 * given.minutes), Schedule(warmup=100)
        batches = Batches(store, self.task.collate, self.task.size.tokens, weights=weights, seed=given.seed)
        self.steps: Iterator[Step] = steps(self.run, batches, self.loss, budget, schedule)

    def loss(self, net: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.task.loss(net(source=batch["source"], prompt=batch["prompt"]), batch)

    def go_on(self) -> bool:
        step = next(self.steps, None)
        if step is not None:
            self.losses.append(step.loss)
        return step is not None

    def measure(self) -> dict[str, float]:
        files = {name: quantize(raw) for name, raw in export_graphs(self.run.averaged()).items()}
        graphs = load_graphs(files, torch.get_num_threads())
        run_batches(self.task, graphs, self.dev[:5])  # the first call is slower
        start = time.perf_counter()
        answers = [best[0] for best in run_batches(self.task, graphs, self.dev)]
        seconds = time.perf_counter() - start
        scores = self.task.score(answers, self.dev)
        pieces = sum(len(self.task.pieces.encode([a])[0]) + 1 for a in answers)
        return {
            "parameters, M": self.parameters / 1e6,
            "steps": self.run.step,
            "minutes": self.run.seconds / 60,
            "loss, last tenth": sum(self.losses[-max(1, len(self.losses) // 10) :]) / max(1, len(self.losses) // 10),
            **scores.values,
            "training, tokens/s": self.run.tokens / self.run.seconds,
            "answering, pieces/s": pieces / seconds,
            "int8 graphs, MB": sum(map(len, files.values())) / 1e6,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="of training, each")
    parser.add_argument("--size", default="small")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, help="peak learning rate (else by --size)")
    parser.add_argument(
        "--dropout", type=float, default=0.0, help="nothing is seen often enough to be learned by heart"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample", action="store_true", help="the small sample, where there is a corpus too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    from recipes.translation.mix import OUT

    built = (OUT / f"encoded-{PIECES}-fr.npz").exists() and not given.sample
    data = recipe() if built else sample()
    trials = {kind: Trial(kind, data, given) for kind in KINDS}
    going = dict(trials)
    shown = time.time()
    while going:
        kind = min(going, key=lambda k: going[k].run.seconds)
        if not going[kind].go_on():
            del going[kind]
        if time.time() - shown > 60:
            shown = time.time()
            recent = ((k, sum(t.losses[-50:]) / max(1, len(t.losses[-50:]))) for k, t in trials.items())
            print(", ".join(f"{k}: loss {v:.3f}" for k, v in recent), flush=True)
    found = {kind: trial.measure() for kind, trial in trials.items()}
    if given.json:
        print(json.dumps(found))
        return
    where = "the recipe's corpus" if built else "the task's sample"
    print(
        f"{where}, {given.minutes:g} min each, {given.size}, {precision()}, {given.threads} threads, {len(data[3])} dev texts"
    )
    print(f"{'':22}" + "".join(f"{kind:>14}" for kind in found))
    for name in next(iter(found.values())):
        print(f"{name:22}" + "".join(f"{values[name]:14,.2f}" for values in found.values()))


if __name__ == "__main__":
    main()
