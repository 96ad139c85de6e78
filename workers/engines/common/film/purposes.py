"""What an audio track is for, by its flags or its title. Pure."""

from __future__ import annotations

import re

__all__ = ["OTHERWISE", "purpose_of"]

OTHERWISE = {"": 0, "original": 0, "dub": 0, "description": 1, "commentary": 1, "music": 2}
"""How far what a track is for is from the film's own dialogue."""
_TITLES = {
    "description": r"descri(?:ption|ptive|bed|pci|zion)|deskription|hörfilm|visually impaired|"
    r"тифлокоммент|解説放送|音声解説|(?-i:\b(?:DVS|AD)\b)",
    "commentary": r"comment(?:ary|aires?)|kommentar|comentari|commento|commentaar|komentar|комментар|"
    r"コメンタリー|解說|评论",
    "music": r"isolated|music only|music (?:&|and) effects|score only|(?-i:\bM&E\b)|karaoke|instrumental",
}
_TITLES_RE = {purpose: re.compile(pattern, re.IGNORECASE) for purpose, pattern in _TITLES.items()}


def purpose_of(dispositions: frozenset[str], title: str) -> str:
    """Return what an audio track is for: a key of `OTHERWISE`; empty for the film's own sound.

    `dispositions` are ffmpeg's names of the flags that Matroska (RFC 9559, 5.1.4.1.12 and on) and mp4 have;
    many films say it in the track's title alone.
    """
    if dispositions & {"visual_impaired", "descriptions"}:
        return "description"
    if "comment" in dispositions:
        return "commentary"
    if dispositions & {"karaoke", "non_diegetic"}:
        return "music"
    for purpose, pattern in _TITLES_RE.items():
        if pattern.search(title):
            return purpose
    return next((purpose for purpose in ("original", "dub") if purpose in dispositions), "")
