"""Measure a model on data: the task's metrics, each with a 95% bootstrap interval.

lamella evaluate my-model test.tsv
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from lamella import metrics
from lamella.errors import DataError, UsageError
from lamella.metrics.stress import MOST, noises_of
from lamella.metrics.stress import lines as stress_lines
from lamella.metrics.stress import stress as under_stress
from lamella.model import Model, card, fingerprint, load
from lamella.model.reading import as_files, columns_for
from lamella.options import replace_config


def evaluate(
    model: str | Model,
    *data: Any,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    task: str | None = None,
    stress: bool = False,
    noises: Sequence[str] = (),
    noise_seed: int = 0,
    **options: Any,
) -> dict[str, Any]:
    """Score a model, or the folder of one, on files, tables in memory or "sample" (the task's own test set).

    Returns {"task", "metric", "count", "scores": {name: {"value", "low", "high"}}, "notes"}, and where the model keeps a
    fingerprint of its data "trained_on": {"count", "of", "exact"}: how many of the examples it was trained on; "trivial":
    what answers score that need no net, such as the most frequent label of these examples; "remarks": lines that must be read
    before the figures. limit: at
    most so many examples, the same ones each time. stress: measure too with noise of rising strength in the examples, of all
    kinds that their fields meet or of the `noises` named, drawn by the noise_seed: "stress", see `lamella.metrics.stress`; on 200
    examples where there is no limit. Raises UsageError and DataError for wrong arguments and files.
    """
    if not data:
        raise UsageError('no data given. Expected files, or the word "sample": lamella evaluate MODEL sample')
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: expected a whole number above 0.")
    trained = model if isinstance(model, Model) else load(model, task)
    trained = trained.with_config(replace_config(trained.task.config, options, trained.manifest.task))
    job = trained.task
    with as_files(data) as paths:
        sample = paths == ["sample"]
        examples = job.sample("test") if sample else job.read(paths, columns_for(job, paths, columns))[0]
        if not examples:
            raise DataError(f"{', '.join(paths)}: no examples to measure on.")
    if noises and not stress:
        raise UsageError(f"--noises {','.join(noises)}: expected --stress beside it.")
    if stress:
        noises_of(job, noises)
        limit = limit or MOST
    learn = job.sample("train") if sample else examples  # what the trivial answer knows
    if limit is not None and len(examples) > limit:
        examples = sorted(
            examples, key=lambda e: hashlib.sha256(repr(job.keys(e)).encode(errors="surrogatepass")).digest()
        )[:limit]
    run = trained.with_config(job.to_measure().config).run
    answers = job.answers(examples, run)
    scores = job.score(answers, examples)
    raw = trained.files.get(fingerprint.FILE)
    known = (
        {} if raw is None else {"trained_on": to_builtins(fingerprint.trained_on(raw, list(map(job.keys, examples))))}
    )
    result = {
        "task": trained.manifest.task,
        "metric": job.metric,
        "count": len(examples),
        "scores": metrics.intervals(scores),
        "notes": scores.notes,
        "trivial": metrics.trivial(job, learn, answers, examples),
        **known,
        **metrics.details(job, answers, examples),
    }
    if stress:
        result["stress"] = under_stress(job, examples, scores, lambda rows: job.answers(rows, run), noises, noise_seed)
    return {**result, "remarks": card.remarks(result, job.metric, job.less_is_better)}


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
    return out + (stress_lines(result["stress"]) if "stress" in result else [])
