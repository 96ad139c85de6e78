"""Reads TTML: what its tree of times shows at each moment. Pure.

Source: W3C, Timed Text Markup Language 2 (w3.org/TR/ttml2): times, and containers in parallel or in sequence
(chapter 12), ruby (10.2). Any element may have times, and they count from those of the element around it. So
the times of a paragraph's pieces cut it into cues, each with the text that is seen then.
"""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protocol.timeline import Cue
from workers.engines.common.formats.reading.timings import trimmed

__all__ = ["TimedText", "is_timed_text", "read_timed_text"]

_ROOT = re.compile(r"<(?:[\w.-]+:)?tt[\s>]")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?")
_OFFSET = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|ms|f|t)")
_DEFAULT_RATE = 30.0
"""The rate if `ttp:frameRate` is missing (7.2.6)."""
_ALWAYS = float("inf")
_RUBY_TEXT = frozenset({"text", "textContainer", "delimiter"})
"""Values of `tts:ruby` whose text tells how the base is said."""
_SECONDS = {"h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True, kw_only=True)
class TimedText:
    """The cues of a document, earliest first, and the frame rate that it names (None: none)."""

    cues: tuple[Cue, ...]
    frames_per_second: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A stretch of time, in seconds."""

    begin: float
    end: float


@dataclass(frozen=True, kw_only=True)
class _Piece:
    text: str
    span: _Span


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What the document's head says: how long frames and ticks are, and which styles are ruby's."""

    frame_s: float
    tick_s: float
    ruby_styles: frozenset[str]

    def paragraphs(self, element: ET.Element, span: _Span) -> Iterator[list[_Piece]]:
        """Yield the pieces of each paragraph below the element, which is seen in `span`."""
        for child, inner in self._children(element, span):
            if _name(child) == "p":
                yield list(self._pieces(child, inner))
            elif _name(child) == "div":
                yield from self.paragraphs(child, inner)

    def _pieces(self, element: ET.Element, span: _Span) -> Iterator[_Piece]:
        yield _Piece(text=_folded(element.text), span=span)
        for child, inner in self._children(element, span):
            if _name(child) == "br":
                yield _Piece(text="\n", span=inner)
            elif _name(child) == "span" and not self._is_ruby_text(child):
                yield from self._pieces(child, inner)
            yield _Piece(text=_folded(child.tail), span=span)

    def _children(self, element: ET.Element, span: _Span) -> Iterator[tuple[ET.Element, _Span]]:
        """Yield the children with their times; in a sequence, one begins when the one before it ends."""
        in_sequence = element.get("timeContainer") == "seq"
        origin = span.begin
        for child in element:
            inner = self.span_of(child, _Span(begin=origin, end=span.end))
            if in_sequence and inner.end < _ALWAYS:
                origin = inner.end
            yield child, inner

    def span_of(self, element: ET.Element, around: _Span) -> _Span:
        begin = self._seconds(element.get("begin")) or 0.0
        end, length = self._seconds(element.get("end")), self._seconds(element.get("dur"))
        # Some programs count every time from the film's start. Counted from the element around it, as it
        # should be, such a time is never seen.
        origin = 0.0 if around.begin + begin >= around.end > begin >= around.begin else around.begin
        ends = [around.end]
        ends += [origin + end] if end is not None else []
        ends += [origin + begin + length] if length is not None else []
        return _Span(begin=origin + begin, end=min(ends))

    def _seconds(self, time: str | None) -> float | None:
        if time is None:
            return None
        if found := _CLOCK.fullmatch(time.strip()):
            hours, minutes, seconds, frames = found.groups()
            whole = (int(hours or 0) * 60 + int(minutes)) * 60 + float(seconds)
            return whole + float(frames or 0) * self.frame_s
        if found := _OFFSET.fullmatch(time.strip()):
            unit = {"f": self.frame_s, "t": self.tick_s}.get(found[2]) or _SECONDS[found[2]]
            return float(found[1]) * unit
        raise ValueError(f"{time!r} is not a time")

    def _is_ruby_text(self, element: ET.Element) -> bool:
        styles = element.get("style", "").split()
        return _ruby(element) in _RUBY_TEXT or not self.ruby_styles.isdisjoint(styles)


def is_timed_text(text: str) -> bool:
    """Return whether the text is a document with TTML's root."""
    return text.lstrip().startswith("<") and _ROOT.search(text) is not None


def read_timed_text(text: str) -> TimedText:
    """Return the document's cues. It must not declare entities: their text can fill the memory.

    Raises `ParseError` if it is no XML, `ValueError` for a time that is none.
    """
    root = ET.fromstring(text)  # noqa: S314 (whoever calls has refused entities)
    parameters = {_local(name): value for name, value in root.attrib.items()}
    rate = _frame_rate(parameters)
    frame_s = 1 / (rate or _DEFAULT_RATE)
    ticks = _number(parameters.get("tickRate"))
    styles = frozenset(_ruby_styles(root))
    reader = _Reader(frame_s=frame_s, tick_s=1 / ticks if ticks else frame_s, ruby_styles=styles)
    shown: list[tuple[_Span, tuple[str, ...]]] = []
    for body in (child for child in root if _name(child) == "body"):
        whole = reader.span_of(body, _Span(begin=0.0, end=_ALWAYS))
        for pieces in reader.paragraphs(body, whole):
            shown += _moments(pieces)
    shown.sort(key=lambda moment: moment[0].begin)
    return TimedText(cues=tuple(_cues(shown)), frames_per_second=rate)


def _moments(pieces: list[_Piece]) -> list[tuple[_Span, tuple[str, ...]]]:
    """Return what a paragraph shows, and when: a new moment begins where a piece comes or goes."""
    seen = [piece.span for piece in pieces if piece.text.strip()]
    if not seen:
        # A paragraph without text is a cue without text.
        return [(pieces[0].span, ())] if pieces[0].span.end < _ALWAYS else []
    times = sorted({time for span in seen for time in (span.begin, span.end)})
    moments: list[tuple[_Span, tuple[str, ...]]] = []
    for begin, end in itertools.pairwise(times):
        texts = [piece.text for piece in pieces if piece.span.begin <= begin and end <= piece.span.end]
        lines = _lines("".join(texts))
        if moments and moments[-1][1] == lines and moments[-1][0].end == begin:
            moments[-1] = _Span(begin=moments[-1][0].begin, end=end), lines
        elif lines:
            moments.append((_Span(begin=begin, end=end), lines))
    return moments


def _cues(shown: list[tuple[_Span, tuple[str, ...]]]) -> Iterator[Cue]:
    for place, (span, lines) in enumerate(shown):
        end = span.end
        if end == _ALWAYS:
            # Seen for ever, as far as the document says: until the next, at least.
            end = shown[place + 1][0].begin if place + 1 < len(shown) else span.begin
        yield Cue(start_ms=round(span.begin * 1_000), end_ms=round(end * 1_000), lines=lines)


def _lines(text: str) -> tuple[str, ...]:
    return trimmed([line.strip(" ") for line in re.sub(" +", " ", text).split("\n")])


def _folded(text: str | None) -> str:
    """Return the text with a space for every line end and indent of the document (`xml:space="default"`)."""
    return re.sub(r"[ \t\r\n]+", " ", text or "")


def _ruby_styles(root: ET.Element) -> Iterator[str]:
    """Yield the names of the styles that make a `span` ruby's, by themselves or by a style they refer to."""
    styles = [element for element in root.iter() if _name(element) == "style"]
    names = {_id(style) for style in styles if _ruby(style) in _RUBY_TEXT}
    while (
        more := {_id(style) for style in styles if names.intersection(style.get("style", "").split())} - names
    ):
        names |= more
    yield from names - {""}


def _id(style: ET.Element) -> str:
    return next((value for name, value in style.attrib.items() if _local(name) == "id"), "")


def _ruby(element: ET.Element) -> str:
    return next((value for name, value in element.attrib.items() if _local(name) == "ruby"), "")


def _frame_rate(parameters: Mapping[str, str]) -> float | None:
    rate = _number(parameters.get("frameRate"))
    parts = [_number(part) for part in re.split(r"[ :]+", parameters.get("frameRateMultiplier", "").strip())]
    if rate and len(parts) == 2 and parts[0] and parts[1]:
        rate *= parts[0] / parts[1]
    return rate


def _number(text: str | None) -> float | None:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*", text or "")
    return float(found[1]) if found and float(found[1]) > 0 else None


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _name(element: ET.Element) -> str:
    """Return the element's name without its namespace; empty for what is only about the text."""
    return "" if element.tag.partition("}")[0].endswith("#metadata") else _local(element.tag)
