"""A second film through warm workers against the whisperx command line, on the same recording.

`make bench-warm` prints both times, their ratio (limit: at least 5) and how often each model was loaded.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.data import two_speakers
from tests.real_house import RealHouse
from tests.whisperx_command import whisperx_seconds

RATIO_LIMIT = 5.0


def through_the_house(house: RealHouse, film: Path) -> float:
    """Return the seconds from submit to finished subtitles."""
    begun = time.monotonic()
    code, _, said = house.submit(str(film), "--workflow", "subtitle", "--again")
    assert code == 0, said
    return time.monotonic() - begun


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone = whisperx_seconds([two_speakers()], folder)
        films = [folder / "first.wav", folder / "second.wav"]
        for film in films:
            shutil.copy(two_speakers(), film)
        with RealHouse(folder) as house:
            begun = time.monotonic()
            up = house.cpw("up")
            assert up.returncode == 0, up.stderr
            up_s = time.monotonic() - begun
            first, second = (through_the_house(house, film) for film in films)
            loads = [m for env in house.health().environments for m in env.models]
    ratio = alone / second
    twice = [load.key for load in loads if load.loads > 1]
    sys.stdout.write(
        f"whisperx command line (no alignment): {alone:.1f} s\n"
        f"make up: {up_s:.1f} s\n"
        f"first film: {first:.1f} s, second film: {second:.1f} s\n"
        f"ratio {ratio:.1f} (limit {RATIO_LIMIT}); loads: {', '.join(f'{m.key} x{m.loads}' for m in loads)}\n"
    )
    return 0 if ratio >= RATIO_LIMIT and loads and not twice else 1


if __name__ == "__main__":
    sys.exit(main())
