"""Cuts a film's sentences into scenes that a language model gets at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workers.text.pieces import count_graphemes
from workers.text.sentences import Sentence

__all__ = ["MOST_LINES", "SceneLine", "best_cut", "cut_scenes", "lines_of"]

MOST_LINES = 24
"""Of a scene: enough to know who speaks to whom, few enough for a small model to keep count."""
_MOST_GRAPHEMES = 1_600
"""Of a scene, so that prompt and answer fit into 4096 tokens, which some servers take without a word about
what they leave out: scripts of India have up to one token a sign."""
_LINGER_MS = 1_000
"""So long a line may stay after it was said, where nobody speaks."""
_SPEEDS = {"zh": 9.0, "ja": 4.0, "ko": 12.0, "hi": 22.0, "ta": 22.0, "te": 22.0, "ar": 20.0}
_SPEED = 17.0
"""Characters that are read in a second: Netflix's numbers for adults."""
_TIGHT = 1.2
"""A translation is rarely so much longer than its source: where that would fit, room is not spoken of."""


@dataclass(frozen=True, kw_only=True)
class SceneLine:
    """A sentence as the model gets it."""

    text: str
    start_ms: int
    end_ms: int
    speaker: str = ""
    """Who says it, as a person calls him, or a label; empty: not known."""
    room: int = 0
    """How many characters can be read in its time, where that may be too few; 0: there is room."""


def lines_of(sentences: Sequence[Sentence], target: str, names: Mapping[str, str]) -> list[SceneLine]:
    """Return the sentences as lines for a translation into `target` (ISO 639-1).

    `names` says what the ids of speakers are called.
    """
    ends = [sentence.start_ms for sentence in sentences[1:]]
    found = []
    for place, sentence in enumerate(sentences):
        shown_until = sentence.end_ms + _LINGER_MS
        if place < len(ends):
            shown_until = max(sentence.end_ms, min(shown_until, ends[place]))
        room = int((shown_until - sentence.start_ms) / 1_000 * _SPEEDS.get(target, _SPEED))
        tight = room < _TIGHT * count_graphemes(sentence.text)
        found.append(
            SceneLine(
                text=sentence.text,
                start_ms=sentence.start_ms,
                end_ms=sentence.end_ms,
                speaker=names.get(sentence.speaker, ""),
                room=max(1, room) if tight else 0,
            )
        )
    return found


def cut_scenes(lines: Sequence[SceneLine], most: int = MOST_LINES) -> list[Sequence[SceneLine]]:
    """Return the lines in scenes of at most `most`, cut at the longest gaps; every line in order, in one."""
    todo, done = [lines], []
    while todo:
        scene = todo.pop()
        if len(scene) <= 1 or _fits(scene, most):
            done.append(scene)
        else:
            at = best_cut(scene, least=most // 3)
            todo += [scene[at:], scene[:at]]
    return [scene for scene in done if scene]


def _fits(scene: Sequence[SceneLine], most: int) -> bool:
    return len(scene) <= most and sum(count_graphemes(line.text) for line in scene) <= _MOST_GRAPHEMES


def best_cut(scene: Sequence[SceneLine], least: int) -> int:
    """Return before which line of two or more to cut: at the longest gap that leaves `least` on both sides.

    Where there are not so many, half of them are left on a side. Of equal gaps the one nearest to the middle.
    """
    least = max(1, min(least, len(scene) // 2))
    gaps = [after.start_ms - before.end_ms for before, after in pairwise(scene)]
    places = range(least, len(scene) - least + 1)
    return max(places, key=lambda at: (gaps[at - 1], -abs(at - len(scene) / 2)))
