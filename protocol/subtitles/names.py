"""Names of subtitle files beside a film, as Plex, Jellyfin, Emby and Kodi read them. Pure.

`Film.en.srt`, `Film.pt-BR.srt`, `Film.en.forced.srt`, `Film.hi.sdh.srt`: the film's name, a language, and
words that say what it is for, with dots between them.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import PurePath

from protocol.errors import UsageError
from protocol.languages import IN_TWO_SCRIPTS, find_language, find_tag
from protocol.timeline import UNDETERMINED

__all__ = ["SUBTITLE_ENDINGS", "BesideName", "name_beside", "read_name"]

SUBTITLE_ENDINGS = frozenset({".srt", ".vtt", ".ass", ".ssa", ".ttml", ".smi", ".sub", ".sup", ".idx"})
_FORCED = frozenset({"forced", "foreign"})
_HEARING_IMPAIRED = frozenset({"sdh", "cc", "hi"})
"""`hi` after a language: before it, or alone, it is Hindi."""


@dataclass(frozen=True, kw_only=True)
class BesideName:
    """What a file's name says of its subtitles."""

    language: str
    """ISO 639-1; `und` where the name does not say it."""
    forced: bool = False
    hearing_impaired: bool = False


def name_beside(film: PurePath, language: str, ending: str, *, forced: bool = False) -> str:
    """Return the name of a subtitle file of the film; `ending` with its dot."""
    return (
        ".".join([film.stem, *([language] if language != UNDETERMINED else []), *(["forced"] * forced)])
        + ending
    )


def read_name(film: PurePath, path: PurePath) -> BesideName | None:
    """Return what the name of the file `path` says; None where it is no subtitle of the film."""
    if path.suffix.casefold() not in SUBTITLE_ENDINGS:
        return None
    stem, begin = path.stem, film.stem
    if stem != begin and not stem.casefold().startswith(f"{begin.casefold()}."):
        return None
    language, forced, impaired = UNDETERMINED, False, False
    for word in stem[len(begin) :].casefold().split(".")[1:]:
        if (language != UNDETERMINED and word in _HEARING_IMPAIRED) or word in _HEARING_IMPAIRED - {"hi"}:
            impaired = True
        elif word in _FORCED:
            forced = True
        elif language == UNDETERMINED:
            language = _code(word)
    return BesideName(language=language, forced=forced, hearing_impaired=impaired)


def _code(word: str) -> str:
    """Return the language of `pt-BR`, `pt_br`, `por`, `portuguese`; `und` for a word that names none.

    With its script where that is another than the usual one: who reads `hi` does not read `hi-Latn`.
    """
    with contextlib.suppress(UsageError):
        # A script that this program writes nothing in is refused: the language alone counts.
        if (tag := find_tag(word)).language not in IN_TWO_SCRIPTS:
            return str(tag)
    try:
        return find_language(word.replace("_", "-").partition("-")[0]).code
    except UsageError:
        return UNDETERMINED
