"""Where a text may be broken: sentence ends, clauses, and the pairs of words that stay together. Pure.

Sentence ends: docs/timed-text.md. Pairs: the Netflix Timed Text Style Guides (general, English, Hindi).
"""

# ruff: noqa: RUF001 - full-width and Arabic punctuation is meant here, not mistyped Latin.

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from protocol.languages import UNSPACED
from protocol.timeline import Word

__all__ = ["Token", "border_cost", "count_graphemes", "ends_sentence", "join_tokens", "joiner", "tokenise"]


_SENTENCE_ENDS = frozenset(".?!…।॥۔؟。？！｡։።။។")
_CLAUSE_ENDS = frozenset(",;:—–،؛、，；：､")
_CLOSERS = "\"'”’»)]}」』）】›"
_OPENERS = "\"'“‘«([{「『（【¿¡‹-–—"
_NOT_FIRST = frozenset(".,;:?!…%)]}»”’、。，？！）」』】ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ।॥۔؟،؛")
"""Characters that do not open a line (for Japanese: kinsoku shori, JIS X 4051)."""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _table(source: dict[str, str]) -> dict[str, frozenset[str]]:
    return {language: _words(listed) for language, listed in source.items()}


_ABBREVIATIONS = _words(
    """mr mrs ms messrs mx dr prof sr jr st mt gen col capt lt sgt maj adm rev hon pres gov sen rep vs fig vol
    approx inc ltd co corp dept ft jan feb mar apr jun jul aug sep sept oct nov dec
    hr fr nr bzw ca usw z.b d.h u.a mme mlle sra dra srta श्री डॉ प्रो पं मि"""
)
_NUMBER_ABBREVIATIONS = frozenset({"no", "nos", "nr", "p", "pp", "vol", "fig", "ch", "art"})
"""Ends of sentences unless a number follows: `No. 5`, but `He said no.`"""
_ORDINAL_DOT = frozenset(
    {"de", "da", "no", "nn", "cs", "sk", "pl", "hu", "fi", "et", "lv", "hr", "sl", "bs", "sr"}
)
"""Languages that write ordinals as `3.`"""
_INITIALS = regex.compile(r"(?:\p{L}\p{M}*\.)*\p{L}\p{M}*")
_FULL_STOP_INITIALS = frozenset({"i", "a"})
"""One-letter English words: `so do I.` ends a sentence."""

_KEEP_WITH_NEXT = {
    "en": """a an the my your his her its our their this these those some any no every each
    is are was were be been being am will would can could shall should may might must do does did have has had
    don't doesn't didn't won't wouldn't can't couldn't shouldn't isn't aren't wasn't weren't haven't hasn't
    i'm you're he's she's it's we're they're i've you've we've they've i'll you'll he'll she'll we'll they'll
    i he she we they to of in on at by for with from into about not very too so more most mr mrs ms dr""",
    "de": """der die das den dem des ein eine einen einem einer eines mein dein sein ihr unser euer kein keine
    zu in im an am auf bei mit von vom für aus nach über unter um ist sind war waren wird werden hat haben
    nicht ich du er sie es wir""",
    "fr": """le la les l' un une des du de d' mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs
    ce cet cette ces à au aux en dans sur pour par avec je tu il elle on nous vous ils elles
    ne est sont a ont""",
    "es": """el la los las un una unos unas de del al a en con por para mi tu su mis tus sus nuestro nuestra
    este esta ese esa no se me te le lo es son ha han""",
    "pt": """o a os as um uma uns umas de do da dos das no na nos nas em com por para ao à meu minha seu sua
    este esta esse essa não se me te lhe é são""",
}
_KEEP_WITH_PREVIOUS = {
    "hi": "ने को से में पर का के की तक है हैं था थी थे हो हूँ हूं गा गे गी वाला वाली वाले भी ही तो",
    "ur": "نے کو سے میں پر کا کے کی تک ہے ہیں تھا تھی تھے ہو ہوں بھی ہی تو",
    "mr": "आहे आहेत होता होती होते नाही",
}
_OPENS_PHRASE = {
    "en": """and but or nor because that which who whom whose when while if unless until although though where
    than against after before behind between during through without""",
    "de": "und aber oder weil dass daß wenn während ob der die das denn sondern",
    "fr": "et mais ou parce que qui quand si lorsque où donc",
    "es": "y e pero o porque que quien cuando si aunque donde",
    "pt": "e mas ou porque que quem quando se embora onde",
    "hi": "और लेकिन मगर या क्योंकि कि जो जब अगर तो जबकि",
    "ur": "اور لیکن مگر یا کیونکہ کہ جو جب اگر تو جبکہ",
}

_AFTER = _table(_KEEP_WITH_NEXT)
_BEFORE = _table(_KEEP_WITH_PREVIOUS)
_PHRASE = _table(_OPENS_PHRASE)
_NONE = _words("")

