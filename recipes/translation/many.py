"""Train the nets of several languages: `to`, from English to four languages, and `from`, from those to English.

    python -m recipes.translation.many to   --minutes 120               go on with it, or begin
    python -m recipes.translation.many from --minutes 120
    python -m recipes.translation.many to   --name wide --width 320     another net beside it, to compare
    python -m recipes.translation.many to   --measure                   chrF on the development sets, nothing trained

`mix.py` makes what this reads. A batch holds all languages; the source begins with a mark of the language to write.
Called again it goes on from its last checkpoint; `--cooldown 0.4` lets the rate fall over the last 40% of the time.
"""

import argparse
import json
import signal
import time
from pathlib import Path

import numpy as np
import torch

from lamella import metrics
from lamella.data.pieces import END, START, Pieces
from lamella.data.pieces import normalise as one_form
from lamella.decode import beam, greedy
from lamella.graphs import torch_graphs
from lamella.machine import precision
from lamella.nets.losses import tied_cross_entropy
from lamella.nets.transformer import EncoderDecoder
from lamella.train import checkpoint
from lamella.train.engine import Run, Store, steps
from lamella.train.optimizer import Optimizer
from lamella.train.schedule import Budget, Schedule
from recipes.translation.common import read_pairs
from recipes.translation.mix import CACHE, DEBIAN, LANGUAGES, LONG, OUT

# How often a pair of each kind is drawn an epoch. Everyday sentences first: they are what people type and what other
# sources lack; interface strings are many and alike.
MIX = {
    "tatoeba": 3.0, "noise": 2.0, "joined": 2.0, "phrases": 6.0, "grammar": 0.5, "health": 4.0, "prose": 2.0,
    "games": 0.8, "documentation": 0.5, "names": 0.7, "interface": 0.25, "descriptions": 0.3, "help": 0.25,
    "stories": 1.0, "verses": 0.3, "words": 1.5, "words-clean": 3.0,
}  # fmt: skip
TOKENS = 4096  # of a batch, padding included
SMOOTHING = 0.1
PACKAGES = {"descriptions", "interface", "help"}


class Corpus(Store):
    """The encoded pairs of all languages as a store of inputs, prompts and targets."""

    def __init__(self, size: int, marks: dict[str, int], stage: str, languages: list[str]) -> None:
        self.stage, self.languages, self.marks = stage, languages, marks
        self.parts = {}
        for lang in languages:
            with np.load(OUT / f"encoded-{size}-{lang}.npz") as file:
                self.parts[lang] = {k: file[k] for k in file.files}
        self.counts = [len(self.parts[lang]["kind"]) for lang in languages]
        self.first = np.concatenate([[0], np.cumsum(self.counts)])

    def __len__(self) -> int:
        return int(self.first[-1])

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        which = int(np.searchsorted(self.first, index, side="right")) - 1
        lang, at = self.languages[which], index - int(self.first[which])
        part = self.parts[lang]
        en, xx = (part[s][part[f"{s}_starts"][at] : part[f"{s}_starts"][at + 1]].astype(np.int64) for s in ("en", "xx"))
        source, target, mark = (en, xx, lang) if self.stage == "to" else (xx, en, "en")
        return {
            "source": np.concatenate([[self.marks[mark]], source, [END]]),
            "prompt": np.concatenate([[START], target]),
            "target": np.concatenate([target, [END]]),
        }

    def lengths(self) -> np.ndarray:
        sides = ("en", "xx") if self.stage == "to" else ("xx", "en")
        return np.concatenate(
            [
                np.stack([np.diff(self.parts[c][f"{s}_starts"]) + extra for s, extra in zip(sides, (2, 1))], axis=1)
                for c in self.languages
            ]
        )

    def weights(self) -> np.ndarray:
        """How often each pair is drawn: by its kind, then so that every language has about as many tokens."""
        found = []
        for lang in self.languages:
            part = self.parts[lang]
            mix = MIX | {"traditional": 0.0 if self.stage == "to" else 1.0}  # read, never written
            each = np.array([mix[str(kind)] for kind in part["kinds"]])[part["kind"]]
            found.append(each / (each * np.diff(part["en_starts"])).sum())
        return np.concatenate(found) * 8e6  # English pieces of an epoch, for each language


