"""Train the shipped translators: one net for both directions first, then one for each from there.

    python -m recipes.translation.train vocabulary            pieces shared by both languages
    python -m recipes.translation.train encode                the corpus as arrays
    python -m recipes.translation.train shared --minutes 60   one net, both directions (Ding et al., 2021)
    python -m recipes.translation.train en-fr  --minutes 90   from the shared net, one direction alone
    python -m recipes.translation.train fr-en  --minutes 90
    python -m recipes.translation.train fr-en  --minutes 60 --shipped --rate 5e-4 --cooldown 1   on from what ships

Each step can be repeated alone; training goes on from its last checkpoint when it is called again. The shared part
teaches both directions at the price of one: the net learns how to align, to copy and to read both languages once.
Where the checkpoints are gone, `--shipped` begins with the weights of the model that ships: bytes times their scales.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

import lamella
from lamella.data.text.pieces import END, START, Pieces, learn, normalise
from lamella.machine import precision
from lamella.tasks.translation import FORMATS, Config, Translation
from lamella.train import checkpoint, process
from lamella.train.batches import batches, draw, padding
from lamella.train.engine import Batches, Run, Store, steps
from lamella.train.loop import loop
from lamella.train.progress import Recent
from lamella.train.schedule import Budget, Schedule
from recipes.translation.common import Pair, read_pairs
from recipes.translation.grammar import sentences
from recipes.translation.split import is_pangram

MODELS = Path(lamella.__file__).parent / "models"
CACHE = Path.home() / ".cache" / "lamella" / "translation" / "en-fr"

# How often a pair of each kind is drawn an epoch: interface strings are two thirds of all pairs and mostly short and
# alike; everyday language is learned from stories above all, and from verses and the dictionary.
MIX = {"interface": 0.7, "descriptions": 0.7, "help": 0.5, "stories": 4.0, "verses": 1.0, "words": 12.0}
# Everyday sentences written for this (phrases*.tsv), which the corpus lacks; none is in a test set.
MIX["phrases"] = 48.0
MIX["grammar"] = 16.0  # and simple ones made by grammar.py, for the commonest words
MIX["greetings"] = 72.0  # phrases.tsv, the shortest of them: a greeting is said in one way
# `--everyday`: for the last minutes, so many times as often; what is short and rare needs to be seen again.
LAST = {"phrases": 3.0, "grammar": 4.0, "greetings": 20.0}
TOKENS = 4096  # of a batch
LONG = 160  # pieces of a side: longer pairs are few, and would make batches of seven


def rows(name: str) -> list[Pair]:
    """A corpus file as pairs."""
    return list(read_pairs(CACHE / name))


def corpus_pairs() -> list[Pair]:
    """What is trained on: the corpus, and the phrases, those that a test set holds left out."""
    tested = {normalise(side).lower() for name in EVERYDAY for line in read_lines(name) for side in line.split("\t")}
    written = sorted(p.name for p in Path(__file__).parent.glob("phrases*.tsv"))
    phrases = [
        Pair("greetings" if name == "phrases.tsv" else "phrases", "phrases", *line.split("\t"))
        for name in written
        for line in read_lines(name)
    ]
    assert not any(is_pangram(p.source) or is_pangram(p.target) for p in phrases)
    phrases += [Pair("grammar", "grammar", *pair) for pair in sentences()]
    kept = [p for p in phrases if not {normalise(p.source).lower(), normalise(p.target).lower()} & tested]
    return rows("train.tsv") + kept


EVERYDAY = ("everyday.tsv", "everyday-dev.tsv")


def read_lines(name: str) -> list[str]:
    """The lines of a file beside this one."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()


def vocabulary() -> None:
    """Learn the pieces from a sample that is mixed as training is."""
    pairs = corpus_pairs()
    weights = np.array([MIX[pair.kind] for pair in pairs])
    picked = draw(len(pairs), weights / weights.max(), seed=0, epoch=0)[:400_000]
    texts = [normalise(pairs[i][side]) for i in picked for side in (2, 3)]
    raw = learn(texts, Config().pieces, ["<2en>", "<2fr>", *FORMATS], threads=os.cpu_count() or 1, sentences=500_000)
    (CACHE / "vocabulary.model").write_bytes(raw)
    print(f"vocabulary: {len(Pieces(raw))} pieces from {len(texts):,} texts")


