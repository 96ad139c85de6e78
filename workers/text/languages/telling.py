"""In which language a text is, by its script and by a model that judges its letters. Pure.

A script that one language alone is written in decides by itself. Else the model does: it is asked for the
words in the text's own script alone, without markup, digits and signs. It may be unsure, and of a short text
it is: then nothing is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from protocol.errors import UsageError
from protocol.languages import find_language
from workers.text.scripts import SCRIPTS, scripts_of

__all__ = ["Judge", "ToldLanguage", "bare_words", "is_in_latin", "is_in_letters_of", "is_other", "tell"]

Judge = Callable[[str], Sequence[tuple[str, float]]]
"""Takes a text in one line; returns the most probable languages as the model writes them, each with its
probability, the most probable first."""


@dataclass(frozen=True, kw_only=True)
class ToldLanguage:
    """The language of a text (ISO 639-1), and how sure that is: 0 to 1, the part of other scripts off."""

    language: str
    probability: float


LEAST_LETTERS = 20
"""Of a shorter text the model knows too little: of four words it takes Portuguese for Spanish ..."""
_LEAST_SYLLABLES = 8
"""... where a letter is not a syllable or a word, as in Chinese and Japanese."""
_LEAST_OF_A_SCRIPT = 4
_LEAST_PROBABILITY = 0.5
_SURE_IN_LATIN = 0.8
"""Hindi in Latin letters is no language that the model knows: it says English or Italian, with 0.6 at most
(tests/labelled/languages/)."""
_KANA_PART = 0.05
"""Japanese has so many kana among its Chinese letters, or more."""

_MARKUP = re.compile(r"<[^<>]*>|\{[^{}]*\}|https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")
_JOINERS = frozenset("'\u2019\u200c\u200d")
_WITHOUT_SPACES = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "BOPOMOFO"})
_NAMED = {"arz": "ar", "jv": "jw", "wuu": "zh", "sh": "sr", "dty": "ne"}
"""What the model calls otherwise, or parts further."""
_UNKNOWN = frozenset(
    {"brx", "doi", "fo", "gom", "ha", "haw", "ks", "ln", "mai", "mi", "mni", "sa", "sat", "sn", "yue"}
)
"""Languages that the model does not know, or takes for a neighbour: they are held to their scripts alone."""
_KIN = ("no nn da", "hr bs sr", "id ms", "zh yue", "pt gl", "hi ne mai")
"""Languages that the model takes for one another even where the text is long."""

_EVERY_SCRIPT = tuple(sorted({script for scripts in SCRIPTS.values() for script in scripts}, key=len))[::-1]
_SOLE = {
    script: languages[0]
    for script in _EVERY_SCRIPT
    if len(languages := [code for code, scripts in SCRIPTS.items() if script in scripts]) == 1
}
"""The scripts in which one language alone is written."""


class _KeptLetters(dict[int, int]):
    """For `str.translate`: letters, their signs and what joins them as they are, all else a space."""

    def __missing__(self, code: int) -> int:
        letter = chr(code)
        kept = unicodedata.category(letter)[0] in "LM" or letter in _JOINERS
        self[code] = code if kept else ord(" ")
        return self[code]


_LETTERS = _KeptLetters()


def bare_words(text: str) -> str:
    """Return the words of a text in one line: without markup, addresses, digits and signs."""
    kept = _MARKUP.sub(" ", unicodedata.normalize("NFC", text)).translate(_LETTERS)
    words = " ".join(word for word in kept.split() if word[0].isalpha() or any(map(str.isalpha, word)))
    # In capitals alone, English is anything.
    return words.lower() if words == words.upper() else words


def tell(text: str, judge: Judge) -> ToldLanguage | None:
    """Return the language of the text, of any number of lines; None where that is not sure."""
    words = bare_words(text)
    letters = _scripts_in(words)
    if not letters:
        return None
    script, own = _main_script(letters)
    part = own / sum(letters.values())
    if sole := _SOLE.get(script):
        return ToldLanguage(language=sole, probability=part) if own >= _LEAST_OF_A_SCRIPT else None
    least = _LEAST_SYLLABLES if script in _WITHOUT_SPACES else LEAST_LETTERS
    if own < least or part < _LEAST_PROBABILITY:
        return None
    if script not in _WITHOUT_SPACES and len(letters) > 1:
        # A name in another script says nothing about the rest.
        words = " ".join(word for word in words.split() if any(_script_of(mark) == script for mark in word))
    return _by_model(judge(words), script, part)


def is_other(told: ToldLanguage, language: str) -> bool:
    """Return whether a text is in another language than `language` (ISO 639-1, `hi-Latn` with a script).

    Languages that are hard to tell apart are the same. Of one that the model does not know, another script is
    another language. A language in Latin letters that has letters of its own is not judged, unless it is
    surely another one that is written in them: Hindi as people type it looks like many.
    """
    code, _, script = language.partition("-")
    if told.language == code or any({told.language, code} <= set(kin.split()) for kin in _KIN):
        return False
    usual, found = scripts_of(code), scripts_of(told.language)
    meant = scripts_of(code, script)
    if "LATIN" in found and usual and "LATIN" not in usual and code not in _UNKNOWN:
        return told.probability >= _SURE_IN_LATIN
    if code in _UNKNOWN or script:
        return bool(meant) and not set(meant) & set(found)
    return True


def is_in_latin(text: str, language: str) -> bool:
    """Return whether a text in Latin letters is of a language with letters of its own: nobody judges it."""
    meant = scripts_of(language.partition("-")[0])
    letters = _scripts_in(bare_words(text))
    return bool(meant) and "LATIN" not in meant and bool(letters) and _main_script(letters)[0] == "LATIN"


def is_in_letters_of(text: str, language: str, other: str) -> bool:
    """Return whether most letters are of a script that `language` is written in, and `other` is not."""
    code, _, script = other.partition("-")
    letters = _scripts_in(bare_words(text))
    meant = scripts_of(code, script)
    if not letters or not meant:
        return False
    own = _main_script(letters)[0]
    return own not in meant and own in scripts_of(language)


def _by_model(found: Sequence[tuple[str, float]], script: str, part: float) -> ToldLanguage | None:
    """Return the first language that is written in the script; None where it is not this program's."""
    for label, probability in found:
        code = _code_of(label)
        if code and script not in (scripts_of(code) or (script,)):
            continue
        if not code or probability * part < _LEAST_PROBABILITY:
            return None
        return ToldLanguage(language=code, probability=min(1.0, probability) * part)
    return None


@lru_cache(maxsize=512)
def _code_of(label: str) -> str:
    try:
        return find_language(_NAMED.get(label, label)).code
    except UsageError:
        return ""


def _scripts_in(words: str) -> Counter[str]:
    """Return how many letters and signs of each script the words have."""
    found: Counter[str] = Counter()
    for letter, number in Counter(words).items():
        if script := _script_of(letter):
            found[script] += number
    return found


def _main_script(letters: Counter[str]) -> tuple[str, int]:
    """Return the script of most letters, and how many it has; kana tell that Chinese letters are Japanese."""
    east = sum(letters[script] for script in _WITHOUT_SPACES)
    script, own = letters.most_common(1)[0]
    if east < own:
        return script, own
    kana = east - letters["CJK"] - letters["BOPOMOFO"]
    return ("HIRAGANA" if kana > _KANA_PART * east else "CJK"), east


@lru_cache(maxsize=8192)
def _script_of(letter: str) -> str:
    """Return the script of a letter or sign; empty for a space, an accent and what is of none of them."""
    name = unicodedata.name(letter, "")
    return next((script for script in _EVERY_SCRIPT if name.startswith(script)), "")
