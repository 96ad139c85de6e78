"""Runs ffmpeg as a child process: where it is, what it is asked, what it says, how it ends.

Names reach it only as `file:` + absolute path in an argument of their own. There is no shell, and the
protocol is written out. So a leading dash, `concat:`, `http:`, quotes, line ends and `%` are only parts of a
name.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from protocol.errors import BugError, CpwError, DiskFullError, InputError, MissingError
from workers.engines.common.names import shown

__all__ = [
    "INPUT_PROTOCOLS",
    "TERMINATE_GRACE_S",
    "Feeder",
    "FfmpegExit",
    "ReportsProgress",
    "build_command",
    "failure",
    "file_url",
    "find_ffmpeg",
    "open_source",
    "run",
]

INPUT_PROTOCOLS = "file"
"""What a film may open by itself: a playlist that looks like a film must not reach the network."""

_GLOBAL = ("-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning", "-y")
_TELLS_PROGRESS = ("-progress", "pipe:1")
_TAIL_LINES = 40
_TICK_S = 0.25
"""How often a call checks whether it was cancelled while ffmpeg says nothing."""
TERMINATE_GRACE_S = 0.25
_FULL = ("No space left on device", "Disk quota exceeded")


class ReportsProgress(Protocol):
    """Receives ffmpeg's progress: a call's `Context`, or a command that waits for ffmpeg."""

    def progress(self, fraction: float, note: str = "") -> None:
        """Report how far ffmpeg is, 0 to 1; raises `CancelledError` if ffmpeg must end."""


@dataclass(frozen=True, kw_only=True)
class FfmpegExit:
    """How ffmpeg ended: its exit code (negative: the signal) and its last lines on stderr."""

    returncode: int
    tail: tuple[str, ...]
    fed: bool = True
    """Whether a feeder, where there was one, did what it was to do."""


@dataclass(frozen=True, kw_only=True)
class Feeder:
    """Another ffmpeg, whose stdout a command reads on its stdin."""

    command: Sequence[str]
    bytes_per_ms: int
    """How far the command is shows in the size of its first output: it keeps the times of its input
    (`-copyts`), and then tells none itself."""


def find_ffmpeg() -> str:
    """Return the program: `CPW_FFMPEG`, else the one on PATH, else imageio-ffmpeg's.

    Raises `MissingError` if there is none.
    """
    if named := os.environ.get("CPW_FFMPEG"):
        if found := shutil.which(named):
            return found
        message = f"CPW_FFMPEG names {shown(named)}, which is not a program that can be run."
        raise MissingError(message, "Correct CPW_FFMPEG, or unset it.")
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        message = "There is no ffmpeg: neither on PATH nor in the environment common."
        raise MissingError(message, "Build the environment again: cpw envs build common") from error


def file_url(path: Path) -> str:
    """Return the path in a form that ffmpeg takes literally, whatever characters it has."""
    return f"file:{path.absolute()}"


def open_source(path: Path, **options: Any) -> Any:
    """Return ffmpeg-python's input node for a film, with a literal name; it opens nothing but the film."""
    import ffmpeg

    return ffmpeg.input(file_url(path), protocol_whitelist=INPUT_PROTOCOLS, **options)


def build_command(output: Any, extra: Sequence[str] = (), *, feeds: bool = False) -> list[str]:
    """Return the arguments for `output`, an output node of ffmpeg-python.

    `extra` goes before the output's name: options that must be repeated, which keywords cannot do. `feeds`:
    it writes into a pipe for another ffmpeg, and tells no progress there.
    """
    import ffmpeg

    told = () if feeds else _TELLS_PROGRESS
    compiled: list[str] = ffmpeg.compile(output, cmd=[find_ffmpeg(), *_GLOBAL, *told])
    return [*compiled[:-1], *extra, compiled[-1]]


