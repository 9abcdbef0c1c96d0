"""The command line: lamella VERB TASK|MODEL [--field value ...].

A verb's own flags are declared here; a task's are its Config's typed fields, found when the task is known. Everything
heavier than click is imported inside a command, so that `--help` answers at once.
"""

import os
import sys
from functools import partial
from typing import Any

import click

from lamella.cli.answers import answer
from lamella.cli.arguments import by_fields, split_columns, split_options, to_json
from lamella.cli.flags import (
    ASK,
    COLUMNS,
    CORPUS,
    ENCODING,
    EXAMPLES,
    FORCE,
    INDEX,
    JSON,
    TASK_FILE,
    evaluation_options,
    of_model,
    of_task,
    training_options,
)
from lamella.cli.groups import ANY, Group
from lamella.cli.planning import plan
from lamella.cli.streams import encoded, visible
from lamella.version import __version__


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="lamella")
def main() -> None:
    """Train, understand and ship small neural networks on the machine you have.

    lamella translate "Hello, world!" --to fr

    lamella train TASK reviews.csv -o my-model --minutes 5
    """


@main.command(context_settings=ANY)
@click.argument("inputs", nargs=-1, type=click.UNPROCESSED, metavar="TEXT|FILE...|-")
@click.option(
    "--from", "src", default="auto", show_default=True, help="Language of the text; auto: detected, text by text."
)
@click.option("--to", "dst", required=True, help="Language of the translation.")
@click.option("-o", "--out", metavar="OUT", help="Output: a file for one input, a folder for several or for a folder.")
@click.option("--text", "as_text", is_flag=True, help="Take the arguments as texts, even if files have these names.")
@click.option("--file", "as_file", is_flag=True, help="Take the arguments as files.")
@COLUMNS
@ENCODING
@FORCE
@JSON
def translate(
    inputs: tuple[str, ...], src: str, dst: str, out: str | None, as_text: bool, as_file: bool, columns: str | None,
    encoding: str, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Translate texts, documents, tables, folders or standard input (-), offline.

    Documents keep their form: .txt .md .html .docx .odt .pptx .epub .srt .vtt .ass .po .json .yaml .arb .xliff .strings .stringsdict .xcstrings
    .properties .xml (Android) .tmx and others; of tables (.csv .tsv .jsonl .xlsx) one column is translated: --columns text=COLUMN.

    Also, as for predict: --beams N (search wider), --memory FILE (translations made before, from .po .tmx .tsv), --glossary
    FILE.tsv, --details (what became of each text, and how sure it is), --keep-below 0.3 (else the source stays).
    """
    from lamella.cli import streams
    from lamella.cli.languages import Languages, doubt
    from lamella.model.ahead import opened_ahead
    from lamella.model.shipped import translator
    from lamella.model.translate import AUTO, AnySource, encoded_as

    languages = Languages(dst)
    with opened_ahead():
        trained = AnySource.into(dst, languages.add) if src == AUTO else translator(src, dst)
    inputs, options = split_options(inputs, of_model(trained))
    inputs = inputs or ("-",) * streams.piped()
    with encoded_as(encoding):
        if src != AUTO:
            languages.route(src)
            doubt(inputs, src, as_text)
        choose = languages.chosen if src == AUTO else None
        try:
            answer(
                trained, inputs, options, out, as_text, as_file, force, as_json, split_columns(columns), choose
            )  # fmt: skip
        finally:
            languages.tell()


@main.command(context_settings=ANY)
@click.argument("inputs", nargs=-1, required=True, type=click.UNPROCESSED, metavar="TEXT...|-")
@JSON
def detect(inputs: tuple[str, ...], as_json: bool) -> None:
    """Detect the language of each text, or of each line of standard input (-), with its probability."""
    from lamella.model.ahead import opened_ahead
    from lamella.model.shipped import detector

    inputs, options = split_options(inputs)
    with opened_ahead():
        trained = detector()
    answer(trained, inputs, options, None, inputs != ("-",), False, False, as_json)


@main.command(context_settings=ANY)
@click.argument("task")
@click.argument("data", nargs=-1, type=click.UNPROCESSED, required=True)
@click.option("-o", "--out", required=True, metavar="MODEL", help="The model folder to write.")
@training_options
@click.option("--processes", type=int, help="Processes on this machine that share each batch (default: 1).")
@click.option("--fsdp", is_flag=True, help="Divide net and optimizer among the processes (FSDP2).")
@click.option("--resume", is_flag=True, help="Continue from the last checkpoint, at the exact step.")
@click.option("--tensorboard", is_flag=True, help="Write event files into MODEL/training/tensorboard.")
@click.option(
    "--like", metavar="MODEL", help="Repeat the training of this model, and say whether its bytes came again."
)
@click.option(
    "--plan", metavar="FILE", help="Compare what happens with a forecast in this file (default: MODEL's own)."
)
@EXAMPLES
@COLUMNS
@ENCODING
@FORCE
@JSON
def train(
    task: str, data: tuple[str, ...], out: str, columns: str | None, encoding: str, as_json: bool, **given: Any
) -> None:
    """Train TASK on your files (or the word `sample`) and write a model folder.

    The task's own options are listed by: lamella tasks TASK
    """
    from lamella.model.reading import encoded_as
    from lamella.verbs.train import train as run

    data, options = split_options(data, of_task(task))
    with encoded_as(encoding):
        _wrote(run(task, *data, out=out, columns=split_columns(columns), **given, **options), as_json)


main.add_command(plan)


@main.command(context_settings=ANY)
@click.argument("model")
@click.argument("data", nargs=-1, type=click.UNPROCESSED, required=True)
@click.option("--limit", type=int, help="Use at most this many examples.")
@evaluation_options
@COLUMNS
@ENCODING
@TASK_FILE
@JSON
def evaluate(
    model: str, data: tuple[str, ...], columns: str | None, encoding: str, as_json: bool, noises: str, **given: Any
) -> None:
    """Evaluate MODEL on files (or the word `sample`), with 95% confidence intervals."""
    from lamella.model.reading import encoded_as
    from lamella.verbs.evaluate import evaluate as run
    from lamella.verbs.evaluate import lines

    data, options = split_options(data, of_model(model, given["task"]))
    with encoded_as(encoding):
        kinds = [noise.strip() for noise in noises.split(",") if noise.strip()]
        result = run(model, *data, columns=split_columns(columns), noises=kinds, **given, **options)
    if as_json:
        click.echo(to_json(result))
        return
    for line in lines(result):
        click.echo(visible(line))


@main.command(context_settings=ANY)
@click.argument("model")
@click.argument("inputs", nargs=-1, type=click.UNPROCESSED, metavar="TEXT|FILE...|-")
@click.option("-o", "--out", metavar="OUT", help="Output: a file for one input, a folder for several.")
@click.option("--text", "as_text", is_flag=True, help="Take the arguments as texts, even if files have these names.")
@click.option("--file", "as_file", is_flag=True, help="Take the arguments as files.")
@ASK
@CORPUS
@INDEX
@COLUMNS
@ENCODING
@TASK_FILE
@FORCE
@JSON
def predict(
    model: str, inputs: tuple[str, ...], out: str | None, as_text: bool, as_file: bool, columns: str | None,
    encoding: str, task: str | None, force: bool, as_json: bool, **asking: Any,
) -> None:  # fmt: skip
    """Predict: for texts, tables (a CSV in gives a CSV out), documents, or lines from standard input (-)."""
    from lamella.model.ahead import opened_ahead
    from lamella.model.named import load

    with opened_ahead():
        trained = _asked(load(model, task), **asking)
    inputs, options = by_fields(trained.task.fields, *split_options(inputs, of_model(trained)))
    with encoded(encoding):
        answer(trained, inputs, options, out, as_text, as_file, force, as_json, split_columns(columns))


@main.command(context_settings=ANY)
@click.argument("model")
@click.argument("inputs", nargs=-1, type=click.UNPROCESSED, metavar="[TEXT|FILE]")
@click.option(
    "-o",
    "--out",
    metavar="REPORT",
    help="Write a page (.html) or an object (.json); default: a picture in the terminal.",
)
@click.option("--method", default="ablation", show_default=True, help="ablation, or gradients (needs torch).")
@click.option("--pairs", is_flag=True, help="Also look for pairs of units that are weak alone and strong together.")
@click.option(
    "--data", multiple=True, metavar="FILE", help="Explain the whole model on these files (default: held-out data)."
)
@click.option("--text", "as_text", is_flag=True, help="Take the argument as a text, even if a file has this name.")
@ASK
@CORPUS
@INDEX
@COLUMNS
@TASK_FILE
@FORCE
@JSON
def explain(
    model: str, inputs: tuple[str, ...], out: str | None, method: str, pairs: bool, as_text: bool, columns: str | None,
    task: str | None, force: bool, as_json: bool, data: tuple[str, ...], **asking: Any,
) -> None:  # fmt: skip
    """Explain why MODEL answers as it does, or, without an input, what it has learned."""
    from lamella.model.named import load
    from lamella.verbs import explain as verb

    trained = _asked(load(model, task), **asking)
    inputs, options = by_fields(trained.task.fields, *split_options(inputs, of_model(trained)))
    trained, example = verb.question(trained, inputs, split_columns(columns), as_text, options)
    form = verb.form(out, force)
    explanation = verb.explain(trained, example, method=method, pairs=pairs, data=data, columns=split_columns(columns))
    if out:
        verb.write(explanation, out, form)
        click.echo(f"wrote {out}", err=True)
    if as_json:
        click.echo(explanation.to_json())
    elif not out:
        import shutil  # late: it opens five libraries of compression

        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        click.echo(explanation.to_text(colour, shutil.get_terminal_size().columns), color=colour)


@main.command()
@click.argument("model")
@click.option("-o", "--out", required=True, metavar="SMALL", help="The model folder to write.")
@click.option("--data", multiple=True, metavar="FILE", help="Evaluate on these files (default: held-out data).")
@click.option(
    "--tolerance", default=0.01, show_default=True, help="Largest loss of the metric, as a share of its value."
)
@COLUMNS
@TASK_FILE
@FORCE
@JSON
def compress(model: str, out: str, data: tuple[str, ...], columns: str | None, as_json: bool, **given: Any) -> None:
    """Write a smaller MODEL whose metric falls by no more than the tolerance."""
    from lamella.verbs.compress import compress as run

    tell = partial(click.echo, err=as_json)
    _wrote(run(model, out, *data, columns=split_columns(columns), tell=tell, **given), as_json)


@main.command()
@click.argument("model")
@click.option("-o", "--out", required=True, metavar="OUT", help="The zip file, or the folder for --to onnx.")
@click.option("--to", default="zip", show_default=True, help="zip, or onnx: bare graphs with an example.py.")
@TASK_FILE
@FORCE
@JSON
def export(model: str, out: str, as_json: bool, **given: Any) -> None:
    """Write MODEL as one file, or as bare ONNX graphs with an example.py."""
    from lamella.verbs.export import export as run

    place = str(run(model, out, **given))
    click.echo(to_json({"out": place}) if as_json else f"wrote {place}")


@main.command("import", context_settings=ANY)
@click.argument("source", type=click.UNPROCESSED)
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[--field value ...]")
@click.option("-o", "--out", required=True, metavar="MODEL", help="The model folder to write.")
@click.option("--task", metavar="TASK", help="Task of the model, if several tasks could import SOURCE.")
@click.option("--int8", is_flag=True, help="Store weights as int8: a quarter of the size.")
@FORCE
@JSON
def import_(source: str, rest: tuple[str, ...], out: str, as_json: bool, **given: Any) -> None:
    """Import SOURCE, a net that another program has trained, as a model.

    Translators: a Hugging Face MarianMT folder with model.safetensors, source.spm, target.spm and vocab.json; an OPUS-MT
    release, unpacked (.npz, .vocab.yml, source.spm, target.spm); a Firefox (Bergamot) folder (model.*.bin, vocab.*.spm).
    Where the files do not say which languages: --from en --to de. Pickles (pytorch_model.bin) are never opened.
    """
    from lamella.verbs.import_model import import_model as run

    rest, options = split_options(rest)
    if rest:
        raise click.UsageError(f"expected one SOURCE, received {len(rest) + 1}.")
    _wrote(run(source, out, **given, **options), as_json)


@main.command()
@click.argument("model")
@TASK_FILE
@JSON
def show(model: str, task: str | None, as_json: bool) -> None:
    """Show one screen about MODEL: what it is, how good, how big."""
    from lamella.verbs.show import lines
    from lamella.verbs.show import show as run

    facts = run(model, task)
    click.echo(to_json(facts) if as_json else visible("\n".join(lines(facts))))


@main.command()
@click.argument("models", nargs=-1, metavar="[MODEL...]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0: all addresses.")
@click.option("--port", default=8000, show_default=True, help="Port to listen at; 0: any free port.")
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="Another host name under which requests are accepted."
)
@click.option(
    "--seconds", default=60.0, show_default=True, help="Time limit of a request; ten times as long for a document."
)
@click.option("--megabytes", default=8.0, show_default=True, help="Size limit of a request.")
@click.option("--queue", default=256, show_default=True, help="Most requests that may wait for one model.")
@click.option("--index", multiple=True, metavar="FILE", help="An index to search in, made by: predict --index.")
@click.option(
    "--workers", default=1, show_default=True, help="Processes that answer, one for each core; they share memory."
)
@click.option("--metrics", is_flag=True, help="Count requests for Prometheus, at /metrics.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Another origin whose web pages may ask, such as https://example.org; '*': any.",
)
@click.option(
    "--proxy", "proxies", multiple=True, metavar="ADDRESS", help="Address of a proxy that says for whom it asks."
)
@TASK_FILE
@JSON
def serve(models: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Serve models over HTTP, with a web page: the models named, or the shipped translators."""
    from lamella.verbs.serve import serve as run

    def begun(facts: dict[str, Any]) -> None:
        if as_json:
            click.echo(to_json(facts))
            sys.stdout.flush()
        click.echo(f"{', '.join(facts['models'])} at {facts['url']} (Ctrl-C stops)", err=True)

    run(*models, begun=begun, **given)


@main.command()
@click.argument("only", nargs=-1, metavar="[TASK]")
@JSON
def tasks(only: tuple[str, ...], as_json: bool) -> None:
    """List every task: its nets, what it reads, its options."""
    from lamella.cli.listing import describe, lines

    rows = describe(only)
    click.echo(to_json({"tasks": rows}) if as_json else "\n".join(lines(rows)))


def _asked(model: Any, ask: str, corpus: tuple[str, ...], index: str | None) -> Any:
    """The model set to one of its questions; for the default question nothing more is loaded."""
    if not (ask or corpus or index):
        return model
    from lamella.model.index import asked

    return asked(model, ask, corpus, index, tell=partial(click.echo, err=True))


def _wrote(trained: Any, as_json: bool) -> None:
    facts = {"model": trained.where, "task": trained.manifest.task, "scores": trained.manifest.scores}
    click.echo(to_json(facts) if as_json else f"wrote {trained.where}")


if __name__ == "__main__":
    main()
