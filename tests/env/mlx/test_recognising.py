"""What mlx-whisper must show with the weights of whisper-tiny.en, converted, through a real worker."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jiwer
import pytest

import envspecs
from envspecs.models.fetch import fetch
from envspecs.models.registry import has_model
from protocol.artefacts import Artefact
from protocol.errors import ErrorKind
from protocol.stages.asr import AsrRequest, AsrResult
from protocol.timeline import UNDETERMINED, Span
from tests.conftest import Figure
from tests.data import ROOT, data, plain
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("common", "mlx"), pytest.mark.slow, pytest.mark.timeout(300)]

TINY, OF = "whisper-tiny.en-mlx", "whisper-tiny.en"
CLIP = "speech/sense_and_sensibility_01_austen_64kb-0930"
MARY_MS = [("mary", 315), ("rolled", 676), ("the", 984), ("barrel", 1_064)]
"""Starts in `align/mary.TextGrid`, set by hand."""
MOST_ERRORS = 0.25
"""Of eight words two may be others: the model is small, and rounds otherwise on another processor."""


class Silent:
    """A report for nobody."""

    def line(self, text: str) -> None: ...

    def answer(self, text: str) -> None: ...

    def progress(self, text: str, done: int, total: int) -> None: ...


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which the model was made of the one that people have."""
    if not has_model(OF):
        pytest.skip(f"the model {OF} is not in the store: python3 -m envspecs models fetch {OF}")
    folder = tmp_path_factory.mktemp("models")
    (folder / OF).symlink_to(envspecs.models_directory() / OF)
    fetch(TINY, Silent(), store=folder)
    broken = folder / "broken"
    shutil.copytree(folder / TINY, broken)
    weights = (broken / "weights.safetensors").read_bytes()
    # One tensor under a name of the same length that mlx-whisper does not know.
    (broken / "weights.safetensors").write_bytes(
        weights.replace(b'"decoder.ln.bias"', b'"decoder.ln.bays"', 1)
    )
    return folder


@pytest.fixture(scope="module")
def worker(store: Path) -> Iterator[LoneWorker]:
    with LoneWorker.of("mlx", models=store, options=("--default-model", TINY)) as running:
        running.wait_ready()
        yield running


def recognised(worker: LoneWorker, sound: Artefact, **options: Any) -> tuple[AsrResult, list[dict[str, Any]]]:
    result = worker.do("asr", AsrRequest(audio=sound, model=TINY, **options))
    return result, json.loads((worker.folder / result.segments.path).read_text())["segments"]


def said(segments: list[dict[str, Any]]) -> str:
    return plain(" ".join(segment["text"] for segment in segments))


def errors(segments: list[dict[str, Any]]) -> float:
    """Return the word error rate of the clip."""
    return jiwer.wer(plain(data(f"{CLIP}.txt").read_text()), said(segments))


def words_of(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [word for segment in segments for word in segment["words"]]


@pytest.fixture
def clip(worker: LoneWorker) -> Artefact:
    return worker.take_in(data(f"{CLIP}.wav"), "clip.wav")


def demuxed(film: str, wav: Path, *cut: str) -> Path:
    """Make 16 kHz mono sound of a recording, or a part of it."""
    ask = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    python = envspecs.interpreter("common")
    ffmpeg = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    form = ["-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le"]
    subprocess.run([ffmpeg, "-v", "error", *cut, "-i", data(film), "-map", "0:a:0", *form, wav], check=True)
    return wav


def silence(path: Path, seconds: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000 * seconds))
    return path


def test_a_short_clip_comes_out_with_a_time_for_each_word(
    worker: LoneWorker, clip: Artefact, figure: Figure
) -> None:
    begun = time.monotonic()
    result, segments = recognised(worker, clip)
    took_s = time.monotonic() - begun
    figure(
        f"mlx: whisper-tiny.en writes 3.3 s of speech in {took_s:.1f} s on {result.device}; "
        f"word error rate {errors(segments):.3f} (limit {MOST_ERRORS})"
    )
    assert errors(segments) <= MOST_ERRORS
    assert (result.language, result.language_probability) == ("en", None)
    assert result.segment_count == len(segments) == 1
    words = words_of(segments)
    assert [plain(word["text"]) for word in words] == said(segments).split()
    assert {word["timed_by"] for word in words} == {"cross-attention"}
    edges = [at for word in words for at in (word["start_ms"], word["end_ms"])]
    assert edges == sorted(edges)
    assert all(word["start_ms"] < word["end_ms"] for word in words)
    assert 0 <= edges[0] < 800
    assert 2_500 < edges[-1] < 3_300
    assert (result.speech[0].start_ms, result.speech[-1].end_ms) == (edges[0], edges[-1])


