"""A quick engine that hears a short scene, so that there is something to put right."""

from __future__ import annotations

import json
from itertools import count

from protocol.schema import to_plain
from protocol.stages.align import AlignRequest, AlignResult
from protocol.timeline import Segment, Transcript, Word
from workers.engine import Context, Models

__all__ = ["SCENE", "TalkativeAlign"]

SCENE = (
    "How many men were there in all?",
    "There were two men, my lord.",
    "And you were three, and came back empty.",
    "What did you think would happen now?",
)
_WORD_MS, _PAUSE_MS = 300, 900


class TalkativeAlign:
    """Gives the scene's words their times; the third sentence has a word that is not sure."""

    stage = "align"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: AlignRequest, context: Context) -> AlignResult:
        language = json.loads(context.input(request.segments).read_text())["language"]
        segments = []
        at_ms = 500
        for number, sentence in zip(count(), SCENE, strict=False):
            words = []
            for text in sentence.split():
                sure = 0.2 if number == 2 and text == "three," else 0.9
                words.append(Word(text=text, start_ms=at_ms, end_ms=at_ms + _WORD_MS - 20, probability=sure))
                at_ms += _WORD_MS
            start_ms, end_ms = words[0].start_ms, words[-1].end_ms
            segments.append(Segment(start_ms=start_ms, end_ms=end_ms, text=sentence, words=tuple(words)))
            at_ms += _PAUSE_MS
        transcript = Transcript(language=language, segments=tuple(segments))
        context.output("transcript.json").write_text(json.dumps(to_plain(transcript)))
        found = context.publish("transcript.json")
        return AlignResult(transcript=found, word_count=len(transcript.words()), timed_by={"fake": 1})
