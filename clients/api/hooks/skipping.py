"""Why a film that came is left alone: it has the subtitles already, or a person does not want any."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from clients.films import MEDIA_EXTENSIONS
from protocol.subtitles.names import read_name

__all__ = ["MARKERS", "has_any", "missing_languages", "why_left_alone"]

MARKERS = (".cpw-skip", ".nosub")
"""A file of this name in the film's folder, or in one above it up to the library's, says: leave it alone."""


def why_left_alone(film: Path, libraries: Sequence[Path]) -> str:
    """Return why nothing is to be made of what lies at this path, whatever the language; empty: it may be."""
    # Not Path.is_file: it raises where a name is too long, or a folder may not be read.
    if not os.path.isfile(film):  # noqa: PTH113 (see above)
        return "There is no such file here."
    if film.suffix.casefold() not in MEDIA_EXTENSIONS:
        return "It is no film."
    for folder in film.parents:
        for marker in MARKERS:
            if (folder / marker).exists():
                return f"{marker} lies in {folder.name}."
        if folder in libraries:
            break
    return ""


def missing_languages(
    film: Path, wanted: Sequence[str], inside: Callable[[], Sequence[str]]
) -> tuple[str, ...]:
    """Return the languages of which the film has no subtitles, neither beside it nor inside.

    `inside` is asked only where those beside it do not suffice.
    """
    beside = _beside(film)
    left = [language for language in wanted if language not in beside]
    there = set(inside()) if left else set()
    return tuple(language for language in left if language not in there)


def has_any(film: Path, inside: Callable[[], Sequence[str]]) -> bool:
    """Return whether the film has subtitles in any language."""
    return bool(_beside(film)) or bool(inside())


def _beside(film: Path) -> set[str]:
    """Return the languages of the subtitles beside the film; forced ones are not all that is said."""
    names = (read_name(film, path) for path in film.parent.iterdir())
    return {found.language for found in names if found is not None and not found.forced}
