"""An engine that does nothing, to measure what is around it."""

from __future__ import annotations

from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models


class NoTranslate:
    """Answers at once with the transcript that it was given."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Return a result without a file."""
        return TranslateResult(transcript=request.transcript, segment_count=0, model=request.model)
