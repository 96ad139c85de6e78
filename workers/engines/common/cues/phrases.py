"""Where a text may be broken: sentence ends, clauses, and the pairs of words that stay together. Pure.

Sentence ends: `workers.text.sentence_ends`. Words in scripts without spaces: `word_breaks`. Pairs: the
Netflix Timed Text Style Guides (general, English, Hindi).
"""

# ruff: noqa: RUF001 - full-width and Arabic punctuation is meant here, not mistyped Latin.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import regex

from protocol.languages import UNSPACED
from protocol.timeline import Word
from workers.engines.common.cues.marks import DASHES, NOTES, Side, is_lone, lone_side
from workers.engines.common.cues.phrase_words import (
    AUXILIARIES,
    DETERMINERS,
    LINKS,
    NUMERALS,
    OPENERS,
    PARTICLES,
    POSTPOSITIONS,
    PREPOSITIONS,
    RELATIVES,
)
from workers.engines.common.cues.word_breaks import find_borders, find_possible_borders
from workers.text.sentence_ends.marks import SENTENCE_ENDS
from workers.text.sentence_ends.rule import ends_sentence

__all__ = [
    "Token",
    "border_cost",
    "count_graphemes",
    "join_tokens",
    "joiner",
    "line_break_cost",
    "opens_relative",
    "tokenise",
]


_CLAUSE_ENDS = frozenset(",;:—–،؛、，；：､")
_CLOSERS = " \"'”’»)]}」』）】›" + NOTES
_OPENERS = " \"'“‘«([{「『（【¿¡‹" + DASHES + NOTES
_ENDS = ".,;:?!…।॥۔؟،؛" + _CLOSERS
_QUOTES = frozenset("»”’")
_NOT_LAST = frozenset("([{「『（【〈《¿¡")
_NOT_FIRST = frozenset(".,;:?!…%)]}»”’、。，？！）」』】ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ।॥۔؟،؛")
"""Characters that do not open a line (for Japanese: kinsoku shori, JIS X 4051)."""

_GRAPHEME = regex.compile(r"\X")
_CONTROLS = regex.compile(r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]")
_INVISIBLE = regex.compile(r"\p{Cf}+")
"""Marks of direction, joiners, byte order marks: a part with nothing else is left out."""
_DIGITS = regex.compile(r"\p{Sc}? ?\p{Nd}[\p{Nd}.,:/]*")
_ADJECTIVE = regex.compile(
    r"\p{Ll}{2,}-?\p{Ll}*(?:ful|ous|ive|able|ible|less|ical|ional|ental|ic|ish|est|ern)"
)
"""English words that most likely have a noun after them."""
_WIDE_PARTICLES = {
    "ja": frozenset("はがをにでともへやのねよかなさずば"),
    "zh": frozenset("的了着过过吗呢吧啊们地得"),
    "yue": frozenset("嘅咗緊過嗎呢吧啊哋"),
}
"""Letters that belong to what stands before them."""
_BOUND_LETTERS = frozenset({"です", "でし", "ます", "まし", "ませ"})
"""Pairs in the endings of Japanese verbs; alone, `で` and `ま` would end a word."""
_LETTERS = {
    "kana": regex.compile(r"\p{Hiragana}"),
    "katakana": regex.compile(r"[\p{Katakana}ー]"),
    "kanji": regex.compile(r"[\p{Han}々]"),
    "latin": regex.compile(r"[\p{Latin}\p{N}]"),
}
_NONE: frozenset[str] = frozenset()

# Costs of a break between two words: from 0 (a sentence ends) to breaks that are a last resort.
_SENTENCE = 0
_CLAUSE = 4
_OPENING = 10
_PREPOSITION = 14
_PLAIN = 20
_NOUN = 32
_NAME = 40
_DANGLING = 50
_TOGETHER = 60
_FORBIDDEN = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A unit that cannot be broken: a word, or a piece of a word that is longer than a line."""

    text: str
    start_ms: int
    end_ms: int
    graphemes: int
    glued: bool
    """No space stands between it and the token before."""
    inside_word: bool = False
    """Whether it is a later piece of a word."""
    ends_sentence: bool = False
    opens_turn: bool = False
    """Whether another speaker begins with it, by a dash or by his voice: he then has a line of his own."""
    speaker: str = ""
    """The id of who says it; empty: not known."""
    label: str = ""
    """The speaker's name as it is written before it; `graphemes` count it."""

    @property
    def written(self) -> str:
        """Return what a line shows of it."""
        return self.label + self.text


def joiner(language: str) -> str:
    """Return what stands between two words: nothing in scripts without spaces between words."""
    return "" if language in UNSPACED else " "


def count_graphemes(text: str) -> int:
    r"""Return the number of grapheme clusters (`\X`): what a reader counts as characters."""
    return len(text) if text.isascii() else len(_GRAPHEME.findall(text))


