"""File names: a title made safe to write, a path made safe to show."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import regex

__all__ = ["safe_stem", "shown"]

_MAX_STEM_BYTES = 200
"""File systems allow 255 bytes a name; the rest is room for `_subtitled.mkv` and the like."""

_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that no name or sentence may hold: controls, lone surrogates, line ends."""

_FALLBACK_STEM = "untitled"


def shown(path: Path | str) -> str:
    """Return the path safe for a sentence: line ends, controls and undecodable bytes are escaped."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNWRITABLE
        else character
        for character in str(path)
    )


def safe_stem(title: str) -> str:
    """Return `title` as the stem of a file name.

    It has no `/`, controls or line ends, and at most 200 bytes of UTF-8; no character (grapheme) is cut. It
    is never empty and never starts with a dot or a dash (hidden files, options of other programs).
    """
    written = "".join(
        " " if unicodedata.category(character) in _UNWRITABLE else character
        for character in title.replace("/", "-")
    )
    stem = ""
    for grapheme in regex.findall(r"\X", " ".join(written.split()).lstrip(". -")):
        if len((stem + grapheme).encode()) > _MAX_STEM_BYTES:
            break
        stem += grapheme
    return stem.rstrip() or _FALLBACK_STEM
