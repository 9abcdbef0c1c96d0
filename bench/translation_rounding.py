"""What rounding activations to int8 costs a shipped translator: BLEU and chrF beside the same weights in float32.

    python -m bench.translation_rounding dev-tatoeba-fr.tsv dev-interface-de.tsv [--limit 400]

The files are those of `recipes.translation` (kind, package, English, other language), their names end in the language; both
directions of each are measured, with all that stands around the net. The weights in float32 are those of the int8 graphs
multiplied out: what training lost when its weights were rounded is in both. The interval is of the difference, from 1,000
resamples of the sentences (Koehn, 2004).
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from lamella.graphs import load_graphs
from lamella.graphs.weights import named_weights
from lamella.model import Model, run_batches
from lamella.model.shipped import translator
from lamella.task import Run
from lamella.tasks.translation import Translation
from lamella.train.adopt import fill
from lamella.train.export import export_graphs
from recipes.translation.common import read_pairs

DRAWS = 1000


def in_float(model: Model) -> Run:
    """What runs a shipped translator's net in float32, with the weights that it has."""
    task = model.task
    net = task.build()
    filled = fill(net, named_weights(model.files))
    if filled.missing or filled.odd:
        raise SystemExit(f"{model.where}: its graphs do not hold all of the net: {filled.lines()[0]}")
    return partial(run_batches, task, load_graphs(export_graphs(net.eval()), 1))


def compared(metric: BLEU | CHRF, ones: list[str], others: list[str], references: list[str]) -> tuple[float, ...]:
    """The score of both, the second less the first, and the 95% interval of that."""
    sums = [np.array(metric._extract_corpus_statistics(some, [references])) for some in (ones, others)]  # (N, S)
    score = [metric._compute_score_from_stats(list(s.sum(axis=0))).score for s in sums]
    rng, differences = np.random.default_rng(0), []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(ones), len(ones))
        a, b = (metric._compute_score_from_stats(list(s[rows].sum(axis=0))).score for s in sums)
        differences.append(b - a)
    low, high = np.percentile(differences, [2.5, 97.5])
    return score[0], score[1], score[1] - score[0], low, high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=400, help="at most so many pairs of each set")
    given = parser.parse_args()
    floats: dict[str, Run] = {}
    for path in given.sets:
        lang = path.stem.rpartition("-")[2].partition("_")[0]
        rows = [(p.source, p.target) for p in read_pairs(path)][: given.limit]
        for src, dst, pairs in (("en", lang, rows), (lang, "en", [(b, a) for a, b in rows])):
            model = translator(src, dst)
            task = model.task
            assert isinstance(task, Translation)
            floats.setdefault(Path(model.where).name, in_float(model))
            texts = [{"text": source, "to": dst} for source, _ in pairs]
            references = [reference for _, reference in pairs]
            answers = [
                [o.text for o in task.outcomes(texts, run)] for run in (floats[Path(model.where).name], model.run)
            ]
            bleu = compared(BLEU(tokenize="zh" if dst == "zh" else "13a"), answers[0], answers[1], references)
            chrf = compared(CHRF(), answers[0], answers[1], references)
            same = sum(a == b for a, b in zip(*answers, strict=True)) / len(pairs)
            print(
                f"{path.stem} {src}-{dst}: {len(pairs)} pairs, {same:.0%} the same; BLEU {bleu[0]:.2f} in float32, {bleu[1]:.2f} in int8, "
                f"{bleu[2]:+.2f} ({bleu[3]:+.2f} to {bleu[4]:+.2f}); chrF {chrf[0]:.2f}, {chrf[1]:.2f}, {chrf[2]:+.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
