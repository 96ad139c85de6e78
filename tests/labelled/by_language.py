"""Lines whose language is labelled by hand: of what people say in films, in 31 languages.

`languages/lines.txt`: a language (ISO 639-1), a tab, and a text; `-` where nobody can be sure.
`languages/hindi_in_latin.txt`: Hindi as people type it, a text a line.
`languages/film_de.txt`: what whisper-base writes of film_de, which has no reference, in pieces of 40 letters.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["film_de", "hindi_in_latin", "language_lines"]

_HERE = Path(__file__).parent / "languages"


def language_lines() -> list[tuple[str, str]]:
    """Return pairs of a language and a text; the language is empty where nobody can be sure."""
    rows = (_HERE / "lines.txt").read_text(encoding="utf-8").splitlines()
    pairs = (row.split("\t", 1) for row in rows)
    return [("" if language == "-" else language, text) for language, text in pairs]


def hindi_in_latin() -> list[str]:
    """Return the texts."""
    return _texts("hindi_in_latin")


def film_de() -> list[str]:
    """Return the pieces in their order."""
    return _texts("film_de")


def _texts(name: str) -> list[str]:
    return (_HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
