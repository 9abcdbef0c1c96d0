"""A trained net -> a model: exported, measured on what was held out, and written with its card and its curves."""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lamella import metrics, model
from lamella.errors import LamellaError
from lamella.graphs import load_graphs, torch_graphs
from lamella.model import card, fingerprint
from lamella.model import examples as kept
from lamella.model.learned import learned
from lamella.task import Example, GraphLike, Task, as_measured
from lamella.train import augment, curves, further
from lamella.train.export import export_graphs
from lamella.train.gather import Gathered
from lamella.train.progress import waiting
from lamella.train.settings import Settings
from lamella.version import __version__

if TYPE_CHECKING:
    from lamella.train.loop import Trained


def ship(
    job: Task, name: str, gathered: Gathered, trained: "Trained", settings: Settings, tell: Callable[[str], None]
) -> tuple[dict[str, bytes], model.Manifest]:
    """A trained net -> the files of its model, and what model.json says; measured on what was held out."""
    run = trained.run
    net = run.averaged()
    graphs: Any = torch_graphs(net)
    with waiting(tell, "calibrating"):
        job.calibrate(gathered.watched, lambda rows: model.run_batches(job, graphs, rows))
    tell("exporting and measuring the exported graphs")
    with waiting(tell, "exporting"):
        files = export_graphs(net)
    values, blobs = store_learned(job)
    files.update(blobs)
    files[fingerprint.FILE] = _fingerprint(job, gathered)
    manifest = model.Manifest(
        lamella=__version__,
        task=name,
        task_digest=model.digest(Path(name).read_bytes()) if name.endswith(".py") else "",
        config=msgspec.to_builtins(job.config),
        size=job.size_name,
        fields={k: msgspec.to_builtins(v) for k, v in job.fields.items()},
        learned=values,
        parameters=trained.parameters,
        training={
            "data": gathered.lines,
            "steps": run.step,
            "seconds": round(run.seconds, 1),
            "precision": trained.precision,
            "device": settings.device,
            "seed": settings.seed,
            **({"augment": augment.names(augment.chosen(job, settings.augment))} if settings.augment else {}),
        },
    )
    shipped = onnx_graphs(files, settings.threads)
    with waiting(tell, f"measuring on {len(gathered.held):,} examples"):
        result = measure(job, shipped, gathered.held, gathered.learn)
        found = job.training.findings
        findings = found(job, shipped, gathered.learn, gathered.held) if found else []
    if findings:
        manifest.training["findings"] = findings
        for line in findings:
            tell(line)
    manifest.scores = {"held out": result}
    manifest.files = {file: model.digest(raw) for file, raw in files.items()}  # the card speaks of them
    return files, manifest


def _fingerprint(job: Task, gathered: Gathered) -> bytes:
    """Of all examples that it was trained on, or watched by."""
    more = [*gathered.learn, *gathered.watched]
    if gathered.corpus is None:
        return fingerprint.make(job.keys(e) for e in more)
    held, others = [[job.keys(e) for e in rows] for rows in (gathered.held, more)]
    return gathered.corpus.fingerprint(held, others)


def onnx_graphs(files: Mapping[str, bytes], threads: int = 1) -> Mapping[str, GraphLike]:
    """The graphs among a model's files, ready to run."""
    return load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")}, threads)


def measure(
    job: Task, graphs: Mapping[str, GraphLike], examples: Sequence[Example], learn: Sequence[Example] = ()
) -> dict[str, Any]:
    """Answers of these graphs scored with intervals, as a score set of `model.json`.

    learn: what it was trained on; with it the set says under "trivial" what answers score that need no net.
    """
    job = as_measured(job)
    answers = job.answers(examples, lambda rows: model.run_batches(job, graphs, rows))
    scores = job.score(answers, examples)
    result = {"count": len(examples), "scores": metrics.intervals(scores), "notes": scores.notes}
    if learn:
        result["trivial"] = metrics.trivial(job, learn, answers, examples)
    return {**result, **metrics.details(job, answers, examples)}


def store_learned(job: Task) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What fit learned: JSON-able values by name, and bytes as files."""
    values, files = {}, {}
    for name, value in learned(job).items():
        if isinstance(value, bytes):
            file = f"{name.rstrip('_')}.model"
            values[name], files[file] = {"file": file}, value
        else:
            values[name] = value
    return values, files


def keep_examples(
    job: Task, manifest: model.Manifest, files: Mapping[str, bytes], held: Sequence[Example], settings: Settings
) -> str:
    """Put a few held-out examples, without their answers, into the manifest; the line that says so."""
    graphs = onnx_graphs(files, settings.threads)
    for example in random.Random(settings.seed).sample(held, min(len(held), kept.TRIED)):
        shown = kept.without_answer(job, example)
        try:
            if shown is None or len(manifest.examples) == kept.MOST:
                continue
            as_measured(job, quick=True).answers([shown], lambda rows: model.run_batches(job, graphs, rows))
        except LamellaError:  # it needs what stays behind
            continue
        manifest.training["examples"] = [*manifest.examples, shown]
    if not manifest.examples:
        return "no held-out example is small enough to be kept in the model for its page"
    return f"{kept.COUNTS[len(manifest.examples)]} kept in the model for its page; --no-examples leaves them out"


def put(manifest: model.Manifest, files: dict[str, bytes], place: Path, trained: "Trained", metric: str) -> None:
    """Write the card, the weights and the picture of the training, then the model, complete when its model.json is there."""
    raw = further.weights_file(trained.run.net)
    manifest.training["weights"] = model.digest(raw)
    files["card.md"] = card.write(manifest, sum(map(len, files.values()))).encode()
    points = [(step, value) for step, value in trained.run.looks.points if value is not None]
    curves.put(place / "training" / "curves.svg", curves.svg(trained.losses, points, metric))
    curves.put(place / "training" / further.WEIGHTS, raw)
    model.write(manifest, files, place)
