"""The whisperx command line on recordings: the peer that warm workers are measured against."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg

import envspecs
from envspecs.models.registry import model_path

MODEL = "whisper-base"


def whisperx_seconds(recordings: Iterable[Path], folder: Path) -> float:
    """Return the seconds that one whisperx command takes for them, imports and weights included.

    It does not align: the weights of its aligners are on a model hub. `folder` gets what it writes.
    """
    tools = folder / "tools"
    tools.mkdir(parents=True)
    (tools / "ffmpeg").symlink_to(shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe())
    command = [envspecs.venv_path("whisperx") / "bin" / "whisperx", *recordings, "--model", model_path(MODEL)]
    command += ["--device", "cpu", "--compute_type", "int8", "--no_align", "--output_dir", folder / "alone"]
    environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", HF_HUB_OFFLINE="1")
    begun = time.monotonic()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun
