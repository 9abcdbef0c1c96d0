"""Explain one answer of a model, or the whole model: what the verb, the server and `Model.explain` share."""

from collections.abc import Mapping, Sequence
from typing import Any

from lamella.errors import UsageError
from lamella.explain.explanation import Explanation
from lamella.model import Model, as_example
from lamella.model.answering import sample_of
from lamella.model.named import load
from lamella.options import refuse_unasked, replace_config


def explain(
    model: str | Model,
    example: Any = None,
    *,
    method: str = "ablation",
    pairs: bool = False,
    task: str | None = None,
    data: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    **options: Any,
) -> Explanation:
    """Why `example` gets its answer: a dict, its one field's value, or the word "sample", the task's first test example.

    method: "ablation" removes units in random orders and measures, using only the model's graphs (Shapley values; each step
    of a series alone); "gradients" uses integrated gradients (needs torch and float32 weights). pairs: also look for units
    that are weak alone and strong together. Without an example: explain what the whole model has learned, measured on `data`
    (with `columns`), or by default on held-out training data. options: the prediction options to change. Raises UsageError
    and DataError for wrong arguments and examples.
    """
    trained = model if isinstance(model, Model) else load(model, task)
    trained = trained.with_config(replace_config(trained.task.config, options, trained.manifest.task))
    refuse_unasked(type(trained.task.config), options, trained.task.state.asked, trained.task.questions)
    if example is None:
        from lamella.explain.model import explain_model

        return Explanation(explain_model(trained, data, columns))
    if data:
        raise UsageError("--data is for explaining a whole model. Leave it out, or the input.")
    if isinstance(example, list) and len(example) == 1 and isinstance(example[0], dict):
        example = example[0]
    job = trained.task
    given = sample_of(job) if isinstance(example, str) and example == "sample" else as_example(job, example)
    if not isinstance(given, dict):
        raise UsageError(f"expected one example, received {type(given).__name__}.")
    from lamella.explain.answer import explain_answer

    return Explanation(explain_answer(trained, given, method, pairs))
