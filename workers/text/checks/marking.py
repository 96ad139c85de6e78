"""Marks doubtful translations: every check of a text and its translation, in one place. Pure.

A mark is no proof of a fault: it warns that a text may be no translation.
"""

from __future__ import annotations

from protocol.subtitles.doubts import (
    ADDRESSES,
    EMPTY,
    LENGTH,
    LOOP,
    NOTATION,
    NUMBERS,
    UNTRANSLATED,
    WRONG_SCRIPT,
)
from workers.text.checks.addresses import has_other_addresses
from workers.text.checks.letters import is_untranslated, is_wrong_script
from workers.text.checks.loops import is_loop, is_out_of_proportion
from workers.text.checks.notation import lacks_notation
from workers.text.checks.numbers import has_other_numbers
from workers.text.writing import is_punctuation

__all__ = ["marks_of"]


def marks_of(
    source: str, translated: str, source_language: str, target_language: str, target_script: str = ""
) -> tuple[str, ...]:
    """Return the marks of a translation, in alphabetical order; () where nothing is doubtful.

    - `empty`: it has no words to speak, and the source has some. It then has no other mark.
    - `addresses`: an e-mail address, a URL, a handle or a hash tag of the source is not in it.
    - `length`: it is far longer than the source, or far shorter.
    - `loop`: it repeats itself, and the source does not.
    - `notation`: a note (♪) or the dash of a dialogue was lost.
    - `numbers`: a number of the source is not in it, or is not written as the target's language does.
    - `untranslated`: it equals the source, or mostly. Numbers, and what may be a name, need no translation.
    - `wrong-script`: most letters are of no script of the language, or not of `target_script` (ISO 15924), or
      a word in the source's script is left. A name that stayed as it was has no mark.
    """
    if is_punctuation(translated):
        return () if is_punctuation(source) else (EMPTY,)
    pair = source_language, target_language
    found = {
        ADDRESSES: has_other_addresses(source, translated),
        LENGTH: is_out_of_proportion(source, translated, *pair),
        LOOP: is_loop(source, translated),
        NOTATION: lacks_notation(source, translated),
        NUMBERS: has_other_numbers(source, translated, *pair),
        UNTRANSLATED: is_untranslated(source, translated, *pair, target_script),
        WRONG_SCRIPT: is_wrong_script(source, translated, *pair, target_script),
    }
    return tuple(mark for mark, so in found.items() if so)
