"""What Whisper makes up is taken out, and what is said stays: with VAD switched off on purpose.

It hears and makes up other words on another processor: what is asked here are bounds. What becomes of every
single word is asked of what it heard once, in `tests/unit/engines/common/cleaning/test_heard.py`.
"""

from __future__ import annotations

import json
import subprocess
import wave
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.artefacts import Artefact, write_json
from protocol.schema import from_plain, to_plain
from protocol.stages.align import AlignRequest
from protocol.stages.asr import AsrRequest
from protocol.stages.clean import CleanRequest
from protocol.stages.demux import DemuxRequest
from protocol.stages.subtitle import SubtitleRequest
from protocol.timeline import HEARD_AGAIN, Span, Transcript
from tests.conftest import Figure
from tests.data import data
from tests.heard import Heard, longest_row, loop_at, plain_words, repeat
from tests.lone_worker import LoneWorker
from workers.engines.common.film.ffmpeg import find_ffmpeg

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(600)]

SAYS_AGAIN_MS = (10_500, 13_700)
"""`ask what you can do for your country`, in film_en.mp4. Said three times, Whisper writes it once."""
SAYS_NOT_MS = (6_500, 7_000)
"""`not`, in `ask not what your country can do for you`."""
TIMES = 3
_PER_MS = 16
_WIDTH = 2
"""Samples a millisecond and bytes a sample of what demux writes."""


