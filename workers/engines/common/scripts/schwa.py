"""Where the vowel that is not written is not said either. Pure.

The rule is that of Narasimhan, Sproat and Kiraz (2004) and of Choudhury, Basu and Sarkar (2004): at the
end of a word it falls silent, and inside a word between a vowel with one consonant and a consonant with a
vowel (VCəCV becomes VCCV), from the right to the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workers.engines.common.scripts.indic import SCHWA, Unit

__all__ = ["without_silent"]

_SONORANTS = frozenset("यरलवम")
"""After another consonant at the end of a word these need a vowel: `karya`, `mitra`."""


def without_silent(units: Sequence[Unit]) -> list[Unit]:
    """Return the syllables without the vowels that Hindi leaves out."""
    said = list(units)
    last = len(said) - 1
    if last > 0 and _is_bare(said[last]) and not _needs_vowel(said):
        said[last] = replace(said[last], vowel="")
    for place in range(last - 1, 0, -1):
        before, unit, after = said[place - 1], said[place], said[place + 1]
        if _is_bare(unit) and before.vowel and after.vowel and after.consonant:
            said[place] = replace(unit, vowel="")
    return said


def _is_bare(unit: Unit) -> bool:
    return bool(unit.consonant) and unit.vowel == SCHWA and not unit.sign


def _needs_vowel(units: Sequence[Unit]) -> bool:
    """Return whether the last consonant cannot be said without its vowel: `rashtra`."""
    before, last = units[-2], units[-1]
    return not before.vowel and last.consonant[0] in _SONORANTS
