"""Marks doubtful translations: by their letters, their length, and how like the source they are. Pure.

A mark is no proof of a fault: it warns that a text may be no translation.
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
_LOOP = re.compile(r"(.{1,60}?)\1{3,}", re.DOTALL)
_LOOP_CHARACTERS = 24
"""The fewest characters of a loop: `no, no, no, no` is too short to be one."""
_NAME_WORDS = 3
_UNSPACED_NAME_LETTERS = 10


def marks_of(
    source: str, translated: str, source_language: str, target_language: str, target_script: str = ""
) -> tuple[str, ...]:
    """Return the marks of a translation, in alphabetical order; () where nothing is doubtful.

    - `empty`: it has no words to speak, and the source has some. It then has no other mark.
    - `length`: it is more than `_MOST_RATIO` times as long as the source, or as short, unless both are short;
      or it repeats itself, and the source does not.
    - `untranslated`: it equals the source but for case, spaces and punctuation. Numbers, and what may be a
      name (one word, or up to three with capitals), need no translation.
    - `wrong-script`: most letters are of no script of the language, or not of `target_script` (ISO 15924).
      A name that stayed as it was has no mark.
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
    """Return the letters, marks and digits in one case; the vowel signs of Indic scripts are marks."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return "".join(character for character in composed if unicodedata.category(character)[0] in "LMN")


def _may_be_name(text: str, language: str) -> bool:
    """Return whether the text is as short as a name, or has no letters at all."""
    words = [part for part in text.split() if any(letter.isalpha() for letter in part)]
    if language in UNSPACED:
        return sum(character.isalpha() for character in text) <= _UNSPACED_NAME_LETTERS
    return len(words) <= 1 or (len(words) <= _NAME_WORDS and all(map(_is_name_word, words)))


def _is_name_word(word: str) -> bool:
    """Return whether the word starts with a capital; in scripts without capitals every word may be a name."""
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
    """Return whether the text repeats one piece at least four times, with nothing between."""
    plain = " ".join(text.casefold().split()) + " "
    return any(len(match.group()) >= _LOOP_CHARACTERS for match in _LOOP.finditer(plain))
