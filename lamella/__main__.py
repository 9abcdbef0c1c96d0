"""The command `lamella`, also as `python -m lamella`: what must be set before anything else is imported.

Until the commands are loaded, Ctrl-C ends the process at once: click alone takes a tenth of a second.
"""

import warnings

from lamella.cli.interrupt import leave, stop_while_loading, take_interrupts


def main() -> None:
    """Run the command line."""
    ours = stop_while_loading()
    # The engine's import takes an interrupt for a package that lacks its version, goes on, and says so.
    warnings.filterwarnings("ignore", "WARNING: failed to collect package name", UserWarning)
    from lamella.cli import commands

    if ours:
        take_interrupts()
    try:
        commands.main()
    except SystemExit as done:
        leave(done.code)
        raise
    leave(0)


if __name__ == "__main__":
    main()
