"""Run by the environment's own Python: what the engine makes, held against demucs and julius themselves.

python checks.py resampling
python checks.py own WEIGHTS SOUND VOCALS SEGMENT OVERLAP
python checks.py memory
"""

from __future__ import annotations

import json
import random
import sys
import wave
from collections.abc import Callable
from typing import Any

import julius
import numpy as np
import soundfile
import torch
from demucs.apply import apply_model
from demucs.hf import load_safetensors_model

from protocol.errors import ResourceError
from workers.separation.resampling import Resampler, resampled_length
from workers.separation.separating import resource_errors

_LSB = 1 / 32768


def _whole(sound: torch.Tensor) -> Any:
    return julius.resample_frac(sound, 44_100, 16_000, output_length=resampled_length(len(sound))).numpy()


def resampling() -> dict[str, Any]:
    """Return the largest difference in LSB between blocks and the whole, over several ways to cut it."""
    torch.manual_seed(1)
    worst, lengths = 0.0, []
    for count in (1, 2, 100, 441, 44_100, 200_003):
        sound = torch.rand(count) * 2 - 1
        for sizes in ((1, 7), (439, 443), (1, 50_000), (200_003, 200_003)):
            if count // sizes[1] > 20_000:
                continue
            numbers = random.Random(count)
            made, place, resampler = [], 0, Resampler()
            while place < count:
                size = numbers.randint(*sizes)
                made.append(resampler.feed(sound[place : place + size].numpy()))
                place += size
            made.append(resampler.finish())
            joined, whole = np.concatenate(made), _whole(sound)
            lengths.append(len(joined) == len(whole) == round(count * 160 / 441))
            worst = max(worst, float(np.abs(joined - whole).max(initial=0.0)) / _LSB)
    return {"worst_lsb": worst, "lengths": all(lengths), "ways": len(lengths)}


def own(weights: str, sound: str, vocals: str, segment: str, overlap: str) -> dict[str, Any]:
    """Separate as `demucs.api.Separator.separate_tensor` does, all at once, and compare with the engine's."""
    model = load_safetensors_model(weights)
    samples, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    mix = torch.from_numpy(samples.T)
    mono = mix.mean(0)
    mean, deviation = mono.mean(), mono.std() + 1e-8
    found = apply_model(
        model,
        ((mix - mean) / deviation)[None],
        shifts=0,
        split=True,
        overlap=float(overlap),
        segment=float(segment) or None,
    )
    voices = (found * deviation + mean)[0, model.sources.index("vocals")]
    expected = np.clip(_whole(voices.mean(0)), -1, 1 - _LSB)
    with wave.open(vocals) as file:
        made = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768
    return {
        "lengths": [len(made), len(expected)],
        "worst_lsb": float(np.abs(made - expected).max()) / _LSB,
        "deviation": float(expected.std()),
    }


def memory() -> dict[str, Any]:
    """Return what torch said when it could not have the memory, and what the engine made of it."""
    try:
        with resource_errors("cpu"):
            torch.empty(1 << 50)
    except ResourceError as error:
        return {"said": error.message, "torch": f"{type(error.__cause__).__name__}: {error.__cause__}"}
    return {"said": ""}


_CHECKS: dict[str, Callable[..., dict[str, Any]]] = {"resampling": resampling, "own": own, "memory": memory}

if __name__ == "__main__":
    torch.set_num_threads(2)
    sys.stdout.write("\n" + json.dumps(_CHECKS[sys.argv[1]](*sys.argv[2:])) + "\n")
