"""Which script a language is written in, and whether a text is. Pure."""

from __future__ import annotations

import unicodedata

__all__ = ["SCRIPTS", "in_script"]

SCRIPTS = {
    **dict.fromkeys(("hi", "mr", "ne", "sa"), "DEVANAGARI"),
    **dict.fromkeys(("bn", "as"), "BENGALI"),
    **dict.fromkeys(("ur", "sd", "ar", "fa", "ps"), "ARABIC"),
    **dict.fromkeys(("ru", "uk", "bg", "be"), "CYRILLIC"),
    "pa": "GURMUKHI",
    "gu": "GUJARATI",
    "ta": "TAMIL",
    "te": "TELUGU",
    "kn": "KANNADA",
    "ml": "MALAYALAM",
    "si": "SINHALA",
    "el": "GREEK",
    "he": "HEBREW",
    "en": "LATIN",
}
"""Languages whose text in another script is a mistake: first words of Unicode's character names."""


def in_script(text: str, language: str) -> bool:
    """Tell whether at least half the letters are of the language's own script; True where none is known."""
    script = SCRIPTS.get(language)
    letters = [unicodedata.name(each, "") for each in text if each.isalpha()]
    return script is None or sum(each.startswith(script) for each in letters) * 2 >= len(letters)
