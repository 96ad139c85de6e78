"""A cue's line as any format can carry it, the way it runs, and the script it is in. Pure."""

from __future__ import annotations

import unicodedata

__all__ = ["RIGHT_TO_LEFT", "embedded", "is_blank", "plain", "runs_right_to_left", "script_of"]

RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
"""Languages written from right to left."""

_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that no line holds: controls, lone surrogates, line ends."""
_NOT_XML = frozenset("\ufffe\uffff")
"""Noncharacters that XML 1.0 (W3C, production 2, `Char`) has no place for."""


_EMBEDDING, _POP = "\u202b", "\u202c"


def is_blank(letter: str) -> bool:
    """Tell whether `plain` makes it a space, or it is one."""
    return letter.isspace() or letter in _NOT_XML or unicodedata.category(letter) in _UNWRITABLE


def plain(line: str) -> str:
    """Return the line with a space for every tab, line end, control and unwritable character.

    One character for one: places in the line stay what they were. No-break and ideographic spaces stay.
    """
    if line.isprintable():
        return line
    return "".join(
        " " if character in _NOT_XML or unicodedata.category(character) in _UNWRITABLE else character
        for character in line
    )


def runs_right_to_left(line: str, language: str) -> bool:
    """Tell whether the line is to be laid out from right to left.

    In a language so written, where it has one such letter (it may open with a Latin name); in others,
    where it has more such letters than of the other kind (the second line of a bilingual cue).
    Direction of letters: Unicode Standard Annex 9, types R and AL against L.
    """
    kinds = [unicodedata.bidirectional(character) for character in line]
    leftward = kinds.count("R") + kinds.count("AL")
    return leftward > (0 if language in RIGHT_TO_LEFT else kinds.count("L"))


def embedded(text: str, line: str, language: str) -> str:
    """Return `text`, what a format makes of the line, marked to be laid out as the line runs.

    From U+202B to U+202C, if from right to left; a line that was read from such a file is marked already.
    """
    if not runs_right_to_left(line, language) or (line.startswith(_EMBEDDING) and line.endswith(_POP)):
        return text
    return f"{_EMBEDDING}{text}{_POP}"


def script_of(line: str) -> str:
    """Return the script that most of the line's letters are in, as Unicode's character names begin.

    `LATIN`, `DEVANAGARI`, ...; empty where there is no letter. Kana and Chinese characters together are
    `HIRAGANA`: characters alone are `CJK`.
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
    """Return the first word of the letter's name: `CJK`, `TAMIL`, `HIRAGANA`, `KATAKANA-HIRAGANA` as kana."""
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
