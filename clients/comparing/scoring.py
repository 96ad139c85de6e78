"""chrF, chrF++ and SubER, measured by the program of the environment that has their libraries."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from clients.programs import ended_like_ctrl_c
from envspecs.builds.installed import interrupt, start_in
from envspecs.choosing import program_for
from protocol.errors import BugError, SchemaError, error_from_info
from protocol.messages import Refused
from protocol.schema import from_json, from_plain, to_plain
from protocol.subtitles.comparing import ScoreOrder, Scores

__all__ = ["TASK", "measure"]

TASK = "score"


def measure(home: Path, order: ScoreOrder) -> Scores:
    """Have the order measured. Ctrl-C ends the program, too.

    Raises `MissingError` where the environment is not built, `BugError` where the program gave no answer.
    """
    spec, module = program_for(TASK, home)
    with tempfile.TemporaryFile() as said, ended_like_ctrl_c():
        process = start_in(spec.name, ("-I", "-m", module), home, stderr=said)
        with process:
            try:
                written, _ = process.communicate(json.dumps(to_plain(order)).encode())
            except BaseException:
                interrupt(process)
                raise
        said.seek(0)
        last = said.read().decode(errors="replace").strip().rpartition("\n")[2]
    try:
        plain = from_json(dict[str, object], written)
        refused = from_plain(Refused, plain) if "error" in plain else None
        if refused is None:
            return from_plain(Scores, plain)
    except (ValueError, SchemaError) as error:
        reason = f": {last.rstrip('.')}." if last else "."
        message = f"The measuring of the texts ended without an answer{reason}"
        raise BugError(message, f"python3 -m envspecs build --again {spec.name}") from error
    raise error_from_info(refused.error)
