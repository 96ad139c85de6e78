"""Mends a translation where a rule is sure, and writes a text in a plainer way for a second try. Pure."""

from __future__ import annotations

from workers.text.checks.addresses import mend_addresses
from workers.text.checks.notation import mend_notation, without_notation
from workers.text.checks.numbers import mend_numbers
from workers.text.writing import is_punctuation

__all__ = ["mended", "plainer"]

_SHOUTED_WORDS = 2
"""So many words in capitals are shouted; one is an abbreviation."""


def mended(source: str, translated: str, source_language: str, target_language: str) -> str:
    """Return the translation with the source's addresses, notes and opening dash, and with right numbers.

    A translation without words stays as it is.
    """
    if is_punctuation(translated):
        return translated
    text = mend_numbers(source, translated, source_language, target_language)
    return mend_notation(source, mend_addresses(source, text))


def plainer(text: str) -> str:
    """Return the text as models know texts best: without notes and dash, and not in capitals."""
    plain = without_notation(text) or text
    letters = [word for word in plain.split() if any(map(str.isalpha, word))]
    if plain == plain.upper() != plain.lower() and len(letters) >= _SHOUTED_WORDS:
        plain = plain[:1] + plain[1:].lower()
    return plain
