"""How well turns fit those that are true, by pyannote.metrics in the environment that has it."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import envspecs
from protocol.schema import to_plain
from protocol.timeline import Segment, Transcript, Turn, Word
from workers.text.speakers import with_speakers

__all__ = ["all_one", "error_rates", "read_rttm", "words_right"]

_SCORE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
def read(turns):
    found = Annotation()
    for number, turn in enumerate(turns):
        found[Segment(turn["start_ms"] / 1000, turn["end_ms"] / 1000), number] = turn["speaker"]
    return found
asked = json.load(sys.stdin)
metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
whole = Timeline([Segment(0, asked["duration_ms"] / 1000)])
true = read(asked["true"])
print(json.dumps([metric(true, read(turns), uem=whole) for turns in asked["found"]]))
"""


def error_rates(true: Sequence[Turn], found: Sequence[Sequence[Turn]], duration_ms: int) -> tuple[float, ...]:
    """Return the diarization error rate of each, without a collar and with overlaps."""
    asked = {
        "true": to_plain(tuple(true)),
        "found": [to_plain(tuple(turns)) for turns in found],
        "duration_ms": duration_ms,
    }
    command = [str(envspecs.interpreter("pyannote")), "-c", _SCORE]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout))


def all_one(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the same speech, as if one person said it."""
    joined: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: turn.start_ms):
        if joined and turn.start_ms <= joined[-1].end_ms:
            end_ms = max(joined[-1].end_ms, turn.end_ms)
            joined[-1] = replace(joined[-1], end_ms=end_ms)
        else:
            joined.append(replace(turn, speaker="1"))
    return tuple(joined)


def read_rttm(path: Path) -> tuple[Turn, ...]:
    """Return the turns of a file in NIST's form."""
    rows = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
    starts = [(round(float(row[3]) * 1000), round(float(row[4]) * 1000), row[7]) for row in rows]
    return tuple(Turn(start_ms=start, end_ms=start + length, speaker=name) for start, length, name in starts)


def words_right(words: Sequence[Word], turns: Sequence[Turn]) -> float:
    """Return the part of the words that have the right speaker, where each found one is the true one that
    makes most words right; a word without a speaker is wrong."""
    segment = Segment(start_ms=0, end_ms=words[-1].end_ms, text="", words=tuple(words))
    heard = with_speakers(Transcript(language="en", segments=(segment,)), turns).words()
    pairs = Counter((word.speaker, said.speaker) for word, said in zip(words, heard, strict=True))
    true, found = sorted({word.speaker for word in words}), sorted({turn.speaker for turn in turns})
    # With nobody in the places that are left over.
    found += [""] * max(0, len(true) - len(found))
    tried = permutations(found, len(true))
    return max(
        sum(pairs[pair] for pair in zip(true, names, strict=True) if pair[1]) for names in tried
    ) / len(words)