def test_words_start_where_a_person_heard_them_start(
    worker: LoneWorker, tmp_path: Path, figure: Figure
) -> None:
    wav = demuxed("align/mary.wav", tmp_path / "mary.wav")
    _, segments = recognised(worker, worker.take_in(wav, "mary.wav"))
    words = words_of(segments)
    starts = {plain(word["text"]): word["start_ms"] for word in words}
    off = [starts[text] - meant for text, meant in MARY_MS if text in starts]
    figure(f"mlx: starts of the words of mary.wav off by ms {off}")
    assert len(off) >= len(MARY_MS) - 1
    assert max(map(abs, off)) <= 300


def test_only_the_speech_that_vad_heard_is_written(worker: LoneWorker, clip: Artefact) -> None:
    heard = Span(start_ms=250, end_ms=3_000, peak=0.99)
    result, segments = recognised(worker, clip, speech=(heard,))
    assert result.speech == (heard,)
    assert (segments[0]["start_ms"], segments[0]["end_ms"]) == (250, 3_000)
    assert all(250 <= word["start_ms"] < word["end_ms"] <= 3_000 for word in words_of(segments))
    assert errors(segments) <= MOST_ERRORS
    result, segments = recognised(worker, clip, speech=())
    assert (result.language, result.speech, segments) == (UNDETERMINED, (), [])


def test_silence_gives_no_text(worker: LoneWorker, tmp_path: Path) -> None:
    result, segments = recognised(worker, worker.take_in(silence(tmp_path / "s.wav", 40), "silence.wav"))
    assert segments == []
    assert (result.language, result.language_probability, result.speech) == (UNDETERMINED, None, ())
    # Where vad says that there is speech, Whisper itself must find that there is none.
    spans = (Span(start_ms=0, end_ms=2_000, peak=0.5),)
    _, segments = recognised(worker, worker.take_in(tmp_path / "s.wav", "silence.wav"), speech=spans)
    assert segments == []


def test_a_battle_gives_hardly_any_text_though_no_vad_has_listened(
    worker: LoneWorker, tmp_path: Path
) -> None:
    battle = "film/tears_of_steel_battle_no_dialogue.webm"
    wav = demuxed(battle, tmp_path / "battle.wav", "-ss", "0", "-t", "12")
    result, segments = recognised(worker, worker.take_in(wav, "battle.wav"))
    assert len(words_of(segments)) <= 2
    assert segments or result.language == UNDETERMINED


@pytest.mark.parametrize(
    ("options", "kind", "part"),
    [
        (
            {"model": "whisper-large-v3-mlx"},
            ErrorKind.MISSING,
            "whisper-large-v3-mlx is not in the model store",
        ),
        ({"model": "broken"}, ErrorKind.MISSING, "mlx-whisper cannot load broken from the model store"),
        ({"language": "hi"}, ErrorKind.INPUT, "does not know the language 'hi'"),
        ({"device": "tpu"}, ErrorKind.USAGE, "'tpu' is not a device of MLX"),
        ({"compute_type": "int8"}, ErrorKind.USAGE, "cannot compute with 'int8'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    worker: LoneWorker, clip: Artefact, options: dict[str, str], kind: ErrorKind, part: str
) -> None:
    error = worker.refuse("asr", AsrRequest(**{"audio": clip, "model": TINY, **options}))
    assert error.kind == kind
    assert part in error.message
    assert error.remedy


_PRODUCT = """
import sys, time
from workers.engines.mlx.blas import borrow_matrix_product
borrowed = sys.argv[1] == "yes" and borrow_matrix_product()
import mlx.core as mx, numpy as np
one, other = (np.random.default_rng(seed).standard_normal((600, 600)).astype(np.float32) for seed in (1, 2))
a, b = mx.array(one), mx.array(other)
mx.eval(a @ b)
took = []
for _ in range(5):
    begun = time.monotonic()
    found = a @ b
    mx.eval(found)
    took.append(time.monotonic() - begun)
print(borrowed, float(np.abs(np.array(found) - one @ other).max()), min(took))
"""


@pytest.mark.alone
def test_a_borrowed_matrix_product_is_right_and_quicker(figure: Figure) -> None:
    if sys.platform != "linux":
        pytest.skip("MLX brings a quick product of its own here")
    python = envspecs.interpreter("mlx")
    found = {}
    for word in ("yes", "no"):
        command = [python, "-c", _PRODUCT, word]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        borrowed, off, took = done.stdout.split()
        assert borrowed == str(word == "yes")
        assert float(off) < 1e-2
        found[word] = float(took)
    figure(f"mlx: 600 x 600 matrices in {found['yes'] * 1000:.1f} ms, unaided {found['no'] * 1000:.1f} ms")
    assert found["yes"] < found["no"]
