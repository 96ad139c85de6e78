"""Which method times a word: wav2vec2 where its model is there, works and scores well, else cross-attention.

The wav2vec2 models are tiny ones that hear tones (tests/checkpoints/wav2vec2.py): what is shown is that
texts, times, languages and failures are right. `CPW_REAL_MODELS=1` aligns real recordings with the models
of the store as well.
"""

from __future__ import annotations

import array
import itertools
import json
import os
import re
import statistics
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import envspecs
from envspecs.models.registry import has_model, model_path
from protocol.artefacts import Artefact, describe_file, write_json
from protocol.errors import ErrorKind
from protocol.schema import from_plain, to_plain
from protocol.stages.align import AlignRequest, AlignResult
from protocol.stages.asr import AsrRequest
from protocol.timeline import Segment, Span, Transcript, Word
from tests.checkpoints.wav2vec2 import make_wav2vec2, tone
from tests.conftest import Figure
from tests.data import data
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(600)]

RATE = 16_000
LETTER_MS, GAP_MS = 100, 400


@dataclass(frozen=True)
class Sung:
    """Text that was sung into a file, and when."""

    audio: Artefact
    segments: tuple[Segment, ...]
    starts_ms: tuple[int, ...]
    """Of every word, spoken or not."""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneWorker]:
    """Return a worker with models: en hears tones, de nothing, fr and es are broken, nl lacks a file."""
    store = tmp_path_factory.mktemp("models")
    (store / "whisper-base").symlink_to(model_path("whisper-base"))
    make_wav2vec2(store, "en", hears_tones=True)
    make_wav2vec2(store, "de")
    weights = store / make_wav2vec2(store, "fr") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1_000])
    vocabulary = store / make_wav2vec2(store, "es", hears_tones=True) / "vocab.json"
    vocabulary.write_text(json.dumps({**json.loads(vocabulary.read_text()), "c": 4_000}))
    for broken in (weights, vocabulary):
        _write_down_size(broken)
    (store / make_wav2vec2(store, "nl", hears_tones=True) / "vocab.json").unlink()
    with LoneWorker.of("whisperx", models=store) as alive:
        alive.wait_ready()
        yield alive


def _write_down_size(file: Path) -> None:
    """Let the model's manifest say that the file was fetched as it is now."""
    path = file.parent / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][file.name]["size"] = file.stat().st_size
    path.write_text(json.dumps(manifest))