def encode() -> None:
    """Pairs -> ids end to end, with kinds beside them."""
    pieces, pairs = Pieces((CACHE / "vocabulary.model").read_bytes()), corpus_pairs()
    sides = [pieces.processor.EncodeAsIds([normalise(p[s]) for p in pairs], num_threads=os.cpu_count()) for s in (2, 3)]
    kept = [i for i, (a, b) in enumerate(zip(*sides, strict=True)) if 0 < len(a) <= LONG and 0 < len(b) <= LONG]
    kinds = sorted(MIX)
    arrays = {"kind": np.array([kinds.index(pairs[i][0]) for i in kept], np.int8)}
    for name, side in zip(("en", "fr"), sides, strict=True):
        arrays[name] = np.concatenate([np.array(side[i], np.uint16) for i in kept])
        arrays[f"{name}_starts"] = np.concatenate([[0], np.cumsum([len(side[i]) for i in kept])])
    np.savez(CACHE / "encoded.npz", **arrays)
    print(
        f"encoded: {len(kept):,} of {len(pairs):,} pairs, {len(arrays['en']):,} en and {len(arrays['fr']):,} fr pieces"
    )
    for k, kind in enumerate(kinds):
        mine = arrays["kind"] == k
        print(
            f"  {kind:13} {mine.sum():8,} pairs x {MIX[kind]}, {np.diff(arrays['fr_starts'])[mine].mean():5.1f} fr pieces each"
        )


class Corpus(Store):
    """The encoded corpus as a store of inputs, prompts and targets; with marks for both directions, or for one."""

    def __init__(self, marks: dict[str, int], directions: list[tuple[str, str]]) -> None:
        with np.load(CACHE / "encoded.npz") as file:
            self.arrays = {k: file[k] for k in file.files}
        self.marks, self.directions = marks, directions
        self.count = len(self.arrays["kind"])

    def __len__(self) -> int:
        return self.count * len(self.directions)

    def side(self, language: str, index: int) -> np.ndarray:
        starts = self.arrays[f"{language}_starts"]
        return self.arrays[language][starts[index] : starts[index + 1]].astype(np.int64)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        which, index = divmod(index, self.count)
        src, dst = self.directions[which]
        source, target = self.side(src, index), self.side(dst, index)
        return {
            "source": np.concatenate([[self.marks[dst]], source, [END]]),
            "prompt": np.concatenate([[START], target]),
            "target": np.concatenate([target, [END]]),
        }

    def lengths(self) -> np.ndarray:
        size = {code: np.diff(self.arrays[f"{code}_starts"]) for code in ("en", "fr")}
        return np.concatenate([np.stack([size[s] + 2, size[d] + 1], axis=1) for s, d in self.directions])

    def weights(self) -> np.ndarray:
        each = np.array([MIX[kind] for kind in sorted(MIX)])[self.arrays["kind"]]
        return np.concatenate([each] * len(self.directions))


def task_for(direction: str) -> Translation:
    src, dst = ("en", "fr") if direction == "shared" else direction.split("-")
    task = Translation(Config(src=src, dst=dst, both=True, dropout=0.0), size="base")
    task.vocabulary_ = (CACHE / "vocabulary.model").read_bytes()
    return task


