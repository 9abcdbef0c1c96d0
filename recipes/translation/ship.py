"""Turn a net of several languages into the model that ships: export, round to int8, measure, write.

    python -m recipes.translation.ship to --weights FOLDER              measure and write lamella/models/en-de+es+fr+zh
    python -m recipes.translation.ship from --limit 200 --dev           a quick look at the newest checkpoint of `many.py`
    python -m recipes.translation.ship to --lang fr --weights FOLDER --vocabulary 8000 --width 256     a net of one pair

Without --weights the newest checkpoint of `many.py` is taken. Measured on what training never saw: everyday sentences of
Tatoeba and health advice (both development sets: what ships was chosen by them), and interface strings, descriptions and
help pages of Debian packages that were held out.
"""

import argparse
import json
import time
from pathlib import Path

import msgspec
import torch
from torch import nn

import lamella
from lamella import metrics
from lamella import model as folder
from lamella.data.text.pieces import Pieces
from lamella.graphs import load_graphs
from lamella.graphs.int8 import quantize
from lamella.machine import cores
from lamella.model import card
from lamella.model.shipped import language_name
from lamella.tasks.translation import Config, Translation
from lamella.tasks.translation.net import Net
from lamella.train import checkpoint
from lamella.train.engine import Run
from lamella.train.export import export_graphs
from lamella.train.optimizer import Optimizer
from lamella.train.ship import store_learned
from recipes.translation import lexicon
from recipes.translation.common import Pair, read_pairs
from recipes.translation.many import read_weights
from recipes.translation.mix import CACHE, DEBIAN, LANGUAGES, OUT

MODELS = Path(lamella.__file__).parent / "models"
FEWEST = 100  # pairs of a set, below which its score says too little
KINDS = ("interface", "descriptions", "help")


