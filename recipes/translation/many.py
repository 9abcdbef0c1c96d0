"""Train the nets of several languages: `to`, from English to four languages, and `from`, from those to English.

    python -m recipes.translation.many to   --minutes 120               go on with it, or begin
    python -m recipes.translation.many from --minutes 120
    python -m recipes.translation.many to   --name wide --width 320     another net beside it, to compare
    python -m recipes.translation.many to   --measure                   chrF on the development sets, nothing trained

    python -m recipes.translation.many to   --device cuda --data pack --batch 65536 --minutes 6 --out weights
    python -m recipes.translation.many to   --begin weights             here, with the weights that came back

`mix.py` makes what this reads; its `pack` writes a part of it that is small enough to travel to a machine with an
accelerator, from where `--out` brings the weights back in files of a few megabytes. A batch holds all languages; the source begins with a mark of the language to write.
Called again it goes on from its last checkpoint; `--cooldown 0.4` lets the rate fall over the last 40% of the time.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lamella import metrics
from lamella.data.text.pieces import END, START, Pieces
from lamella.data.text.pieces import normalise as one_form
from lamella.decode.search import beam, greedy
from lamella.graphs import torch_graphs
from lamella.machine import precision
from lamella.nets.losses import tied_cross_entropy
from lamella.nets.transformer.encoder_decoder import EncoderDecoder
from lamella.train import checkpoint, process
from lamella.train.engine import Batches, Run, Store, steps
from lamella.train.loop import loop
from lamella.train.progress import Recent
from lamella.train.schedule import Budget, Schedule
from recipes.translation.common import read_pairs
from recipes.translation.mix import CACHE, DEBIAN, LANGUAGES, LONG, OUT

# How often a pair of each kind is drawn an epoch. Everyday sentences first: they are what people type and what other
# sources lack; interface strings are many and alike.
MIX = {
    "tatoeba": 3.0, "noise": 2.0, "joined": 2.0, "phrases": 6.0, "health": 4.0, "prose": 2.0,
    "games": 0.8, "documentation": 0.5, "names": 0.7, "interface": 0.25, "descriptions": 0.3, "help": 0.25,
    "stories": 1.0, "verses": 0.3, "words": 1.5, "words-clean": 3.0, "words-common": 8.0,
    "greetings": 20.0, "listed-to": 8.0, "listed-from": 8.0,
}  # fmt: skip
# For the last minutes, `--last`: so many times as often. What people say and single words are few and need to be seen again.
LAST = {
    "tatoeba": 1.5, "phrases": 3.0, "greetings": 30.0, "words-common": 6.0, "words-clean": 4.0, "listed-to": 24.0, "listed-from": 24.0,
    "verses": 0.3,
}  # fmt: skip
EPOCH = 8e6  # English pieces that each language has in one
SMOOTHING = 0.1
PART = 15_000_000  # bytes of a file of weights
PACKAGES = {"descriptions", "interface", "help"}
SEEDS = {"to": 11, "from": 12}


class Corpus(Store):
    """The encoded pairs of all languages end to end; a batch is cut out of them without a loop over its examples."""

    def __init__(
        self, folder: Path, size: int, pieces: Pieces, stage: str, languages: list[str], last: bool = False
    ) -> None:
        parts = []
        for lang in languages:
            with np.load(folder / f"encoded-{size}-{lang}.npz") as file:
                parts.append({k: file[k] for k in file.files})
        self.last = last
        self.stage, self.sides = stage, ("en", "xx") if stage == "to" else ("xx", "en")
        self.tokens = {side: np.concatenate([p[side] for p in parts]) for side in self.sides}
        self.starts = {}
        for side in self.sides:
            ends = np.cumsum(np.concatenate([np.diff(p[f"{side}_starts"]) for p in parts]))
            self.starts[side] = np.concatenate([[0], ends])
        marks = [pieces.mark(f"<2{lang if stage == 'to' else 'en'}>") for lang in languages]
        self.marks = np.repeat(np.array(marks), [len(p["kind"]) for p in parts])
        self.weight = np.concatenate([self._weights(p) for p in parts])

    def _weights(self, part: dict[str, np.ndarray]) -> np.ndarray:
        """How often each pair is drawn: by its kind, then so that every language has about as many English pieces."""
        mix = MIX | {"traditional": 0.0 if self.stage == "to" else 1.0}  # read, never written
        mix["listed-from" if self.stage == "to" else "listed-to"] = 0.0  # a list is made for its direction
        if self.last:
            mix |= {kind: times * mix[kind] for kind, times in LAST.items()}
        each = np.array([mix[str(kind)] for kind in part["kinds"]])[part["kind"]]
        return each * (EPOCH / (each * np.diff(part["en_starts"])).sum())

    def __len__(self) -> int:
        return len(self.marks)

    def lengths(self) -> np.ndarray:
        return np.stack(
            [np.diff(self.starts[side]) + more for side, more in zip(self.sides, (2, 1), strict=True)], axis=1
        )

    def _cut(self, side: str, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids (B, T), zeros after the end, and the lengths (B,)."""
        starts, ends = self.starts[side][indices], self.starts[side][indices + 1]
        at = starts[:, None] + np.arange((ends - starts).max())
        inside = at < ends[:, None]
        tokens = self.tokens[side]
        return np.where(inside, tokens[np.minimum(at, len(tokens) - 1)], 0).astype(np.int64), ends - starts

    def batch(self, indices: np.ndarray, collate: object) -> dict[str, np.ndarray]:
        source, source_lengths = self._cut(self.sides[0], indices)
        target, target_lengths = self._cut(self.sides[1], indices)
        rows = np.arange(len(indices))
        source = np.pad(source, ((0, 0), (1, 1)))
        source[:, 0] = self.marks[indices]
        source[rows, source_lengths + 1] = END
        prompt = np.pad(target, ((0, 0), (1, 0)), constant_values=START)
        target = np.pad(target, ((0, 0), (0, 1)))
        target[rows, target_lengths] = END
        return {"source": source, "prompt": prompt, "target": target}