def run(
    command: Sequence[str],
    context: ReportsProgress,
    *,
    duration_ms: int,
    note: str,
    folder: Path | None = None,
    feeder: Feeder | None = None,
) -> FfmpegExit:
    """Run ffmpeg in `folder` and report to `context` how far of `duration_ms` it is (0: not known).

    Where the command did what it was to do and the `feeder` did not, the exit is the feeder's.

    Ends ffmpeg if `context.progress` raises `CancelledError`, and raises it; `DiskFullError` if the disk is
    full.
    """
    feeding = [] if feeder is None else [_Child.start(feeder.command, folder, None)]
    running = _Child.start(command, folder, feeding[0].process if feeding else None)
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_forward, args=(running.process.stdout, said), daemon=True)
    reader.start()
    try:
        _follow(said, context, duration_ms, note, feeder.bytes_per_ms if feeder else 0)
        codes = [_wait(one.process, context, note) for one in (running, *feeding)]
    finally:
        for one in (running, *feeding):
            one.end()
        reader.join()
    tail = tuple(line for one in (*feeding, running) for line in one.tail)
    outcome = FfmpegExit(
        returncode=next((code for code in codes if code), 0), tail=tail, fed=not any(codes[1:])
    )
    if any(words in line for line in outcome.tail for words in _FULL):
        target = shown(command[-1].removeprefix("file:"))
        message = f"No space is left on the disk where {target} is written."
        raise DiskFullError(message, "Make room, then: cpw resume")
    return outcome


@dataclass(frozen=True, kw_only=True)
class _Child:
    """An ffmpeg, and the last lines that it said on stderr."""

    process: subprocess.Popen[bytes]
    tail: deque[str]
    reader: threading.Thread

    @classmethod
    def start(
        cls, command: Sequence[str], folder: Path | None, feeding: subprocess.Popen[bytes] | None
    ) -> _Child:
        """Start it; it reads what `feeding` writes, where there is one."""
        stdin = subprocess.DEVNULL if feeding is None else feeding.stdout
        process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
        )
        if feeding is not None and feeding.stdout is not None:
            feeding.stdout.close()  # or it would not notice that its reader has ended
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        reader = threading.Thread(target=_keep_tail, args=(process.stderr, tail), daemon=True)
        reader.start()
        return cls(process=process, tail=tail, reader=reader)

    def end(self) -> None:
        """End it, if it has not ended, and read what it said."""
        _end(self.process)
        self.reader.join()


def failure(outcome: FfmpegExit, media: Path, task: str) -> CpwError:
    """Return the error for an ffmpeg that could not do `task` (`take the sound out of`) with `media`."""
    if outcome.returncode < 0:
        name = signal.Signals(-outcome.returncode).name
        return BugError(f"ffmpeg was ended by {name} when it was to {task} {shown(media)}.")
    reason = next((line for line in reversed(outcome.tail) if line.strip()), "it gave no reason")
    message = f"ffmpeg could not {task} {shown(media)}: {shown(reason.strip())}."
    return InputError(message, "Check that the film plays, or copy it again.")


def _forward(stream: IO[bytes], said: queue.SimpleQueue[str | None]) -> None:
    with stream:
        for line in stream:
            said.put(line.decode("utf-8", "replace"))
    said.put(None)


def _keep_tail(stream: IO[bytes], tail: deque[str]) -> None:
    with stream:
        for line in stream:
            tail.append(line.decode("utf-8", "replace").rstrip())


def _follow(
    said: queue.SimpleQueue[str | None],
    context: ReportsProgress,
    duration_ms: int,
    note: str,
    bytes_per_ms: int,
) -> None:
    fraction = 0.0
    context.progress(fraction, note)
    while True:
        try:
            line = said.get(timeout=_TICK_S)
        except queue.Empty:
            context.progress(fraction, note)
            continue
        if line is None:
            return
        reached = _reached_ms(line, bytes_per_ms)
        if reached is not None and duration_ms > 0:
            fraction = max(fraction, min(1.0, reached / duration_ms))
        context.progress(fraction, note)


def _reached_ms(line: str, bytes_per_ms: int) -> int | None:
    """Return the time in a line of `-progress`, else None; before the first packet, ffmpeg says N/A."""
    key, _, value = line.strip().partition("=")
    # `out_time_ms` is in microseconds too (ffmpeg trac 7345); only `out_time_us` has the right name.
    wanted, unit = ("total_size", bytes_per_ms) if bytes_per_ms else ("out_time_us", 1_000)
    if key != wanted:
        return None
    with contextlib.suppress(ValueError):
        return max(0, int(value) // unit)
    return None


def _wait(process: subprocess.Popen[bytes], context: ReportsProgress, note: str) -> int:
    while True:
        try:
            return process.wait(timeout=_TICK_S)
        except subprocess.TimeoutExpired:
            context.progress(1.0, note)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=TERMINATE_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