# Costs of a break between two words, from none (a sentence ends) to what is done only in need.
_SENTENCE = 0
_CLAUSE = 4
_OPENING = 10
_PLAIN = 20
_NAME = 40
_TOGETHER = 60
_FORBIDDEN = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """What cannot be broken: a word, or a piece of one that is longer than a line."""

    text: str
    start_ms: int
    end_ms: int
    graphemes: int
    glued: bool
    """Written to the token before it without a space."""
    inside_word: bool = False
    """A later piece of a word."""


def joiner(language: str) -> str:
    """Return what stands between two words: nothing in scripts that do not space words."""
    return "" if language in UNSPACED else " "


def count_graphemes(text: str) -> int:
    r"""Return the number of grapheme clusters (`\X`): what a reader counts as characters."""
    return len(text) if text.isascii() else len(regex.findall(r"\X", text))


def tokenise(words: Sequence[Word], language: str, longest: int) -> list[Token]:
    """Return the words as tokens of at most `longest` graphemes, without controls or spaces inside.

    A word of several words is taken apart at its spaces, a too long one anywhere between graphemes;
    the pieces share its time by their length. A word without a character is none.
    """
    tokens: list[Token] = []
    apart = joiner(language) != ""
    for word in words:
        first = True
        for piece, starts_part in _pieces(word.text, longest):
            glued = not starts_part or (first and not apart and not _are_latin(tokens, piece))
            tokens.append(
                Token(
                    text=piece,
                    start_ms=word.start_ms,
                    end_ms=word.end_ms,
                    graphemes=count_graphemes(piece),
                    glued=glued,
                    inside_word=not starts_part,
                )
            )
            first = False
    return tokens


def _are_latin(tokens: Sequence[Token], piece: str) -> bool:
    """Tell whether two Latin words or numbers meet: they have a space between them in every language."""
    ends = (tokens[-1].text[-1:] if tokens else "", piece[:1])
    return all(each.isascii() and each.isalnum() for each in ends)


def join_tokens(tokens: Sequence[Token]) -> str:
    """Return the text of the tokens on one line."""
    return "".join(
        each.text if each.glued or not place else f" {each.text}" for place, each in enumerate(tokens)
    )


def ends_sentence(text: str, following: str, language: str) -> bool:
    """Tell whether a sentence ends with the word `text`; `following` is the next word, or empty."""
    bare = text.rstrip(_CLOSERS)
    if not bare or bare[-1] not in _SENTENCE_ENDS:
        return False
    if not following:
        return True
    opening = following.lstrip(_OPENERS)[:1]
    if bare.endswith(("…", "...")):
        return not opening.islower()
    return bare[-1] != "." or not _is_abbreviated(bare[:-1].lstrip(_OPENERS).casefold(), opening, language)


def border_cost(left: str, right: str, language: str) -> int:
    """Return what it costs the reader to break between two neighbouring words: 0 (nothing) to 120."""
    if right[:1] in _NOT_FIRST:
        return _FORBIDDEN
    if ends_sentence(left, right, language):
        return _SENTENCE
    last = left.rstrip(_CLOSERS)[-1:]
    if last in _CLAUSE_ENDS:
        return _CLAUSE
    before, after = left.lstrip(_OPENERS).casefold().replace("’", "'"), right.casefold()
    if before in _AFTER.get(language, _NONE) or after.rstrip(".,?!।۔؟") in _BEFORE.get(language, _NONE):
        return _TOGETHER
    if before.rstrip(".") in _ABBREVIATIONS and last == ".":
        return _TOGETHER
    if after in _PHRASE.get(language, _NONE):
        return _OPENING
    return _NAME if _is_name(left, right, language) else _PLAIN


def _is_name(left: str, right: str, language: str) -> bool:
    """Tell whether two capitalised words look like a name and a surname; German capitalises every noun."""
    if language == "de" or left.isupper() or right.isupper():
        return False
    return left[:1].isupper() and right[:1].isupper()


def _is_abbreviated(core: str, opening: str, language: str) -> bool:
    """Tell whether the full stop after `core` belongs to an abbreviation, an initial or a number."""
    if core.isdecimal():
        return opening.isdecimal() or language in _ORDINAL_DOT
    if core in _NUMBER_ABBREVIATIONS:
        return opening.isdecimal()
    if core in _ABBREVIATIONS:
        return True
    return core not in _FULL_STOP_INITIALS and _INITIALS.fullmatch(core) is not None


def _pieces(text: str, longest: int) -> list[tuple[str, bool]]:
    """Return the pieces of a word, and of each whether it starts a part that was set off by a space."""
    clean = "".join(" " if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") else each for each in text)
    pieces: list[tuple[str, bool]] = []
    for part in clean.split():
        if count_graphemes(part) <= longest:
            pieces.append((part, True))
            continue
        graphemes = regex.findall(r"\X", part)
        pieces += [
            ("".join(graphemes[at : at + longest]), at == 0) for at in range(0, len(graphemes), longest)
        ]
    return pieces
