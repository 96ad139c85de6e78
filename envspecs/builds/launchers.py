"""The commands in a build's `bin/`: scripts that a Ctrl-C ends quietly from their first line on.

What an installer writes lets Python import `site` and the command first. A Ctrl-C in that time, which is a
good part of a short command, is a traceback of Python's own start. So ours leave `site` out (`-S`), say what
a Ctrl-C does, and then do what Python would have done.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from envspecs.spec import read_toml
from protocol.artefacts import write_whole

__all__ = ["launcher", "write_launchers"]

_LONGEST_SHEBANG = 127
_TEXT = """\
# Written by envspecs/builds/launchers.py.
import _signal
import posix


def interrupted(*_):
    posix.write(2, b"interrupted\\n")
    posix._exit(130)


if _signal.getsignal(_signal.SIGINT) is not _signal.SIG_IGN:
    _signal.signal(_signal.SIGINT, interrupted)
import site

site.main()
from {module} import {function}

{function}()
"""


def launcher(python: Path, entry: str) -> str:
    """Return the script that calls `entry`, `module:function`, by this interpreter. Pure."""
    module, _, function = entry.partition(":")
    first = f"#!{python} -S"
    if len(first) > _LONGEST_SHEBANG or any(sign.isspace() for sign in str(python)):
        # A kernel reads no such line. To the shell the second line starts Python, to Python it is a text.
        first = f"#!/bin/sh\n'''exec' {shlex.quote(str(python))} -S \"$0\" \"$@\"\n' '''"
    return f"{first}\n{_TEXT.format(module=module, function=function)}"


def write_launchers(folder: Path, root: Path) -> None:
    """Write ours over what the installer has written into the build for the scripts of `pyproject.toml`."""
    project = read_toml(root / "pyproject.toml").get("project")
    scripts = project.get("scripts", {}) if isinstance(project, dict) else {}
    for name, entry in scripts.items():
        script = folder / "bin" / name
        if script.is_file():
            write_whole(script, launcher(folder / "bin" / "python", entry).encode())
            script.chmod(0o755)
