"""One real worker that translates, asked with lines of text instead of films."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocol.artefacts import write_json
from protocol.errors import ErrorInfo
from protocol.schema import from_plain, to_plain
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Transcript
from tests.lone_worker import NOTHING, LoneWorker

__all__ = ["LoneTranslator", "texts_of"]

_EVERY_MS = 10_000
_LONG_MS = 6_000
"""The pause between two lines is so long that no two of them are taken for one sentence."""


class LoneTranslator:
    """A worker of one environment, its models in `store`. Use as a context manager."""

    def __init__(self, environment: str, store: Path, **variables: str) -> None:
        # Two cores, and more than one worker of the tests may live.
        self.worker = LoneWorker.of(environment, store, **{"OMP_NUM_THREADS": "1", **variables})
        self.calls = 0
        self.budget_ms = 300_000
        """How long a call may take."""

    def __enter__(self) -> LoneTranslator:
        self.worker.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.__exit__()

    def request(self, lines: Sequence[str], pair: str, model: str, **fields: Any) -> TranslateRequest:
        """Return the request to translate the lines; `pair` is `en-hi`."""
        self.calls += 1
        source, target = pair.split("-")
        path = self.worker.folder / f"lines-{self.calls}.json"
        segments = tuple(
            Segment(start_ms=place * _EVERY_MS, end_ms=place * _EVERY_MS + _LONG_MS, text=line)
            for place, line in enumerate(lines)
        )
        write_json(path, to_plain(Transcript(language=source, segments=segments)))
        return TranslateRequest(
            transcript=self.worker.take_in(path, f"in/lines-{self.calls}.json"),
            audio=NOTHING,
            source_language=source,
            target_language=target,
            model=model,
            # The models that tests make write nonsense: every line of it is doubtful.
            **({"retry": False} | fields),
        )

    def translate(
        self, lines: Sequence[str], pair: str, model: str, **fields: Any
    ) -> tuple[Transcript, TranslateResult]:
        """Return what the worker makes of the lines."""
        request = self.request(lines, pair, model, **fields)
        result = self.worker.do("translate", request, budget_ms=self.budget_ms)
        return self._written(result), result

    def translate_inside(
        self, lines: Sequence[str], pair: str, inner: Sequence[str], inner_pair: str, model: str
    ) -> tuple[Transcript, Transcript]:
        """Return what the worker makes of the lines, and of others inside that call; the targets differ."""
        requests = self.request(lines, pair, model), self.request(inner, inner_pair, model)
        outer, inside = self.worker.do_inside("translate", *requests)
        return self._written(outer), self._written(inside)

    def _written(self, result: TranslateResult) -> Transcript:
        return from_plain(Transcript, json.loads((self.worker.folder / result.transcript.path).read_bytes()))

    def refuse(self, lines: Sequence[str], pair: str, model: str, **fields: Any) -> ErrorInfo:
        """Return the error that the worker answers with."""
        return self.worker.refuse("translate", self.request(lines, pair, model, **fields))


def texts_of(transcript: Transcript) -> list[str]:
    """Return a text for each line that was asked: a line of several sentences is several segments."""
    found: dict[int, list[str]] = {}
    for segment in transcript.segments:
        found.setdefault(segment.start_ms // _EVERY_MS, []).append(segment.text)
    return [" ".join(found[place]) for place in sorted(found)]
