"""Stretches of speech: how they are packed into chunks, widened and chosen. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Span

__all__ = ["Chunk", "heard_around", "pack", "spread", "widen", "within"]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Neighbouring stretches of speech that are recognised together; there is at least one."""

    spans: tuple[Span, ...]
    heard: Span
    """What the recogniser hears: the spans, and some of the pauses around them."""

    @property
    def start_ms(self) -> int:
        """Return where its first stretch starts."""
        return self.spans[0].start_ms

    @property
    def end_ms(self) -> int:
        """Return where its last stretch ends."""
        return self.spans[-1].end_ms


_BEFORE_MS, _AFTER_MS = 300, 200
"""VAD finds the start of speech late, and Whisper writes speech better that begins with some silence. Chosen
on two films: the mean word error rate is 0.095 with these, and 0.107 without; single runs differ by 0.02."""


def pack(spans: Iterable[Span], limit_ms: int, bounds: Span) -> list[Chunk]:
    """Return the spans in order, joined to chunks: each takes as many neighbours as fit into `limit_ms`.

    Nothing outside `bounds` is heard. The more Whisper hears at once the better it writes, and it hears at
    most 30 s. A span that is longer than the limit stays whole. Source of the rule: WhisperX,
    https://arxiv.org/abs/2303.00747, "merge".
    """
    groups: list[list[Span]] = []
    for span in spans:
        if groups and span.end_ms - groups[-1][0].start_ms <= limit_ms - _BEFORE_MS - _AFTER_MS:
            groups[-1].append(span)
        else:
            groups.append([span])
    whole = [Span(start_ms=group[0].start_ms, end_ms=group[-1].end_ms) for group in groups]
    wide = heard_around(whole, bounds.end_ms)
    return [
        Chunk(spans=tuple(group), heard=replace(heard, start_ms=max(heard.start_ms, bounds.start_ms)))
        for group, heard in zip(groups, wide, strict=True)
    ]


def heard_around(spans: Sequence[Span], limit_ms: int) -> list[Span]:
    """Return what the recogniser hears of each of these chunks: some of the pauses around it, too."""
    return widen(spans, _BEFORE_MS, _AFTER_MS, limit_ms)


def spread(chunks: Sequence[Chunk], count: int) -> list[Chunk]:
    """Return up to `count` chunks from all over the film: the longest chunk of each part of it.

    A short one, such as a shout or the music of a logo, says little about the language.
    """
    if len(chunks) <= count:
        return list(chunks)
    edges = [round(part * len(chunks) / count) for part in range(count + 1)]
    return [
        max(chunks[low:high], key=lambda chunk: chunk.end_ms - chunk.start_ms)
        for low, high in itertools.pairwise(edges)
    ]


def widen(spans: Sequence[Span], before_ms: int, after_ms: int, limit_ms: int) -> list[Span]:
    """Return the spans in order, each wider by these times, but by no more than half of the pause beside it.

    `limit_ms` is the length of the sound.
    """
    wider = []
    for index, span in enumerate(spans):
        low = (spans[index - 1].end_ms + span.start_ms + 1) // 2 if index else 0
        high = (span.end_ms + spans[index + 1].start_ms) // 2 if index + 1 < len(spans) else limit_ms
        start = min(span.start_ms, max(low, span.start_ms - before_ms))
        end = max(span.end_ms, min(high, span.end_ms + after_ms))
        wider.append(Span(start_ms=start, end_ms=end))
    return wider


def within(spans: Iterable[Span], start_ms: int, end_ms: int) -> list[Span]:
    """Return the parts of the spans between the two times; parts under 20 ms are left out."""
    cut = (Span(start_ms=max(span.start_ms, start_ms), end_ms=min(span.end_ms, end_ms)) for span in spans)
    return [span for span in cut if span.end_ms - span.start_ms >= 20]
