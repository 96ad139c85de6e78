"""Finds translations that repeat themselves, or whose length does not fit, where the source's does. Pure."""

from __future__ import annotations

import re
import unicodedata

from workers.text.pieces import count_graphemes

__all__ = ["is_loop", "is_out_of_proportion"]

_MOST_RATIO = 3.0
"""Where one text is more times longer than the other, the lengths do not fit.

Of the 1,012 lines of FLORES-200 devtest in English, Hindi, Gujarati, Tamil, Telugu, Urdu and Portuguese, in
all pairs and with the weights of `_DENSITY`, one has a larger ratio (Telugu and Urdu, 3.09), and half of its
sentence is missing. The next largest ratio is 2.67.
"""
_SHORT = 20
"""Where both texts have fewer graphemes, their ratio says nothing: `Yes.`, `Sim, senhor.`"""


def _each(languages: str, density: float) -> dict[str, float]:
    return dict.fromkeys(languages.split(), density)


_DENSITY = {
    **_each("zh yue", 0.35),
    **_each("ja ko", 0.5),
    **_each("ar fa he ur ps sd ks", 0.9),
    **_each("hi mr ne sa mai bho gom kok brx doi bn as mni gu pa or si th lo km my", 0.7),
    **_each("ta te kn ml", 0.7),
}
"""How many graphemes a language needs, where a language in an alphabet with vowels needs one.

The figures of Indic languages and Urdu are measured over FLORES-200 devtest against English (medians: Hindi
0.69, Gujarati 0.65, Tamil 0.76, Telugu 0.64, Urdu 0.98, Portuguese 1.08). Those of Chinese, Japanese and
Korean are round figures.
"""
_RUN = re.compile(r"(.{1,60}?)\1+", re.DOTALL)
_TIMES = 4
"""So often a piece comes, with nothing between, in a loop ..."""
_CHARACTERS = 24
"""... and together so many characters: `no, no, no, no` is too short to be one."""
_TOLERANCE = 2
"""People repeat themselves, too. The translation's loop has this many times the repeats of the source's."""


def is_out_of_proportion(source: str, translated: str, source_language: str, target_language: str) -> bool:
    """Return whether one text is more than three times as long as the other, unless both are short."""
    lengths = [count_graphemes(source), count_graphemes(translated)]
    if max(lengths) < _SHORT:
        return False
    said = lengths[0] / _DENSITY.get(source_language, 1.0)
    written = lengths[1] / _DENSITY.get(target_language, 1.0)
    return max(said, written) > _MOST_RATIO * min(said, written)


def is_loop(source: str, translated: str) -> bool:
    """Return whether the translation repeats one piece over and over, and the source does not do the same."""
    written = max((times for times, length in _runs(translated) if length >= _CHARACTERS), default=1)
    if written < _TIMES:
        return False
    return written >= _TOLERANCE * max((times for times, _ in _runs(source)), default=1)


def _runs(text: str) -> list[tuple[int, int]]:
    """Return how often each repeated piece comes, and how many characters the repeats have together.

    Punctuation does not tell pieces apart: `No! No. No, no` is `no` four times.
    """
    kept = (
        character if unicodedata.category(character)[0] in "LMN" else " " for character in text.casefold()
    )
    plain = " ".join("".join(kept).split()) + " "
    return [(len(run.group()) // len(run.group(1)), len(run.group())) for run in _RUN.finditer(plain)]
