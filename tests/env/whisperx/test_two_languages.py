"""A film in English, then in German, with nobody saying which: each half is written in its own language.

Whisper hears other words on another processor: what is asked here are words of each language that are
clearly said, and the language under which they stand.
"""

from __future__ import annotations

import json
import time

import pytest

from protocol.schema import from_plain
from protocol.stages.align import AlignRequest
from protocol.stages.asr import AsrRequest
from protocol.stages.demux import DemuxRequest
from protocol.timeline import Transcript
from tests.conftest import Figure
from tests.data import data, plain
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(600)]

ENGLISH = {"permission", "software", "without", "copies", "conditions", "notice"}
GERMAN = {"jeden", "der", "diese", "und", "das", "recht", "verwenden"}
CHANGES_MS = (29_000, 31_500)
"""Between these times the language changes."""


@pytest.mark.long
def test_each_half_of_a_film_in_two_languages_is_written_in_its_own(figure: Figure) -> None:
    """English words under English, German ones under German, and no word of one translated to the other."""
    with LoneWorker.of("common") as common, LoneWorker.of("whisperx") as whisperx:
        common.wait_ready()
        whisperx.wait_ready()
        demuxed = common.do("demux", DemuxRequest(media=str(data("speech/multilingual_en_fr.mp3"))))
        audio = whisperx.take_in(common.folder / demuxed.audio.path, "audio.wav")
        begun = time.monotonic()
        asr = whisperx.do("asr", AsrRequest(audio=audio))
        figure(f"asr of a film in two languages: {time.monotonic() - begun:.1f} s, {asr.languages}")
        request = AlignRequest(audio=audio, segments=asr.segments, speech=asr.speech)
        aligned = whisperx.do("align", request)
        document = json.loads((whisperx.folder / aligned.transcript.path).read_bytes())
    transcript = from_plain(Transcript, document)
    assert set(asr.languages) == {"en", "de"}
    assert transcript.language == asr.language == max(asr.languages, key=asr.languages.__getitem__)
    said: dict[str, set[str]] = {"en": set(), "de": set()}
    for segment in transcript.segments:
        language = transcript.language_of(segment)
        said[language] |= {plain(word.text) for word in segment.words}
        if language == "en":
            assert segment.end_ms < CHANGES_MS[1]
        else:
            assert segment.start_ms > CHANGES_MS[0]
    assert said["en"] >= ENGLISH
    assert said["de"] >= GERMAN
    assert not said["en"] & GERMAN
    assert not said["de"] & (ENGLISH - {"software"})
