"""The frame rate of the film that a file was made for, told by its times: they are on its frames. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.timeline import Cue

__all__ = ["frame_rate_of"]

_RATES = (24.0, 25.0, 30.0, 24_000 / 1_001, 30_000 / 1_001, 50.0, 60.0, 60_000 / 1_001)
"""Slower ones first: what is on the frames of 25 a second is on those of 50, too."""
_CHANCE = 0.001
"""A rate is told if times of no rate at all would be on its frames more rarely than this."""
_STRAYS = 10
"""Of so many times, one may be beside the frames: a cue that somebody set by ear."""


def frame_rate_of(cues: Sequence[Cue], resolution_ms: int, told: float | None = None) -> float | None:
    """Return the frame rate whose frames the cues' times keep; None if they keep those of none.

    `told` is the rate that the file names, which is preferred. Times are exact to `resolution_ms`.
    """
    times = sorted({time for cue in cues for time in (cue.start_ms, cue.end_ms) if time > 0})
    for rate in (*([told] if told else []), *_RATES):
        frame_ms = 1_000 / rate
        on_frames = sum(_distance(time, frame_ms) <= resolution_ms for time in times)
        by_chance = min(1.0, (2 * resolution_ms + 1) / frame_ms) ** on_frames
        if by_chance < _CHANCE and len(times) - on_frames <= len(times) // _STRAYS:
            return rate
    return told


def _distance(time: int, frame_ms: float) -> float:
    return abs(time - round(time / frame_ms) * frame_ms)