def shipped(direction: str) -> dict[str, torch.Tensor]:
    """The weights of the model that ships, by name: what was rounded to bytes is multiplied by its scales."""
    found: dict[str, np.ndarray] = {}
    for path in sorted((MODELS / direction).glob("*.onnx")):
        found |= {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    weights = {}
    for name, array in found.items():
        if name.endswith("_int8"):
            scale = found[name.removesuffix("_int8") + "_scale"]
            # What is looked up has a scale a row, a product's weights one a column.
            array = array * (scale if name.endswith("weight_int8") else scale[:, None])
        weights[name.removesuffix("_int8").removeprefix("net.")] = torch.from_numpy(array.astype(np.float32))
    return weights


def begun(stage: str, rate: float, from_shipped: bool) -> tuple[Run, dict[str, str]]:
    """The run of a stage, from its last checkpoint or from where it begins, and the facts of its checkpoints."""
    kind, folder = precision(), CACHE / f"run-{stage}"
    net = task_for(stage).build()
    if from_shipped:
        weights = shipped(stage)
        net.load_state_dict({name: weights[name] for name in net.state_dict()})
    run = Run.start(net, rate, kind)
    facts = {"corpus": hashlib.sha256((CACHE / "vocabulary.model").read_bytes()).hexdigest(), "precision": kind}
    if checkpoint.load(run, folder, facts):
        print(f"{stage}: going on at step {run.step} after {run.seconds / 60:.1f} min")
    elif from_shipped:
        print(f"{stage}: from the model that ships")
        folder.mkdir(parents=True, exist_ok=True)
        began = json.loads((MODELS / stage / "model.json").read_bytes())["training"]
        (folder / "began.json").write_text(json.dumps({k: began[k] for k in ("steps", "seconds")}))
    elif stage != "shared" and checkpoint.load(run, CACHE / "run-shared", facts):
        print(f"{stage}: from the shared net, {run.step} steps")
        run.step, run.seconds, run.tokens = 0, 0.0, 0
    return run, facts


def batches_for(stage: str, task: Translation, everyday: bool) -> Batches:
    """The corpus in the directions of a stage, in batches."""
    directions = [("en", "fr"), ("fr", "en")] if stage == "shared" else [(task.config.src, task.config.dst)]
    corpus = Corpus({code: task.pieces.mark(f"<2{code}>") for code in ("en", "fr")}, directions)
    weights = corpus.weights()
    if everyday:
        more = np.array([LAST.get(kind, 1.0) for kind in sorted(MIX)])[corpus.arrays["kind"]]
        weights = weights * np.concatenate([more] * len(directions))
    # What ships has seen the first batches of its own seed already.
    began = CACHE / f"run-{stage}" / "began.json"
    seen = json.loads(began.read_bytes())["steps"] if began.is_file() else 0
    seed = {"shared": 1, "en-fr": 2, "fr-en": 3}[stage] + seen
    return Batches(corpus, task.collate, TOKENS, weights=weights, seed=seed)


def train(
    stage: str, minutes: float, threads: int, rate: float, cooldown: float, from_shipped: bool, everyday: bool
) -> None:
    """Train a stage, or go on with it; a direction starts from the shared net, or from what ships."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    task = task_for(stage)
    run, facts = begun(stage, rate, from_shipped)
    feed = batches_for(stage, task, everyday)
    lengths, order = feed.store.lengths(), draw(len(feed.store), feed.weights, 0, 0)
    waste = padding(lengths, batches(lengths, order, TOKENS, 0, 0))
    print(f"{stage}: {len(feed.store):,} pairs, padding {100 * waste:.1f}% of tokens, {facts['precision']}", flush=True)

    def loss(net: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return task.loss(net(source=batch["source"], prompt=batch["prompt"]), batch)

    def save(run: Run) -> None:
        checkpoint.save(run, CACHE / f"run-{stage}", facts)

    schedule = Schedule(warmup=100 if stage == "shared" or from_shipped else 20, cooldown=cooldown)
    made, recent = steps(run, feed, loss, Budget(seconds=60 * minutes), schedule), Recent(every=30)
    with process.interrupt() as stop:
        stop.patient = True
        for step in loop(run, made, save, stop, every=240):
            if late := recent.step(step):
                print(
                    f"{stage} step {step.index} epoch {step.epoch} loss {late[0]:.3f} {late[1]:,.0f} tokens/s "
                    f"{step.seconds / 60:.1f} min {100 * step.progress:.1f}%",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["vocabulary", "encode", "shared", "en-fr", "fr-en"])
    parser.add_argument("--minutes", type=float, default=60, help="of training, this stage alone")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument(
        "--cooldown", type=float, default=0.0, help="last part of the time in which the rate falls to 0"
    )
    parser.add_argument("--shipped", action="store_true", help="begin with the weights of the model that ships")
    parser.add_argument("--everyday", action="store_true", help="the last minutes: everyday sentences more often")
    given = parser.parse_args()
    if given.step in ("vocabulary", "encode"):
        {"vocabulary": vocabulary, "encode": encode}[given.step]()
    else:
        train(given.step, given.minutes, given.threads, given.rate, given.cooldown, given.shipped, given.everyday)


if __name__ == "__main__":
    main()
