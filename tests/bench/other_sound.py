"""A copy of a film with another sound: what a worker kept of the first does not help with the second."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["copy_with_other_sound"]


def copy_with_other_sound(ffmpeg: str, film: Path, target: Path, number: int, *, repeats: int = 1) -> Path:
    """Write the film `repeats` times in a row, a thousandth softer for each `number`; return `target`."""
    command = [
        ffmpeg,
        "-nostdin",
        "-loglevel",
        "error",
        "-y",
        "-stream_loop",
        str(repeats - 1),
        "-i",
        str(film),
    ]
    command += ["-map", "0:v:0?", "-map", "0:a:0", "-c:v", "copy", "-af", f"volume={1 - number / 1000}"]
    subprocess.run([*command, "-c:a", "aac", "-b:a", "192k", str(target)], check=True)
    return target
