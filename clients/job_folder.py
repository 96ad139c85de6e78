"""Where a job's folder is: by its id or its path, whether or not anything runs."""

from __future__ import annotations

import re
from pathlib import Path

from clients.desk import Desk
from clients.supervisor import why_silent
from protocol.errors import NotRunningError, UsageError
from protocol.messages import StatusQuery, StatusReport

__all__ = ["find_job_folder"]

_JOB_ID = re.compile(r"job-(\d{4})(\d{2})(\d{2})-([A-Za-z0-9_.-]+)-(\d{4,})")


def find_job_folder(desk: Desk, word: str) -> Path:
    """Return the folder of the job with the id `word`, or `word` itself where it is a job's folder.

    A job whose folder was made elsewhere (`--out`) is asked for at the coordinator: `NotRunningError` where
    none runs. Raises `UsageError` for what is no job.
    """
    path = Path(word)
    if (path / "job.json").is_file():
        return path.absolute()
    if not (found := _JOB_ID.fullmatch(word)):
        message = f"{word} is neither a job nor a job's folder."
        raise UsageError(message, "cpw status")
    place = desk.out.joinpath(*found.groups())
    if (place / "job.json").is_file():
        return place
    try:
        with desk.connect(desk.runtime) as asker:
            answer: StatusReport = asker.ask(StatusQuery(jobs=(word,)))
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error
    if answer.unknown:
        message = f"There is no job {word}."
        raise UsageError(message, "cpw status")
    return Path(answer.jobs[0].directory)
