"""A film through warm workers against the whisperx command line, in turns, on the same recording of 30 s.

`make bench-warm` also prints what the start and the first film take, and asks that no model is loaded twice.
The command imports and loads before it recognises; what is warm has done so. So the ratio is how long the
recording takes over that and the start together: whatever slows both, a slower machine or a busier one,
leaves it as it is, but not what slows one of them, a disk for the start or a missing core for the lanes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Sheet
from tests.bench.other_sound import Sounds
from tests.data import two_speakers
from tests.real_house import RealHouse
from tests.whisperx_command import whisperx_seconds

ROUNDS = 3
RATIO_LIMIT = 0.4
"""A machine half as fast had 0.31 with half of the lanes' speed. One that has to load again has over 1."""


def take_turns(house: RealHouse, folder: Path) -> tuple[list[float], list[float]]:
    """Return the seconds of the house and of the command, round by round; the sound is another in each."""
    sounds = Sounds(folder / "films")
    ours, theirs = [], []
    for number in range(ROUNDS):
        film = sounds.other(two_speakers())
        theirs.append(whisperx_seconds([film], folder / f"alone {number}"))
        ours.append(house.subtitled(str(film))[0])
    return ours, theirs


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory() as name, RealHouse(Path(name)) as house:
        begun = time.monotonic()
        house.up()
        up_s = time.monotonic() - begun
        first_s, _ = house.subtitled(str(two_speakers()))
        ours, theirs = take_turns(house, Path(name))
        loads = [model for environment in house.health().environments for model in environment.models]
    sys.stdout.write(f"make up: {up_s:.1f} s, the first film: {first_s:.1f} s\n")
    sheet = Sheet("make bench-warm")
    sheet.add("a recording of 30 s against the whisperx command", ours, theirs, limit=RATIO_LIMIT)
    most = max(model.loads for model in loads)
    sheet.add("the most loads of a model", [most], limit=1, unit="loads")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
