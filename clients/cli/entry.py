"""Where `cpw` and `cpw-submit` begin: a Ctrl-C at any moment is one short line and exit code 130.

Before this module `envspecs/builds/launchers.py` holds the same. While a command runs, a Ctrl-C raises
`KeyboardInterrupt` in it, so that it can clean up and say what goes on; before and after, nothing is to be
cleaned up, and the process ends at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

__all__ = ["end_at_once", "guarded", "main", "submit_main"]

_INTERRUPTED = 130
"""`protocol.errors.ExitCode.INTERRUPTED`, which is not loaded yet."""


def main() -> NoReturn:
    """Run `cpw`."""
    sys.exit(guarded(_cpw))


def submit_main() -> NoReturn:
    """Run `cpw-submit`."""
    sys.exit(guarded(_submit))


def _cpw() -> int:
    from clients.cli.main import cpw, run

    return run(cpw, sys.argv[1:], "cpw")


def _submit() -> int:
    from clients.cli.main import load, run

    return run(load("submit"), sys.argv[1:], "cpw-submit")


def end_at_once() -> NoReturn:
    """End the process: nothing is left to clean up, and a second Ctrl-C must not show a traceback."""
    with contextlib.suppress(OSError):  # a terminal that was closed
        os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)


def guarded(command: Callable[[], int], end: Callable[[], NoReturn] = end_at_once) -> int:
    """Return the command's exit code; a Ctrl-C before, in and after it leaves no traceback.

    `end` is called where a Ctrl-C was not the command's own to treat.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as a shell does for `command &`

    def unraisable(problem: sys.UnraisableHookArgs) -> None:
        # Python only reports an exception in a callback or a `__del__`: the Ctrl-C would be shown, and lost.
        if problem.exc_type is KeyboardInterrupt:
            end()
        sys.__unraisablehook__(problem)

    sys.unraisablehook = unraisable
    try:
        try:
            if not ignored:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            return command()
        finally:
            if not ignored:
                signal.signal(signal.SIGINT, lambda *_: end())
    except KeyboardInterrupt:
        end()
