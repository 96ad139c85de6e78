"""Named places where a test can kill a process, to prove that nothing is lost there.

Off unless the environment asks for it. `CPW_FAILPOINT=NAME@N` kills the process that reaches NAME for the
N-th time, at once and as `kill -9` does; only the first that can make the file `CPW_FAILPOINT_ONCE` dies, so
that what is started in its place lives. `CPW_FAILPOINT_LOG` names a file that every name reached is added to.
docs/failpoints.md lists them all; tests/chaos kills at each.
"""

from __future__ import annotations

import os
import signal
import threading

__all__ = ["reach"]

_NAME, _, _COUNT = os.environ.get("CPW_FAILPOINT", "").partition("@")
_NTH = int(_COUNT) if _COUNT.isdecimal() else 1
_ONCE = os.environ.get("CPW_FAILPOINT_ONCE", "")
_LOG = os.environ.get("CPW_FAILPOINT_LOG", "")
_ON = bool(_NAME and _ONCE) or bool(_LOG)

_lock = threading.Lock()
_reached = 0


def reach(name: str) -> None:
    """Pass the place `name`, `<process>.<what>.<how far>`; die there where that was asked for."""
    if _ON:
        _pass(name)


def _pass(name: str) -> None:
    global _reached  # noqa: PLW0603 (one count a process, as there is one name)
    if _LOG:
        _add_line(_LOG, name)
    if name != _NAME or not _ONCE:
        return
    with _lock:
        _reached += 1
        if _reached == _NTH and _is_first(_ONCE):
            os.kill(os.getpid(), signal.SIGKILL)


def _add_line(path: str, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def _is_first(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True
