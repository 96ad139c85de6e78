"""Finds translations that are still the source: the same words, or words in its script. Pure."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import groupby

from protocol.languages import UNSPACED
from workers.text.scripts import in_script, is_foreign, scripts_of

__all__ = ["bare", "is_untranslated", "is_wrong_script"]

_NAME_WORDS = 3
"""A name in an alphabet with capitals may have so many words ..."""
_UNSPACED_NAME_LETTERS = 3
"""... and one in a script without spaces so many letters: 東京, 毛泽东."""
_LEFT_LETTERS = 2
"""So many letters and signs in a row are a word of the source's script that was left."""
_MOSTLY = 0.8
_MOSTLY_WORDS = 6
"""Of so many words without capitals this share comes back in a text that is still the source."""
_CLOSE = (
    "da no nn nb sv",
    "hr bs sr sl",
    "cs sk",
    "es pt gl ca oc",
    "ru uk be bg mk",
    "id ms su jw",
    "af nl",
)
"""Languages that have whole sentences almost in common."""


@lru_cache(maxsize=16)
def bare(text: str) -> str:
    """Return the letters, marks and digits in one case; the vowel signs of Indic scripts are marks."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return "".join(character for character in composed if unicodedata.category(character)[0] in "LMN")


def is_untranslated(
    source: str, translated: str, source_language: str, target_language: str, script: str = ""
) -> bool:
    """Return whether the text equals the source but for case, spaces and punctuation, or mostly equals it.

    Numbers, and what may be a name (`_may_be_name`), need no translation.
    """
    if source_language == target_language:
        return False
    if bare(source) == bare(translated):
        return _has_letters(source) and not _may_be_name(source, source_language, target_language, script)
    close = any({source_language, target_language} <= set(group.split()) for group in _CLOSE)
    return not close and _mostly_equals(source, translated)


def is_wrong_script(
    source: str, translated: str, source_language: str, target_language: str, script: str = ""
) -> bool:
    """Return whether half of the text is in no script of the target, or a word of the source's is left in it.

    In an alphabet with capitals, as Latin, a name that stayed as it was is right, and so is a word within a
    sentence: other scripts quote it all the time.
    """
    kept = bare(source) == bare(translated) and _may_be_name(source, source_language, target_language, script)
    if kept:
        return False
    return not in_script(translated, target_language, script) or _has_word_left(
        source, translated, target_language, script
    )


def _has_word_left(source: str, translated: str, language: str, script: str) -> bool:
    """Return whether a word without case, of a script that the target does not have, is the source's too."""
    if not any(
        character.isalpha() and _is_foreign(character, language, script) for character in set(translated)
    ):
        return False
    runs = (
        "".join(run)
        for foreign, run in groupby(translated, lambda letter: _is_foreign(letter, language, script))
        if foreign
    )
    return any(len(run) >= _LEFT_LETTERS and run in source for run in runs)


@lru_cache(maxsize=4096)
def _is_foreign(letter: str, language: str, script: str) -> bool:
    """Return whether it is a letter without case in another script, or a sign, which belongs to one."""
    return (letter.isalpha() and _is_caseless(letter) and is_foreign(letter, language, script)) or (
        unicodedata.category(letter)[0] == "M"
    )


def _is_caseless(text: str) -> bool:
    return text.lower() == text.upper()


def _has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


def _may_be_name(text: str, language: str, target: str, script: str) -> bool:
    """Return whether the text may be a name that both languages write in the same way, or has no letters.

    With capitals: one word, or up to three that start with one. Without: one word, or in a script without
    spaces up to three letters, and only where the target has the same script.
    """
    words = [part for part in text.split() if _has_letters(part)]
    caseless = [word for word in words if _is_caseless(_letters(word))]
    if any(is_foreign(word, target, script) or not scripts_of(target, script) for word in caseless):
        return False
    if caseless:
        limit, letters = _UNSPACED_NAME_LETTERS, sum(map(str.isalpha, text))
        return letters <= limit if language in UNSPACED else len(words) <= 1
    return len(words) <= 1 or (len(words) <= _NAME_WORDS and all(map(_has_capital, words)))


def _letters(word: str) -> str:
    return "".join(character for character in word if character.isalpha())


def _has_capital(word: str) -> bool:
    return not _letters(word)[:1].islower()


def _mostly_equals(source: str, translated: str) -> bool:
    """Return whether most words are the source's, in its order; words with capitals may be names."""
    if len(set(source.split()) & set(translated.split())) * 2 < _MOSTLY_WORDS:
        return False
    one, other = ([word for word in text.split() if _is_common(word)] for text in (source, translated))
    if min(len(one), len(other)) < _MOSTLY_WORDS:
        return False
    same = sum(
        block.size for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    )
    return same >= _MOSTLY * max(len(one), len(other))


def _is_common(word: str) -> bool:
    letters = _letters(word)
    return bool(letters) and (_is_caseless(letters) or letters[0].islower())
