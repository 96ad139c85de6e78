"""Sound of the form that demux writes, made by ffmpeg, and what a worker made of it."""

from __future__ import annotations

import array
import subprocess
import wave
from pathlib import Path

from protocol.artefacts import Artefact
from tests.lone_worker import LoneWorker
from workers.engines.common.film import ffmpeg as program

RATE = 44_100


def flac(folder: Path, name: str, *source: str) -> Path:
    """Make sound of the form that demux writes."""
    path = folder / name
    command = [program.find_ffmpeg(), "-nostdin", "-v", "error", "-y", *source]
    form = ["-ar", str(RATE), "-ac", "2", "-sample_fmt", "s16", "-c:a", "flac"]
    subprocess.run([*command, *form, f"file:{path}"], check=True, stdin=subprocess.DEVNULL)
    return path


def lavfi(folder: Path, name: str, left: str, right: str, seconds: float) -> Path:
    """Make stereo sound of two formulas."""
    return flac(folder, name, "-f", "lavfi", "-i", f"aevalsrc={left}|{right}:s={RATE}:d={seconds}")


def take_in(worker: LoneWorker, sound: Path) -> Artefact:
    return worker.take_in(sound, f"01_demux/{sound.name}")


def samples(path: Path) -> array.array[int]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return array.array("h", file.readframes(file.getnframes()))


def narrowed(folder: Path, sound: Path) -> array.array[int]:
    """Return the sound at 16 kHz mono by ffmpeg's own resampler."""
    path = folder / "narrow.wav"
    command = [program.find_ffmpeg(), "-nostdin", "-v", "error", "-y", "-i", f"file:{sound}"]
    subprocess.run([*command, "-ar", "16000", "-ac", "1", f"file:{path}"], check=True)
    return samples(path)
