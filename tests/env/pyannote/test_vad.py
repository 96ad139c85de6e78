"""vad by a real worker with the real models: what it hears, where, and that it hears nothing in silence."""

from __future__ import annotations

import array
import itertools
import json
import shutil
import subprocess
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

import jiwer
import pytest

import envspecs
from envspecs.models.registry import has_model, model_path
from protocol.artefacts import Artefact, describe_file
from protocol.errors import ErrorKind
from protocol.frames import Header
from protocol.messages import Ack, Cancel, Failure, Progress
from protocol.schema import from_plain, to_plain
from protocol.stages.asr import AsrRequest
from protocol.stages.vad import VadRequest, VadResult
from protocol.timeline import Span, Transcript
from tests.conftest import Figure
from tests.data import data, plain, script, two_speakers
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("common", "pyannote"), pytest.mark.slow, pytest.mark.timeout(600)]

SEGMENTATION_3 = "pyannote-segmentation-3.0"
METHODS = ("pyannote", SEGMENTATION_3, "silero")
"""The methods, and a model that a person may name for the first."""
RATE = 16_000
LATE_MS = 3_977
FILM_MS = 70_000


@pytest.fixture(scope="module")
def worker() -> Iterator[LoneWorker]:
    """Return a worker that lives as long as these tests, as it does for a person."""
    with LoneWorker.of("pyannote") as alive:
        alive.wait_ready()
        yield alive


def write(worker: LoneWorker, name: str, samples: Sequence[int]) -> Artefact:
    path = worker.folder / name
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", samples).tobytes())
    return describe_file(path, name)


def demuxed(worker: LoneWorker, film: str, name: str, *more: str) -> Artefact:
    """Make 16 kHz mono sound whose time 0 is the film's, as the demux stage does; `more` goes before it."""
    ask = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    python = envspecs.interpreter("common")
    ffmpeg = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    late = ["-af", "aresample=async=1:first_pts=0"]
    form = ["-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le"]
    path = worker.folder / name
    source = ["-i", data(film), "-map", "0:a:0"]
    subprocess.run([ffmpeg, "-v", "error", "-y", *more, *source, *late, *form, path], check=True)
    return describe_file(path, name)


def hear(worker: LoneWorker, audio: Artefact, **options: object) -> VadResult:
    result: VadResult = worker.do("vad", VadRequest(audio=audio, **options))  # type: ignore[arg-type]  # (fields by name)
    written = json.loads((worker.folder / result.segments.path).read_bytes())
    assert written == {"version": 1, "speech": to_plain(result.speech)}
    assert all(span.start_ms < span.end_ms for span in result.speech)
    assert all(one.end_ms <= two.start_ms for one, two in itertools.pairwise(result.speech))
    assert all(0 < span.peak <= 1 for span in result.speech)
    assert result.speech_ms == sum(span.end_ms - span.start_ms for span in result.speech)
    return result


def by(method: str) -> dict[str, str]:
    """Return the options that choose it; skip the test where its model is not in the store."""
    if method != SEGMENTATION_3:
        return {"method": method}
    if not has_model(SEGMENTATION_3):
        pytest.skip(f"the model {SEGMENTATION_3} is not in the store: cpw models fetch {SEGMENTATION_3}")
    return {"model": SEGMENTATION_3}


def milliseconds(spans: Sequence[Span]) -> set[int]:
    return {number for span in spans for number in range(span.start_ms, span.end_ms)}