def collate(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Rows -> arrays padded with zeros."""
    batch = {}
    for name in rows[0]:
        longest = max(len(row[name]) for row in rows)
        batch[name] = np.stack([np.pad(row[name], (0, longest - len(row[name]))) for row in rows])
    return batch


def dev_sets(languages: list[str], limit: int) -> dict[str, list[tuple[str, str, str]]]:
    """Name of a set -> (language, English, other) of its first pairs."""
    found = {}
    for lang in languages:
        for kind in ("tatoeba", "health"):
            path = OUT / f"dev-{kind}-{lang}.tsv"
            if path.is_file():
                found[f"{kind}-{lang}"] = [(lang, p.source, p.target) for p in read_pairs(path)][:limit]
        for kind in sorted(PACKAGES):
            path = CACHE / f"en-{DEBIAN[lang]}" / f"dev-{kind}.tsv"
            if path.is_file():
                found[f"{kind}-{lang}"] = [(lang, p.source, p.target) for p in read_pairs(path)][:limit]
    return found


def translate(graphs: dict, pieces: Pieces, texts: list[str], mark: int, beams: int) -> list[str]:
    """Texts -> translations, whole texts as they are; sorted by length so that little is padding."""
    ids = [[mark, *pieces.encode([one_form(t)])[0][:LONG], END] for t in texts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    answers = [""] * len(ids)
    for first in range(0, len(order), 64):
        rows = order[first : first + 64]
        source = collate([{"source": np.array(ids[i])} for i in rows])["source"]
        memory = graphs["encode"](source=source)
        limits = np.minimum(2 * (source != 0).sum(axis=1) + 10, 250)

        def step(token, state, fixed):  # noqa: ANN001, ANN202
            return graphs["step"](token=token, **state, **fixed)

        asked = step, graphs["step"].empty(batch=len(source), beam=1), memory, START, END, limits
        best = [h[0] for h in beam(*asked, beams, 1.0)] if beams > 1 else greedy(*asked)
        for i, hypothesis in zip(rows, best):
            answers[i] = pieces.decode([hypothesis.tokens])[0]
    return answers


def measure(
    net: torch.nn.Module, pieces: Pieces, stage: str, languages: list[str], limit: int, beams: int = 1
) -> dict[str, float]:
    """chrF of each development set."""
    graphs, scores = torch_graphs(net), {}
    for name, rows in dev_sets(languages, limit).items():
        lang = rows[0][0]
        sources = [r[1] if stage == "to" else r[2] for r in rows]
        references = [r[2] if stage == "to" else r[1] for r in rows]
        mark = pieces.mark(f"<2{lang if stage == 'to' else 'en'}>")
        result = metrics.translation(translate(graphs, pieces, sources, mark, beams), references)
        scores[name] = result.measures["chrF"](result.parts.sum(axis=0))
    return scores


def table(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in scores.items())


def train(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    raw = (OUT / f"vocabulary-{given.vocabulary}.model").read_bytes()
    pieces, languages = Pieces(raw), given.lang or list(LANGUAGES)
    net = EncoderDecoder(
        len(pieces),
        given.width,
        given.depth,
        given.decoder_depth,
        given.width // 64,
        dropout=given.dropout,
        longest=512,
    )
    kind = given.precision or precision()
    net = net.to(getattr(torch, kind))
    run = Run(net, Optimizer(net, given.rate))
    folder = OUT / f"run-{given.name or given.stage}"
    facts = {"vocabulary": given.vocabulary, "stage": given.stage, "width": given.width, "depth": given.depth}
    if checkpoint.load(run, folder, facts):
        print(f"{folder.name}: going on at step {run.step} after {run.seconds / 60:.1f} min", flush=True)
    if given.measure:
        net.float()
        scores = measure(
            run.averaged() if given.average else run.current().eval(), pieces, given.stage, languages, 400, 4
        )
        print(f"{run.step} steps, {run.tokens / 1e6:.1f} M tokens: {table(scores)}")
        return
    corpus = Corpus(given.vocabulary, {c: pieces.mark(f"<2{c}>") for c in ("en", *LANGUAGES)}, given.stage, languages)
    weights = corpus.weights()
    size = sum(p.numel() for p in net.parameters())
    print(
        f"{folder.name}: {size / 1e6:.1f} M weights, {len(corpus):,} pairs, {kind}, epoch {weights.sum():,.0f}",
        flush=True,
    )

    def loss(net: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        out = net(source=batch["source"], prompt=batch["prompt"])
        return tied_cross_entropy(out["hidden"], out["table"], batch["target"], SMOOTHING)

    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    shown = saved = time.time()
    looked = run.tokens
    recent: list[float] = []
    before = (run.tokens, run.seconds, time.process_time())
    budget = Budget(seconds=60 * given.minutes) if not given.tokens else Budget(steps=given.tokens)
    seed = {"to": 11, "from": 12}[given.stage]
    log = (OUT / f"{folder.name}.jsonl").open("a")
    for step in steps(
        run, corpus, collate, loss, budget, Schedule(warmup=200, cooldown=given.cooldown), TOKENS, seed, weights
    ):
        recent.append(step.loss)
        if time.time() - shown > 60:
            shown = time.time()
            used = time.process_time()
            speed, cpu = (
                (step.tokens - before[0]) / (step.seconds - before[1]),
                (step.tokens - before[0]) / (used - before[2]),
            )
            before = (step.tokens, step.seconds, used)
            facts_now = {
                "step": step.index, "epoch": step.epoch, "loss": round(float(np.mean(recent)), 3), "per s": round(speed),
                "per cpu s": round(cpu), "min": round(step.seconds / 60, 1), "M tokens": round(step.tokens / 1e6, 2),
            }  # fmt: skip
            print(f"{folder.name} {facts_now}", flush=True)
            log.write(json.dumps(facts_now) + "\n")
            recent.clear()
        if step.tokens - looked > given.look * 1e6:
            looked = step.tokens
            scores = measure(run.averaged(), pieces, given.stage, languages, 100)
            run.current()
            print(f"{folder.name} {step.tokens / 1e6:.1f} M tokens: {table(scores)}", flush=True)
            log.write(json.dumps({"M tokens": step.tokens / 1e6, **scores}) + "\n")
            log.flush()
        if time.time() - saved > 300:
            saved = time.time()
            checkpoint.save(run, folder, facts)
        if stopped:
            break
    checkpoint.save(run, folder, facts)
    print(f"{folder.name}: saved at step {run.step}, {run.tokens / 1e6:.1f} M tokens", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["to", "from"])
    parser.add_argument("--name", help="of the run; its folder is run-NAME")
    parser.add_argument("--minutes", type=float, default=60, help="of training, all calls together")
    parser.add_argument("--steps", dest="tokens", type=int, help="in place of minutes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument(
        "--cooldown", type=float, default=0.0, help="last share of the time, in which the rate falls to 0"
    )
    parser.add_argument("--vocabulary", type=int, default=16000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--decoder-depth", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--precision", choices=["float32", "bfloat16"])
    parser.add_argument("--lang", choices=LANGUAGES, action="append")
    parser.add_argument(
        "--look", type=float, default=4.0, help="million tokens between two looks at the development sets"
    )
    parser.add_argument("--measure", action="store_true", help="measure the last checkpoint with four beams")
    parser.add_argument("--average", action="store_true", help="measure the moving average of the weights")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
