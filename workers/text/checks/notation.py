"""What subtitles write beside words: notes (♪) for songs, a dash where somebody else speaks. Pure."""

from __future__ import annotations

import re

__all__ = ["NOTES", "lacks_notation", "mend_notation", "without_notation"]

NOTES = "♩♪♫♬"
_DASHES = "-‐‑–—―−"  # noqa: RUF001 (the signs are meant)
_ANY_DASH = re.escape(_DASHES)
_OPENING = re.compile(rf"\s*((?:[{NOTES}]+\s*|[{_ANY_DASH}]+\s*(?=[^{_ANY_DASH}\s\d]))*)")
_CLOSING = re.compile(rf"\s*([{NOTES}]*)\s*$")


def lacks_notation(source: str, translated: str) -> bool:
    """Return whether the translation has fewer notes than the source, or lost its opening dash."""
    fewer = sum(map(translated.count, NOTES)) < sum(map(source.count, NOTES))
    return fewer or (_has_dash(source) and not _has_dash(translated))


def mend_notation(source: str, translated: str) -> str:
    """Return the translation with the notes at the source's ends, and with its opening dash."""
    opening, closing = _opening(source), _closing(source)
    if opening and not (_covers(_opening(translated), opening) or _covers(translated[:1], opening)):
        translated = opening + translated[len(_opening(translated)) :].lstrip()
    if closing and not _closing(translated):
        translated = f"{translated.rstrip()} {closing}"
    return translated


def without_notation(text: str) -> str:
    """Return the words of a text without the notes and the dash around them."""
    return text[_OPENING.match(text).end() : _CLOSING.search(text).start()].strip()  # type: ignore[union-attr]  # (both match the empty text)


def _opening(text: str) -> str:
    return _OPENING.match(text).group(1)  # type: ignore[union-attr]  # (it matches the empty text)


def _closing(text: str) -> str:
    return _CLOSING.search(text).group(1)  # type: ignore[union-attr]  # (it matches the empty text)


def _has_dash(text: str) -> bool:
    return any(character in _DASHES for character in _opening(text))


def _covers(found: str, wanted: str) -> bool:
    """Return whether all that is wanted, a note or a dash, is there in some form."""
    return all(
        any(character in kind for character in found)
        for kind in (NOTES, _DASHES)
        if any(character in kind for character in wanted)
    )