@pytest.mark.parametrize("method", METHODS)
def test_nine_tenths_of_what_two_people_say_are_heard(
    worker: LoneWorker, figure: Figure, method: str
) -> None:
    rows = [line.split() for line in two_speakers().with_suffix(".rttm").read_text().splitlines()]
    turns = [(round(float(row[3]) * 1000), round(float(row[4]) * 1000)) for row in rows]
    said = milliseconds([Span(start_ms=start, end_ms=start + length) for start, length in turns])
    result = hear(worker, worker.take_in(two_speakers(), "sample.wav"), **by(method))
    heard = milliseconds(result.speech)
    found, right = len(said & heard) / len(said), len(said & heard) / len(heard)
    figure(f"vad, {method}: {found:.1%} of the speech of two speakers found; {right:.1%} of what it hears is")
    assert found >= 0.9
    assert right >= 0.9
    assert result.method == by(method).get("method", "pyannote")
    assert result.device == ("cpu" if method == "silero" else result.device)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_battle_without_dialogue_passes_for_speech(
    worker: LoneWorker, figure: Figure, method: str
) -> None:
    audio = demuxed(worker, "film/tears_of_steel_battle_no_dialogue.webm", "battle.wav")
    result = hear(worker, audio, **by(method))
    peaks = [round(span.peak, 2) for span in result.speech]
    figure(f"vad, {method}: hears {result.speech_ms} ms of speech in a battle without; peaks {peaks}")
    # asr takes the rest out: it asks for a second witness where a peak is low.
    assert result.speech_ms < 10_000


@pytest.mark.parametrize("method", METHODS)
def test_every_line_of_a_film_is_heard(worker: LoneWorker, figure: Figure, method: str) -> None:
    lines = [Span(start_ms=line.start_ms, end_ms=line.end_ms) for line in script("film_en")]
    result = hear(worker, demuxed(worker, "film/film_en.mp4", "film_en.wav"), **by(method))
    heard = milliseconds(result.speech)
    shares = [len(milliseconds([line]) & heard) / (line.end_ms - line.start_ms) for line in lines]
    shown = " ".join(f"{share:.0%}" for share in shares)
    figure(f"vad, {method}: of the lines of film_en, over battle sound, is heard {shown}")
    assert min(shares) >= 0.6


@pytest.mark.parametrize("method", METHODS)
def test_sound_that_starts_late_is_heard_late(worker: LoneWorker, method: str) -> None:
    early = hear(worker, demuxed(worker, "film/film_en.mp4", "early.wav"), **by(method)).speech
    audio = demuxed(worker, "film/film_en_audio_starts_4s_late.mkv", "late.wav")
    late = hear(worker, audio, **by(method)).speech
    moved = [Span(start_ms=span.start_ms + LATE_MS, end_ms=span.end_ms + LATE_MS) for span in early]
    one, two = milliseconds(moved), milliseconds(late)
    assert len(one ^ two) <= 0.05 * len(one)


@pytest.mark.parametrize("method", METHODS)
def test_silence_gives_no_speech_however_long(worker: LoneWorker, method: str) -> None:
    for name, count in (
        ("empty.wav", 0),
        ("click.wav", 800),
        ("word.wav", 1_700),
        ("silence.wav", 12 * RATE),
    ):
        result = hear(worker, write(worker, name, [0] * count), **by(method))
        assert (result.speech, result.speech_ms) == ((), 0), name


