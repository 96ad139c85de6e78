"""What whisper-base made of some sounds, word for word, as asr and align left it on one processor or another.

Whisper hears other words on another processor: its int8 arithmetic rounds otherwise. Of a live model only a
bound can be asked; what is done with the words that it heard can be asked exactly, and is asked of these
transcripts. They are of the sounds that `tests/env/whisperx/test_cleaning.py` makes, by the same names there.
"""

from __future__ import annotations

import itertools
import json
import wave
from dataclasses import dataclass, replace
from pathlib import Path

from protocol.schema import from_plain
from protocol.timeline import Segment, Span, Transcript, Word

__all__ = ["Heard", "heard", "longest_row", "loop_at", "plain_words", "repeat"]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What was recognised and aligned in a sound, and where speech was said to be."""

    transcript: Transcript
    duration_ms: int
    speech: tuple[Span, ...]
    processor: str = ""
    """The kernels of CTranslate2 that were used, and what they multiply int8 by."""
    notes: tuple[str, ...] = ()
    """What align told of it."""

    def plus(self, loop: Segment) -> Heard:
        """Return the same with another segment at its end."""
        segments = (*self.transcript.segments, loop)
        return replace(self, transcript=replace(self.transcript, segments=segments))


def heard(name: str) -> list[Heard]:
    """Return what was heard in a sound, several times where Whisper makes up other words elsewhere."""
    plain = json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
    return [from_plain(Heard, once) for once in plain]


def plain_words(transcript: Transcript) -> list[str]:
    """Return the words in small letters and without signs at their ends."""
    return [word.text.casefold().strip(".,!?") for word in transcript.words()]


def longest_row(said: list[str], word: str) -> int:
    """Return how often the word comes at most in a row."""
    return max((len(list(row)) for key, row in itertools.groupby(said) if key == word), default=0)


def loop_at(start_ms: int, *, each_ms: int, times: int) -> Segment:
    """Return a phrase of three words that comes again and again, and of which Whisper is sure."""
    texts = ["Oh", "my", "god."]
    words = tuple(
        Word(
            text=text,
            start_ms=(at := start_ms + each_ms * turn + each_ms * place // len(texts)),
            end_ms=at + each_ms // len(texts),
            probability=0.9,
        )
        for turn in range(times)
        for place, text in enumerate(texts)
    )
    text = " ".join(word.text for word in words)
    end_ms = words[-1].end_ms
    return Segment(start_ms=start_ms, end_ms=end_ms, text=text, words=words, avg_logprob=-0.2, no_speech=0.1)


def repeat(
    sound: Path, path: Path, *stretches_ms: tuple[int, int], times: int, pause_ms: int
) -> tuple[Path, int]:
    """Write stretches of a sound several times, a pause after each; return the file and its length."""
    with wave.open(str(sound)) as source:
        form, per_ms = source.getparams(), source.getframerate() // 1_000
        parts = []
        for start_ms, end_ms in stretches_ms:
            source.setpos(start_ms * per_ms)
            parts.append(source.readframes((end_ms - start_ms) * per_ms))
    pause = bytes(pause_ms * per_ms * form.sampwidth)
    with wave.open(str(path), "wb") as again:
        again.setparams(form)
        again.writeframes(b"".join(part + pause for part in parts) * times)
    return path, sum(end - start + pause_ms for start, end in stretches_ms) * times
