"""From scores of voice activity to stretches of speech. Pure.

The rule is pyannote's: Gelly and Gauvain, "Minimum Word Error Training of RNN-based Voice Activity
Detection", Interspeech 2015. How a long stretch is cut is WhisperX's rule: https://arxiv.org/abs/2303.00747,
"cut".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Span

__all__ = ["Scores", "SpeechRule", "speech_in"]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How surely somebody speaks, frame by frame."""

    values: Sequence[float]
    """One for each frame, 0 to 1."""
    first_ms: float
    """The middle of the first frame: the time that its score is for."""
    step_ms: float
    """The time from one frame to the next."""
    duration_ms: int
    """The length of the sound; no speech ends after it."""

    def clock(self, frame: int) -> int:
        """Return the time that the score of the frame is for."""
        return min(round(self.first_ms + frame * self.step_ms), self.duration_ms)

    def span(self, region: _Region) -> Span:
        """Return the region on the sound's clock, with its highest score."""
        peak = max(self.values[region.first : region.last + 1])
        return Span(start_ms=region.start_ms, end_ms=region.end_ms, peak=round(peak, 4))


@dataclass(frozen=True, kw_only=True)
class SpeechRule:
    """What counts as speech."""

    onset: float
    """Speech starts where the score is above this ..."""
    offset: float
    """... and ends where it is under this."""
    min_silence_ms: int = 0
    """A shorter pause counts as speech."""
    min_speech_ms: int = 0
    """Shorter speech does not count."""
    pad_ms: int = 0
    """Time that is added before and after each stretch; stretches that then touch become one."""
    max_speech_ms: int = 0
    """A longer stretch is cut where its score is lowest; 0: no stretch is cut."""


@dataclass(frozen=True, kw_only=True)
class _Region:
    start_ms: int
    end_ms: int
    first: int
    """The number of its first frame ..."""
    last: int
    """... and of its last."""

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


def speech_in(scores: Scores, rule: SpeechRule) -> tuple[Span, ...]:
    """Return the stretches of speech: in order, without overlap, each with its highest score as `peak`."""
    found = _join(list(_passed(scores, rule)), rule.min_silence_ms)
    found = [region for region in found if region.length_ms >= max(1, rule.min_speech_ms)]
    if rule.pad_ms:
        found = _join([_padded(region, rule.pad_ms, scores.duration_ms) for region in found], 1)
    return tuple(scores.span(piece) for region in found for piece in _cut(region, scores, rule.max_speech_ms))


def _passed(scores: Scores, rule: SpeechRule) -> Iterator[_Region]:
    """Yield each stretch: from a score above the onset to one under the offset, or to the sound's end."""
    first: int | None = None
    for frame, score in enumerate(scores.values):
        if first is None:
            first = frame if score > rule.onset else None
        elif score < rule.offset:
            yield _region(scores, first, frame)
            first = None
    if first is not None:
        yield _region(scores, first, len(scores.values) - 1)


def _region(scores: Scores, first: int, last: int) -> _Region:
    return _Region(start_ms=scores.clock(first), end_ms=scores.clock(last), first=first, last=last)


def _join(regions: Sequence[_Region], shortest_ms: int) -> list[_Region]:
    """Join neighbours that have less than `shortest_ms` between them."""
    joined: list[_Region] = []
    for region in regions:
        if joined and region.start_ms - joined[-1].end_ms < shortest_ms:
            joined[-1] = replace(joined[-1], end_ms=max(joined[-1].end_ms, region.end_ms), last=region.last)
        else:
            joined.append(region)
    return joined


def _padded(region: _Region, pad_ms: int, duration_ms: int) -> _Region:
    return replace(
        region,
        start_ms=max(0, region.start_ms - pad_ms),
        end_ms=min(duration_ms, region.end_ms + pad_ms),
    )


def _cut(region: _Region, scores: Scores, longest_ms: int) -> Iterator[_Region]:
    """Yield the region in pieces. Each is cut in its later half, at the lowest score: none is very short."""
    while 0 < longest_ms < region.length_ms:
        reach = int((region.start_ms + longest_ms - scores.first_ms) / scores.step_ms)
        fitting = range(region.first + 1, min(reach + 1, region.last))
        frames = fitting[len(fitting) // 2 :]
        if not frames:
            break
        lowest = min(frames, key=lambda frame: scores.values[frame])
        yield replace(region, end_ms=scores.clock(lowest), last=lowest)
        region = replace(region, start_ms=scores.clock(lowest), first=lowest)
    yield region
