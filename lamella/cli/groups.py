"""How the command line behaves whatever the command: what stands after `--`, errors of one line, exit codes, closed pipes."""

import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from lamella.cli.arguments import PLAIN, options_last
from lamella.cli.interrupt import Interrupt
from lamella.cli.streams import open_streams, visible

ANY = {"ignore_unknown_options": True, "allow_interspersed_args": True}  # of a command that takes a task's options


class Command(click.Command):
    """Mark the words after `--` as arguments for `split_options`, since click does not keep the position of `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.ignore_unknown_options:
            own = {o: not p.is_flag for p in self.get_params(ctx) if isinstance(p, click.Option) for o in p.opts}
            leading = sum(isinstance(p, click.Argument) and p.nargs == 1 for p in self.get_params(ctx))
            args = options_last(args, own, leading)
        rest = super().parse_args(ctx, args)
        for option in self.get_params(ctx):  # an empty name is a mistake in a script, and no wish for standard output
            if isinstance(option, click.Option) and "--out" in option.opts and ctx.params.get("out") == "":
                raise click.UsageError("-o: expected a name, received an empty one.", ctx)
        ctx.params = {k: v.removeprefix(PLAIN) if isinstance(v, str) else v for k, v in ctx.params.items()}
        return rest


class Group(click.Group):
    """Errors are one line; `--traceback` shows the rest. Exit codes: 0 done, 1 failed, 2 wrong arguments or data."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # as they are written below: the order in which they are used

    def main(self, *args: Any, **kwargs: Any) -> Any:
        open_streams()
        show = "--traceback" in sys.argv
        sys.argv = [a for a in sys.argv if a != "--traceback"]
        try:
            return super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.Abort:
            _fail("stopped.", 130)
        except click.ClickException as error:
            if type(error).__name__ == "NoArgsIsHelpError":  # `lamella` alone; click before 8.2 has no such error
                error.show()
                sys.exit(error.exit_code)
            where = getattr(error, "ctx", None)
            _fail(error.format_message() + (f" Try: {where.command_path} --help" if where else ""), error.exit_code)
        except KeyboardInterrupt as error:
            _fail(str(error) or "stopped.", 130)
        except Exception as error:
            if show:
                raise
            if Interrupt.came:  # in the middle of an import it becomes an error of the module's
                _fail("stopped.", 130)
            if isinstance(error, OSError):
                _mute()
                _fail(f"{error.filename or 'a file'}: {error.strerror or error}.", 1)
            details = list(getattr(error, "details", ()))
            code = int(getattr(error, "exit_code", 0))
            if not code:
                _fail(f"{type(error).__name__}: {error}. This is a fault in lamella; --traceback shows where.", 1)
            _fail(str(error), code, details)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)  # `--help` answers in here
        except KeyboardInterrupt:
            _fail("stopped.", 130)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        # Here, since further out click has answers of its own: a blank line, and exit code 1 for a closed pipe.
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # while its errors can still be reported
            return result
        except KeyboardInterrupt as error:
            _fail(str(error) or "stopped.", 130)
        except BrokenPipeError:
            _mute()  # the reader has gone, as `head` does
            sys.exit(0)


def _mute() -> None:
    """Discard a broken standard output, which Python would otherwise report again while closing it."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int, details: Iterable[str] = ()) -> None:
    click.echo(visible(f"lamella: {' '.join(message.split())}"), err=True)
    for line in details:
        click.echo(f"  {visible(line)}", err=True)
    sys.exit(code)
