"""A whole model explained: what its units respond to, its filters, a map of examples, the value of each of its parts
(ablation), and its calibration.

Everything is measured on the shipped graphs with onnxruntime; torch is not needed. Expensive parts are bounded, and notes
say by what; seconds are of processor time, so that a busy machine gives the same report.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lamella import metrics
from lamella.errors import DataError, MissingExtra
from lamella.explain import sections
from lamella.explain.observe import Looked, clip, look, observe
from lamella.explain.sections import Section
from lamella.graphs import OnnxGraph, load_graphs
from lamella.graphs.surgery import Part, parts, without
from lamella.model import Model, fingerprint, held_out, run_batches
from lamella.model.reading import columns_for
from lamella.task import Answer, Example, Task, as_measured

SEEN, SEEN_SECONDS = 300, 8.0  # limits on the examples whose hidden layers are recorded
ABLATED, FEWEST, ABLATION_SECONDS = 60, 12, 20.0  # most and fewest examples for ablation, and its time
CALIBRATED, CALIBRATION_SECONDS = 1000, 5.0
TRIED = 8  # answers that are looked at to learn the form of answers


def explain_model(trained: Model, data: Sequence[str] = (), columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Explain a model as a whole, on files or on "sample" (the task's own test set); where nothing is given on what was
    held out of the data it was trained on.

    Returns {"task", "model", "sections": [{"kind", "title", "note", ...}]}, kinds being units, coloured text, filters, map,
    ablation and calibration; each stands there only where the model has such a thing. Raises DataError for wrong files.
    """
    job = trained.task
    examples, source = _examples(trained, data, columns)
    examples = _some(job, examples, CALIBRATED)
    quick = _quick(trained)
    looked = look(quick, clip(quick, examples[0], 200))
    parts_of_report: list[Section] = []
    showing, shown = _of_vectors(quick, examples[:SEEN])
    first = looked if showing is quick else look(showing, clip(showing, shown[0], 200))
    seen = observe(showing, shown, first, SEEN_SECONDS)
    if seen is not None:
        if len(seen.examples) < min(SEEN, len(examples)):
            bound = f" Looking was ended after {SEEN_SECONDS:g} seconds of the processor."
        else:
            bound = ""
        parts_of_report += sections.units(showing, seen)
        texts = [name for name, field in job.fields.items() if field.prose]
        if len(texts) == 1:
            parts_of_report += sections.coloured(seen, texts[0], 3 if job.target in job.fields else 1)
        parts_of_report += sections.plane(showing, seen)
        for section in parts_of_report:
            section["note"] += bound
    parts_of_report += sections.filters(trained)
    parts_of_report += ablation(quick, examples, looked, ABLATION_SECONDS)
    parts_of_report += calibration(trained, examples)
    if parts_of_report:
        parts_of_report[0]["note"] = f"Measured on {source}. {parts_of_report[0]['note']}"
    return {"task": trained.manifest.task, "model": Path(trained.where).name, "sections": parts_of_report}


def _examples(trained: Model, data: Sequence[str], columns: Mapping[str, str] | None) -> tuple[list[Example], str]:
    """The examples to explain the model with, and a description of them. DataError if there are none."""
    job = trained.task
    if not data:
        return held_out.to_measure(trained, "explain the whole model with")
    if list(data) == ["sample"]:
        return job.sample("test"), "the task's own sample set"
    examples = job.read(list(data), columns_for(job, data, columns))[0]
    if not examples:
        raise DataError(f"{', '.join(data)}: no examples to explain the model with.")
    raw = trained.files.get(fingerprint.FILE)
    seen = fingerprint.trained_on(raw, list(map(job.keys, examples))).count if raw else 0
    known = f", of which it was trained on {seen:,}" if seen else ""
    return examples, f"{len(examples):,} examples of {', '.join(data)}{known}"


def _some(job: Task, examples: list[Example], most: int) -> list[Example]:
    """A fixed random sample of at most `most` examples."""
    return sorted(examples, key=lambda e: hashlib.sha256(repr(job.keys(e)).encode(errors="surrogatepass")).digest())[
        :most
    ]


def _quick(trained: Model) -> Model:
    """The same model with its fastest options: no wide search, nothing that scores do not need."""
    return trained.with_config(as_measured(trained.task, quick=True).config)


def _of_vectors(trained: Model, examples: list[Example]) -> tuple[Model, list[Example]]:
    """The model set to its vector question, if it has one, and examples of that question: single items, not pairs."""
    names = [name for name, question in trained.task.questions.items() if question.answer.kind == "vector"]
    if not names:
        return trained, examples
    asked = trained.ask(names[0])
    return asked, [asked.task.given(example) for example in examples]


# ---- what parts are worth ----------------------------------------------------------------------------------------


