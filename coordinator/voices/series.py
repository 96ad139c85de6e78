"""To which series a film belongs, by its title and the names of its folders. Pure.

guessit reads far more out of a name, and would bring five packages into the daemon for the part that stands
before an episode's number (docs/adr/0037-names-of-voices.md).
"""

from __future__ import annotations

import re
from pathlib import PurePath

__all__ = ["series_of"]

_NUMBER = r"\d{1,4}"
_EPISODE = re.compile(
    rf"""(?ix)                                # Sacred Games S01E02, Friends 1x02
    (?<![^\W_])                               # not inside a word
    (?: s\d{{1,2}}[\s._-]*(?:e{_NUMBER}[\s_-]*)+
      | \d{{1,2}}x\d{{2,3}}
      | (?:season|series|staffel|saison|temporada)[\s._-]*\d{{1,2}}
      | (?:episode|folge|épisode|episodio|ep|part|teil|partie)[\s._-]*{_NUMBER}
      | [se]\d{{1,3}}
      | एपिसोड[\s._-]*{_NUMBER}
      | (?<=\s-\s)\d{{2,3}}
    )(?![^\W_])"""
)
_SEASON = re.compile(r"(?i)^(?:season|series|staffel|saison|temporada|s)[\s._-]*\d{1,2}$")
_GROUP = re.compile(r"^\[[^\]]*\]\s*(?=\S)")
"""Who put it on the net, in front: `[Group] Show - 05`."""
_YEAR = re.compile(r"[\s._-]*[(\[]?(?:19|20)\d\d[)\]]?$")


def series_of(title: str, media: PurePath) -> str:
    """Return the name that the films of a series share: `Sacred Games` of `Sacred.Games.S01E02`.

    It is what stands before the first mark of an episode or a season, in the title or else in the file's
    name. Where nothing stands there, or a season's folder is all that tells, it is the name of the folder
    above. Any other film is known by its own title. Two names are of one series where they are the same in
    lower case.
    """
    for name in (title, media.stem):
        found = _EPISODE.search(name)
        if found is not None:
            return _plain(name[: found.start()]) or _plain(_above(media)) or title
    if _SEASON.match(media.parent.name):
        return _plain(_above(media)) or title
    return _plain(title) or title


def _above(media: PurePath) -> str:
    folder = media.parent
    return folder.parent.name if _SEASON.match(folder.name) else folder.name


def _plain(name: str) -> str:
    spaced = name if " " in name.strip() else re.sub(r"[._]+", " ", name)
    spaced = _GROUP.sub("", spaced.strip())
    return _YEAR.sub("", " ".join(spaced.split())).strip(" -\u2013_.([")
