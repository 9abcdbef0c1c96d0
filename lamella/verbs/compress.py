"""Make a model smaller: int8 weights, accepted only if the task's own metric allows it.

    lamella compress my-model -o small --data dev.tsv --tolerance 0.01

Every setting is measured on the same examples as the model it came from; what is larger or falls by more than the
tolerance is refused, and the table of what was tried is printed and kept in the card.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from lamella import card, metrics
from lamella import model as folder
from lamella.errors import LamellaError, MissingExtra
from lamella.graph import load_graphs
from lamella.model import Model, load

MOST = 500  # examples to measure by


def compress(
    model: str | Model,
    out: str,
    *data: str,
    tolerance: float = 0.01,
    columns: Mapping[str, str] | None = None,
    task: str | None = None,
    force: bool = False,
    tell: Callable[[str], None] = print,
) -> Model:
    """Write the smallest model whose metric is at most `tolerance` (a share: 0.01 is 1%) worse, and open it.

    data: files to measure on, by default the task's sample. Raises LamellaError where nothing smaller is good enough.
    """
    try:
        from lamella.train.quantize import quantize
    except ImportError as error:
        raise MissingExtra("compress", "train") from error
    trained = model if isinstance(model, Model) else load(model, task)
    folder.free(Path(out), force, whole=True)
    job = trained.task
    examples = job.read(list(data), columns)[0] if data and list(data) != ["sample"] else job.sample("test")
    examples = examples[:MOST]

    def measured(files: Mapping[str, bytes]) -> tuple[float, float, dict[str, Any]]:
        graphs = load_graphs({k: v for k, v in files.items() if k.endswith(".onnx")})
        start = time.perf_counter()
        answers = job.answers(examples, lambda some: folder.run_batches(job, graphs, some))
        seconds = time.perf_counter() - start
        scores = job.score(answers, examples)
        result = {"count": len(examples), "scores": metrics.intervals(scores), "notes": scores.notes}
        return scores.measures[job.metric](scores.parts.sum(axis=0)), seconds, result

    before, took, _ = measured(trained.files)
    tell(f"{'setting':10} {'MB':>7} {job.metric:>10} {'seconds':>8}")
    tell(f"{trained.manifest.precision:10} {graphs_size(trained.files) / 1e6:7.2f} {before:10.4g} {took:8.2f}")
    files = {k: quantize(v) if k.endswith(".onnx") else v for k, v in trained.files.items()}
    after, then, result = measured(files)
    tell(f"{'int8':10} {graphs_size(files) / 1e6:7.2f} {after:10.4g} {then:8.2f}")
    loss = (after - before if job.less_is_better else before - after) / max(abs(before), 1e-9)
    if graphs_size(files) >= graphs_size(trained.files):
        raise LamellaError(
            f"{trained.where}: int8 is not smaller ({graphs_size(files):,} bytes). Keep the model as it is."
        )
    if loss > tolerance:
        raise LamellaError(
            f"{trained.where}: int8 costs {100 * loss:.1f}% of {job.metric}, and {100 * tolerance:.1f}% was allowed. "
            "Keep the model as it is, or allow more with --tolerance."
        )
    manifest = msgspec.structs.replace(trained.manifest, precision="int8")
    manifest.scores = {**manifest.scores, f"after int8 (it was {before:.4g})": result}
    files["card.md"] = card.write(manifest, sum(len(v) for k, v in files.items() if k != "card.md")).encode()
    folder.write(manifest, files, Path(out))
    return Model(manifest, folder.seal(manifest, files), job, out)


def graphs_size(files: Mapping[str, bytes]) -> int:
    """Bytes of the graphs together."""
    return sum(len(raw) for name, raw in files.items() if name.endswith(".onnx"))
