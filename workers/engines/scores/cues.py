"""SubER by the library of those who made it; the words of a file under the cues of its reference.

The library cuts texts at spaces. A text in a script without spaces is cut here before: into graphemes, with
Latin words and numbers whole, as the library does it for Chinese by sacrebleu's tokenizer.

The library takes ASCII punctuation from the words, and leaves the marks of other scripts on them: a word with
a danda would be another one than without. So those marks are taken away here. No text in Latin letters has
them: its figures are the library's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocol.languages import UNSPACED, read_tag
from protocol.subtitles.comparing import CuePair, CueScores, ScoredCue
from protocol.timeline import UNDETERMINED, Cue
from workers.engines.scores.texts import CHRF_PLUS, chrf_of_all, chrf_of_line

__all__ = ["score_cues"]

_MARKS = str.maketrans("", "", "।॥،؛؟۔٪٬٭᠂᠃።፣፤፥፧։՝՜՞")  # noqa: RUF001 (that is what they are)
"""Danda, the marks of Arabic script, Mongolian, Ethiopic and Armenian."""


def score_cues(pair: CuePair) -> CueScores:
    """Return how near the file is to its reference."""
    from suber.hyp_to_ref_alignment import levenshtein_align_hypothesis_to_reference as align
    from suber.metrics.suber import calculate_SubER

    unspaced = _is_unspaced(pair.language)
    reference, other = (_subtitles(cues, unspaced=unspaced) for cues in (pair.reference, pair.other))
    suber = calculate_SubER(hypothesis=other, reference=reference)
    meant = [_text(cue) for cue in pair.reference]
    # Where nothing is meant the library has nowhere to lay words.
    has_words = any(subtitle.word_list for subtitle in reference)
    laid = align(other, reference) if has_words else reference
    joint = "" if unspaced else " "
    texts = [joint.join(word.written for word in segment.word_list) for segment in laid]
    return CueScores(
        chrf=chrf_of_all(texts, meant, CHRF_PLUS),
        suber=float(suber),
        cues=tuple(
            ScoredCue(text=text, chrf=chrf_of_line(text, wanted, CHRF_PLUS))
            for text, wanted in zip(texts, meant, strict=True)
        ),
    )


def _is_unspaced(language: str) -> bool:
    return language != UNDETERMINED and read_tag(language).language in UNSPACED


def _text(cue: Cue) -> str:
    return " ".join(cue.lines)


def _subtitles(cues: Sequence[Cue], *, unspaced: bool) -> list[Any]:
    """Return the cues as the library's own reader of SRT files makes them.

    Each word also has a field `written`: how it stands in the file.
    """
    from suber.data_types import LineBreak, Subtitle, TimedWord

    found = []
    for index, cue in enumerate(cues):
        # A cue of no length shares no time with anything, and would differ from itself.
        start, end = cue.start_ms / 1000, max(cue.start_ms + 1, cue.end_ms) / 1000
        words: list[Any] = []
        for line in cue.lines:
            for compared, written in _words(line, unspaced=unspaced):
                word: Any = TimedWord(string=compared, subtitle_start_time=start, subtitle_end_time=end)
                word.written = written
                words.append(word)
            if words:
                words[-1].line_break = LineBreak.END_OF_LINE
        if words:
            words[-1].line_break = LineBreak.END_OF_BLOCK
        found.append(Subtitle(word_list=words, index=index, start_time=start, end_time=end))
    return found


def _words(line: str, *, unspaced: bool) -> list[tuple[str, str]]:
    """Return the words as they are compared and as they are written; a mark alone is of the word before."""
    import regex

    pieces = regex.findall(r"[\p{Latin}\p{N}]+|\X", line) if unspaced else line.split()
    found: list[tuple[str, str]] = []
    for piece in pieces:
        bare = regex.sub(r"[\p{P}\s]", "", piece) if unspaced else piece.translate(_MARKS)
        if bare:
            found.append((bare, piece))
        elif found:
            compared, written = found[-1]
            found[-1] = compared, written + ("" if unspaced else " ") + piece
    return found
