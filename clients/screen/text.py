"""Words and numbers as they are shown. Pure: text in, text out."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

__all__ = [
    "age",
    "at_node",
    "clock",
    "count",
    "duration",
    "film_labels",
    "pad",
    "percent",
    "rough",
    "shorten",
    "since",
    "visible",
    "width",
    "wrap",
]

_ELLIPSIS = "…"
# Joiners form Indic words and are harmless; other format characters can reverse a line.
_KEPT_FORMATS = frozenset("\u200c\u200d")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MARKS = frozenset({"Mn", "Mc", "Me"})
_VIRAMA_CLASS = 9
_EMOJI_STYLE = "\ufe0f"


def visible(text: str) -> str:
    """Return the text with control characters written as escapes: a name must not control the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    if character in _KEPT_FORMATS or unicodedata.category(character) not in _HIDDEN:
        return character
    if character in _NAMED:
        return _NAMED[character]
    point = ord(character)
    if 0xDC80 <= point <= 0xDCFF:
        # A byte of a file name that is not UTF-8 (surrogateescape).
        return f"\\x{point - 0xDC00:02x}"
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def width(text: str) -> int:
    """Return how many cells the text takes at most.

    Terminals disagree about some Indic vowel signs and about emoji. The largest width is counted, so that a
    line wraps in no terminal.
    """
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 1 if character == _EMOJI_STYLE else 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _clusters(text: str) -> list[str]:
    """Split into characters as people see them: never before a vowel sign, never inside a conjunct."""
    found: list[str] = []
    for character in text:
        joined = unicodedata.category(character) in _MARKS or character in _KEPT_FORMATS
        if found and (joined or _binds_next(found[-1][-1])):
            found[-1] += character
        else:
            found.append(character)
    return found


def _binds_next(character: str) -> bool:
    return character == "\u200d" or unicodedata.combining(character) == _VIRAMA_CLASS


def shorten(text: str, limit: int) -> str:
    """Return the text in at most `limit` cells, shortened in the middle.

    Two cells in five are for the end: there the names of a film's parts and formats differ.
    """
    if width(text) <= limit:
        return text
    if limit <= 1:
        return _ELLIPSIS[:limit]
    clusters = _clusters(text)
    tail = _take(clusters[::-1], (limit - 1) * 2 // 5)[::-1]
    head = _take(clusters, limit - 1 - width("".join(tail)))
    return "".join((*head, _ELLIPSIS, *tail))


def wrap(text: str, limit: int | None) -> list[str]:
    """Return the text in lines of at most `limit` cells, broken at spaces, inside a word only where it must.

    None (a pipe, a file): one line.
    """
    if limit is None or width(text) <= limit:
        return [text]
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width(joined) <= limit:
            lines[-1] = joined
            continue
        pieces = _cut(word, limit)
        lines += pieces if lines[-1] else pieces[1:]
        lines[-len(pieces)] = pieces[0]
    return lines


def _cut(word: str, limit: int) -> list[str]:
    clusters, pieces = _clusters(word), []
    while clusters:
        taken = _take(clusters, limit) or clusters[:1]
        pieces.append("".join(taken))
        clusters = clusters[len(taken) :]
    return pieces


def _take(clusters: Sequence[str], limit: int) -> list[str]:
    taken: list[str] = []
    used = 0
    for cluster in clusters:
        used += width(cluster)
        if used > limit:
            break
        taken.append(cluster)
    return taken


def pad(text: str, limit: int, *, right: bool = False) -> str:
    """Fill the text with spaces to `limit` cells."""
    space = " " * (limit - width(text))
    return space + text if right else text + space


def duration(milliseconds: int | None) -> str:
    """Return `3.2 s`, `1:05` or `1:02:03`; empty if it is not known."""
    if milliseconds is None:
        return ""
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def rough(milliseconds: int) -> str:
    """Return a time as a person says it of what is to come: `40 s`, `3.5 min`, `2 h 10 min`, `14 h`."""
    seconds = max(0, milliseconds) / 1000
    if seconds < 55:
        return f"{max(10, 10 * round(seconds / 10))} s"
    halves = round(seconds / 30)
    if halves < 20:
        return f"{halves / 2:g} min"
    if seconds < 3_570:
        return f"{round(seconds / 60)} min"
    hours, tens = divmod(round(seconds / 600), 6)
    if hours >= 10:
        return f"{round(seconds / 3_600)} h"
    return f"{hours} h {10 * tens} min" if tens else f"{hours} h"


def clock(milliseconds: int) -> str:
    """Return a film's time as `00:01:02.345`."""
    sign, milliseconds = "-" if milliseconds < 0 else "", abs(milliseconds)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def age(seconds: float) -> str:
    """Return how long ago, in one unit: `40 s`, `3 min`, `2 h`, `5 d`."""
    whole = max(0, int(seconds))
    for size_of, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= size_of:
            return f"{whole // size_of} {unit}"
    return f"{whole} s"


def since(now: float, uptime_ms: int | None, zone: dt.tzinfo | None = None) -> str:
    """Return the local time at which something started that has run for `uptime_ms`."""
    if uptime_ms is None:
        return ""
    here = dt.datetime.fromtimestamp(now, dt.UTC).astimezone(zone)
    start = here - dt.timedelta(milliseconds=uptime_ms)
    return start.strftime("%H:%M:%S" if start.date() == here.date() else "%d %b %H:%M")


def at_node(name: str, node: str) -> str:
    """Return `asr on big-box`; the name alone where `node` is empty, the head's own machine."""
    return f"{name} on {node}" if node else name


def percent(fraction: float) -> str:
    """Return whole per cent; `100%` only for the whole."""
    return f"{min(100, max(0, int(fraction * 100 + 1e-9)))}%"


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 film`, `2 films`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def film_labels(paths: Sequence[str]) -> list[str]:
    """Return each film's name, with its folder if another film has the same name."""
    names = Counter(PurePath(path).name for path in set(paths))
    labels = []
    for film in paths:
        path = PurePath(film)
        labels.append(visible(path.name if names[path.name] == 1 else f"{path.parent.name}/{path.name}"))
    return labels