def licences() -> list[str]:
    """The table of sources from SOURCES.md: kind, source, licence."""
    kinds = {"descriptions", "interface", "help", "stories", "verses", "words", "phrases"}
    lines = (Path(__file__).parent / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")][:3] for line in lines if line.startswith("|")]
    told = [row for row in rows if row[0] in kinds and not row[2].replace(",", "").isdigit()]
    head = ["## Sources and their licences", "", "| kind | source | licence |", "| --- | --- | --- |"]
    return head + [f"| {' | '.join(row)} |" for row in told]


def task_of(stage: str, given: argparse.Namespace) -> Translation:
    """The task around such a net, with what it knows of its shape and its languages."""
    pairs = [("en", x) if stage == "to" else (x, "en") for x in sorted(given.lang)]
    task = Translation(msgspec.convert({"from": pairs[0][0], "to": pairs[0][1]}, Config))
    task.vocabulary_ = (given.data / f"vocabulary-{given.vocabulary}.model").read_bytes()
    task.directions_ = [f"{a}-{b}" for a, b in pairs]
    task.words_ = lexicon.packed(task.directions_)
    shortlist = given.data / f"shortlist-{stage}.bin"  # by `shortlist.py`, of this vocabulary
    if shortlist.is_file():
        task.shortlist_ = shortlist.read_bytes()
    task.net_ = Net(
        vocabulary=len(Pieces(task.vocabulary_)), width=given.width, depth=given.depth,
        decoder_depth=given.decoder_depth, heads=given.width // 64, inner=4 * given.width, block="sequence",
        decoder="attention", activation="relu", positions="interleaved", scale=True, source_vocabulary=0, tied=True,
        output_bias=False,
    )  # fmt: skip
    return task


def trained(stage: str, given: argparse.Namespace, task: Translation) -> tuple[nn.Module, dict[str, object]]:
    """The net with its weights, and how long and on what it was trained."""
    net = task.build()
    run = Run(net, Optimizer(net, 1e-3))
    if given.weights:
        read_weights(run, given.weights)
        facts = json.loads((given.weights / "facts.json").read_text())
        net = run.averaged() if given.average else run.current()
        if given.before:  # both ends of a training are good, and their errors differ (Wortsman et al., 2022)
            latest = {n: w.detach().clone() for n, w in net.named_parameters()}
            read_weights(run, given.before)
            with torch.no_grad():
                for name, weight in run.current().named_parameters():
                    weight.copy_((1 - given.blend) * latest[name] + given.blend * weight)
        return net.eval(), {k: facts[k] for k in ("steps", "seconds", "tokens", "device") if k in facts}
    if not checkpoint.load(run, given.data / f"run-{given.name or stage}", {}):
        raise SystemExit(f"no checkpoint: run python -m recipes.translation.many {stage}")
    net = run.averaged() if given.average else run.current()
    return net.eval(), {"steps": run.step, "seconds": run.seconds, "tokens": run.tokens}


def read_rows(path: Path) -> list[Pair]:
    """The pairs of a corpus file, or of a table of English and another language."""
    if not path.name.startswith("everyday"):
        return list(read_pairs(path))
    return [Pair("everyday", "", *line.split("\t")[:2]) for line in path.read_text("utf-8").splitlines()]


def held_out(
    stage: str, languages: list[str], side: str, limit: int
) -> dict[str, tuple[str, str, list[tuple[str, str]]]]:
    """Name of a set -> (from, to, pairs of source and reference)."""
    sets = {}
    for lang in languages:
        places = {f"{kind}-{lang}": OUT / f"dev-{kind}-{lang}.tsv" for kind in ("tatoeba", "health")}
        places |= {f"{kind}-{lang}": CACHE / f"en-{DEBIAN[lang]}" / f"{side}-{kind}.tsv" for kind in KINDS}
        own = Path(__file__).parent / ("everyday-dev.tsv" if side == "dev" else "everyday.tsv")
        for name, path in {**places, f"everyday-{lang}": own}.items():
            if name.startswith("everyday") and lang != "fr":
                continue
            rows = [(p.source, p.target) for p in read_rows(path)][:limit] if path.is_file() else []
            if len(rows) < min(FEWEST, limit):
                continue
            if stage == "to":
                sets[name] = ("en", lang, rows)
            else:
                sets[name] = (lang, "en", [(b, a) for a, b in rows])
    return sets


def measure(
    task: Translation, files: dict[str, bytes], sets: dict[str, tuple[str, str, list[tuple[str, str]]]]
) -> dict:
    """chrF and BLEU with intervals on each set, as a user gets them."""
    graphs = load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")}, cores())
    results = {}
    for name, (src, dst, pairs) in sets.items():
        task.config = msgspec.structs.replace(task.config, src=src, dst=dst)
        answers = task.answers([{"text": s} for s, _ in pairs], lambda rows: folder.run_batches(task, graphs, rows))
        scores = metrics.translation(answers, [r for _, r in pairs])
        results[name] = {"count": len(pairs), "scores": metrics.intervals(scores, 300), "notes": scores.notes}
        values = {k: v["value"] for k, v in results[name]["scores"].items()}
        print(f"{name:20} {len(pairs):5}  " + "  ".join(f"{k} {v:5.1f}" for k, v in values.items()), flush=True)
    return results


def ship(stage: str, given: argparse.Namespace) -> None:
    torch.set_num_threads(cores())
    task = task_of(stage, given)
    net, facts = trained(stage, given, task)
    learned, blobs = store_learned(task)
    files = {**export_graphs(net), **blobs}
    sets = held_out(stage, given.lang, "dev" if given.dev else "test", given.limit)
    if given.full:
        print("float32", flush=True)
        measure(task, files, sets)
    files = {k: quantize(v) if k.endswith(".onnx") else v for k, v in files.items()}
    print(f"int8, {sum(map(len, files.values())) / 1e6:.1f} MB", flush=True)
    results = measure(task, files, sets)
    if given.dev:
        return
    src, dst = next((d for d in task.directions if "fr" in d), task.directions[0])  # unless one asks for another
    task.config = msgspec.structs.replace(task.config, src=src, dst=dst)
    manifest = folder.Manifest(
        lamella=lamella.__version__,
        task="translation",
        config=msgspec.to_builtins(task.config),
        size=task.size_name,
        fields={k: msgspec.to_builtins(v) for k, v in task.fields.items()},
        learned=learned,
        precision="int8",
        parameters=sum(p.numel() for p in net.parameters()),
        scores=results,
        training={
            "data": [
                f"{given.pairs} pairs of English with {', '.join(language_name(x) for x in sorted(given.lang))}: Tatoeba, "
                "free software and its documentation, games, books, dictionaries; the recipe is recipes/translation",
                "nothing from Debian packages whose names begin with t; nothing that it is measured on",
            ],
            **facts,
            "precision": "bfloat16",
            "written": time.strftime("%Y-%m-%d"),
            "limits": [
                "One sentence at a time: what a pronoun refers to in the sentence before is not seen.",
                "Names, idioms and literary language are its weak side.",
                "Not tested on medical, legal or safety texts. Read what it writes before you rely on it.",
            ],
        },
    )
    text = card.write(manifest, sum(map(len, files.values())), licences())
    files["card.md"] = text.encode()
    others = "+".join(sorted(given.lang))
    place = MODELS / (f"en-{others}" if stage == "to" else f"{others}-en")
    folder.write(manifest, files, place)
    print(f"wrote {place}: {sum(map(len, files.values())) / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["to", "from"])
    parser.add_argument("--lang", choices=LANGUAGES, action="append", help="beside English; else all of them")
    parser.add_argument("--pairs", default="4.9 million", help="how many were trained on, for the card")
    parser.add_argument("--weights", type=Path, help="folder of weights-*.safetensors and facts.json")
    parser.add_argument("--before", type=Path, help="folder of the weights that training began with, to blend in")
    parser.add_argument("--blend", type=float, default=0.15, help="their share")
    parser.add_argument("--data", type=Path, default=OUT, help="folder of vocabulary, runs and development sets")
    parser.add_argument("--name", help="of the run of many.py")
    parser.add_argument("--average", action="store_true", help="the moving average of its weights")
    parser.add_argument("--vocabulary", type=int, default=15000)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--decoder-depth", type=int, default=2)
    parser.add_argument("--limit", type=int, default=1000, help="at most so many pairs of each set")
    parser.add_argument("--full", action="store_true", help="measure float32 too")
    parser.add_argument("--dev", action="store_true", help="on development sets alone; nothing is written")
    given = parser.parse_args()
    given.lang = given.lang or list(LANGUAGES)
    ship(given.stage, given)


if __name__ == "__main__":
    main()
