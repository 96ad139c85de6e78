"""Spells Hindi words in Latin letters by aksharamukha, by indic-transliteration and by uroman.

Run by an interpreter that has `romanisers.txt`: `python tests/bench/peers/romanisers.py`. It reads words from
stdin, a JSON list, and writes a JSON object: by library the spelling of each word, in small
letters without accents.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable


def _plain(spelt: str) -> str:
    letters = unicodedata.normalize("NFD", spelt).replace("~", "")
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn").lower()


def _aksharamukha() -> Callable[[str], str]:
    """Its colloquial Latin, with its rule for Hindi's silent vowels: the best of what it has."""
    from aksharamukha import transliterate

    return lambda word: transliterate.process(
        "Devanagari", "RomanColloquial", word, pre_options=["RemoveSchwaHindi"]
    )


def _indic_transliteration() -> Callable[[str], str]:
    """ITRANS: of its schemes the one that is nearest to what people write."""
    from indic_transliteration import sanscript

    return lambda word: sanscript.transliterate(word, "devanagari", "itrans")


def _uroman() -> Callable[[str], str]:
    import uroman

    romaniser = uroman.Uroman()
    return lambda word: romaniser.romanize_string(word, lcode="hin")


def main() -> None:
    """Read, spell, write."""
    words = json.load(sys.stdin)
    ways = {
        "aksharamukha": _aksharamukha(),
        "indic-transliteration": _indic_transliteration(),
        "uroman": _uroman(),
    }
    json.dump({name: [_plain(way(word)) for word in words] for name, way in ways.items()}, sys.stdout)


if __name__ == "__main__":
    main()
