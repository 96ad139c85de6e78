"""Conversations made of real recordings: who speaks when, and who says each word, is known.

Each voice has half a minute of recordings at most, so its phrases come again and again; the battle beneath
them does not.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from protocol.timeline import Turn, Word
from tests.data import data
from workers.engines.common.film import ffmpeg as program

__all__ = ["RATE", "VOICES", "Phrase", "Talk", "make_talk", "phrases_of", "read", "write"]

RATE = 16_000
_FRAME = RATE // 50
_LEVEL = 0.06
_LOUD = 0.12
"""Of a recording's loud moments: what is under this part of them is a pause."""
_PAUSE_MS = 250
_LONGEST_MS, _SHORTEST_MS = 9_000, 600
_BATTLE = "film/tears_of_steel_battle_no_dialogue.webm"

_UNTIL_S = {"multilingual_en_fr": 27}
"""Where somebody else begins to speak in a recording."""

Samples = npt.NDArray[np.float32]

_CHANDIGARH = "hindi/Regional-Chandigarh-Hindi-1810-"
_AUSTEN = "speech/sense_and_sensibility_01_austen_64kb-"
VOICES = {
    "austen": tuple(f"{_AUSTEN}{number}.wav" for number in ("0870", "0880", "0890", "0920", "0930")),
    "corpus": ("align/acoustic_corpus.wav",),
    "kennedy": ("speech/jfk.flac",),
    # Two days of the news from one town: one newsreader, by ear and by any embedding.
    "chandigarh": (f"{_CHANDIGARH}202018191821_sent_11.flac", f"{_CHANDIGARH}2021112191739_sent_58.flac"),
    # The same person as `corpus`, with a cold; and on both days.
    "cold": ("align/cold_corpus.wav",),
    "corpus-cold": ("align/acoustic_corpus.wav", "align/cold_corpus.wav"),
    "narrator": ("speech/multilingual_en_fr.mp3",),
    "nasa": ("film/nasa_13013.mp4",),
    "jaipur": ("hindi/Regional-Jaipur-Hindi-0900-20181027113933_sent_21.flac",),
    "patna": ("hindi/Regional-Patna-Hindi-0830-2019329618_sent_6.flac",),
    "bhopal": ("hindi/Regional-Bhopal-Hindi-0705-2020121783438_sent_38.flac",),
}


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """What somebody says between two pauses."""

    samples: Samples
    spans: tuple[tuple[int, int], ...]
    """When there is speech in it, in milliseconds from its start."""
    words: tuple[Word, ...]
    """On the same clock."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A film's sound of 16 kHz, and what is true of it."""

    path: Path
    turns: tuple[Turn, ...]
    words: tuple[Word, ...]
    """Each with its speaker."""


def read(path: Path) -> Samples:
    """Return a sound as mono of 16 kHz, -1 to 1."""
    form = ("-vn", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-")
    command = [program.find_ffmpeg(), "-nostdin", "-v", "error", "-i", f"file:{path}", *form]
    raw = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, "<i2").astype(np.float32) / np.float32(32768)


def phrases_of(voice: str, half: int = 0) -> list[Phrase]:
    """Return the phrases of a voice, each as loud as the others: all, or the first (1) or second (2) half."""
    phrases = [phrase for name in VOICES[voice] for phrase in _cut(data(name))]
    middle = (len(phrases) + 1) // 2
    return {0: phrases, 1: phrases[:middle], 2: phrases[middle:]}[half]


def make_talk(
    folder: Path,
    voices: Sequence[str],
    seconds: int,
    *,
    decibels: float | None = 9.0,
    seed: int = 1,
    half: int = 0,
) -> Talk:
    """Write a talk of so many voices over a battle that is so many dB quieter; None: over silence.

    One change of speaker in seven comes while the other still speaks; else there is up to a second between.
    With `half` 1 or 2, only that half of what is recorded of each voice is said.
    """
    chance = random.Random(seed)
    said = {voice: itertools.cycle(phrases_of(voice, half)) for voice in voices}
    sound = np.zeros(seconds * RATE, np.float32)
    turns: list[Turn] = []
    words: list[Word] = []
    at, before = RATE, ""
    while True:
        others = [voice for voice in voices if voice != before] or list(voices)
        voice = before if before and chance.random() < 0.25 else chance.choice(others)
        phrase = next(said[voice])
        begins = at - (round(0.4 * RATE) if before not in ("", voice) and chance.random() < 1 / 7 else 0)
        if begins + len(phrase.samples) > len(sound):
            break
        sound[begins : begins + len(phrase.samples)] += phrase.samples
        start_ms = begins * 1000 // RATE
        turns += [_turn(span, start_ms, voice) for span in phrase.spans]
        words += [_moved(word, start_ms, voice) for word in phrase.words]
        at = begins + len(phrase.samples) + round(chance.uniform(0.1, 1.0) * RATE)
        before = voice
    if decibels is not None:
        battle = read(data(_BATTLE))
        loudness = float(np.sqrt(np.mean(battle**2)))
        sound += np.resize(battle, len(sound)) * (_LEVEL / loudness / 10 ** (decibels / 20))
    path = folder / f"{'-'.join(voices)}.wav"
    write(path, sound)
    return Talk(path=path, turns=tuple(sorted(turns, key=lambda turn: turn.start_ms)), words=tuple(words))


