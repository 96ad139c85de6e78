"""Where in a film the voices are to be taken out of the rest, judged by how loud each is. Pure.

A second is doubtful where the voices around it are hardly louder than what sounds with them. Where they are
clearly louder, a recogniser does better with the film's own sound, as what separates voices takes some of
them away; and where nothing sounds like a voice, what is left of the rest may be taken for one. The numbers
were set on speech over a film's battle at +9 to -5 dB, by the word errors of whisper-base (docs/adr/0030).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from protocol.timeline import Span

__all__ = ["FRAMES_A_SECOND", "clear_seconds", "doubtful_seconds", "stretches"]

FRAMES_A_SECOND = 10
"""Loudness is told ten times a second, as the mean of the squares."""
_SILENT = 1e-9
_CLEAR_AROUND, _CLEAR_DB = 6, 25.0
"""Speech whose pauses are so much quieter than itself, within so many seconds, has nothing loud beside it."""
_AROUND = 5
_VOICED = 0.1
"""Frames with this share of a voice's loudness count as the voice; quieter ones are its pauses."""
_BEGIN_DB, _END_DB, _NO_VOICE_DB = 0.0, 3.0, -7.5
"""Voices over the rest: below the first a stretch begins, above the second it ends, below the third there is
no voice that could begin one. At a true +9 dB the measure says 6 to 20, at 0 dB -5 to 7, at -5 dB -11 to 0,
and -6 to -12 where nobody speaks."""
_SHORTEST_S = 4
"""A shorter stretch is an edge or a shout: fades would take most of it."""


def clear_seconds(loudness: Sequence[float]) -> list[bool]:
    """Return for each second of a sound whether its speech needs no help, by its own loudness alone.

    `loudness` is that of each frame, high tones raised. What is silent is clear.
    """
    found = []
    for second in range(_seconds(loudness)):
        near = sorted(_near(loudness, second, _CLEAR_AROUND))
        loud, quiet = near[len(near) * 9 // 10], near[len(near) // 10]
        found.append(loud < _SILENT or _decibels(loud, quiet) >= _CLEAR_DB)
    return found


def doubtful_seconds(voices: Sequence[float], rest: Sequence[float], clear: Sequence[bool]) -> list[bool]:
    """Return for each second whether its voices are to be taken out; not where it is `clear`.

    `voices` and `rest` are the loudness of both in each frame.
    """
    found: list[bool] = []
    doubtful, in_a_row = False, 0
    for second in range(_seconds(voices)):
        over = _over(_near(voices, second, _AROUND), _near(rest, second, _AROUND))
        if clear[second] or over > _END_DB:
            doubtful = False
        drowned = not clear[second] and _NO_VOICE_DB <= over < _BEGIN_DB
        in_a_row = in_a_row + 1 if drowned else 0
        if in_a_row >= _SHORTEST_S and not doubtful:
            doubtful = True
            found[second - in_a_row + 1 :] = [True] * (in_a_row - 1)
        found.append(doubtful)
    return found


def stretches(seconds: Sequence[bool], duration_ms: int) -> tuple[Span, ...]:
    """Return the stretches of the seconds that are true, on a sound of that length."""
    found: list[Span] = []
    for second, wanted in enumerate(seconds):
        start, end = second * 1000, min((second + 1) * 1000, duration_ms)
        if not wanted or start >= end:
            continue
        if found and found[-1].end_ms == start:
            start = found.pop().start_ms
        found.append(Span(start_ms=start, end_ms=end))
    return tuple(found)


def _over(voices: Sequence[float], rest: Sequence[float]) -> float:
    """Return how much louder than the rest the voices are while they sound, in dB."""
    voiced = _VOICED * sorted(voices)[len(voices) * 9 // 10]
    pairs = [(one, other) for one, other in zip(voices, rest, strict=True) if one >= voiced]
    return _decibels(sum(one for one, _ in pairs), sum(other for _, other in pairs))


def _decibels(one: float, other: float) -> float:
    return 10 * math.log10((one + _SILENT) / (other + _SILENT))


def _near(frames: Sequence[float], second: int, around: int) -> Sequence[float]:
    """Return the frames from so many seconds before a second to so many after its start."""
    return frames[max(0, (second - around) * FRAMES_A_SECOND) : (second + around) * FRAMES_A_SECOND]


def _seconds(frames: Sequence[float]) -> int:
    return -(-len(frames) // FRAMES_A_SECOND)