def tokenise(
    words: Sequence[Word], language: str, longest: int, measure: Callable[[str], int] = count_graphemes
) -> list[Token]:
    """Return the words as tokens of at most `longest` graphemes, without controls or spaces inside.

    A word with spaces is split at them, and a word that is too long is split anywhere between graphemes. The
    pieces keep the word's times; `clock.in_order` shares them out. A word without a visible character gives
    no token. In a script without spaces a recogniser's words are letters or parts of words: those of one word
    are one token, if a line holds it: if `measure` says at most `longest` of it.
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
                    speaker=word.speaker,
                )
            )
            first = False
    return tokens if apart else _whole_words(tokens, language, longest, measure)


def _whole_words(
    tokens: Sequence[Token], language: str, longest: int, measure: Callable[[str], int]
) -> list[Token]:
    """Return the tokens of a text without spaces, those of a word as one that measures at most `longest`."""
    borders = find_borders(join_tokens(tokens), language)
    whole: list[Token] = []
    reached = 0
    for token in tokens:
        apart = not whole or not token.glued
        reached += bool(whole) and not token.glued
        if (
            apart
            or token.inside_word
            or _may_part(whole[-1].text, token.text, language, border=reached in borders)
        ):
            whole.append(token)
        elif measure(text := whole[-1].text + token.text) <= longest:
            length = count_graphemes(text)
            speaker = whole[-1].speaker or token.speaker
            whole[-1] = replace(whole[-1], text=text, end_ms=token.end_ms, graphemes=length, speaker=speaker)
        else:
            whole.append(replace(token, inside_word=True))
        reached += len(token.text)
    return whole


def _may_part(left: str, right: str, language: str, *, border: bool) -> bool:
    """Return whether two parts of a text may be parted: at a border of words, or behind a mark."""
    marked = left[-1] in _CLAUSE_ENDS or left[-1] in SENTENCE_ENDS
    return (border or (marked and not right[:1].isdecimal())) and not _is_bound(left, right, language)


def _are_latin(tokens: Sequence[Token], piece: str) -> bool:
    """Return whether two Latin words or numbers meet: every language puts a space between them."""
    ends = (tokens[-1].text[-1:] if tokens else "", piece[:1])
    return all(end.isascii() and end.isalnum() for end in ends)


def join_tokens(tokens: Sequence[Token]) -> str:
    """Return the text of the tokens on one line."""
    return "".join(
        token.written if token.glued or not place else f" {token.written}"
        for place, token in enumerate(tokens)
    )


def border_cost(left: str, right: str, language: str, *, ends: bool | None = None) -> int:
    """Return the cost to the reader of a break between two neighbouring words: 0 (nothing) to 120.

    `ends` says whether a sentence ends between them; None: it is found out from the two words alone.
    """
    if _is_bound(left, right, language):
        return _FORBIDDEN
    if ends_sentence(left, right, language) if ends is None else ends:
        return _SENTENCE
    if (sung := _song_border(left, right)) is not None:
        return sung
    before, after = _bare(left.lstrip(_OPENERS)), _bare(right.lstrip(_OPENERS))
    if left.rstrip(_CLOSERS)[-1:] in _CLAUSE_ENDS:
        return _PLAIN if before in OPENERS.get(language, _NONE) else _CLAUSE
    if joiner(language) == "":
        return _wide_border(left, right, language)
    return _word_border(before, after, language) or _noun_border(left, right, language)


def opens_relative(left: str, right: str, language: str) -> bool:
    """Return whether a relative clause begins with the word `right`, and no mark behind `left` says so."""
    return left[-1:].isalnum() and _bare(right.lstrip(_OPENERS)) in RELATIVES.get(language, _NONE)


def line_break_cost(upper: str, lower: str, language: str) -> int:
    """Return the cost to the reader of the break between two lines as they are written: 0 to 120."""
    if joiner(language):
        before, after = upper.split(), lower.split()
        if before and after and _opens_turn(before):
            return _FORBIDDEN
        return border_cost(before[-1], after[0], language) if before and after else 0
    if not upper or not lower:
        return 0
    text, at = upper + lower, len(upper)
    borders = find_possible_borders(text, language)
    if at not in borders and not _may_part(upper, lower, language, border=False):
        return _TOGETHER
    left = max((end for end in borders if end < at), default=0)
    right = min((end for end in borders if end > at), default=len(text))
    return border_cost(text[left:at], text[at:right], language)


def _opens_turn(words: Sequence[str]) -> bool:
    """Return whether the last of the words is a dash that opens what the next line says."""
    if words[-1] not in DASHES:
        return False
    return len(words) == 1 or words[-2].rstrip(_CLOSERS)[-1:] in SENTENCE_ENDS


def _word_border(before: str, after: str, language: str) -> int:
    """Return the cost that small words give the border; 0 if they give none."""
    prepositions, openers = PREPOSITIONS.get(language, _NONE), OPENERS.get(language, _NONE)
    if before in prepositions or before in DETERMINERS.get(language, _NONE):
        return _TOGETHER
    if after in POSTPOSITIONS.get(language, _NONE):
        return _TOGETHER
    if before in openers:
        return _DANGLING
    if after in RELATIVES.get(language, _NONE):
        return _CLAUSE
    if after in openers:
        return _OPENING
    if after in prepositions:
        return _PREPOSITION
    if before in POSTPOSITIONS.get(language, _NONE):
        return _NOUN if before in LINKS.get(language, _NONE) else _PREPOSITION
    return _TOGETHER if before in AUXILIARIES.get(language, _NONE) else 0


def _bare(word: str) -> str:
    """Return a word in the form that the tables have."""
    return word.rstrip(_ENDS).casefold().replace("’", "'")


def _is_bound(left: str, right: str, language: str) -> bool:
    """Return whether a mark at the border joins both words: it must not stand at that edge of a line."""
    if left[-1:] in _NOT_LAST or (is_lone(left) and lone_side(left, language) is Side.AFTER):
        return True
    if right and all(character in DASHES for character in right):
        # A dash belongs to what it breaks off, unless it opens what another speaker says.
        return left.rstrip(_CLOSERS)[-1:] not in SENTENCE_ENDS
    if right[:1] not in _NOT_FIRST:
        return False
    if right[0] in _QUOTES and joiner(language):
        # It opens a word that follows it at once: `»so«`, `”så”`.
        return is_lone(right) and lone_side(right, language) is Side.BEFORE
    # An ellipsis or a point at the start of a word belongs to that word: `...and then`, `.NET`.
    return not (right[0] in ".…" and right.lstrip(".…")[:1].isalnum())


def _song_border(left: str, right: str) -> int | None:
    """Return the cost of a break beside a note that closes or opens a song; None if there is none."""
    closes, opens = left[-1:] in NOTES and left != "", right[:1] in NOTES and right != ""
    if not (closes or opens) or is_lone(left) or is_lone(right):
        return None
    return _SENTENCE if closes and opens else _CLAUSE


def _noun_border(left: str, right: str, language: str) -> int:
    """Return the cost of a break inside what may be a noun with its name, number or adjective."""
    if left.endswith("."):
        # Sentence ends were found before: this is an abbreviation, an initial or an ordinal.
        return _TOGETHER
    if _is_name(left, right, language):
        return _NAME
    before = left.lstrip(_OPENERS).casefold()
    if _DIGITS.fullmatch(before) or before in NUMERALS.get(language, _NONE):
        return _NAME
    return _NOUN if language == "en" and _ADJECTIVE.fullmatch(before) else _PLAIN


def _is_name(left: str, right: str, language: str) -> bool:
    """Return whether two words look like parts of one name; German capitalises every noun."""
    left = left.lstrip(_OPENERS)
    if not left[:1].isupper() or language == "de" or (left.isupper() and right.isupper() and len(right) > 2):
        return False
    return right[:1].isupper() or right[:1].isdecimal() or right in PARTICLES


def _wide_border(left: str, right: str, language: str) -> int:
    """Return the cost between two words in a script without spaces.

    The words are whole: a dictionary has found them. Of single letters, and where two phrases of Japanese
    meet, the kinds of letters say more: a phrase ends with kana; the next begins with a kanji, katakana, or a
    foreign letter.
    """
    particles = _WIDE_PARTICLES.get(language, _NONE)
    last, first, bare = left[-1:], right[:1], right.rstrip(_ENDS + "".join(_NOT_FIRST))
    kinds = _script(last), _script(first)
    if last + first in _BOUND_LETTERS or (language == "ja" and left in ("お", "ご") and kinds[1] == "kanji"):
        return _TOGETHER
    if bare in particles or kinds == ("latin", "latin") or last.isdecimal():
        return _TOGETHER
    if language != "ja" or "" in kinds:
        return _OPENING if last in particles else _PLAIN
    if kinds[0] != "kana":
        return _PLAIN if len(left) > 1 and len(right) > 1 else _TOGETHER if "kanji" in kinds else _NAME
    if kinds[1] != "kana":
        return _OPENING
    return _PLAIN if last in particles else _NAME


def _script(letter: str) -> str:
    return next((name for name, pattern in _LETTERS.items() if pattern.fullmatch(letter)), "")


def _pieces(text: str, longest: int) -> list[tuple[str, bool]]:
    """Return the pieces of a word; True marks each piece that starts a part after a space."""
    pieces: list[tuple[str, bool]] = []
    for part in _CONTROLS.sub(" ", text).split():
        if _INVISIBLE.fullmatch(part):
            continue
        if count_graphemes(part) <= longest:
            pieces.append((part, True))
            continue
        graphemes = _GRAPHEME.findall(part)
        pieces += [
            ("".join(graphemes[at : at + longest]), at == 0) for at in range(0, len(graphemes), longest)
        ]
    return pieces
