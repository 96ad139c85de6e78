"""A job folder: where it is, whether or not anything runs, and the first cues in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from clients.asking import ask_coordinator, no_such_job
from clients.desk import Desk
from clients.screen.jobs import first_cues
from protocol.errors import UsageError
from protocol.messages import StatusQuery, StatusReport

__all__ = ["find_job_folder", "folder_under", "is_job_id", "read_first_cues"]

_JOB_ID = re.compile(r"job-(\d{4})(\d{2})(\d{2})-([^/]+)-(\d{4,})")
_CUES_BYTES = 65_536


def is_job_id(word: str) -> bool:
    """Return whether this is written like a job's id."""
    return _JOB_ID.fullmatch(word) is not None


def folder_under(out: Path, job: str) -> Path | None:
    """Return where the job folder would be if it was made under `out`; None for what is no job's id."""
    found = _JOB_ID.fullmatch(job)
    if found is None or found[4] in (".", ".."):
        return None
    return out.joinpath(*found.groups())


def find_job_folder(desk: Desk, word: str) -> Path:
    """Return the folder of the job with the id `word`, or `word` itself where it is a job folder.

    The coordinator is asked only for a job whose folder was made elsewhere (`--out`): `NotRunningError` where
    none runs. Raises `UsageError` for what is no job.
    """
    path = Path(word)
    if (path / "job.json").is_file():
        return path.absolute()
    folder = folder_under(desk.out, word)
    if folder is None:
        message = f"{word} is neither a job nor a job folder."
        raise UsageError(message, "cpw status")
    if (folder / "job.json").is_file():
        return folder
    answer: StatusReport = ask_coordinator(desk, StatusQuery(jobs=(word,)))
    if answer.unknown:
        raise no_such_job(word)
    return Path(answer.jobs[0].directory)


def read_first_cues(outputs: Sequence[str]) -> list[str]:
    """Return the first cues of the first SRT file among the outputs; none where it cannot be read."""
    path = next((Path(output) for output in outputs if output.endswith(".srt")), None)
    if path is None:
        return []
    try:
        with path.open("rb") as file:
            head = file.read(_CUES_BYTES)
    except OSError:
        # The file may have been moved, and the job is done all the same.
        return []
    return first_cues(head.decode("utf-8-sig", "replace"))
