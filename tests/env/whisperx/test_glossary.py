"""A clip whose right text needs a name that Whisper does not know: the glossary of its job has it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from coordinator.planning.builders import Inputs, Results, build_request
from protocol.jobs.glossary import Term
from protocol.messages import Submit
from protocol.schema import from_plain, to_plain
from protocol.stages.asr import AsrRequest
from protocol.stages.demux import DemuxRequest
from protocol.timeline import Transcript
from tests.conftest import Figure
from tests.data import data
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_name_of_the_glossary_is_heard(figure: Figure) -> None:
    """The request comes from the job's own builder, with a glossary and without."""
    film = str(data("speech/hotwords.mp3"))
    heard: dict[str, str] = {}
    with LoneWorker.of("common") as common, LoneWorker.of("whisperx") as whisperx:
        common.wait_ready()
        whisperx.wait_ready()
        demuxed = common.do("demux", DemuxRequest(media=film))
        audio = whisperx.take_in(common.folder / demuxed.audio.path, "audio.wav")
        results = Results({"demux": {**to_plain(demuxed), "audio": to_plain(audio)}})
        for kind, glossary in (("without", ()), ("with", (Term(source="ComfyUI"), Term(source="Gabbar")))):
            submit = Submit(media=film, workflow="transcribe", user="u", out="/o", glossary=glossary)
            request: AsrRequest = build_request("asr", Inputs(submit=submit, title="", results=results))
            begun = time.monotonic()
            result: Any = whisperx.do("asr", request)
            document = json.loads((whisperx.folder / result.segments.path).read_bytes())
            heard[kind] = " ".join(part.text for part in from_plain(Transcript, document).segments)
            figure(f"{kind} a glossary, {time.monotonic() - begun:.1f} s: {heard[kind][:90]}")
    assert "ComfyUI" not in heard["without"]
    assert "ComfyUI" in heard["with"]
    assert "Gabbar" not in heard["with"]
