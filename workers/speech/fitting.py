"""Cuts stretches of speech that are too long for a recogniser, where the sound is quietest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.timeline import Span
from workers.speech.sound import SAMPLE_RATE, Sound

__all__ = ["fit"]

_MOMENT_MS = 50
"""A pause between two words is rarely shorter."""


def fit(speech: Sequence[Span], sound: Sound, limit_ms: int) -> tuple[Span, ...]:
    """Return the stretches in order and inside the sound, none longer than the limit.

    Another stage or model found them, and its scores are not known here: so a long one is cut where it is
    quietest.
    """
    inside = (
        Span(start_ms=max(0, span.start_ms), end_ms=min(span.end_ms, sound.duration_ms), peak=span.peak)
        for span in sorted(speech, key=lambda span: span.start_ms)
    )
    return tuple(
        piece for span in inside if span.end_ms > span.start_ms for piece in _pieces(span, sound, limit_ms)
    )


def _pieces(span: Span, sound: Sound, limit_ms: int) -> Iterator[Span]:
    start = span.start_ms
    while span.end_ms - start > limit_ms:
        # In its later half, so that no piece is very short.
        cut = _quietest(sound, start + limit_ms // 2, start + limit_ms)
        yield Span(start_ms=start, end_ms=cut, peak=span.peak)
        start = cut
    yield Span(start_ms=start, end_ms=span.end_ms, peak=span.peak)


def _quietest(sound: Sound, low_ms: int, high_ms: int) -> int:
    """Return the middle of the quietest moment between the two times."""
    import numpy as np

    moment = _MOMENT_MS * SAMPLE_RATE // 1000
    samples = sound.between(low_ms, high_ms)
    whole = samples[: len(samples) // moment * moment].reshape(-1, moment)
    if not len(whole):
        return high_ms
    return low_ms + int(np.square(whole).sum(axis=1).argmin()) * _MOMENT_MS + _MOMENT_MS // 2
