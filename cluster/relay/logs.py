"""The logs of a node, as far as they are asked for."""

from __future__ import annotations

import os
from pathlib import Path

from protocol.cluster.logs import LOG_BYTES, LogQuery, LogReport

__all__ = ["read_log"]


def read_log(folder: Path, query: LogQuery) -> LogReport:
    """Return whole lines of a log that lies in `folder`: its end, or what was added after a byte.

    Only what the folder holds is read, whatever the name says. A log that is shorter than the byte was begun
    anew, and is returned from its start. Raises `OSError` where it cannot be read.
    """
    logs = tuple(sorted(path.stem for path in folder.glob("*.log")))
    if query.log not in logs:
        return LogReport(logs=logs)
    with (folder / f"{query.log}.log").open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = max(0, size - LOG_BYTES) if query.after is None else query.after
        start = start if 0 <= start <= size else 0
        file.seek(start)
        data = file.read(LOG_BYTES)
    cut = query.after is None and start > 0
    skipped = data.find(b"\n") + 1 if cut else 0
    # Half a line waits for its rest, unless nothing else fits into an answer.
    end = data.rfind(b"\n") + 1
    if end <= skipped and len(data) == LOG_BYTES:
        skipped, end = 0, len(data)
    return LogReport(text=data[skipped:end].decode("utf-8", "replace"), end=start + end, logs=logs)
