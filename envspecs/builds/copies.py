"""A second version of an environment beside the first: `whisperx-experimental` beside `whisperx`."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from envspecs.builds import history, lockfile
from envspecs.builds.guard import exclusive
from envspecs.key import read_lock
from envspecs.layout import builds_directory, home, lock_path, specs_directory, venv_path
from envspecs.report import Report
from envspecs.spec import EnvSpec, parse, read, read_all, spec_names
from protocol.artefacts import write_whole
from protocol.errors import UsageError

__all__ = ["copy", "forget", "remove_builds"]

_OF_THE_COPY = re.compile(r"(name|optional|by_name_only|copied_from)\s*=")
_TABLE = re.compile(r"\[+\s*[A-Za-z\"']")


def copy(source: str, name: str, root: Path | None = None) -> Path:
    """Write spec and lock of `name`, which is as `source` but used only where a job names it.

    Its engines are the source's. Returns the spec's path; raises `UsageError` where there is one of that
    name, `SchemaError` if the name is not a valid one.
    """
    folder = specs_directory(root)
    read(source, folder)
    path = folder / f"{name}.toml"
    if name in spec_names(folder) or path.exists():
        message = f"There is an environment {name} already."
        raise UsageError(message, "Choose another name, or: python3 -m envspecs list")
    original = (folder / f"{source}.toml").read_text(encoding="utf-8")
    text = _copied(original, source, name)
    # The copy is made line by line, to keep the comments: check that it says what it should.
    said = parse(source, original)
    wanted = dataclasses.replace(said, name=name, optional=True, by_name_only=True, copied_from=source)
    if parse(name, text) != wanted:
        message = f"{source}.toml is not written so that it can be copied line by line."
        raise UsageError(message, f"Copy it by hand to {path}, with optional and by_name_only true.")
    if lock := read_lock(source, root):
        write_whole(lock_path(name, root), lockfile.renamed(lock, name).encode())
    write_whole(path, text.encode())
    return path


def _copied(text: str, source: str, name: str) -> str:
    head = [f'name = "{name}"', f'copied_from = "{source}"', "optional = true", "by_name_only = true"]
    lines = text.splitlines()
    tables = next((at for at, line in enumerate(lines) if _TABLE.match(line)), len(lines))
    kept = [line for line in lines[:tables] if not _OF_THE_COPY.match(line)]
    return "\n".join([*head, *kept, *lines[tables:]]) + "\n"


def forget(spec: EnvSpec, root: Path | None = None) -> None:
    """Remove a copy's spec and lock; its builds go by `remove_builds`, once no worker runs in them.

    Raises `UsageError` for an environment of the project, and for one that another includes.
    """
    if not spec.copied_from:
        message = f"{spec.name} is an environment of the project, not a copy."
        raise UsageError(message, "Only what `envs copy` made can be removed.")
    users = [other.name for other in read_all(specs_directory(root)) if spec.name in other.include]
    if users:
        message = f"{spec.name} is included by {', '.join(users)}."
        raise UsageError(message)
    (specs_directory(root) / f"{spec.name}.toml").unlink()
    lock_path(spec.name, root).unlink(missing_ok=True)


def remove_builds(name: str, report: Report, root: Path | None = None) -> None:
    """Remove every build of an environment that has no spec any more; one in use is left, and named."""
    place = builds_directory((root or home()).resolve())
    with exclusive(place / f".{name}.lock", f"The environment {name}", report):
        venv_path(name, root).unlink(missing_ok=True)
        history.previous_link(name, root).unlink(missing_ok=True)
        history.remove_old(place, name, keep=set())
        left = [folder.name for folder in history.folders_of(name, place)]
    if left:
        report.line(f"{name}: a worker runs in {', '.join(left)}: remove that folder when it has ended.")
