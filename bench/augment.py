"""What training with noise is worth against other noise: the area under the curve and the clean score, with and without `--augment`.

    python -m bench.augment                             the tasks below, on their samples; minutes of one core each
    python -m bench.augment summarization --steps 60    a try

Each task is trained twice on its own sample, with the same seed and number of steps: as it is, and with noise of some kinds in half of
the examples. Both are measured with noise of other kinds, which neither has met: the area under the curves, and the clean score.
"""

import argparse
import tempfile
from pathlib import Path

import lamella

# Task -> (steps, size, kinds to train with, kinds to measure with; "": all others).
TASKS = {
    "recommendation": (200, "tiny", "missing", "unknown,order"),
    "image-classification": (250, "tiny", "some", ""),
    "text-classification": (200, "tiny", "scanned,lost words", "typos"),
    "translation": (400, "tiny", "typos,lost words", "scanned"),
    "summarization": (250, "tiny", "typos,lost words", "scanned"),
}


def measured(task: str, steps: int, size: str, augment: str, noises: list[str], limit: int) -> tuple[float, float, str]:
    """The clean score and the area of one training, in points of 100 (chrF has them already), and the metric's name."""
    with tempfile.TemporaryDirectory() as folder:
        given = {"augment": augment} if augment else {}
        model = lamella.train(
            task, "sample", out=str(Path(folder) / "model"), steps=steps, size=size, threads=1, examples=False,
            tell=lambda line: None, **given,
        )  # fmt: skip
        result = lamella.evaluate(model, "sample", stress=True, noises=noises, limit=limit)
    metric = result["metric"]
    scale = 1.0 if metric in ("chrF", "BLEU") else 100.0
    return scale * result["scores"][metric]["value"], scale * result["stress"]["area"], metric


def others(task: str, augment: str) -> list[str]:
    """The kinds of noise that are not trained with."""
    from lamella.metrics.noise import of_fields
    from lamella.registry import find
    from lamella.train.augment import chosen, names

    job = find(task)()
    known = names(chosen(job, augment))
    return [noise for noise in names(of_fields(job)) if noise not in known]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="default: all of the table")
    parser.add_argument("--steps", type=int, help="instead of each task's own number")
    parser.add_argument("--limit", type=int, default=200, help="examples to measure on")
    parser.add_argument("--augment", help="kinds to train with, instead of each task's own")
    parser.add_argument("--noises", help="kinds to measure with, instead of each task's own")
    given = parser.parse_args()
    for task in given.tasks or TASKS:
        steps, size, augment, noises = TASKS[task]
        augment, noises = given.augment or augment, given.noises or noises
        against = noises.split(",") if noises else others(task, augment)
        print(
            f"{task}, {given.steps or steps} steps, trained with {augment}, measured with {', '.join(against)}",
            flush=True,
        )
        rows = []
        for word in ("", augment):
            clean, area, metric = measured(task, given.steps or steps, size, word, against, given.limit)
            rows.append((clean, area))
            print(f"  {'with noise' if word else 'without   '}: {metric} {clean:.2f}, area {area:.2f}", flush=True)
        (clean, area), (clean_now, area_now) = rows
        print(f"  difference: {clean_now - clean:+.2f} clean, {area_now - area:+.2f} under noise", flush=True)


if __name__ == "__main__":
    main()
