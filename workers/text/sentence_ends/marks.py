"""The characters that end a sentence, and those that may stand beside them. Plain tables."""

# ruff: noqa: RUF001 - full-width and Arabic punctuation is meant here, not mistyped Latin.

from __future__ import annotations

__all__ = ["CLOSERS", "ELLIPSES", "OPENERS", "QUOTES", "SENTENCE_ENDS", "sentence_ends_of"]

SENTENCE_ENDS = frozenset(".?!…‽⁇⁈⁉‼।॥。．？！｡؟۔܀܁܂߹།༎။።፧፨។៕։᠃᠉᱾᱿꯫꘎꘏︒")
"""Full stops, questions and exclamations of all scripts."""
_MORE_ENDS = {"el": frozenset(";\u037e")}
"""Greek asks with what others write between clauses."""
QUOTES = frozenset("\"'“”‘’»›」』")
"""A quote that closes here: who has said it may follow, `"Go!" she said`."""
CLOSERS = "\"'”’“‘»›)]}」』）】］｝〉》〕＞"
"""What may stand behind the mark and still belong to the sentence."""
OPENERS = "\"'“‘„‚«‹([{「『（【［｛〈《〔¿¡-–—"
"""What may stand before the first letter of a sentence."""
ELLIPSES = ("…", "...", "⋯")


def sentence_ends_of(language: str) -> frozenset[str]:
    """Return the characters that end a sentence in a language."""
    return SENTENCE_ENDS | _MORE_ENDS.get(language, frozenset())