def sing(worker: LoneWorker, name: str, *segments: str, unsung: str = "") -> Sung:
    """Sing every letter as its tone, the words apart; letters of `unsung` are silent."""
    sound, made, starts = [0.0] * (RATE // 2), [], []
    for text in segments:
        begun = len(sound) * 1000 // RATE
        for word in text.split():
            starts.append(len(sound) * 1000 // RATE)
            for letter in word.strip("."):
                sound += tone(" " if letter in unsung else letter, LETTER_MS)
            sound += tone(" ", GAP_MS)
        made.append(Segment(start_ms=begun, end_ms=len(sound) * 1000 // RATE, text=text))
    path = worker.folder / name
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", (round(sample * 32_767) for sample in sound)).tobytes())
    return Sung(describe_file(path, name), tuple(made), tuple(starts))


def align(
    worker: LoneWorker, sung: Sung, language: str, **options: Any
) -> tuple[AlignResult, tuple[Word, ...]]:
    request = asked(worker, sung, language, **options)
    result = worker.do("align", request)
    words = read(worker, result.transcript).words()
    assert result.word_count == len(words) == sum(result.timed_by.values())
    assert [word.text for word in words] == " ".join(segment.text for segment in sung.segments).split()
    assert all(word.start_ms < word.end_ms for word in words)
    assert all(one.end_ms <= two.start_ms for one, two in itertools.pairwise(words))
    return result, words


def asked(worker: LoneWorker, sung: Sung, language: str, **options: Any) -> AlignRequest:
    transcript = Transcript(language=language, segments=sung.segments)
    write_json(worker.folder / "segments.json", to_plain(transcript))
    return AlignRequest(
        audio=sung.audio,
        segments=describe_file(worker.folder / "segments.json", "segments.json"),
        speech=tuple(Span(start_ms=segment.start_ms, end_ms=segment.end_ms) for segment in sung.segments),
        model="whisper-base",
        **options,
    )


def read(worker: LoneWorker, artefact: Artefact) -> Transcript:
    return from_plain(Transcript, json.loads((worker.folder / artefact.path).read_bytes()))


def methods(words: tuple[Word, ...]) -> list[str]:
    return [word.timed_by for word in words]


def test_words_that_the_model_hears_stand_where_they_are_said(worker: LoneWorker, figure: Figure) -> None:
    sung = sing(worker, "heard.wav", "ab cab ba. bac ab.", "cb ab abc.")
    result, words = align(worker, sung, "en")
    assert set(methods(words)) == {"wav2vec2"}
    assert result.timed_by == {"wav2vec2": 8}
    off = [word.start_ms - start for word, start in zip(words, sung.starts_ms, strict=True)]
    figure(f"wav2vec2 on tones: words start off by ms {off}")
    assert max(map(abs, off)) <= 60
    assert all(word.probability is not None and word.probability > 0.8 for word in words)


def test_only_the_sentence_that_the_model_does_not_hear_is_timed_by_whisper(worker: LoneWorker) -> None:
    sung = sing(worker, "partly.wav", "ab ba ab. cc ccc cc. ba ab ab.", unsung="c")
    _, words = align(worker, sung, "en")
    assert set(methods(words[:3])) == set(methods(words[6:])) == {"wav2vec2"}
    assert "wav2vec2" not in methods(words[3:6])
    off = [word.start_ms - start for word, start in zip(words[6:], sung.starts_ms[6:], strict=True)]
    assert max(map(abs, off)) <= 2 * LETTER_MS


def test_a_model_that_knows_nothing_scores_low_and_is_not_believed(worker: LoneWorker) -> None:
    sung = sing(worker, "random.wav", "ab cab ba.")
    assert "wav2vec2" not in methods(align(worker, sung, "de")[1])
    assert set(methods(align(worker, sung, "de", min_score=0.0)[1])) == {"wav2vec2"}
    assert "wav2vec2" not in methods(align(worker, sung, "en", min_score=0.99)[1])


def test_a_segment_on_which_the_model_fails_is_timed_by_whisper_and_no_other(worker: LoneWorker) -> None:
    sung = sing(worker, "fails.wav", "ab ba.", "cab cab.", "ba ab.")
    _, words = align(worker, sung, "es")
    assert set(methods(words[:2])) == set(methods(words[4:])) == {"wav2vec2"}
    assert "wav2vec2" not in methods(words[2:4])
    assert "wav2vec2 failed on the segment at 1700 ms" in worker.log.read_text()


def test_a_model_that_cannot_be_read_is_done_without(worker: LoneWorker) -> None:
    sung = sing(worker, "broken.wav", "ab cab ba.")
    assert "wav2vec2" not in methods(align(worker, sung, "fr")[1])
    assert "wav2vec2-fr cannot be read" in worker.log.read_text()


def test_a_model_that_cannot_be_read_is_an_error_for_who_asked_for_it(worker: LoneWorker) -> None:
    sung = sing(worker, "asked.wav", "ab cab ba.")
    error = worker.refuse("align", asked(worker, sung, "fr", method="wav2vec2"))
    assert error.kind is ErrorKind.INPUT
    assert "wav2vec2-fr" in error.message
    assert error.remedy == "cpw models fetch --again wav2vec2-fr"


def test_a_model_that_lacks_a_file_is_done_without(worker: LoneWorker) -> None:
    sung = sing(worker, "lacking.wav", "ab cab ba.")
    assert "wav2vec2" not in methods(align(worker, sung, "nl")[1])
    assert "wav2vec2-nl/vocab.json is missing." in worker.log.read_text()


def test_a_language_without_a_model_is_timed_by_whisper_or_refused_to_who_asked(worker: LoneWorker) -> None:
    sung = sing(worker, "none.wav", "ab cab ba.")
    assert "wav2vec2" not in methods(align(worker, sung, "it")[1])
    error = worker.refuse("align", asked(worker, sung, "it", method="wav2vec2"))
    assert (error.kind, error.remedy) == (ErrorKind.MISSING, "cpw models fetch wav2vec2-it")


# Clips whose words are timed by hand (mary, bobby) or by an aligner; on a grid of 10 ms.
CLIPS = {
    "mary": ("mary.TextGrid", "word"),
    "bobby": ("bobby_words.TextGrid", "word"),
    "acoustic_corpus": ("acoustic_corpus.TextGrid", "words"),
    "cold_corpus": ("cold_corpus.TextGrid", "words"),
}


def textgrid_words(path: Path, tier: str) -> list[Word]:
    """Return the words of a tier of Praat's TextGrid, written long or short."""
    text = re.sub(r"\[\d*\]:?", "", path.read_text(encoding="utf-8"))
    tokens = re.findall(r'"((?:[^"]|"")*)"|(?<![\w"])(-?\d+(?:\.\d+)?)', text)
    at = next(
        index
        for index, (word, _) in enumerate(tokens)
        if word == tier and tokens[index - 1][0] == "IntervalTier"
    )
    size = int(tokens[at + 3][1])
    found = []
    for first in range(at + 4, at + 4 + 3 * size, 3):
        (_, start), (_, end), (word, _) = tokens[first : first + 3]
        if word.strip():
            start_ms, end_ms = round(float(start) * 1000), round(float(end) * 1000)
            found.append(Word(text=word.lower(), start_ms=start_ms, end_ms=end_ms))
    return found


def to_wav(source: Path, target: Path) -> None:
    """Make 16 kHz mono sound."""
    ask = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    python = envspecs.interpreter("common")
    ffmpeg = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    form = ["-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le"]
    subprocess.run([ffmpeg, "-v", "error", "-y", "-i", source, *form, target], check=True)


def shown(method: str, off: dict[str, list[int]]) -> str:
    """Return median and 90th percentile of the distances, of all clips and of each."""

    def spread(found: list[int]) -> str:
        sizes = sorted(map(abs, found))
        return f"{statistics.median(sizes):.0f}/{sizes[(len(sizes) * 9) // 10]}"

    by_clip = ", ".join(f"{name} {spread(found)}" for name, found in off.items())
    every = [distance for found in off.values() for distance in found]
    return (
        f"{method}, starts of {len(every)} words, median/90th percentile in ms: {spread(every)} ({by_clip})"
    )


def distances(worker: LoneWorker, method: str) -> dict[str, list[int]]:
    """Return for each clip how far the starts of its words are from where they are said."""
    off = {}
    for name, (grid, tier) in CLIPS.items():
        meant = textgrid_words(data(f"align/{grid}"), tier)
        to_wav(data(f"align/{name}.wav"), worker.folder / f"{name}.wav")
        audio = describe_file(worker.folder / f"{name}.wav", f"{name}.wav")
        heard = worker.do("asr", AsrRequest(audio=audio, model="whisper-base", language="en"))
        text = " ".join(word.text for word in meant)
        segment = Segment(start_ms=heard.speech[0].start_ms, end_ms=heard.speech[-1].end_ms, text=text)
        write_json(worker.folder / "segments.json", to_plain(Transcript(language="en", segments=(segment,))))
        request = AlignRequest(
            audio=audio,
            segments=describe_file(worker.folder / "segments.json", "segments.json"),
            speech=heard.speech,
            method=method,
            model="whisper-base",
        )
        words = read(worker, worker.do("align", request).transcript).words()
        assert [word.text for word in words] == [word.text for word in meant]
        off[name] = [one.start_ms - two.start_ms for one, two in zip(words, meant, strict=True)]
    return off


def test_cross_attention_times_words_near_where_they_are_said(worker: LoneWorker, figure: Figure) -> None:
    off = distances(worker, "cross-attention")
    figure(shown("cross-attention", off))
    assert statistics.median(abs(distance) for found in off.values() for distance in found) <= 150


@pytest.mark.skipif(os.environ.get("CPW_REAL_MODELS") != "1", reason="CPW_REAL_MODELS=1 uses real weights")
def test_a_real_model_times_words_better_than_cross_attention(figure: Figure) -> None:
    if not has_model("wav2vec2-en"):
        pytest.skip("wav2vec2-en is not in the store: cpw models fetch wav2vec2-en")
    with LoneWorker.of("whisperx") as worker:
        worker.wait_ready()
        by_whisper, by_wav2vec2 = distances(worker, "cross-attention"), distances(worker, "wav2vec2")
    figure(shown("wav2vec2", by_wav2vec2))

    def median(off: dict[str, list[int]]) -> float:
        return statistics.median(abs(distance) for found in off.values() for distance in found)

    assert median(by_wav2vec2) <= median(by_whisper)