def test_a_film_in_blocks_is_heard_as_its_parts_are(worker: LoneWorker) -> None:
    # 14 minutes are three blocks; their seams lie in the fifth and the ninth copy.
    path = worker.folder / demuxed(worker, "film/film_en.mp4", "part.wav").path
    with wave.open(str(path), "rb") as file:
        copied = array.array("h", file.readframes(FILM_MS * RATE // 1000))
    whole = hear(worker, write(worker, "whole.wav", copied * 12)).speech
    second = milliseconds(within(whole, FILM_MS, 2 * FILM_MS))
    assert len(second) > 30_000
    for copy in range(2, 12):
        here = milliseconds(within(whole, copy * FILM_MS, (copy + 1) * FILM_MS))
        moved = {moment + (copy - 1) * FILM_MS for moment in second}
        # Frames fall otherwise, by up to 17 ms at each end of a stretch.
        assert len(moved ^ here) <= 0.02 * len(second), f"copy {copy}"


def within(spans: Sequence[Span], start_ms: int, end_ms: int) -> list[Span]:
    cut = (Span(start_ms=max(span.start_ms, start_ms), end_ms=min(span.end_ms, end_ms)) for span in spans)
    return [span for span in cut if span.start_ms < span.end_ms]


def test_options_change_what_counts_as_speech(worker: LoneWorker) -> None:
    audio = worker.take_in(two_speakers(), "sample.wav")
    plainly = hear(worker, audio).speech
    padded = hear(worker, audio, pad_ms=200, min_silence_ms=300, min_speech_ms=500).speech
    assert len(padded) < len(plainly)
    # What is too short goes; what is left starts as early as it is padded.
    assert padded[0].start_ms + 200 in {span.start_ms for span in plainly[:3]}
    assert min(span.end_ms - span.start_ms for span in padded) >= 500
    assert padded[-1].end_ms <= 30_000
    cut = hear(worker, audio, max_speech_ms=5_000).speech
    assert max(span.end_ms - span.start_ms for span in cut) <= 5_000
    assert milliseconds(cut) == milliseconds(plainly)
    alone = hear(worker, audio, batch_size=1).speech
    assert near(alone, plainly)
    assert near(plainly, alone)


def test_a_cancelled_call_ends(worker: LoneWorker) -> None:
    audio = demuxed(worker, "film/film_en.mp4", "long.wav", "-stream_loop", "40")
    header = Header(run="1", job="job-1", step="vad", attempt=1_000)
    worker.send(worker.call("vad", VadRequest(audio=audio)), header)
    assert worker.next(Progress).message.note == "finding speech"
    worker.send(Cancel(), header)
    failure = worker.next(Failure).message
    worker.send(Ack(), header)
    assert failure.error.kind is ErrorKind.CANCELLED


def test_what_cannot_be_done_is_refused_in_a_sentence(worker: LoneWorker) -> None:
    audio = worker.take_in(two_speakers(), "sample.wav")
    missing = worker.refuse("vad", VadRequest(audio=audio, model="pyannote-segmentation-9"))
    assert missing.kind is ErrorKind.MISSING
    assert missing.remedy == "cpw models fetch pyannote-segmentation-9"
    for options in ({"method": "ears"}, {"device": "cuda:99"}):
        error = worker.refuse("vad", VadRequest(audio=audio, **options))
        assert error.kind is ErrorKind.USAGE
        assert error.message.endswith(".")


def test_a_checkpoint_that_has_changed_is_not_run(tmp_path: Path) -> None:
    shutil.copytree(model_path(VadRequest.model), tmp_path / VadRequest.model)
    checkpoint = tmp_path / VadRequest.model / "pytorch_model.bin"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1] + b"!")
    with LoneWorker.of("pyannote", models=tmp_path) as worker:
        worker.wait_ready()
        audio = worker.take_in(two_speakers(), "sample.wav")
        error = worker.refuse("vad", VadRequest(audio=audio))
        assert error.kind is ErrorKind.INPUT
        assert "has changed since it was fetched" in error.message
        assert hear(worker, audio, method="silero").speech_ms > 20_000


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    # Whoever can write the file can write its manifest, too.
    folder, ran = tmp_path / VadRequest.model, tmp_path / "ran"
    shutil.copytree(model_path(VadRequest.model), folder)
    write_it = (
        "import pathlib, sys, torch\n"
        "class Bad:\n"
        "    def __reduce__(self): return pathlib.Path.touch, (pathlib.Path(sys.argv[2]),)\n"
        "loaded = torch.load(sys.argv[1], map_location='cpu', weights_only=False)\n"
        "torch.save({**loaded, 'more': Bad()}, sys.argv[1])"
    )
    checkpoint = folder / "pytorch_model.bin"
    python = envspecs.interpreter("pyannote")
    subprocess.run([python, "-W", "ignore", "-c", write_it, checkpoint, ran], check=True)
    ran.unlink(missing_ok=True)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    found = describe_file(checkpoint, checkpoint.name)
    manifest["files"][checkpoint.name] = {"sha256": found.sha256, "size": found.size}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with LoneWorker.of("pyannote", models=tmp_path) as worker:
        worker.wait_ready()
        error = worker.refuse("vad", VadRequest(audio=worker.take_in(two_speakers(), "sample.wav")))
    assert error.kind is ErrorKind.INPUT
    assert "cannot read the model" in error.message
    assert not ran.exists()


