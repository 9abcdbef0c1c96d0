"""Flags that several commands have, or that belong together."""

import click

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
FORCE = click.option("--force", is_flag=True, help="Overwrite existing files.")
TASK_FILE = click.option(
    "--task", metavar="FILE.py", help="The Python file of the task, for a model whose task is not part of lamella."
)
ENCODING = click.option(
    "--encoding",
    default="",
    metavar="NAME",
    help="Encoding of the files: utf-8, cp1252, shift_jis ... (default: detected).",
)
COLUMNS = click.option(
    "--columns", metavar="FIELD=COLUMN,...", help="Which column holds which field: text=review,label=stars."
)
ASK = click.option(
    "--ask", default="", metavar="QUESTION", help="Which question to answer, if the model answers several."
)
CORPUS = click.option(
    "--corpus", multiple=True, metavar="FILE", help="File to search in; each line or row is an entry."
)
INDEX = click.option("--index", metavar="FILE", help="File that keeps the vectors of the entries; --corpus adds to it.")
STRESS = click.option("--stress", is_flag=True, help="Measure too with noise of rising strength in the examples.")
NOISES = click.option(
    "--noises", default="", metavar="A,B", help="Kinds of noise for --stress; default: all that the task's fields have."
)
# Not --seed: tasks that draw have one of their own.
NOISE_SEED = click.option("--noise-seed", type=int, default=0, help="Seed of the noise for --stress.")
