"""A recogniser whose models take real memory, which can be seen to come and to go."""

from __future__ import annotations

from typing import Any

from protocol.stages.asr import AsrRequest, AsrResult
from workers.engine import Context, ModelKey, Models

MODEL_MB = 120
_MEGABYTE = 1_000_000
_PIECE = 64 * 1024
"""Smaller than what the C library takes from the system by itself: it has to be told to give it back."""
_leak: list[Any] = []


def weigh(megabytes: int) -> list[bytes]:
    """Return so much memory, written to."""
    return [b"x" * _PIECE for _ in range(megabytes * _MEGABYTE // _PIECE)]


class HeavyAsr:
    """Loads `model`. `initial_prompt` may be `with:OTHER`, a second one, or `leak:MB`, kept for ever."""

    stage = "asr"

    def warm(self, models: Models, model: str | None) -> None:
        """Load what the spec names."""
        if model is not None:
            self._get(models, model)

    def run(self, request: AsrRequest, context: Context) -> AsrResult:
        """Recognise nothing."""
        order, _, argument = (request.initial_prompt or "").partition(":")
        wanted = [request.model, *([argument] if order == "with" else [])]
        held = [self._get(context.models, model) for model in wanted]
        if order == "leak":
            _leak.append(weigh(int(argument)))
        # One page of each is read: what was swapped in or shared for nothing would not count.
        assert all(model[-1][:1] == b"x" for model in held)
        context.output("segments.json").write_text('{"language": "en", "segments": []}')
        return AsrResult(
            segments=context.publish("segments.json"),
            language="en",
            language_probability=0.9,
            segment_count=0,
            speech=(),
            device="cpu",
            compute_type="int8",
            model=request.model,
        )

    def _get(self, models: Models, model: str) -> Any:
        key = ModelKey(kind="heavy", model=model, device="cpu", compute_type="int8")
        return models.get(key, lambda: weigh(MODEL_MB))