def test_silero_leaves_the_other_model_its_threads() -> None:
    ask = (
        "import torch; torch.set_num_threads(2)\n"
        "from pathlib import Path; from workers.models import ModelShelf\n"
        "from workers.engines.pyannote.models import load_silero\n"
        "load_silero(ModelShelf(Path('.'))); print(torch.get_num_threads())"
    )
    python = envspecs.interpreter("pyannote")
    said = subprocess.run(
        [python, "-c", ask], capture_output=True, text=True, check=True, cwd=envspecs.home()
    )
    assert said.stdout.split()[-1] == "2"


@pytest.mark.env("whisperx")
@pytest.mark.parametrize("model", [VadRequest.model, SEGMENTATION_3])
def test_asr_writes_with_these_stretches_what_it_writes_with_its_own(
    worker: LoneWorker, figure: Figure, model: str
) -> None:
    options = by(SEGMENTATION_3) if model == SEGMENTATION_3 else {}
    heard = {
        name: hear(worker, demuxed(worker, film, f"{name}.wav"), **options).speech
        for name, film in (
            ("film_en", "film/film_en.mp4"),
            ("film_de", "film/film_de.mp4"),
            ("battle", "film/tears_of_steel_battle_no_dialogue.webm"),
        )
    }
    with LoneWorker.of("whisperx") as asr:
        asr.wait_ready()
        texts: dict[tuple[str, bool], str] = {}
        for (name, speech), given in itertools.product(heard.items(), (True, False)):
            audio = asr.take_in(worker.folder / f"{name}.wav", f"{name}.wav")
            request = AsrRequest(audio=audio, speech=speech if given else None)
            result = asr.do("asr", request)
            read = json.loads((asr.folder / result.segments.path).read_bytes())
            transcript = from_plain(Transcript, read)
            texts[name, given] = plain(" ".join(segment.text for segment in transcript.segments))
            if not given and model == VadRequest.model:
                assert near(result.speech, speech), name
        # One stretch over all of the film: asr cuts it to what Whisper hears at once.
        audio = describe_file(asr.folder / "film_en.wav", "film_en.wav")
        long = (Span(start_ms=0, end_ms=FILM_MS, peak=0.99),)
        result = asr.do("asr", AsrRequest(audio=audio, speech=long))
        assert max(span.end_ms - span.start_ms for span in result.speech) <= 30_000
        assert result.speech[0].start_ms == 0
        assert 2 <= result.segment_count <= 4
    meant = plain(" ".join(line.text for line in script("film_en")))
    rates = [jiwer.wer(meant, texts["film_en", given]) for given in (True, False)]
    figure(
        f"asr of film_en: word error rate with the stretches of {model} {rates[0]:.3f}, "
        f"with its own {rates[1]:.3f}"
    )
    # Stretches that differ by a frame are enough for another word here and there.
    assert max(rates) <= 0.10
    assert rates[0] <= rates[1] + 0.05
    assert jiwer.wer(texts["film_de", False], texts["film_de", True]) <= 0.15
    # A shout may pass for a word, see tests/env/whisperx/test_figures.py.
    assert max(len(texts["battle", given].split()) for given in (True, False)) <= 2


def near(kept: Sequence[Span], heard: Sequence[Span]) -> bool:
    """Tell whether all that asr kept is among the stretches, to a frame of 17 ms at either end."""
    return all(
        any(abs(one.start_ms - two.start_ms) <= 17 and abs(one.end_ms - two.end_ms) <= 17 for two in heard)
        for one in kept
    )
