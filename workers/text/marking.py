"""What is doubtful about a translation, seen from outside: its letters, its length, its likeness. Pure.

A mark accuses nobody: it keeps a text that may be none of a translation's from passing as one.
"""

from __future__ import annotations

import re
import unicodedata

from protocol.languages import UNSPACED
from workers.text.pieces import count_graphemes
from workers.text.scripts import in_script
from workers.text.writing import is_punctuation

__all__ = ["EMPTY", "LENGTH", "UNTRANSLATED", "WRONG_SCRIPT", "marks_of"]

EMPTY = "empty"
LENGTH = "length"
UNTRANSLATED = "untranslated"
WRONG_SCRIPT = "wrong-script"

_MOST_RATIO = 3.0
"""Lengths further apart are out of proportion.

Over the 1,012 lines of FLORES-200 devtest in English, Hindi, Gujarati, Tamil, Telugu, Urdu and Portuguese,
all pairs, lengths as `_DENSITY` weighs them, one reaches it, and that one is short of half a sentence
(Telugu and Urdu, 3.09); the next is at 2.67.
"""
_SHORT = 20
"""Where both texts are shorter than this many graphemes, their ratio says nothing: `Yes.`, `Sim, senhor.`"""


def _each(languages: str, density: float) -> dict[str, float]:
    return dict.fromkeys(languages.split(), density)


_DENSITY = {
    **_each("zh yue", 0.35),
    **_each("ja ko", 0.5),
    **_each("ar fa he ur ps sd ks", 0.9),
    **_each("hi mr ne sa mai bho gom kok brx doi bn as mni gu pa or si th lo km my", 0.7),
    **_each("ta te kn ml", 0.7),
}
"""Graphemes that a language needs where one in an alphabet with vowels needs one.

The Indic ones and Urdu are measured over FLORES-200 devtest against English (medians: Hindi 0.69, Gujarati
0.65, Tamil 0.76, Telugu 0.64, Urdu 0.98, Portuguese 1.08), Chinese, Japanese and Korean are round figures.
"""
_LOOP = re.compile(r"(.{1,60}?)\1{3,}", re.DOTALL)
_LOOP_CHARACTERS = 24
"""Four times the same in so many characters: `no, no, no, no` is shorter."""
_NAME_WORDS = 3
_UNSPACED_NAME_LETTERS = 10


def marks_of(
    source: str, translated: str, source_language: str, target_language: str, target_script: str = ""
) -> tuple[str, ...]:
    """Return the marks of a translation, in the order of the alphabet; () for one without doubts.

    - `empty`: nothing to be spoken in it, though there is in the source; has no other mark.
    - `length`: `_MOST_RATIO` times as long or short as the source, unless both are short; or it says the
      same over and over, and the source does not.
    - `untranslated`: the source again, but for case, space and punctuation. Numbers and what may be a name
      (one word, or up to three that are capitalised) are no matter of translation.
    - `wrong-script`: most letters are not of the language's scripts, or of `target_script` (ISO 15924).
      A name that was kept as it was is let pass.
    """
    if is_punctuation(translated):
        return () if is_punctuation(source) else (EMPTY,)
    same = _bare(source) == _bare(translated)
    kept_name = same and _may_be_name(source, source_language)
    found = {
        LENGTH: _out_of_proportion(source, translated, source_language, target_language)
        or (_loops(translated) and not _loops(source)),
        UNTRANSLATED: same and not kept_name and source_language != target_language,
        WRONG_SCRIPT: not kept_name and not in_script(translated, target_language, target_script),
    }
    return tuple(mark for mark, so in found.items() if so)


def _bare(text: str) -> str:
    """Return letters, marks and digits, in one case: nothing of Indic vowel signs may be lost."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return "".join(character for character in composed if unicodedata.category(character)[0] in "LMN")


def _may_be_name(text: str, language: str) -> bool:
    """Tell whether the text is no longer than a name, or has no letters at all."""
    words = [part for part in text.split() if any(letter.isalpha() for letter in part)]
    if language in UNSPACED:
        return sum(character.isalpha() for character in text) <= _UNSPACED_NAME_LETTERS
    return len(words) <= 1 or (len(words) <= _NAME_WORDS and all(map(_is_name_word, words)))


def _is_name_word(word: str) -> bool:
    """Tell whether the word starts with a capital; in scripts without case any word may be a name's."""
    first = next(character for character in word if character.isalpha())
    return not first.islower()


def _out_of_proportion(source: str, translated: str, source_language: str, target_language: str) -> bool:
    lengths = [count_graphemes(source), count_graphemes(translated)]
    if max(lengths) < _SHORT:
        return False
    said = lengths[0] / _DENSITY.get(source_language, 1.0)
    written = lengths[1] / _DENSITY.get(target_language, 1.0)
    return max(said, written) > _MOST_RATIO * min(said, written)


def _loops(text: str) -> bool:
    """Tell whether the text repeats one piece, four times or more without anything between."""
    plain = " ".join(text.casefold().split()) + " "
    return any(len(match.group()) >= _LOOP_CHARACTERS for match in _LOOP.finditer(plain))