class Bench:
    """One worker of each of the two environments."""

    def __init__(self, common: LoneWorker, whisperx: LoneWorker) -> None:
        self.common, self.whisperx = common, whisperx

    def sound(self, film: str) -> tuple[Path, int]:
        """Return a film's sound and its length."""
        result = self.common.do("demux", DemuxRequest(media=str(data(film))))
        return self.common.folder / result.audio.path, result.audio_duration_ms

    def hear(self, sound: Path, duration_ms: int, *, everything_is_speech: bool = True) -> Heard:
        """Return what is heard where VAD listens, or where all is called speech, with full score."""
        audio = self.whisperx.take_in(sound, "audio.wav")
        speech = (Span(start_ms=0, end_ms=duration_ms),) if everything_is_speech else None
        asr = self.whisperx.do("asr", AsrRequest(audio=audio, speech=speech, language="en"))
        request = AlignRequest(audio=audio, segments=asr.segments, speech=asr.speech)
        aligned = self.whisperx.do("align", request)
        plain = json.loads((self.whisperx.folder / aligned.transcript.path).read_bytes())
        return Heard(
            transcript=from_plain(Transcript, plain),
            duration_ms=duration_ms,
            speech=tuple(asr.speech),
            notes=aligned.notes,
        )

    def clean(self, heard: Heard, **rules: Any) -> tuple[Artefact, dict[str, Any]]:
        """Return the clean transcript and the report."""
        write_json(self.common.folder / "heard.json", to_plain(heard.transcript))
        artefact = self.common.take_in(self.common.folder / "heard.json", "in.json")
        request = CleanRequest(
            transcript=artefact, speech=heard.speech, media_duration_ms=heard.duration_ms, **rules
        )
        result = self.common.do("clean", request)
        return result.transcript, json.loads((self.common.folder / result.report.path).read_bytes())

    def read(self, artefact: Artefact) -> Transcript:
        """Return a transcript of the common worker's."""
        return from_plain(Transcript, json.loads((self.common.folder / artefact.path).read_bytes()))


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Return the two workers, ready."""
    with LoneWorker.of("common") as common, LoneWorker.of("whisperx") as whisperx:
        common.wait_ready()
        whisperx.wait_ready()
        yield Bench(common, whisperx)


def test_what_is_made_up_in_a_battle_is_taken_out_each_with_its_reason(bench: Bench, figure: Figure) -> None:
    found = bench.hear(*bench.sound("film/tears_of_steel_battle_no_dialogue.webm"))
    if not found.transcript.segments:
        pytest.skip("on this processor nothing is made up in the battle: there is nothing to take out")
    transcript, report = bench.clean(found)
    made_up, left = found.transcript.words(), bench.read(transcript).words()
    told = " ".join(removal["text"] for removal in report["removed"]).split()
    for removal in report["removed"]:
        figure(f"battle without VAD, removed: {removal['text']!r} ({removal['rule']}: {removal['reason']})")
    figure(f"battle without VAD: of {len(made_up)} words made up {len(left)} stay (limit a third)")
    assert len(left) <= len(made_up) / 3
    assert Counter(told + [word.text for word in left]) == Counter(word.text for word in made_up)
    assert all(removal["reason"] for removal in report["removed"])
    request = SubtitleRequest(transcript=transcript, title="battle", media_duration_ms=found.duration_ms)
    assert bench.common.do("subtitle", request).cue_count <= len(left)


def test_with_every_rule_off_what_was_made_up_stays(bench: Bench) -> None:
    heard = bench.hear(*bench.sound("film/tears_of_steel_battle_no_dialogue.webm"))
    off = dict.fromkeys(
        ("loops", "credits", "outside_speech", "speech_rate", "low_confidence"),
        False,
    )
    transcript, report = bench.clean(heard, **off)
    assert bench.read(transcript) == heard.transcript
    assert report["removed"] == []


def test_hardly_a_word_that_is_said_over_the_battle_is_lost_without_vad(bench: Bench, figure: Figure) -> None:
    found = bench.hear(*bench.sound("film/film_en.mp4"))
    transcript, _ = bench.clean(found)
    said, left = len(found.transcript.words()), len(bench.read(transcript).words())
    figure(f"film_en.mp4 without VAD: {said} words, removed: {said - left} (limit 5)")
    assert said > 90
    assert said - left <= 5


@pytest.mark.parametrize(("times", "pause_ms"), [(TIMES, 400), (5, 0)])
def test_what_a_person_says_again_and_again_is_heard_so_often_and_is_no_loop(
    bench: Bench, tmp_path: Path, figure: Figure, times: int, pause_ms: int
) -> None:
    film, _ = bench.sound("film/film_en.mp4")
    repeated = repeat(film, tmp_path / "again.wav", SAYS_AGAIN_MS, times=times, pause_ms=pause_ms)
    found = bench.hear(*repeated, everything_is_speech=False)
    said = plain_words(found.transcript).count("country")
    transcript, report = bench.clean(found)
    left = plain_words(bench.read(transcript)).count("country")
    again = sum(HEARD_AGAIN in segment.marks for segment in found.transcript.segments)
    figure(
        f"a sentence said {times} times, {pause_ms} ms apart: heard {said} times, {again} of them only the "
        f"second time, {left} left when clean"
    )
    assert said == left == times
    assert bool(found.notes) == bool(again)
    assert not [removal for removal in report["removed"] if removal["rule"] == "loops"]


def test_in_a_film_not_not_not_is_kept_and_a_loop_over_the_battle_is_cut(
    bench: Bench, tmp_path: Path, figure: Figure
) -> None:
    sound, battle_ms = _stammer(bench, tmp_path / "sound.wav")
    film = _film(sound, tmp_path / "planted.mkv")
    result = bench.common.do("demux", DemuxRequest(media=str(film)))
    found = bench.hear(
        bench.common.folder / result.audio.path, result.audio_duration_ms, everything_is_speech=False
    )
    heard = longest_row(plain_words(found.transcript), "not")
    loop = loop_at(battle_ms, each_ms=1_500, times=10)
    transcript, report = bench.clean(found.plus(loop))
    left = bench.read(transcript)
    kept = longest_row(plain_words(left), "not")
    assert heard >= 1
    assert kept >= min(heard, TIMES)
    told = " ".join(removal["text"] for removal in report["removed"])
    assert told.endswith(loop.text)
    assert len(told.split()) - len(loop.words) <= 2, "of what is said, hardly a word"
    assert all(removal["reason"] for removal in report["removed"])
    request = SubtitleRequest(transcript=transcript, title="planted", media_duration_ms=found.duration_ms)
    bench.common.do("subtitle", request)
    shown = (bench.common.folder / "11_subtitle" / "planted.en.srt").read_text(encoding="utf-8")
    assert "god" not in shown
    last = report["removed"][-1]
    figure(
        f"planted film: 'not' said {TIMES} times, heard {heard} times, kept {kept}; a loop of "
        f"{len(loop.words)} words over the battle went ({last['rule']}: {last['reason']})"
    )


def _stammer(bench: Bench, path: Path) -> tuple[Path, int]:
    """Write film_en's first sentence with its `not` said three times, then twenty seconds of battle.

    Return the file and where the battle begins.
    """
    film, _ = bench.sound("film/film_en.mp4")
    with wave.open(str(film)) as sound:
        form, speech = sound.getparams(), sound.readframes(14_000 * _PER_MS)
    battle, _ = bench.sound("film/tears_of_steel_battle_no_dialogue.webm")
    with wave.open(str(battle)) as sound:
        noise = sound.readframes(20_000 * _PER_MS)
    start, stop = (edge_ms * _PER_MS * _WIDTH for edge_ms in SAYS_NOT_MS)
    again = bytes(250 * _PER_MS * _WIDTH) + speech[start:stop]
    said = speech[:stop] + again * (TIMES - 1) + speech[stop:]
    with wave.open(str(path), "wb") as sound:
        sound.setparams(form)
        sound.writeframes(said + noise)
    return path, len(said) // (_PER_MS * _WIDTH)


def _film(sound: Path, path: Path) -> Path:
    """Write a film with this sound."""
    picture = ("-f", "lavfi", "-i", "testsrc=s=64x64:r=12")
    command = [find_ffmpeg(), "-nostdin", "-loglevel", "error", *picture, "-i", str(sound)]
    subprocess.run([*command, "-shortest", "-c:v", "mpeg4", "-c:a", "flac", str(path)], check=True)
    return path
