"""Text and transcripts in another script of their language: word by word, each word keeps its times. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from protocol.languages import Tag, read_tag
from protocol.timeline import Segment, Transcript, Word
from workers.engines.common.scripts.indic import to_devanagari
from workers.engines.common.scripts.latin import romanise
from workers.engines.common.scripts.serbian import cyrillic_of, latin_of
from workers.engines.common.scripts.urdu import arabic_of, devanagari_of

__all__ = ["in_script", "text_in_script"]

_ARABIC = "\u0621-\u063a\u0640-\u065f\u0670-\u06d3\u06d5\u06fa-\u06ff\u200c"
_INDIC = (
    "\u0900-\u0963\u0971-\u09e3\u09f0\u09f1\u09fc-\u0a65\u0a70-\u0ae5\u0af0-\u0b65\u0b71-\u0be5\u0c00-\u0c65"
)
_INDIC += "\u0c80-\u0ce5\u0d00-\u0d65\u0d7a-\u0d7f\u200c\u200d"
_INDIC_WORD = re.compile(f"[{_INDIC}]+")
_ARABIC_WORD = re.compile(f"[{_ARABIC}]+")
_CYRILLIC_WORD = re.compile("[\u0400-\u04ff]+")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f]+")
_ENDS = (".", "?", "!", "…", "।", "۔", "؟")
_LETTER = re.compile(r"[^\W\d_]")

_MARKS = {
    "Latn": str.maketrans("।॥॰۔؟،؛٪", "...." + "?,;%"),
    "Deva": str.maketrans("۔؟،؛٪", "।?,;%"),
    "Arab": str.maketrans("।॥?,;", "۔۔؟،؛"),
}
_DIGIT = re.compile(r"\d")
_NUMBER_COMMA = re.compile("(?<=[0-9])،(?=[0-9])")
"""Punctuation as the script has it. Digits become those of Latin, which Hindi and Urdu write, too."""


def text_in_script(text: str, tag: Tag) -> str:
    """Return the text in the script of the tag; what is in other scripts stays as it is."""
    for pattern, change in _ways(tag):
        text = pattern.sub(lambda found, change=change: change(found[0]), text)  # type: ignore[misc]  # (bound here)
    if tag.script not in _MARKS:
        return text
    text = _DIGIT.sub(lambda digit: str(int(digit[0])), text.translate(_MARKS[tag.script]))
    return _NUMBER_COMMA.sub(",", text)


def in_script(transcript: Transcript, code: str) -> Transcript:
    """Return the transcript in the script that the tag `code` (BCP 47) names, with the tag as its language.

    A segment in another language stays as it is. Latin sentences begin with a capital where the transcript
    has sentences.
    """
    tag = read_tag(code)
    writer = _Writer(tag, has_sentences=_has_sentences(transcript.segments))
    segments = tuple(
        segment if transcript.language_of(segment) != transcript.language else writer.segment(segment)
        for segment in transcript.segments
    )
    return replace(transcript, language=code, segments=segments)


class _Writer:
    """Writes segment after segment; knows whether a sentence begins."""

    def __init__(self, tag: Tag, *, has_sentences: bool) -> None:
        self._tag = tag
        self._has_capitals = has_sentences and tag.script == "Latn" and tag.language != "sr"
        self._begins = True

    def segment(self, segment: Segment) -> Segment:
        """Return the segment; its text and its words are changed alike."""
        begins = self._begins
        words = tuple(self._word(word) for word in segment.words)
        after = self._begins
        self._begins = begins
        text = " ".join(self._changed(word) for word in segment.text.split(" "))
        if words:
            self._begins = after
        return replace(segment, text=text, words=words)

    def _word(self, word: Word) -> Word:
        return replace(word, text=self._changed(word.text))

    def _changed(self, word: str) -> str:
        text = text_in_script(word, self._tag)
        if self._has_capitals and self._begins:
            text = _LETTER.sub(lambda letter: letter[0].upper(), text, count=1)
        if word.strip():
            self._begins = word.rstrip("\"'”’»)").endswith(_ENDS)
        return text


def _has_sentences(segments: Iterable[Segment]) -> bool:
    return any(word.endswith(_ENDS) for segment in segments for word in segment.text.split())


def _ways(tag: Tag) -> tuple[tuple[re.Pattern[str], Callable[[str], str]], ...]:
    """Return which words are changed, and how."""
    language = tag.language
    if language in ("sr", "bs"):
        return ((_CYRILLIC_WORD, latin_of),) if tag.script == "Latn" else ((_LATIN_WORD, cyrillic_of),)
    if tag.script == "Deva":
        return ((_ARABIC_WORD, devanagari_of), (_INDIC_WORD, to_devanagari))
    if tag.script == "Arab":
        return ((_INDIC_WORD, lambda word: arabic_of(to_devanagari(word))),)
    if tag.script == "Latn":
        shared = "hi" if language == "ur" else language
        return (
            (_ARABIC_WORD, lambda word: romanise(devanagari_of(word), shared)),
            (_INDIC_WORD, lambda word: romanise(word, shared)),
        )
    return ()
