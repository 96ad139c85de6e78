"""What a person reviews: `python -I -m workers.engines.common.review JOB_FOLDER [--copy]`.

It writes one document to stdout: what the preview page shows (tracks with cues and marks, speech, loudness),
and what an editor needs beside it: the rules in numbers, which lines are doubtful, the corrections so far. Or
a `Refused` with exit code 2. With `--copy` it first makes a film that browsers play, where there is none.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from protocol.errors import CpwError
from protocol.schema import to_plain
from protocol.subtitles.corrections import read_corrections
from protocol.subtitles.doubts import DOUBTS
from protocol.subtitles.review import ReviewAnswer
from protocol.timeline import HEARD_AGAIN, OTHER_SCRIPT, Segment
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.job_folder import JobFolder, read_job
from workers.engines.common.one_answer import answer, refusal, tell_line
from workers.engines.common.preview.data import page_data
from workers.engines.common.preview.film import find_playable
from workers.engines.common.tracks import shift

__all__ = ["main", "review"]

_DOUBTFUL_WORD = 0.35
"""A word below this probability is worth a look: of whisper-base's words in the test films a tenth are."""
_FOLDER = "preview"
"""Where a copy of a film that browsers cannot play is kept, with the preview page's."""


def review(job: JobFolder, *, copies: bool = False) -> ReviewAnswer:
    """Return what an editor shows of a job; times are on the film's clock, in ms."""
    data = page_data(job)
    for track in data["tracks"]:
        language = track["language"]
        rules = rules_for(
            track["profile"] or job.settings.profile,
            language,
            frames_per_second=job.settings.frames_per_second or job.frames_per_second,
            media_duration_ms=job.duration_ms,
        )
        track["numbers"] = to_plain(asdict(rules))
        track["doubts"] = _doubts(job, language)
    media = find_playable(job, job.own(_FOLDER), tell_line, copies=copies)
    corrections = read_corrections(job.corrections).changes if job.corrections is not None else ()
    return ReviewAnswer(
        page=data,
        corrections=corrections,
        playable=str(media.path) if media is not None else "",
        playable_starts_ms=media.starts_ms if media is not None else 0,
        has_picture=media is not None and media.has_picture,
        can_copy=media is not None and media.kind == "sound" and job.media.exists(),
    )


def _doubts(job: JobFolder, language: str) -> list[list[Any]]:
    """Return [start, end, why] of each stretch that a check or the recogniser itself doubts."""
    if not job.has(language):
        return []
    transcript = shift(job.transcript(language), job.clip_start_ms)
    heard = not transcript.translated_from
    return [doubt for segment in transcript.segments for doubt in _of_segment(segment, words=heard)]


def _of_segment(segment: Segment, *, words: bool) -> list[list[Any]]:
    """Return the doubts about a segment; a translator's own `words` have no probability that tells much."""
    known = {**DOUBTS, HEARD_AGAIN: "heard only the second time", OTHER_SCRIPT: "heard in another script"}
    found = [[segment.start_ms, segment.end_ms, known.get(mark, mark)] for mark in segment.marks]
    found += [
        [word.start_ms, word.end_ms, f"doubtful word: {word.text}"]
        for word in segment.words
        if words and word.probability is not None and word.probability < _DOUBTFUL_WORD
    ]
    return found


def main(words: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    try:
        answer(review(read_job(Path(words[0]).resolve()), copies="--copy" in words[1:]))
    except CpwError as error:
        answer(refusal(error))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
