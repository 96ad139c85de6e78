"""Finds where a film's shots change, with ffmpeg's filter scdet (libavfilter/vf_scdet.c).

Its score, 0 to 100, is how much the picture's mean difference from the frame before jumps: a cut scores high,
a moving camera does not. ffmpeg's own threshold is 10. In film_en.mp4, a battle with explosions and muzzle
fire, a person counted 24 cuts. A threshold of 8 finds 22 of them and takes one explosion for a cut. 10 finds
20 and that explosion; 6 finds all and four flashes. Jumps within a quarter of a second after a jump are its
echo: only the highest of them counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workers.engine import Context
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.probe import Film, Stream

__all__ = ["find_shots", "shots_in"]

_THRESHOLD = 8
_APART_US = 250_000
_SIZE = (320, 180)
"""In pixels. A cut changes the whole picture, and comparing a small one takes a tenth of the time.

The size is the same whatever the film's shape: the film may change its size midway.
"""
_NAME = "shots.txt"
_KEY = "lavfi.scd.score"


@dataclass(frozen=True, kw_only=True)
class _Leap:
    at_us: int
    score: float


def find_shots(
    film: Film, context: Context, *, start_ms: int = 0, end_ms: int | None = None, clock: Stream | None = None
) -> tuple[int, ...]:
    """Return the first moment of every shot between two times but the first, in ms of the film, rising.

    This decodes the whole picture: minutes for a film. Empty if there is no picture. ffmpeg reads the stream
    `clock` beside the picture, to start the film's clock with it. Times are rounded down, so that a cue that
    starts with a shot is there at its first frame. Raises `InputError` if the picture cannot be decoded.
    """
    picture = film.picture
    if picture is None:
        return ()
    target = context.output(_NAME)
    until_ms = film.facts.duration_ms if end_ms is None else end_ms
    outcome = program.run(
        _command(film, picture, start_ms, end_ms, clock),
        context,
        duration_ms=until_ms - start_ms,
        note="looking for shot changes",
        folder=target.parent,
    )
    try:
        if outcome.returncode != 0:
            raise program.failure(outcome, film.path, "look for shot changes in")
        with target.open(encoding="ascii", errors="replace") as lines:
            return shots_in(lines, start_ms)
    finally:
        target.unlink(missing_ok=True)


def shots_in(lines: Iterable[str], start_ms: int = 0) -> tuple[int, ...]:
    """Return the shot changes in the scores that the filter metadata prints, with `start_ms` added.

    A frame is two lines: `frame:52 pts:2166667 pts_time:...` in microseconds, `lavfi.scd.score=23.062`.
    """
    leaps: list[_Leap] = []
    at_us = -1
    for line in lines:
        if line.startswith("frame:"):
            time = line.partition("pts:")[2].split()[0]
            # A frame without a time has NOPTS; one before the film's start has a time below 0.
            at_us = int(time) if time.isdecimal() else -1
        elif line.startswith(f"{_KEY}=") and at_us >= 0:
            leap = _Leap(at_us=at_us, score=float(line.partition("=")[2]))
            if not leaps or leap.at_us - leaps[-1].at_us >= _APART_US:
                leaps.append(leap)
            elif leap.score > leaps[-1].score:
                leaps[-1] = leap
    return tuple(start_ms + leap.at_us // 1_000 for leap in leaps)


def _command(
    film: Film, picture: Stream, start_ms: int, end_ms: int | None, clock: Stream | None
) -> list[str]:
    import ffmpeg

    place = {"ss": start_ms / 1000} if start_ms else {}
    length = {"t": (end_ms - start_ms) / 1000} if end_ms is not None else {}
    source = program.open_source(
        film.path,
        # If the picture changes its size, ffmpeg would set up the filters again, and they would begin the
        # file again.
        reinit_filter=0,
        **place,
    )
    seen = (
        source[str(picture.index)]
        .filter("scale", *_SIZE)
        # In microseconds: ffmpeg prints seconds with six digits, too few for a long film.
        .filter("settb", "1/1000000")
        .filter("scdet", threshold=_THRESHOLD)
        # The name alone, in the folder that ffmpeg runs in: a path would need escapes.
        .filter("metadata", "print", key=_KEY, value=_THRESHOLD, function="greater", file=_NAME)
    )
    outputs = [ffmpeg.output(seen, "-", format="null", **length)]
    if clock is not None:
        outputs.append(ffmpeg.output(source[str(clock.index)], "-", format="null", c="copy", **length))
    return program.build_command(ffmpeg.merge_outputs(*outputs))
