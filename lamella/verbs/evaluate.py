"""Measure a model on data: the task's metrics, each with a 95% bootstrap interval; on request under noise, and by group.

lamella evaluate my-model test.tsv
lamella evaluate my-model test.tsv --stress --group country
"""

import copy
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs, to_builtins

from lamella import metrics
from lamella import model as folder
from lamella.errors import DataError, UsageError
from lamella.metrics import robustness
from lamella.metrics.confidence import confidences, told_apart
from lamella.metrics.groups import by_group
from lamella.metrics.stress import MOST, chosen_noises
from lamella.metrics.stress import stress as under_stress
from lamella.model import Model, card, fingerprint
from lamella.model.groups import groups_of
from lamella.model.named import load
from lamella.model.notebook import DrawnDict
from lamella.model.notebook import scores as drawn_scores
from lamella.model.outside import outside_examples, sureness
from lamella.model.reading import as_files, as_known_labels, read_to_measure
from lamella.options import replace_config
from lamella.task import Answer, Example, Task, as_measured


def evaluate(
    model: str | Model,
    *data: Any,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    task: str | None = None,
    stress: bool = False,
    noises: Sequence[str] = (),
    noise_seed: int = 0,
    outside: str = "",
    group: str = "",
    record: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Score a model, or the folder of one, on files, tables in memory or "sample" (the task's own test set).

    Returns {"task", "metric", "count", "scores": {name: {"value", "low", "high"}}, "notes"}, and where the model keeps a
    fingerprint of its data "trained_on": {"count", "of", "exact"}: how many of the examples it was trained on; "trivial":
    what answers score that need no net, such as the most frequent label of these examples; "remarks": lines that must be read
    before the figures. limit: at most so many examples, the same ones each time.

    stress: measure too with noise of rising strength in the examples, of all kinds that their fields meet or of the `noises` named,
    drawn by the noise_seed: "stress", see `lamella.metrics.stress`; and whether the model is less sure of input that is not its own:
    "outside", see `lamella.metrics.confidence.told_apart`, by another task's sample, or by `outside`, a file or the name of a task. On
    200 examples where there is no limit. group: a column of the tables, by whose values the score is given too: "groups", see
    `lamella.metrics.groups`; of folders of files "folder" or "prefix". record: write the result into the model's folder and its card.
    Raises UsageError and DataError for wrong arguments and files.
    """
    if not data:
        raise UsageError('no data given. Expected files, or the word "sample": lamella evaluate MODEL sample')
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: expected a whole number above 0.")
    for option, given in (("--noises", ",".join(noises)), ("--outside", outside)):
        if given and not stress:
            raise UsageError(f"{option} {given}: expected --stress beside it.")
    trained = model if isinstance(model, Model) else load(model, task)
    trained = trained.with_config(replace_config(trained.task.config, options, trained.manifest.task))
    job = trained.task
    if record and not Path(trained.where).is_dir():
        raise UsageError(f"--record: expected a model folder, received {trained.where}. Unpack it first.")
    if stress:
        chosen_noises(job, noises)
        limit = limit or MOST
    examples, learn, groups, said = _read(job, data, columns, limit, group)
    answers = _answers(trained, job, examples)
    examples, labels = as_known_labels(job, answers, examples)
    learn = as_known_labels(job, answers, learn)[0]
    scores = job.score(answers, examples)
    result: dict[str, Any] = {
        "task": trained.manifest.task,
        "metric": job.metric,
        "count": len(examples),
        "scores": metrics.intervals(scores),
        "notes": scores.notes,
        "trivial": metrics.trivial(job, learn, answers, examples),
        **_seen_before(trained, job, examples),
        **metrics.details(job, answers, examples),
    }
    if stress:
        with_noise = trained.manifest.training.get("augment", ())
        clean = answers, scores
        result["stress"] = under_stress(
            job, examples, clean, lambda j, rows: _answers(trained, j, rows), noises, noise_seed, with_noise
        )
        result["outside"] = _outside(trained, examples, answers, outside)
    if group:
        without = len(examples) - len({i for places in groups.values() for i in places})
        result["groups"] = {
            "column": group,
            **by_group(scores, groups, job.metric, job.training.less_is_better),
            "without": without,
        }
    result["remarks"] = [*said, *labels, *card.remarks(result, job.metric, job.training.less_is_better)]
    if record:
        names = (Path(d).name if isinstance(d, str | os.PathLike) else "data" for d in data)
        _record(trained, re.sub(r"[\s|]+", " ", ", ".join(names)), result)
    return DrawnDict(result, lambda: drawn_scores(result["task"], result))


def _seen_before(trained: Model, job: Task, examples: Sequence[Example]) -> dict[str, Any]:
    """How many of the examples the model was trained on, where it kept a fingerprint of its data."""
    raw = trained.files.get(fingerprint.FILE)
    return (
        {} if raw is None else {"trained_on": to_builtins(fingerprint.trained_on(raw, list(map(job.keys, examples))))}
    )


def _read(
    job: Task, data: Any, columns: Mapping[str, str] | None, limit: int | None, group: str
) -> tuple[list[Example], list[Example], dict[str, list[int]], list[str]]:
    """The examples to measure on, those that the trivial answer knows, the places of each group among the former, and what was
    chosen among the files."""
    with as_files(data) as paths:
        sample = paths == ["sample"]
        examples, said = (job.sample("test"), []) if sample else read_to_measure(job, paths, columns)
        if not examples:
            raise DataError(f"{', '.join(paths)}: no examples to measure on.")
        learn = job.sample("train") if sample else examples
        if limit is not None and len(examples) > limit:
            examples = sorted(
                examples, key=lambda e: hashlib.sha256(repr(job.keys(e)).encode(errors="surrogatepass")).digest()
            )[:limit]
        return examples, learn, groups_of(job, paths, columns, group, examples) if group else {}, said


def _answers(trained: Model, job: Task, examples: Sequence[Example]) -> list[Answer]:
    """The model's answers by a task, its own or that with noise in what it knows, as it is measured."""
    measured = copy.copy(trained)
    measured.task = as_measured(job)
    return job.answers(examples, measured.run)


def _outside(trained: Model, examples: Sequence[Example], answers: Sequence[Answer], source: str) -> dict[str, Any]:
    """How well the model's confidence tells its own examples from others; a reason where that cannot be said."""
    job = trained.task
    try:
        others, what = outside_examples(job, len(examples), source)
    except UsageError as error:
        if source:
            raise
        return {"reason": str(error)}
    there = _answers(trained, job, others)
    inside, elsewhere = confidences(job, answers), confidences(job, there)
    if inside is None or elsewhere is None:
        inside, elsewhere = sureness(trained, examples, answers), sureness(trained, others, there)
    if inside is None or elsewhere is None:
        return {"reason": "answers of this task do not say how sure they are"}
    return {"source": what, **told_apart(inside, elsewhere)}


def _record(trained: Model, name: str, result: Mapping[str, Any]) -> None:
    """Write a result into the model's folder: among the scores of model.json, and as a section of its card."""
    kept = {key: value for key, value in result.items() if key not in ("task", "metric", "remarks")}
    manifest = structs.replace(trained.manifest, scores={**trained.manifest.scores, name: kept})
    text = trained.files.get("card.md", b"").decode(errors="replace")
    card_now = card.with_result(text, name, kept, robustness.markdown(result))
    folder.write(manifest, {**trained.files, "card.md": card_now.encode()}, Path(trained.where))


def lines(result: dict[str, Any]) -> list[str]:
    """The same for people."""
    out = [*result["remarks"], f"{result['task']}, {result['count']} examples"]
    for name, s in result["scores"].items():
        without = result["trivial"].get(name)
        beside = "" if without is None else f"   without a net {without:.4g}"
        interval = "of one example, so without an interval"
        if result["count"] > 1:
            interval = f"95% interval {s['low']:.4g} to {s['high']:.4g}"
        out.append(f"{name:12} {s['value']:8.4g}   {interval}{beside}")
    seen = result.get("trained_on", {})
    if seen.get("count"):
        about = "" if seen["exact"] else "about "
        out.append(
            f"note: {about}{seen['count']} of {seen['of']} examples were trained on; their scores are no measure of new data"
        )
    out += [f"signature    {note}" for note in result["notes"].values()]
    out += [line for line in card.beside(result) if line]
    return out + robustness.lines(result)