def ablation(trained: Model, examples: Sequence[Example], looked: Looked, seconds: float) -> list[Section]:
    """Ablation: the task's metric without each head and layer, one at a time (Michel, Levy and Neubig, 2019)."""
    removable = parts(trained.files, looked.shapes)
    removable = [p for p in removable if {f.removesuffix(".onnx") for f in (*p.zeros, *p.nodes)} & set(looked.counts)]
    if not removable:
        return []
    trained.graphs  # noqa: B018 - opened before the clock is started
    begun = time.process_time()
    measure = _Measure(trained, examples[:ABLATED])
    base, measured = measure.value(trained.graphs), time.process_time()
    graphs, opened = _graphs_without(trained, removable[0]), time.process_time()
    measure.value(graphs)  # a net without a layer often fails to end its answer, and is slow
    each = max(1e-6, time.process_time() - opened) / len(measure.examples)
    left = (seconds - (time.process_time() - begun)) / len(removable) - (opened - measured)
    if (count := max(FEWEST, int(left / each))) < len(measure.examples):
        measure = _Measure(trained, examples[:count])
        base = measure.value(trained.graphs)
    rows: list[dict[str, Any]] = []
    for part in removable:
        if time.process_time() - begun > seconds:
            break
        value = measure.value(_graphs_without(trained, part))
        if np.isfinite(value):
            rows.append({"part": part.name, "kind": part.kind, "value": _round(value), "change": _round(value - base)})
    note = (
        f"{measure.name} over {len(measure.examples)} examples, the model's answers searched as fast as it can, with each part "
        f"taken out by itself; {'less' if measure.less_is_better else 'more'} is better. Parts can stand in for each other, so "
        "small changes do not add up."
    )
    if len(rows) < len(removable):
        note += f" {len(rows)} of {len(removable)} parts were tried, in {seconds:g} seconds of the processor; whole layers first, then heads."
    return [
        {
            "kind": "ablation",
            "title": "What each part is worth",
            "note": note,
            "metric": measure.name,
            "less is better": measure.less_is_better,
            "base": _round(base),
            "rows": rows,
        }
    ]


class _Measure:
    """The task's metric; if its reference library is missing, the share of answers that do not change."""

    def __init__(self, trained: Model, examples: Sequence[Example]) -> None:
        self.task, self.examples = trained.task, list(examples)
        self.name, self.less_is_better = self.task.metric, self.task.training.less_is_better
        self._same: list[str] | None = None  # the answers of the whole net, as text
        self._own = True

    def value(self, graphs: Mapping[str, OnnxGraph]) -> float:
        answers = self._answers(graphs)
        if self._same is None:
            try:
                scores = self.task.score(answers, self.examples)
                return scores.values[self.name]
            except MissingExtra:
                self._same = [self.task.render(a) for a in answers]
                self.name, self.less_is_better = "same answers", False
        return float(np.mean([self.task.render(a) == b for a, b in zip(answers, self._same, strict=True)]))

    def _answers(self, graphs: Mapping[str, OnnxGraph]) -> list[Answer]:
        """The net's raw answers if they can be scored: a task's post-processing could hide the damage."""
        if self._own:
            answers = run_batches(self.task, graphs, self.examples)
            try:
                self.task.score(answers[:1], self.examples[:1])
                return answers
            except MissingExtra:
                pass
            except (TypeError, ValueError, KeyError, AttributeError):  # they have another form
                self._own = False
        return self.task.answers(self.examples, lambda batch: run_batches(self.task, graphs, batch))


def _graphs_without(trained: Model, part: Part) -> dict[str, OnnxGraph]:
    """The graphs without the part; graphs that do not contain it are reused."""
    changed = {*part.zeros, *part.nodes}
    files = without({name: trained.files[name] for name in changed}, part)
    return {**trained.graphs, **load_graphs(files)}


# ---- calibration -------------------------------------------------------------------------------------------------


def calibration(trained: Model, examples: Sequence[Example], seconds: float = CALIBRATION_SECONDS) -> list[Section]:
    """Calibration: confidence against accuracy, for tasks whose answers have probabilities."""
    job, first = trained.task, list(examples[:TRIED])
    if job.answer.prose or not job.target:
        return []
    begun = time.process_time()
    answers = trained.predict(first)
    if not (job.answer.classes or _claims(answers[0])):
        return []
    each = (time.process_time() - begun) / len(first)
    count = min(len(examples), len(first) + int(seconds / max(each, 1e-6)))
    answers += trained.predict(list(examples[len(first) : count])) if count > len(first) else []
    wanted = list(examples[:count])
    title, note = "Is it as often right as it is sure?", f"Over {count} of {len(examples)} examples."
    if claims := _claims(answers[0]):
        bins = [_coverage(claim, answers, wanted, job.target) for claim in claims]
        error = float(np.mean([abs(b["sure"] - b["right"]) for b in bins]))
        note += " Intervals beside how many of the wanted values they hold; the error is the mean gap."
        return [{"kind": "calibration", "title": title, "note": note, "bins": bins, "error": error}]
    details = metrics.details(job, answers, wanted).get("calibration")
    if details is None:
        return []
    note += " The error is the expected calibration error (Guo et al., 2017)."
    return [{"kind": "calibration", "title": title, "note": note, "bins": details["bins"], "error": details["error"]}]


def _claims(answer: Answer) -> list[str]:
    """The names of the intervals in an answer: "50%", "80%"."""
    names = [k for k in answer if k.endswith("%") and k[:-1].isdigit()] if isinstance(answer, dict) else []
    return sorted(names, key=lambda k: int(k[:-1]))


def _coverage(claim: str, answers: Sequence[Answer], examples: Sequence[Example], target: str) -> dict[str, Any]:
    ends = np.array([a[claim] for a in answers], np.float64)  # (N, H, 2)
    wanted = np.array([e[target] for e in examples], np.float64)  # (N, H)
    inside = (ends[..., 0] <= wanted) & (wanted <= ends[..., 1])
    return {"sure": int(claim[:-1]) / 100, "right": float(inside.mean()), "count": int(inside.size)}


def _round(value: float) -> float:
    return float(f"{value:.5g}")
