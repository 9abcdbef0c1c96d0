"""The command `plan`: what a training will take, before it begins."""

from typing import Any

import click

from lamella.cli.arguments import split_columns, split_options, to_json
from lamella.cli.flags import COLUMNS, ENCODING, JSON, of_task, training_options
from lamella.cli.groups import ANY, Command
from lamella.cli.streams import visible

MACHINES = (
    "Other machines: cores (8), accelerator or accelerator=TFLOPS, HOSTSxCORES@GBITS (4x8@10); none "
    "[default: 1,8,64,accelerator,4x8@10]."
)


@click.command(cls=Command, context_settings=ANY)
@click.argument("task")
@click.argument("data", nargs=-1, type=click.UNPROCESSED, required=True)
@click.option("-o", "--out", metavar="MODEL", help="Keep the forecast in this model folder to be, or in a .jsonl file.")
@training_options
@click.option("--machines", metavar="A,B", help=MACHINES)
@click.option(
    "--watts", metavar="WATTS", help="Watts of this machine: tells the energy; 65,accelerator=700 for others."
)
@click.option("--price", metavar="PRICE", help="Price of an hour of this machine; 0.1,accelerator=2.5 for others.")
@click.option(
    "--probe", is_flag=True, help="Foresee the score too, by three short trainings on 10, 20 and 40% of DATA."
)
@COLUMNS
@ENCODING
@JSON
def plan(task: str, data: tuple[str, ...], columns: str | None, encoding: str, as_json: bool, **given: Any) -> None:
    """Forecast the training of TASK on your files: time, memory, size, energy, price, here and on other machines.

    It makes a few real steps and keeps no model. The task's own options are listed by: lamella tasks TASK
    """
    from lamella.model.reading import encoded_as
    from lamella.verbs.plan import lines
    from lamella.verbs.plan import plan as run

    data, options = split_options(data, of_task(task))
    with encoded_as(encoding):
        result = run(task, *data, columns=split_columns(columns), **given, **options)
    click.echo(to_json(result) if as_json else visible("\n".join(lines(result))))
