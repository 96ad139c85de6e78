"""One film through the warm house against faster-whisper's batched pipeline, warm, with VAD and word times.

`make bench-film` measures a film of 70 s and one of nine minutes, in turns; the house also takes the sound
out of the film and writes cues. Then the word error rate and the distances of the words' starts from the
script's lines, for both.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import jiwer

import envspecs
from envspecs.hardware import usable_cores
from envspecs.models.registry import model_path
from tests.bench.figures import Sheet, skip
from tests.bench.other_sound import Sounds
from tests.data import DATA, ROOT, plain, script
from tests.real_house import RealHouse
from tests.whisperx_command import MODEL

ROUNDS = 3
FILMS = {"a film of 70 s": 1, "a film of nine minutes": 8}
"""How often film_en is in each."""
RATIO_LIMIT = 0.70
WORDS_LIMIT = 1.0
"""No word more may be wrong than the peer's, and no line may start further off."""
FILM = DATA / "film" / "film_en.mp4"

Word = tuple[str, int, int]
Heard = tuple[float, list[Word]]
"""Seconds and words."""
Turns = tuple[list[Heard], list[Heard]]
"""Of the house and of the peer."""


@contextmanager
def faster_whisper(device: str = "cpu") -> Iterator[subprocess.Popen[str]]:
    """Start the peer and wait until its model is loaded."""
    command = [envspecs.interpreter("whisperx"), "-m", "tests.bench.peers.faster_whisper"]
    command += [str(model_path(MODEL)), device, str(usable_cores())]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as peer:
        yield peer
        assert peer.stdin is not None
        peer.stdin.close()


def by_peer(peer: subprocess.Popen[str], film: Path) -> tuple[float, list[Word]]:
    """Return seconds and words."""
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write(f"{film}\n")
    peer.stdin.flush()
    answer = json.loads(peer.stdout.readline())
    return answer["seconds"], [tuple(word) for word in answer["words"]]


def by_house(house: RealHouse, film: Path) -> tuple[float, list[Word]]:
    """Return the seconds from submit to finished subtitles, and the words."""
    seconds, jobs = house.subtitled(str(film), "-s", "en")
    (path,) = Path(jobs[0]["directory"]).glob("*_align/transcript.json")
    segments = json.loads(path.read_bytes())["segments"]
    return seconds, [
        (word["text"], word["start_ms"], word["end_ms"]) for segment in segments for word in segment["words"]
    ]


def off_ms(words: Sequence[Word]) -> list[int]:
    """Return for each line of the script how far the nearest start of its first word is."""
    found = []
    for line in script("film_en"):
        first = plain(line.text).split()[0]
        near = [abs(start - line.start_ms) for text, start, _ in words if plain(text).split()[:1] == [first]]
        found.append(min(near, default=9_999))
    return found


def error_rate(words: Sequence[Word], times: int) -> float:
    """Return the word error rate of words that are `times` times film_en."""
    meant = plain(" ".join([line.text for line in script("film_en")] * times))
    return float(jiwer.wer(meant, plain(" ".join(text for text, _, _ in words))))


def compare(
    sheet: Sheet, name: str, ours: Sequence[Heard], peer: Sequence[Heard], times: int, limit: float
) -> None:
    """Put what was measured of a film that is `times` times film_en on the sheet."""
    (our_seconds, our_words), (peer_seconds, peer_words) = zip(*ours, strict=True), zip(*peer, strict=True)
    sheet.add(name, our_seconds, peer_seconds, limit=limit)
    our_rates, peer_rates = ([error_rate(words, times) for words in of] for of in (our_words, peer_words))
    sheet.add(f"{name}, word error rate", our_rates, peer_rates, limit=WORDS_LIMIT, unit="wrong")
    our_starts, peer_starts = ([statistics.median(off_ms(w)) for w in of] for of in (our_words, peer_words))
    sheet.add(f"{name}, lines' starts off by", our_starts, peer_starts, limit=WORDS_LIMIT, unit="ms")


def take_turns(
    house: RealHouse, peer: subprocess.Popen[str], sounds: Sounds, times: int, rounds: int = ROUNDS
) -> Turns:
    """Return what each heard, round by round; the sound is another in each."""
    ours, theirs = [], []
    for _ in range(rounds):
        film = sounds.other(FILM, repeats=times)
        ours.append(by_house(house, film))
        theirs.append(by_peer(peer, film))
    return ours, theirs


def main() -> int:
    """Measure, print, judge."""
    if not FILM.exists():
        return skip(f"{FILM} is not there")
    sheet = Sheet("make bench-film")
    with tempfile.TemporaryDirectory() as name, RealHouse(Path(name)) as house, faster_whisper() as peer:
        sounds = Sounds(Path(name) / "films")
        house.up()
        for title, times in FILMS.items():
            ours, theirs = take_turns(house, peer, sounds, times)
            compare(sheet, f"{title} against faster-whisper batched", ours, theirs, times, RATIO_LIMIT)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
