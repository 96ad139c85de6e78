"""Runs asr, align and translate on films, in the interpreter of the environment `whisperx`; prints JSON.

    venv/whisperx/bin/python tests/env/whisperx/pipeline.py STORE FOLDER NAME[:translate]...

FOLDER holds `<NAME>.wav`. Everything runs in one process, whose models are warm before the first film. One
line of JSON a film on stdout: language, probability, words, translation, seconds for each stage.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from envspecs.budgets import threads_of  # noqa: E402 (after the path is set)
from envspecs.hardware import usable_cores  # noqa: E402 (after the path is set)
from envspecs.spec import read  # noqa: E402 (after the path is set)
from protocol.artefacts import Artefact, describe_file  # noqa: E402 (after the path is set)
from protocol.schema import from_plain, to_plain  # noqa: E402 (after the path is set)
from protocol.stages.align import AlignRequest  # noqa: E402 (after the path is set)
from protocol.stages.asr import AsrRequest  # noqa: E402 (after the path is set)
from protocol.stages.translate import TranslateRequest  # noqa: E402 (after the path is set)
from protocol.timeline import Transcript  # noqa: E402 (after the path is set)
from workers.context import CallContext  # noqa: E402 (after the path is set)
from workers.engines.whisperx.align import WhisperAlign  # noqa: E402 (after the path is set)
from workers.engines.whisperx.asr import WhisperxAsr  # noqa: E402 (after the path is set)
from workers.engines.whisperx.translate import WhisperTranslate  # noqa: E402 (after the path is set)
from workers.models import ModelShelf  # noqa: E402 (after the path is set)

MODEL = "whisper-base"


class Bench:
    """The engines over one folder of sound."""

    def __init__(self, store: Path, folder: Path) -> None:
        self.folder = folder
        self.models = ModelShelf(store, threads=threads_of(read("whisperx"), usable_cores()))
        self.engines = {
            engine.stage: engine for engine in (WhisperxAsr(), WhisperAlign(), WhisperTranslate())
        }
        for engine in self.engines.values():
            engine.warm(self.models, MODEL)

    def call(self, stage: str, request: Any, seconds: dict[str, float]) -> Any:
        """Do one call and note how long it took."""
        context = CallContext(self.folder, stage, stage, self.models, lambda _share, _note: None)
        context.prepare()
        begun = time.monotonic()
        result = self.engines[stage].run(request, context)
        seconds[stage] = round(time.monotonic() - begun, 2)
        return result

    def read(self, artefact: Artefact) -> Transcript:
        """Return a transcript that a call left."""
        return from_plain(Transcript, json.loads((self.folder / artefact.path).read_bytes()))

    def film(self, name: str, *, translate: bool) -> dict[str, Any]:
        """Put one film through the stages."""
        audio = describe_file(self.folder / f"{name}.wav", f"{name}.wav")
        seconds: dict[str, float] = {}
        heard = self.call("asr", AsrRequest(audio=audio, model=MODEL), seconds)
        request = AlignRequest(audio=audio, segments=heard.segments, speech=heard.speech, model=MODEL)
        aligned = self.call("align", request, seconds)
        found = {
            "language": heard.language,
            "probability": heard.language_probability,
            "speech": to_plain(heard.speech),
            "words": to_plain(self.read(aligned.transcript).words()),
            "timed_by": aligned.timed_by,
        }
        if translate:
            asked = TranslateRequest(
                transcript=aligned.transcript,
                audio=audio,
                speech=heard.speech,
                source_language=heard.language,
                target_language="en",
                model=MODEL,
            )
            translated = self.read(self.call("translate", asked, seconds).transcript)
            found["translation"] = to_plain(translated)
        return {"film": name, "seconds": seconds, **found}


def main(store: str, folder: str, *films: str) -> None:
    """Print one line of JSON a film, and one with what was loaded."""
    bench = Bench(Path(store), Path(folder))
    for film in films:
        name, _, also = film.partition(":")
        sys.stdout.write(json.dumps(bench.film(name, translate=also == "translate")) + "\n")
    loads = {model.key: model.loads for model in bench.models.loaded()}
    sys.stdout.write(json.dumps({"film": "", "loads": loads}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
