"""What the worker refuses: options, sound and weights that are none, and weights that hold a program."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import envspecs
from protocol.errors import ErrorKind
from protocol.stages.separate import SeparateRequest
from tests.checkpoints.demucs import make_htdemucs, store_files
from tests.env.demucs.sounds import RATE, flac, lavfi, take_in
from tests.lone_worker import LoneWorker
from workers.engines.common.film import ffmpeg as program

pytestmark = [pytest.mark.env("common", "demucs"), pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"model": "absent"}, ErrorKind.MISSING, "The model absent is not in the model store"),
        ({"device": "toaster"}, ErrorKind.USAGE, "'toaster' is not a device."),
        ({"device": "cuda:77"}, ErrorKind.USAGE, "This machine does not have the device cuda:77"),
        ({"segment_ms": 60_000}, ErrorKind.USAGE, "A segment of 60000 ms is not possible"),
        ({"overlap": 1.0}, ErrorKind.USAGE, "An overlap of 1.0 is not possible."),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(worker, tmp_path, options, kind, said) -> None:
    sound = lavfi(tmp_path, "x.flac", "0.1", "0.1", 1)
    error = worker.refuse("separate", SeparateRequest(audio=take_in(worker, sound), **options))
    assert (error.kind, error.message[: len(said)]) == (kind, said)
    assert error.remedy


def test_sound_of_another_form_is_refused_in_a_sentence(worker, tmp_path) -> None:
    narrow = tmp_path / "narrow.flac"
    command = [program.find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "sine=r=16000:d=1", str(narrow)]
    subprocess.run(command, check=True)
    noise = tmp_path / "noise.flac"
    noise.write_bytes(bytes(range(256)) * 64)
    whole = flac(tmp_path, "whole.flac", "-f", "lavfi", "-i", f"anoisesrc=r={RATE}:d=60")
    cut = tmp_path / "cut.flac"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    for sound, said in (
        (narrow, "narrow.flac has 16000 Hz and 1 channels; needed: 44100, 2."),
        (noise, "noise.flac cannot be read as sound: "),
        (cut, "cut.flac "),
    ):
        error = worker.refuse("separate", SeparateRequest(audio=take_in(worker, sound)))
        assert (error.kind, error.message[: len(said)]) == (ErrorKind.INPUT, said)
        assert error.remedy
    assert "after " in error.message


def put(store: Path, name: str, **files: bytes) -> str:
    """Put a model of these files into the store."""
    folder = store / name
    folder.mkdir()
    for file, content in files.items():
        (folder / file.replace("__", ".")).write_bytes(content)
    store_files(folder)
    return name


def refusal(worker: LoneWorker, tmp_path: Path, model: str) -> str:
    sound = lavfi(tmp_path, "x.flac", "0.1", "0.1", 1)
    error = worker.refuse("separate", SeparateRequest(audio=take_in(worker, sound), model=model))
    assert error.kind is ErrorKind.INPUT, error
    assert error.remedy
    return error.message


def evil_pickle(sign: Path) -> bytes:
    """Return a pickle that touches `sign` when it is unpickled."""
    return f"cos\nsystem\n(S'touch {sign}'\ntR.".encode()


def evil_zip(path: Path, sign: Path) -> bytes:
    """Return the same as torch packs it today."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", evil_pickle(sign))
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return path.read_bytes()


def evil_safetensors(sign: Path) -> bytes:
    """Return weights that name a function of the operating system as their class."""
    about = {"klass": "os.system", "args": json.dumps([f"touch {sign}"]), "kwargs": "{}"}
    head = json.dumps({"__metadata__": about}).encode()
    return struct.pack("<Q", len(head)) + head


@pytest.mark.parametrize("form", ["raw", "zip", "safetensors"])
def test_a_checkpoint_that_holds_a_program_is_refused_and_the_program_not_run(
    worker, store, tmp_path, form: str
) -> None:
    sign = tmp_path / "sign"
    content = {
        "raw": lambda: evil_pickle(sign),
        "zip": lambda: evil_zip(tmp_path / "evil.zip", sign),
        "safetensors": lambda: evil_safetensors(sign),
    }[form]()
    suffix = "safetensors" if form == "safetensors" else "th"
    model = put(store, f"evil-{form}", **{f"weights__{suffix}": content})
    assert "is no model of demucs: it holds " in refusal(worker, tmp_path, model)
    assert not sign.exists()
    # demucs' own loaders do run it: the test would see it.
    load = {
        "raw": "import pickle; pickle.load(open(sys.argv[1], 'rb'))",
        "zip": "import torch; torch.load(sys.argv[1], weights_only=False)",
        "safetensors": "from demucs.hf import load_safetensors_model as load; load(sys.argv[1])",
    }[form]
    file = store / model / f"weights.{suffix}"
    python = sys.executable if form == "raw" else envspecs.interpreter("demucs")
    subprocess.run([python, "-c", f"import sys; {load}", file], check=False, capture_output=True)
    assert sign.exists()


def test_what_is_no_model_of_demucs_is_refused_in_a_sentence(worker, store, tmp_path) -> None:
    good = (store / "htdemucs" / "955717e8.safetensors").read_bytes()
    named = b"demucs.htdemucs.HTDemucs"
    for name, files, said in (
        ("nothing", {"readme__md": b"x"}, "has no weights of demucs: neither .safetensors nor .th."),
        (
            "several",
            {"a__th": b"x", "b__th": b"x"},
            "a model of several files cannot be read.",
        ),
        ("noise", {"a__th": os.urandom(5_000)}, "a.th is no model of demucs: "),
        ("empty", {"a__th": b""}, "a.th is no model of demucs: "),
        ("torn", {"a__safetensors": good[:9_000]}, "a.safetensors is no model of demucs: "),
        ("other", {"a__safetensors": good.replace(named, b"demucs.hdemucs.HHDemucs_")}, "it holds a demucs."),
        ("wider", {"a__safetensors": good.replace(b'channels\\": 8', b'channels\\": 9')}, "is no model of"),
        (
            "slower",
            {"a__safetensors": good.replace(b"44100", b"48000")},
            "does not return the voices of",
        ),
    ):
        assert said in refusal(worker, tmp_path, put(store, name, **files)), name


def test_a_checkpoint_of_demucs_own_server_gives_the_same(worker, tmp_path, store) -> None:
    make_htdemucs(tmp_path, form="th")
    (store / "legacy").symlink_to(tmp_path / "htdemucs")
    sound = take_in(worker, lavfi(tmp_path, "clicks.flac", "0.3*sin(900*t)", "0.2*sin(700*t)", 10))
    first = worker.do("separate", SeparateRequest(audio=sound)).vocals
    assert worker.do("separate", SeparateRequest(audio=sound, model="legacy")).vocals == first


def test_a_worker_without_the_model_starts_and_says_what_is_missing(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    options = ("--default-model", "htdemucs")
    with LoneWorker.of("demucs", models=tmp_path / "empty", options=options) as alone:
        alone.wait_ready()
        sound = take_in(alone, lavfi(tmp_path, "x.flac", "0.1", "0.1", 1))
        error = alone.refuse("separate", SeparateRequest(audio=sound))
        assert error.kind is ErrorKind.MISSING
        assert "htdemucs" in error.remedy


def test_a_default_model_is_loaded_at_the_start(store) -> None:
    with LoneWorker.of("demucs", models=store, options=("--default-model", "htdemucs")) as alone:
        alone.wait_ready()
        assert alone.log.read_text().count("loaded demucs:htdemucs@") == 1