def collate(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Rows -> arrays padded with zeros."""
    batch = {}
    for name in rows[0]:
        longest = max(len(row[name]) for row in rows)
        batch[name] = np.stack([np.pad(row[name], (0, longest - len(row[name]))) for row in rows])
    return batch


def dev_sets(folder: Path, languages: list[str], limit: int) -> dict[str, list[tuple[str, str, str]]]:
    """Name of a set -> (language, English, other) of its first pairs."""
    found = {}
    for lang in languages:
        for kind in ("tatoeba", "health"):
            path = folder / f"dev-{kind}-{lang}.tsv"
            if path.is_file():
                found[f"{kind}-{lang}"] = [(lang, p.source, p.target) for p in read_pairs(path)][:limit]
        for kind in sorted(PACKAGES):
            path = CACHE / f"en-{DEBIAN[lang]}" / f"dev-{kind}.tsv"
            if path.is_file():
                found[f"{kind}-{lang}"] = [(lang, p.source, p.target) for p in read_pairs(path)][:limit]
    return {name: rows for name, rows in found.items() if rows}


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

        def step(token, state, fixed):
            return graphs["step"](token=token, **state, **fixed)

        asked = step, graphs["step"].empty(batch=len(source), beam=1), memory, START, END, limits
        best = [h[0] for h in beam(*asked, beams, 1.0)] if beams > 1 else greedy(*asked)
        for i, hypothesis in zip(rows, best, strict=True):
            answers[i] = pieces.decode([hypothesis.tokens])[0]
    return answers


def measure(
    net: torch.nn.Module, pieces: Pieces, folder: Path, stage: str, languages: list[str], limit: int, beams: int = 1
) -> dict[str, float]:
    """chrF of each development set."""
    graphs, scores = torch_graphs(net), {}
    for name, rows in dev_sets(folder, languages, limit).items():
        lang = rows[0][0]
        sources = [r[1] if stage == "to" else r[2] for r in rows]
        references = [r[2] if stage == "to" else r[1] for r in rows]
        mark = pieces.mark(f"<2{lang if stage == 'to' else 'en'}>")
        result = metrics.translation(translate(graphs, pieces, sources, mark, beams), references)
        scores[name] = result.values["chrF"]
    return scores


def write_weights(run: Run, out: Path) -> None:
    """Latest weights and their moving average, of two bytes each, in files of at most `PART` bytes."""
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    rows = [(f"latest.{n}", w) for n, w in zip(run.optimizer.names, run.optimizer.masters, strict=True)]
    rows += [(f"average.{n}", w) for n, w in zip(run.optimizer.names, run.average, strict=True)]
    parts: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, weight in rows:
        for i, piece in enumerate(
            weight.to("cpu", torch.float16).split(max(1, PART // 4 // max(1, weight[0].numel())))
        ):
            if size + 2 * piece.numel() > PART:
                parts.append({})
                size = 0
            parts[-1][f"{name}|{i:03}"] = piece.contiguous()
            size += 2 * piece.numel()
    for i, part in enumerate(parts):
        save_file(part, out / f"weights-{i}.safetensors", {"step": str(run.step), "tokens": str(run.tokens)})


def read_weights(run: Run, folder: Path) -> None:
    """Begin with the weights that `write_weights` wrote; the moments of the optimiser begin anew."""
    from safetensors.torch import load_file

    pieces: dict[str, list[tuple[str, torch.Tensor]]] = {}
    for path in sorted(folder.glob("weights-*.safetensors")):
        for name, piece in load_file(path).items():
            pieces.setdefault(name.partition("|")[0], []).append((name, piece))
    whole = {name: torch.cat([p for _, p in sorted(rows, key=lambda r: r[0])]) for name, rows in pieces.items()}
    with torch.no_grad():
        for i, name in enumerate(run.optimizer.names):
            run.optimizer.masters[i].copy_(whole[f"latest.{name}"])
            run.average[i].copy_(whole.get(f"average.{name}", whole[f"latest.{name}"]))
    run.current()


def table(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in scores.items())


def train(given: argparse.Namespace) -> None:
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    raw = (given.data / f"vocabulary-{given.vocabulary}.model").read_bytes()
    pieces, languages = Pieces(raw), given.lang or list(LANGUAGES)
    heads = given.width // 64
    net = EncoderDecoder(
        len(pieces), given.width, given.depth, given.decoder_depth, heads, dropout=given.dropout, longest=512
    )
    kind = given.precision or precision(given.device)
    run = Run.start(net, given.rate, kind, given.device)
    folder = given.runs / f"run-{given.name or given.stage}"
    names = ("vocabulary", "stage", "width", "depth", "decoder_depth")
    facts = {name: getattr(given, name) for name in names}
    if checkpoint.load(run, folder, facts):
        print(f"{folder.name}: going on at step {run.step} after {run.seconds / 60:.1f} min", flush=True)
    elif given.begin:
        read_weights(run, given.begin)
    look = partial(measure, pieces=pieces, folder=given.data, stage=given.stage, languages=languages)
    if given.measure:
        net.float()
        scores = look(run.averaged() if given.average else run.current().eval(), limit=400, beams=4)
        print(f"{run.step} steps, {run.tokens / 1e6:.1f} M tokens: {table(scores)}")
        return
    corpus = Corpus(given.data, given.vocabulary, pieces, given.stage, languages, given.last)
    size = sum(p.numel() for p in net.parameters())
    print(f"{folder.name}: {size / 1e6:.1f} M weights, {len(corpus):,} pairs, {kind} on {given.device}", flush=True)

    def loss(net: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        out = net(source=batch["source"], prompt=batch["prompt"])
        return tied_cross_entropy(out["hidden"], out["table"], batch["target"], SMOOTHING)

    def save(run: Run) -> None:
        checkpoint.save(run, folder, facts)

    def say(values: dict[str, float], line: str) -> None:
        print(f"{folder.name} {line}", flush=True)
        with (given.runs / f"{folder.name}.jsonl").open("a") as log:
            log.write(json.dumps(values) + "\n")

    budget = Budget(steps=given.steps, seconds=None if given.steps else 60 * given.minutes)
    schedule = Schedule(warmup=given.warmup, cooldown=given.cooldown)
    batches = Batches(corpus, collate, given.batch, weights=corpus.weight, seed=SEEDS[given.stage])
    made, recent, looked = steps(run, batches, loss, budget, schedule), Recent(every=given.every), run.tokens
    with process.interrupt() as stop:
        stop.patient = True
        for step in loop(run, made, save, stop, every=300):
            millions = step.tokens / 1e6
            if late := recent.step(step):
                now = {"step": step.index, "epoch": step.epoch, "loss": round(late[0], 3), "tokens/s": round(late[1])}
                now |= {"min": round(step.seconds / 60, 1), "M tokens": millions}
                say(now, str(now))
            if step.tokens - looked > given.look * 1e6:
                looked = step.tokens
                scores = look(run.averaged(), limit=100)
                run.current()
                say({"M tokens": millions, **scores}, f"{millions:.1f} M tokens: {table(scores)}")
    if given.out:
        write_weights(run, given.out)
        seen = {"steps": run.step, "seconds": round(run.seconds), "tokens": run.tokens}
        (given.out / "facts.json").write_text(json.dumps(seen))
    print(f"{folder.name}: saved at step {run.step}, {run.tokens / 1e6:.1f} M tokens", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["to", "from"])
    parser.add_argument("--name", help="of the run; its folder is run-NAME")
    parser.add_argument(
        "--data", type=Path, default=OUT, help="folder of vocabulary, encoded pairs and development sets"
    )
    parser.add_argument("--runs", type=Path, default=OUT, help="folder of checkpoints and logs")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--begin", type=Path, help="folder of weights to begin with, where there is no checkpoint")
    parser.add_argument("--out", type=Path, help="folder for the weights at the end, in small files")
    parser.add_argument("--minutes", type=float, default=60, help="of training, all calls together")
    parser.add_argument("--steps", type=int, help="in place of minutes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4096, help="tokens of a batch, padding included")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=200, help="steps in which the rate rises")
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
    parser.add_argument("--every", type=float, default=60, help="seconds between two lines of the log")
    parser.add_argument("--last", action="store_true", help="everyday language and single words more often")
    parser.add_argument(
        "--look", type=float, default=4.0, help="million tokens between two looks at the development sets"
    )
    parser.add_argument("--measure", action="store_true", help="measure the last checkpoint with four beams")
    parser.add_argument("--average", action="store_true", help="measure the moving average of the weights")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
