"""Where a film's glossaries are: named at the submission, in its folder, above a season's folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from clients.glossary.reading import MOST_TERMS, Glossary, read_glossary
from protocol.errors import UsageError
from protocol.jobs.glossary import Term, merged

__all__ = ["BESIDE", "Glossaries", "open_glossary"]

BESIDE = ".cpw-glossary.csv"
"""The name of a glossary beside films, whatever form its rows have."""
_SEASON = re.compile(
    r"(?:s|season|series|staffel|saison|temporada|stagione|sezon)[ ._-]*\d{1,4}|specials", re.IGNORECASE
)
"""The names of a season's folder, as media libraries have them: what is above is the series."""
_LARGEST = 4 * 1024 * 1024


def open_glossary(path: Path) -> Glossary:
    """Return what the file says. Raises `UsageError` where it cannot be read or is no glossary."""
    try:
        if not path.is_file():
            raise UsageError(f"The glossary {str(path)!r} is not there, or is no file.")
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"The glossary {str(path)!r} cannot be read: {error.strerror}.") from error
    if len(content) > _LARGEST:
        raise UsageError(f"The glossary {str(path)!r} is over 4 MiB large: it is no list of terms.")
    return read_glossary(content)


class Glossaries:
    """The glossaries of one submission; each file is read once, however many films there are."""

    def __init__(self, named: Sequence[str], written: Sequence[Term] = ()) -> None:
        """Read those that were named, the last first; raises `UsageError` for one that cannot be used."""
        self._read: dict[Path, tuple[Term, ...]] = {}
        self.notes: dict[str, None] = {}
        """What is odd about them, each once."""
        self._named = [tuple(written), *(self._terms(Path(name)) for name in reversed(named))]

    def of(self, film: Path) -> tuple[Term, ...]:
        """Return the film's terms; the nearest counts. Raises `UsageError` for a file that cannot be used."""
        folders = [film.parent]
        if _SEASON.fullmatch(film.parent.name):
            folders.append(film.parent.parent)
        beside = [self._terms(folder / BESIDE) for folder in folders if (folder / BESIDE).is_file()]
        terms = merged((*self._named, *beside))
        if len(terms) > MOST_TERMS:
            message = f"The glossaries of {film.name} have {len(terms)} terms, and {MOST_TERMS} are the most."
            raise UsageError(message)
        return terms

    def _terms(self, path: Path) -> tuple[Term, ...]:
        if path not in self._read:
            found = open_glossary(path)
            if found.problems:
                message = f"The glossary {str(path)!r} cannot be used: {' '.join(found.problems[:3])}"
                raise UsageError(message, f"cpw glossary check {str(path)!r} shows how it is read.")
            self.notes |= dict.fromkeys(f"{path.name}, {note}" for note in found.notes)
            self._read[path] = found.terms
        return self._read[path]
