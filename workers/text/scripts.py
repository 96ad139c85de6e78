"""The scripts in which a language is written, and whether a text is in them. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

__all__ = ["SCRIPTS", "in_script", "is_foreign", "scripts_of"]

_ARABIC = ("ARABIC",)
_CYRILLIC = ("CYRILLIC",)
_DEVANAGARI = ("DEVANAGARI",)
_HEBREW = ("HEBREW",)
_LATIN = ("LATIN",)
_CHINESE = ("CJK", "BOPOMOFO")
_JAPANESE = ("HIRAGANA", "KATAKANA", "CJK", "HALFWIDTH KATAKANA")

_IN_LATIN = """
    en af ca cs cy da de es et eu fi fr ga gl hr hu id is it lt lv mt nb nl nn no pl pt ro sk sl sq sv sw tl
    tr vi
"""


def _each(languages: str, scripts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(languages.split(), scripts)


SCRIPTS: dict[str, tuple[str, ...]] = {
    **_each(_IN_LATIN, _LATIN),
    **_each("ru uk bg be mk ky tg", _CYRILLIC),
    **_each("hi mr ne sa mai bho mag awa hne gom kok brx doi", _DEVANAGARI),
    **_each("ur ar fa ps ckb ug", _ARABIC),
    **_each("bn as", ("BENGALI",)),
    **_each("he yi", _HEBREW),
    **_each("zh yue", _CHINESE),
    **_each("am ti", ("ETHIOPIC",)),
    **_each("bo dz", ("TIBETAN",)),
    **_each("my shn", ("MYANMAR",)),
    "gu": ("GUJARATI",),
    "pa": ("GURMUKHI",),
    "or": ("ORIYA",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "kn": ("KANNADA",),
    "ml": ("MALAYALAM",),
    "si": ("SINHALA",),
    "sat": ("OL CHIKI", *_DEVANAGARI),
    "mni": ("MEETEI MAYEK", "BENGALI"),
    "ks": (*_ARABIC, *_DEVANAGARI),
    "sd": (*_ARABIC, *_DEVANAGARI),
    "el": ("GREEK",),
    "hy": ("ARMENIAN",),
    "ka": ("GEORGIAN",),
    "th": ("THAI",),
    "lo": ("LAO",),
    "km": ("KHMER",),
    "ko": ("HANGUL", "CJK"),
    "ja": _JAPANESE,
    "sr": (*_CYRILLIC, *_LATIN),
    "bs": (*_LATIN, *_CYRILLIC),
    "az": (*_LATIN, *_CYRILLIC, *_ARABIC),
    "kk": (*_CYRILLIC, *_LATIN, *_ARABIC),
    "mn": (*_CYRILLIC, "MONGOLIAN"),
    "tt": (*_CYRILLIC, *_LATIN),
    "uz": (*_LATIN, *_CYRILLIC),
    "ku": (*_LATIN, *_ARABIC),
    "ms": (*_LATIN, *_ARABIC),
}
"""The scripts of a language, as the first words of Unicode's character names.

Text in another script is a mistake. A language that is written in several scripts has all of them. A language
that is not in the table has no wrong script.
"""

_BY_ISO_15924: dict[str, tuple[str, ...]] = {
    "Arab": _ARABIC,
    "Armn": ("ARMENIAN",),
    "Beng": ("BENGALI",),
    "Cyrl": _CYRILLIC,
    "Deva": _DEVANAGARI,
    "Ethi": ("ETHIOPIC",),
    "Geor": ("GEORGIAN",),
    "Grek": ("GREEK",),
    "Gujr": ("GUJARATI",),
    "Guru": ("GURMUKHI",),
    "Hang": ("HANGUL",),
    "Hans": _CHINESE,
    "Hant": _CHINESE,
    "Hebr": _HEBREW,
    "Jpan": _JAPANESE,
    "Khmr": ("KHMER",),
    "Knda": ("KANNADA",),
    "Kore": ("HANGUL", "CJK"),
    "Laoo": ("LAO",),
    "Latn": _LATIN,
    "Mlym": ("MALAYALAM",),
    "Mong": ("MONGOLIAN",),
    "Mtei": ("MEETEI MAYEK",),
    "Mymr": ("MYANMAR",),
    "Olck": ("OL CHIKI",),
    "Orya": ("ORIYA",),
    "Sinh": ("SINHALA",),
    "Taml": ("TAMIL",),
    "Telu": ("TELUGU",),
    "Tfng": ("TIFINAGH",),
    "Thaa": ("THAANA",),
    "Thai": ("THAI",),
    "Tibt": ("TIBETAN",),
}
"""The ISO 15924 codes of the scripts that FLORES-200 and the table above use."""


def scripts_of(language: str, script: str = "") -> tuple[str, ...]:
    """Return the scripts that a text may be in, as `SCRIPTS` names them; () where none is known.

    If `script` (ISO 15924) is given, it is the only one.
    """
    return _BY_ISO_15924.get(script, ()) or SCRIPTS.get(language, ())


def is_foreign(text: str, language: str, script: str = "") -> bool:
    """Return whether the text has a letter of a script that the language is not written in."""
    scripts = scripts_of(language, script)
    return bool(scripts) and any(character.isalpha() and not _is_of(character, scripts) for character in text)


def in_script(text: str, language: str, script: str = "") -> bool:
    """Return whether at least half of the text is in the scripts of the language; True where none is known.

    Letters count, and the signs that belong to them: in Telugu every second character is a sign. `script`
    (ISO 15924, such as `Deva`) asks for one script of a language with several.
    """
    scripts = scripts_of(language, script)
    letters = [character for character in text if character.isalpha() or _is_sign(character)]
    return not scripts or sum(_is_of(letter, scripts) for letter in letters) * 2 >= len(letters)


@lru_cache(maxsize=4096)
def _is_sign(letter: str) -> bool:
    """Return whether it is a vowel sign or the like of one script. Accents belong to several scripts."""
    return unicodedata.category(letter)[0] == "M" and not unicodedata.name(letter, "COMBINING").startswith(
        ("COMBINING", "VARIATION")
    )


@lru_cache(maxsize=8192)
def _is_of(letter: str, scripts: tuple[str, ...]) -> bool:
    # A letter that this Python's Unicode does not name counts as right.
    return unicodedata.name(letter, scripts[0]).startswith(scripts)
