"""What training with noise is worth against other noise: the area under the curve and the clean score, with and without `--augment`.

    python -m bench.augment                             the tasks below, on their samples; minutes of one core each
    python -m bench.augment summarization --steps 60    a try
    python -m bench.augment text-classification --data trec.csv --size small --limit 500

Each task is trained twice on its own sample, or on what --data names, of which a tenth is held out by the seed: as it is, and with noise of
some kinds in half of the examples, with the same seed and number of steps. Both are measured with noise of other kinds, which neither has met: the area under the curves, and the clean score. Nets
are measured as torch has them, which saves the time of exporting them.
"""

import argparse
from collections.abc import Sequence
from statistics import median

import torch

from lamella import model
from lamella.graphs import torch_graphs
from lamella.metrics.noise import of_fields
from lamella.metrics.stress import stress
from lamella.registry import find
from lamella.task import Answer, Example, Task, as_measured
from lamella.train import augment
from lamella.train.engine import Run, steps
from lamella.train.gather import Gathered, encode, gather
from lamella.train.loop import task_loss
from lamella.train.schedule import Budget, Schedule

# Task -> (steps, kinds to train with, kinds to measure with; "": all others).
TASKS = {
    "image-classification": (250, "grain,dark,rotated,shifted", "faint,zoomed,jpeg,blur"),
    "image-segmentation": (80, "grain,dark,rotated,shifted", "faint,zoomed,jpeg,blur"),
    "recommendation": (200, "missing", "unknown,order"),
    "text-classification": (200, "scanned,lost words", "typos"),
    "translation": (400, "typos,lost words", "scanned"),
    "summarization": (250, "typos,lost words", "scanned"),
}


def trained(job: Task, learn: list[Example], count: int, words: str, seed: int) -> Run:
    """A net trained for so many steps on these examples, with these kinds of noise."""
    job.fit(learn)
    torch.manual_seed(seed)
    batches = encode(job, learn, seed, noises=augment.chosen(job, words) if words else ())
    own, budget = job.training, Budget(count)
    run = Run.start(job.build(), job.size.rate * own.rate, decay=own.decay, muon=own.muon)
    loss = task_loss(job, Gathered(learn, [], [], []))
    for _ in steps(run, batches, loss, budget, Schedule(min(100, max(10, count // 10)))):
        job.state = job.state.changed(progress=budget.progress(run.step, run.seconds))
    return run


def measured(
    job: Task, parts: Gathered, count: int, words: str, noises: Sequence[str], limit: int, seed: int
) -> tuple[float, float]:
    """The clean score and the area of one training, in points of 100."""
    graphs = torch_graphs(trained(job, parts.learn, count, words, seed).averaged())

    def answering(job: Task, examples: Sequence[Example]) -> list[Answer]:
        job = as_measured(job)
        return job.answers(examples, lambda rows: model.run_batches(job, graphs, rows))

    examples = parts.held[:limit]
    answers = answering(job, examples)
    scores = job.score(answers, examples)
    result = stress(job, examples, (answers, scores), answering, noises)
    for curve in result["curves"]:
        print(f"    {curve['noise']:14}" + "".join(f"{value:8.4g}" for value in curve["values"]), flush=True)
    scale = 1 if job.metric in ("chrF", "BLEU") else 100
    return scale * scores.values[job.metric], scale * result["area"]


def others(task: str, words: str) -> list[str]:
    """The kinds of noise that are not trained with."""
    job = find(task)()
    known = augment.names(augment.chosen(job, words))
    return [noise for noise in augment.names(of_fields(job)) if noise not in known]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="default: all of the table")
    parser.add_argument("--steps", type=int, help="instead of each task's own number")
    parser.add_argument("--data", nargs="+", default=["sample"], help="files of one task, or the word sample")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--limit", type=int, default=100, help="examples to measure on")
    parser.add_argument("--augment", help="kinds to train with, instead of each task's own")
    parser.add_argument("--noises", help="kinds to measure with, instead of each task's own")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()
    torch.set_num_threads(1)
    for task in given.tasks or TASKS:
        count, words, noises = TASKS.get(task, (100, augment.SOME, ""))
        count, words, noises = (
            given.steps or count,
            given.augment or words,
            given.noises or ("" if given.augment else noises),
        )
        against = noises.split(",") if noises else others(task, words)
        print(f"{task}, {count} steps, trained with {words}, measured with {', '.join(against)}", flush=True)
        gains = []
        for seed in given.seeds:
            rows = []
            for kinds, name in (("", "without   "), (words, "with noise")):
                job = find(task)(find(task).Config(), given.size)
                parts = gather(job, given.data, [], None, seed)
                rows.append(measured(job, parts, count, kinds, against, given.limit, seed))
                print(f"  seed {seed}, {name}: clean {rows[-1][0]:.2f}, area {rows[-1][1]:.2f}", flush=True)
            gains.append([new - old for old, new in zip(*rows, strict=True)])
        clean, area = (median(column) for column in zip(*gains, strict=True))
        print(f"  difference, the median: {clean:+.2f} clean, {area:+.2f} under noise", flush=True)


if __name__ == "__main__":
    main()
