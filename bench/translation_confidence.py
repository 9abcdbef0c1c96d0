"""How well the confidence of translations holds: fit its curve, and compare confidences with how many answers were good.

    python -m bench.translation_confidence pairs.tsv [--pair en-fr] [--count 500]

Good is an answer with a chrF of 50 or more against its reference. The pairs (two columns, the pair's languages in order)
must be of sentences that the net has not learned from.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import sacrebleu

from lamella.data.readers.parallel import read_parallel
from lamella.model import shipped
from lamella.tasks.translation.confidence import OFFSET, SLOPE, Candidate

GOOD = 50.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("pairs", type=Path)
    options.add_argument("--pair", default="en-fr")
    options.add_argument("--count", type=int, default=500)
    asked = options.parse_args()
    src, dst = asked.pair.split("-")
    rows = read_parallel(asked.pairs, src, dst).rows
    rows = random.Random(5).sample(rows, min(asked.count, len(rows)))
    model = shipped.translator(src, dst)
    answers = model.run([{"text": row["src"], "to": dst} for row in rows])
    best = [one[0] for one in answers]
    means = np.array([one.mean if isinstance(one, Candidate) else np.nan for one in best])
    scores = [sacrebleu.sentence_chrf(a, [row["dst"]]).score for a, row in zip(best, rows, strict=True)]
    good = np.array(scores) >= GOOD
    design, weights = np.stack([np.ones_like(means), means], axis=1), np.array([OFFSET, SLOPE])
    for _ in range(5000):  # logistic regression by gradient ascent
        weights = weights + 0.5 * design.T @ (good - 1 / (1 + np.exp(-design @ weights))) / len(rows)
    print(
        f"{asked.pair}: {len(rows)} sentences, {good.mean():.0%} good; fitted: offset {weights[0]:.2f}, slope {weights[1]:.2f}"
    )
    now = 1 / (1 + np.exp(-(OFFSET + SLOPE * means)))
    for low in np.arange(0, 1, 0.2):
        here = (now >= low) & (now < low + 0.2)
        if here.any():
            print(f"  confidence {low:.1f} to {low + 0.2:.1f}: {here.sum():4d} sentences, {good[here].mean():.0%} good")


if __name__ == "__main__":
    main()
