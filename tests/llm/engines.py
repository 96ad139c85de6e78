"""An engine that hears more than one line, for houses in which a played language model translates."""

from __future__ import annotations

import json

from protocol.artefacts import write_json
from protocol.schema import to_plain
from protocol.stages.align import AlignRequest, AlignResult
from protocol.timeline import Segment, Transcript
from workers.engine import Context, Models

__all__ = ["LINES", "AlignsTwelve"]

THINGS = ("rain", "snow", "wind", "sun", "fog", "hail", "storm", "cloud", "frost", "heat", "dew", "ice")
LINES = tuple(f"We saw the {thing} from the house." for thing in THINGS)


class AlignsTwelve:
    """Gives twelve sentences their times, whatever was heard."""

    stage = "align"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: AlignRequest, context: Context) -> AlignResult:
        language = json.loads(context.input(request.segments).read_text())["language"]
        segments = tuple(
            Segment(start_ms=place * 150, end_ms=place * 150 + 140, text=text)
            for place, text in enumerate(LINES)
        )
        path = context.output("transcript.json")
        write_json(path, to_plain(Transcript(language=language, segments=segments)))
        return AlignResult(
            transcript=context.publish("transcript.json"), word_count=84, timed_by={"fake": 84}
        )
