"""What the house is measured against: the same calls in a plain loop, with nothing around them.

Run by the interpreter of the environment whisperx: `python -m tests.bench.peers.bare_loop FFMPEG MODELS
FOLDER FILM...`. Loads the models, then takes the time: for each film its sound by ffmpeg, recognition,
alignment. Prints the seconds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from envspecs.budgets import threads_of
from envspecs.hardware import usable_cores
from envspecs.spec import read
from protocol.artefacts import describe_file
from protocol.stages.align import AlignRequest
from protocol.stages.asr import AsrRequest
from workers.context import CallContext
from workers.engines.whisperx.align import WhisperAlign
from workers.engines.whisperx.asr import WhisperxAsr
from workers.models import ModelShelf

MODEL = "whisper-base"


def _no_progress(_fraction: float, _note: str) -> None:
    """Tell nobody."""


def _take_sound(ffmpeg: str, film: str, sound: Path) -> None:
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-i", film, "-map", "0:a:0"]
    command += ["-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", str(sound)]
    subprocess.run(command, check=True)


def main(ffmpeg: str, models: str, folder: str, films: list[str]) -> None:
    """Loop over the films."""
    shelf = ModelShelf(Path(models), threads=threads_of(read("whisperx"), usable_cores()))
    asr, align = WhisperxAsr(), WhisperAlign()
    for engine in (asr, align):
        engine.warm(shelf, MODEL)
    begun = time.monotonic()
    for number, film in enumerate(films):
        job = Path(folder) / str(number)
        job.mkdir(parents=True)
        _take_sound(ffmpeg, film, job / "audio.wav")
        audio = describe_file(job / "audio.wav", "audio.wav")
        context = CallContext(job, "made", "made", shelf, _no_progress)
        heard = asr.run(AsrRequest(audio=audio, model=MODEL), context)
        align.run(
            AlignRequest(audio=audio, segments=heard.segments, speech=heard.speech, model=MODEL), context
        )
    sys.stdout.write(f"{time.monotonic() - begun:.3f}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
