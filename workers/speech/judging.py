"""Judges recognised text: is it speech, a loop, in the wrong script? Votes on the language. Pure."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workers.text.scripts import in_script

__all__ = [
    "MENDABLE",
    "Guess",
    "is_doubtful",
    "is_echo",
    "is_loop",
    "is_repetitive",
    "is_silence",
    "nothing_said",
    "repetition",
    "same_words",
    "vote",
    "worth_of",
]

# The thresholds of faster-whisper and openai/whisper (transcribe.py: compression_ratio_threshold,
# log_prob_threshold, no_speech_threshold).
_MOST_REPETITION = 2.4
_LEAST_LOGPROB = -1.0
_NO_SPEECH = 0.6
MENDABLE = -5.0
"""A guess worth less is a loop or in the wrong script, and sampling may help. It helps no other guess."""
_FAINT_SPEECH = 0.6
"""With a lower VAD peak a stretch is hardly speech: VAD's onset is 0.5, and clear speech reaches 0.99."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What the recogniser takes one chunk for."""

    text: str
    avg_logprob: float
    """The mean log probability of a token, natural logarithm."""
    no_speech: float
    """Whisper's own probability that nothing is said, 0 to 1."""
    cut_short: bool = False
    """The text ended because the recogniser had no room for more tokens."""


def repetition(text: str) -> float:
    """Return how much the text repeats itself: the number of its characters over their compressed size.

    Whisper's compression ratio counts UTF-8 bytes, and takes plain Hindi (3 bytes a letter) for a loop. Here
    every different character is one byte.
    """
    order = {character: index % 256 for index, character in enumerate(dict.fromkeys(text))}
    return len(text) / len(zlib.compress(bytes(order[character] for character in text))) if text else 0.0


def is_loop(guess: Guess) -> bool:
    """Return whether the text repeats itself, or went on until there was no room for more."""
    return guess.cut_short or is_repetitive(guess.text)


def is_repetitive(text: str) -> bool:
    """Return whether the text repeats itself more than people do."""
    return repetition(text) > _MOST_REPETITION


def is_echo(text: str, prompt: str | None) -> bool:
    """Return whether all words of the text are in the prompt: the recogniser heard none of its own."""
    return prompt is not None and set(text.split()) <= set(prompt.split())


def nothing_said(guess: Guess) -> bool:
    """Return whether Whisper itself says that nobody speaks: a second try could only invent a text."""
    return guess.no_speech > _NO_SPEECH and guess.avg_logprob < _LEAST_LOGPROB


def is_silence(guess: Guess, vad_peak: float | None) -> bool:
    """Return whether a chunk is silence: two of three witnesses say so, or there is no text.

    Two witnesses are Whisper's own (no speech, a low probability), the third is VAD's peak. Without VAD
    (None), a low probability is enough.
    """
    if vad_peak is None:
        vad_peak = 1.0 if guess.avg_logprob >= _LEAST_LOGPROB else 0.0
    witnesses = (guess.no_speech > _NO_SPEECH, guess.avg_logprob < _LEAST_LOGPROB, vad_peak < _FAINT_SPEECH)
    return sum(witnesses) >= 2 or not any(character.isalnum() for character in guess.text)


def is_doubtful(guess: Guess, language: str) -> bool:
    """Return whether the chunk is worth a second try."""
    return is_loop(guess) or guess.avg_logprob < _LEAST_LOGPROB or not in_script(guess.text, language)


def worth_of(guess: Guess, language: str, prompt: str | None) -> float:
    """Return the rank of a guess: by the right script, then by no loop and no echo, then by probability.

    A probability under -3 counts as -3.
    """
    spoilt = 10.0 * (not in_script(guess.text, language))
    return max(guess.avg_logprob, -3.0) - 5.0 * (is_loop(guess) or is_echo(guess.text, prompt)) - spoilt


def vote(windows: Iterable[Mapping[str, float]]) -> tuple[str, float]:
    """Return the language whose probabilities have the largest sum over the windows, and their mean."""
    sums: dict[str, float] = {}
    count = 0
    for window in windows:
        count += 1
        for language, probability in window.items():
            sums[language] = sums.get(language, 0.0) + probability
    best = max(sums, key=lambda candidate: sums[candidate])
    return best, min(1.0, sums[best] / count)


def same_words(one: str, other: str) -> bool:
    """Return whether two texts are equal but for case, spaces and punctuation."""

    def letters(text: str) -> str:
        kept = (character for character in text.casefold() if not character.isspace())
        return "".join(
            character for character in kept if not unicodedata.category(character).startswith(("P", "S"))
        )

    return letters(one) == letters(other)
