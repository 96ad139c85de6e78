"""What all commands of the shell share: the form of their help, the desk, `--json`, an error's exit code."""

from __future__ import annotations

import click

from clients.desk import Desk
from protocol.errors import CpwError, ErrorKind, ExitCode

__all__ = ["CONTEXT", "code_of", "json_option", "pass_desk"]

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

pass_desk = click.make_pass_decorator(Desk)
json_option = click.option("--json", "as_json", is_flag=True, help="Write one JSON document to stdout.")

_CODES = {
    ErrorKind.USAGE: ExitCode.USAGE,
    ErrorKind.MISSING: ExitCode.MISSING,
    ErrorKind.NOT_RUNNING: ExitCode.NOT_RUNNING,
}


def code_of(error: CpwError) -> ExitCode:
    """Return the exit code of a command that ends with this error."""
    return _CODES.get(error.kind, ExitCode.JOB_FAILED)
