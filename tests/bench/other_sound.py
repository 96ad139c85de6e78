"""Copies of films with another sound: what a worker kept of the first does not help with the second."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

import imageio_ffmpeg

__all__ = ["Sounds", "ffmpeg"]


def ffmpeg() -> str:
    """Return the ffmpeg of this machine, else the one that comes with a package."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


class Sounds:
    """Copies of films in a folder; no two of them sound the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def other(self, film: Path, *, repeats: int = 1, start_s: int = 0, length_s: int = 0) -> Path:
        """Write a part of the film, `repeats` times in a row, a thousandth softer than the copy before.

        `length_s` 0: up to its end.
        """
        number = next(self._numbers)
        target = self._folder / str(number) / film.with_suffix(".mp4").name
        target.parent.mkdir(parents=True)
        command = [ffmpeg(), "-nostdin", "-loglevel", "error", "-stream_loop", str(repeats - 1)]
        command += ["-ss", str(start_s), "-i", str(film)]
        command += ["-t", str(length_s)] if length_s else []
        command += ["-map", "0:v:0?", "-map", "0:a:0", "-c:v", "copy", "-af", f"volume={1 - number / 1000}"]
        subprocess.run([*command, "-c:a", "aac", "-b:a", "192k", str(target)], check=True)
        return target
