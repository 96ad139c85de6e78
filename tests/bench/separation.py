"""film_en over a battle, at three ratios: word errors and seconds without separation, with it, and `auto`.

`make bench-separation` mixes the lines of film_en over the battle of its film at +9, 0 and -5 dB. Each mix
goes through the environment that separates here, and through whisper-base. `auto` must be no worse than the
better of the others by more than a hundredth.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Literal

import jiwer

import envspecs
from coordinator.planning.inventory import Inventory
from protocol.stages import separate
from protocol.stages.asr import AsrRequest
from protocol.stages.separate import SeparateRequest
from tests.bench.figures import Sheet, skip
from tests.data import DATA, plain, script
from tests.lone_worker import LoneWorker
from tests.mixes import FILM, narrow, over_battle

RATIOS = (9, 0, -5)
BEGINS_S = (0, 15, 40)
"""Where in the battle the film begins. `auto` was tuned on the first, and is judged by it; the others show
what it does on a sound that it was not tuned on."""
WORSE_LIMIT = 0.01
NEEDED = ("film/film_en.json", "film/tears_of_steel_battle_no_dialogue.webm", "speech/jfk.flac")
When = Literal["always", "auto"]


@contextmanager
def ready(name: str) -> Iterator[LoneWorker]:
    """Start a worker and wait until its models are loaded."""
    with LoneWorker.of(name) as worker:
        worker.wait_ready()
        yield worker


def heard(worker: LoneWorker, sound: Path, language: str = "en") -> str:
    """Return what is recognised in a sound of 16 kHz."""
    request = AsrRequest(audio=worker.take_in(sound, "01_demux/audio.wav"), language=language)
    segments = worker.folder / worker.do("asr", request).segments.path
    return " ".join(segment["text"] for segment in json.loads(segments.read_bytes())["segments"])


def separated(worker: LoneWorker, model: str, sound: Path, when: When) -> tuple[Path, float, int]:
    """Return the voices, the seconds that they took, and how many milliseconds were separated."""
    audio = worker.take_in(sound, f"01_demux/{sound.name}")
    own = worker.take_in(narrow(sound.parent, sound), "01_demux/audio.wav") if when == "auto" else None
    request = SeparateRequest(audio=audio, model=model, when=when, own=own)
    begun_s = time.monotonic()
    found = worker.do("separate", request)
    taken_ms = sum(span.end_ms - span.start_ms for span in found.separated)
    return (
        worker.folder / found.vocals.path,
        time.monotonic() - begun_s,
        found.duration_ms if when == "always" else taken_ms,
    )


def main() -> int:
    """Measure, print, judge."""
    absent = [path for path in NEEDED if not (DATA / path).exists()]
    if absent:
        return skip(f"the test data {DATA / absent[0]} is not there")
    stage = separate.STAGE.name
    here = Inventory.look()
    spec = here.serving(stage, {})
    if not envspecs.is_built(spec):
        return skip(f"no environment that separates voices is built: python3 -m envspecs build {spec.name}")
    sheet = Sheet("make bench-separation")
    meant = plain(" ".join(line.text for line in script(FILM)))
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        voices, hears = held.enter_context(ready(spec.name)), held.enter_context(ready("whisperx"))
        for begins_s, ratio in product(BEGINS_S, RATIOS):
            sound = over_battle(folder, ratio, begins_s)
            rates = {"without": jiwer.wer(meant, plain(heard(hears, narrow(folder, sound))))}
            name = f"film_en at {ratio:+d} dB" + (f", battle from {begins_s} s" if begins_s else "")
            limit = None if begins_s else WORSE_LIMIT
            for when in ("always", "auto"):
                made, seconds, taken_ms = separated(voices, here.default_model(stage, spec), sound, when)
                rates[when] = jiwer.wer(meant, plain(heard(hears, made)))
                sheet.add(f"{name}, separation {when}", [seconds], unit="s")
                sheet.add(f"{name}, separated {when}", [taken_ms / 1000], unit="s of the film")
            for way, rate in rates.items():
                sheet.add(f"{name}, word error rate {way}", [rate], unit="wrong")
            worse = max(0.0, rates["auto"] - min(rates["without"], rates["always"]))
            sheet.add(f"{name}, auto worse than the better by", [worse], limit=limit, unit="wrong")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
