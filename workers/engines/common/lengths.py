"""How long films are, and which subtitles they have: `python -I -m workers.engines.common.lengths FILE...`.

Writes one document to stdout. A film that cannot be read has no length there: a submission would say why.
"""

from __future__ import annotations

import sys
from pathlib import Path

from protocol.errors import CpwError
from protocol.stages.demux import FilmLengths, MediaFacts
from workers.engines.common.film.probe import probe
from workers.engines.common.one_answer import answer

__all__ = ["main"]


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    films = [Path(word) for word in (sys.argv[1:] if words is None else words)]
    try:
        facts = [_facts(film) for film in films]
        answer(
            FilmLengths(
                lengths_ms=tuple(found.duration_ms or None if found else None for found in facts),
                subtitle_languages=tuple(found.subtitle_languages if found else () for found in facts),
            )
        )
    except KeyboardInterrupt:
        return 130
    return 0


def _facts(film: Path) -> MediaFacts | None:
    try:
        return probe(film).facts
    except (CpwError, OSError):
        return None


if __name__ == "__main__":
    sys.exit(main())