def write(path: Path, sound: Samples) -> None:
    """Write a sound as the stages read it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def _turn(span: tuple[int, int], start_ms: int, voice: str) -> Turn:
    return Turn(start_ms=start_ms + span[0], end_ms=start_ms + span[1], speaker=voice)


def _moved(word: Word, by_ms: int, voice: str) -> Word:
    return Word(text=word.text, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms, speaker=voice)


def _spans(sound: Samples) -> list[tuple[int, int]]:
    """Return when there is speech, in milliseconds: the recordings have no sound beside it."""
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME)
    loudness = np.sqrt((frames**2).mean(axis=1))
    speaks = loudness > _LOUD * np.percentile(loudness, 90)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaks, [False]]).astype(np.int8))) * 20
    joined: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and start - joined[-1][1] < _PAUSE_MS:
            joined[-1] = (joined[-1][0], end)
        elif end - start > 40:
            joined.append((start, end))
    return joined


def _cut(path: Path) -> Iterator[Phrase]:
    """Yield what is between the pauses of a recording, in pieces that somebody says in one go."""
    sound = read(path)[: _UNTIL_S.get(path.stem, 60) * RATE]
    timed = list(_timed(path))
    spans = _spans(sound) if not timed else [(word.start_ms, word.end_ms) for word in timed]
    pieces: list[tuple[int, int]] = []
    for start, end in spans:
        near = pieces and (start - pieces[-1][1] < _PAUSE_MS or not timed)
        if near and end - pieces[-1][0] <= _LONGEST_MS // 2:
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((start, end))
    texts = list(_texts(path))
    total_ms = sum(end - start for start, end in pieces)
    said = 0.0
    for start, end in pieces:
        share = (end - start) / total_ms * len(texts)
        words = _spread(texts[round(said) : round(said + share)], end - start)
        said += share
        if timed:
            words = tuple(_moved(word, -start, "") for word in timed if start <= word.start_ms < end)
        samples = sound[start * RATE // 1000 : end * RATE // 1000]
        if end - start >= _SHORTEST_MS:
            loudness = float(np.sqrt(np.mean(samples**2)))
            spans_inside = ((0, end - start),) if timed else tuple(_spans(samples))
            yield Phrase(samples=samples * (_LEVEL / loudness), spans=spans_inside, words=words)


def _timed(path: Path) -> Iterator[Word]:
    """Yield the words of a recording that somebody has timed."""
    grid = path.with_suffix(".TextGrid")
    if not grid.exists():
        return
    # After the tier's name, start, end and count: start, end and text of each word.
    lines = grid.read_text().split('"IntervalTier"')[1].split("\n")[5:]
    for start, end, text in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
        if text.strip('"'):
            yield Word(
                text=text.strip('"'), start_ms=round(float(start) * 1000), end_ms=round(float(end) * 1000)
            )


def _texts(path: Path) -> Iterator[str]:
    """Yield the words of a recording that has a text, and no times."""
    text, refs = path.with_suffix(".txt"), path.parent / "refs.tsv"
    if text.exists():
        yield from text.read_text().split()
    elif refs.exists():
        rows = (row.split("\t") for row in refs.read_text(encoding="utf-8").splitlines())
        yield from next((row[1] for row in rows if row[0] == path.name), "").split()


def _spread(words: Sequence[str], length_ms: int) -> tuple[Word, ...]:
    """Share the time of a phrase among its words, by their length."""
    ends = [0, *itertools.accumulate(len(word) + 1 for word in words)]
    clock = [end * length_ms // max(1, ends[-1]) for end in ends]
    return tuple(
        Word(text=word, start_ms=start, end_ms=end)
        for word, start, end in zip(words, clock, clock[1:], strict=False)
    )
