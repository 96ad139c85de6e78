"""The tags by which MADLAD-400 is told the language to write: `<2de>`. Pure.

Source: the tags in the vocabulary of MADLAD-400's translation models (Kudugunta et al. 2023). A tag is a code
of ISO 639 and, for a script that is not the usual one, its code of ISO 15924: `<2zh_Hant>`.
"""

from __future__ import annotations

from workers.text.flores import find_tag, read_table

__all__ = ["MADLAD", "madlad_tag"]

# Left out: Cantonese, which has no tag; Santali, which it writes in Latin letters only; Manipuri, of which
# nothing says in which of its two scripts it is written. Tags such as `hi_Latn` are not used yet.
_SCRIPTS = read_table("""
af Latn|am Ethi|ar Arab|as Beng|az Latn|ba Cyrl|be Cyrl|bg Cyrl|bn Beng|bo Tibt|br Latn|brx Deva|bs Latn
ca Latn|cs Latn|cy Latn|da Latn|de Latn|doi Deva|el Grek|en Latn|es Latn|et Latn|eu Latn|fa Arab|fi Latn
fo Latn|fr Latn|gl Latn|gom Deva|gu Gujr|ha Latn|haw Latn|he Hebr|hi Deva|hr Latn|ht Latn|hu Latn|hy Armn
id Latn|is Latn|it Latn|ja Jpan|jw Latn|ka Geor|kk Cyrl|km Khmr|kn Knda|ko Hang|ks Arab Deva|la Latn
lb Latn|ln Latn|lo Laoo|lt Latn|lv Latn|mai Deva|mg Latn|mi Latn|mk Cyrl|ml Mlym|mn Cyrl|mr Deva|ms Latn
mt Latn|my Mymr|ne Deva|nl Latn|nn Latn|no Latn|oc Latn|or Orya|pa Guru|pl Latn|ps Arab|pt Latn|ro Latn
ru Cyrl|sa Deva|sd Arab|si Sinh|sk Latn|sl Latn|sn Latn|so Latn|sq Latn|sr Cyrl|su Latn|sv Latn|sw Latn
ta Taml|te Telu|tg Cyrl|th Thai|tk Latn|tl Latn|tr Latn|tt Cyrl|uk Cyrl|ur Arab|uz Latn|vi Latn|yi Hebr
yo Latn|zh Hans Hant
""")
_CODES = {"jw": "jv", "tl": "fil"}
"""Javanese and Filipino, which it names otherwise."""

MADLAD: dict[str, tuple[str, ...]] = {
    code: tuple(f"{_CODES.get(code, code)}_{script}" for script in scripts)
    for code, scripts in _SCRIPTS.items()
}
"""Languages of this program that MADLAD-400 has, each with its scripts, the usual one first."""


def madlad_tag(language: str, script: str = "") -> str:
    """Return the tag, as `<2zh_Hant>`; see `find_tag` for what is refused."""
    found = find_tag(MADLAD, "MADLAD-400", language, script)
    return f"<2{found.partition('_')[0] if found == MADLAD[language][0] else found}>"
