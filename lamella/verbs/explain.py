"""Say why: which words, patches, steps or columns an answer hangs on, or, without an input, what a model has learned.

lamella explain my-model "Not a good film." -o report.html
lamella explain my-model sample                             a picture in the terminal
lamella explain my-model                                    of the whole model
"""

from typing import Any

from lamella import fields
from lamella.errors import UsageError
from lamella.explain.explanation import Explanation
from lamella.model import Model, as_example, load


def explain(
    model: str | Model,
    example: Any = None,
    *,
    method: str = "ablation",
    pairs: bool = False,
    task: str | None = None,
    **options: Any,
) -> Explanation:
    """Why `example` gets its answer: a dict, its one field's value, or the word "sample", the task's first test example.

    method: "ablation" takes each unit away and measures, with nothing but the model's own graphs; "gradients" follows
    the net's slopes (integrated gradients; needs torch and float32 weights). pairs: look for units that are weak alone
    and strong together, too. Without an example: what the whole model has learned. options: those that may change
    when it answers. Raises UsageError and DataError for wrong arguments and examples.
    """
    trained = model if isinstance(model, Model) else load(model, task)
    trained = trained.with_config(fields.replace(trained.task.config, options, trained.manifest.task))
    if example is None:
        from lamella.explain.model import explain_model

        return Explanation(explain_model(trained, data=()))
    if isinstance(example, list) and len(example) == 1 and isinstance(example[0], dict):
        example = example[0]
    job = trained.task
    given = job.sample("test")[0] if isinstance(example, str) and example == "sample" else as_example(job, example)
    if not isinstance(given, dict):
        raise UsageError(f"expected one example, received {type(given).__name__}.")
    from lamella.explain.answer import explain_answer

    return Explanation(explain_answer(trained, given, method, pairs))
