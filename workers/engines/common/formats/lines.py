"""A cue's line in a form that any format can hold, its direction, and its script. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from protocol.languages import read_tag

__all__ = [
    "RIGHT_TO_LEFT",
    "embedded",
    "is_blank",
    "languages_of",
    "plain",
    "runs_right_to_left",
    "script_of",
]

RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
"""Languages written from right to left."""

_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that no line holds: controls, lone surrogates, line ends."""
_NOT_XML = frozenset("\ufffe\uffff")
"""Noncharacters that XML 1.0 (W3C, production 2, `Char`) does not allow."""


_EMBEDDING, _POP = "\u202b", "\u202c"


def is_blank(letter: str) -> bool:
    """Return whether the letter is a space, or `plain` makes it one."""
    return letter.isspace() or letter in _NOT_XML or unicodedata.category(letter) in _UNWRITABLE


def plain(line: str) -> str:
    """Return the line with a space for every tab, line end, control and unwritable character.

    One character replaces one, so places in the line stay the same. No-break and ideographic spaces stay.
    """
    if line.isprintable():
        return line
    return "".join(
        " " if character in _NOT_XML or unicodedata.category(character) in _UNWRITABLE else character
        for character in line
    )


def languages_of(languages: str | Sequence[str], count: int) -> Sequence[str]:
    """Return the language of each of so many cues; one name stands for all of them."""
    return (languages,) * count if isinstance(languages, str) else languages


def runs_right_to_left(line: str, language: str) -> bool:
    """Return whether the line runs from right to left.

    If the language is written so, one such letter is enough (the line may open with a Latin name). In other
    languages, the line needs more such letters than of the other kind (the second line of a bilingual cue).
    Direction of letters: Unicode Standard Annex 9, types R and AL against L.
    """
    kinds = [unicodedata.bidirectional(character) for character in line]
    leftward = kinds.count("R") + kinds.count("AL")
    tag = read_tag(language)
    is_leftward = tag.script == "Arab" if tag.script else language in RIGHT_TO_LEFT
    return leftward > (0 if is_leftward else kinds.count("L"))


def embedded(text: str, line: str, language: str) -> str:
    """Return `text`, a format's form of the line, with marks for the direction of the line.

    The marks are U+202B and U+202C, if it runs from right to left. A line read from such a file has them
    already.
    """
    if not runs_right_to_left(line, language) or (line.startswith(_EMBEDDING) and line.endswith(_POP)):
        return text
    return f"{_EMBEDDING}{text}{_POP}"


def script_of(line: str) -> str:
    """Return the script of most of the line's letters, as Unicode's character names begin.

    `LATIN`, `DEVANAGARI`, ...; empty if there is no letter. Kana together with Chinese characters are
    `HIRAGANA`; Chinese characters alone are `CJK`.
    """
    counts: dict[str, int] = {}
    for character in line:
        if unicodedata.category(character)[0] in "LM":
            script = _script(character)
            counts[script] = counts.get(script, 0) + 1
    counts.pop("COMBINING", None)
    kana = counts.pop("KATAKANA", 0) + counts.pop("HALFWIDTH", 0) + counts.get("HIRAGANA", 0)
    if kana:
        counts["HIRAGANA"] = kana + counts.pop("CJK", 0)
    return max(counts, key=lambda script: counts[script], default="")


def _script(letter: str) -> str:
    """Return the first word of the letter's name: `CJK`, `TAMIL`; `KATAKANA` for `KATAKANA-HIRAGANA`."""
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
