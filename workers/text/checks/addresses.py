"""Addresses in a translation: e-mail, web, handles and hash tags must stand as the source has them. Pure."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

__all__ = ["addresses_in", "has_other_addresses", "mend_addresses"]

_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'”»)\]]+"
    r"|[\w.+-]*\w@(?:[\w-]+(?:\.[\w-]+)*)?"
    r"|(?<![\w.])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|int|info|io|tv|co\.[a-z]{2})(?:/[^\s<>\"']*)?\b"
    r"|(?<!\w)[@#](?=\w*[^\W\d])\w+",
    re.IGNORECASE,
)
"""`john.smith@` too: what follows may stand in the next cue. `#1` is a number."""
_TAIL = ".,;:!?…।。"
_ALIKE = 0.7
"""A word this like a lost address is that address, changed."""


def addresses_in(text: str) -> list[str]:
    """Return the addresses of a text, in order, without the punctuation behind them."""
    return [found.group().rstrip(_TAIL) for found in _ADDRESS.finditer(text)]


def has_other_addresses(source: str, translated: str) -> bool:
    """Return whether an address of the source is not in the translation; the case of letters is no matter."""
    written = translated.casefold()
    return any(address.casefold() not in written for address in addresses_in(source))


def mend_addresses(source: str, translated: str) -> str:
    """Return the translation with the source's addresses, where it is sure which word each was changed to."""
    for address in addresses_in(source):
        if address.casefold() in translated.casefold():
            continue
        words = [word for word in dict.fromkeys(translated.split()) if _likeness(word, address) >= _ALIKE]
        if len(words) == 1 and translated.split().count(words[0]) == 1:
            translated = translated.replace(words[0], address + _tail_of(words[0]))
    return translated


def _likeness(word: str, address: str) -> float:
    return SequenceMatcher(None, word.rstrip(_TAIL).casefold(), address.casefold(), autojunk=False).ratio()


def _tail_of(word: str) -> str:
    return word[len(word.rstrip(_TAIL)) :]
