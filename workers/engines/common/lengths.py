"""How long films are: `python -I -m workers.engines.common.lengths FILE...`; a dry run asks.

Writes one document to stdout. A film that cannot be read has no length there: a submission would say why.
"""

from __future__ import annotations

import sys
from pathlib import Path

from protocol.errors import CpwError
from protocol.stages.demux import FilmLengths
from workers.engines.common.film.probe import probe
from workers.engines.common.one_answer import answer

__all__ = ["main"]


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    films = [Path(word) for word in (sys.argv[1:] if words is None else words)]
    try:
        answer(FilmLengths(lengths_ms=tuple(_length_ms(film) for film in films)))
    except KeyboardInterrupt:
        return 130
    return 0


def _length_ms(film: Path) -> int | None:
    try:
        return probe(film).facts.duration_ms or None
    except (CpwError, OSError):
        return None


if __name__ == "__main__":
    sys.exit(main())
