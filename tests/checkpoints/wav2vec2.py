"""A small Wav2Vec2ForCTC in a model store, made by transformers' own class in the environment `whisperx`.

Its weights are random. With `hears_tones=True` its last layer is fitted, so that it hears the letters a, b
and c where the tones of `TONES` sound, and `|`, the gap between two words, where nothing does. Then the
times that come out can be compared with those that went in; nothing is said of speech.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import envspecs
from envspecs.models.registry import has_model
from tests.checkpoints.demucs import store_files

__all__ = ["TONES", "make_wav2vec2", "tone"]

TONES = {"a": 700.0, "b": 1_500.0, "c": 3_100.0}
"""Letter to hertz."""
_ROOT = Path(__file__).resolve().parents[2]
_RATE = 16_000
_STRIDE = 320
"""Samples a frame, as in every published wav2vec2."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz'"
_TONE_MS = 40
_UNSAID, _SELDOM, _SAID = -12.0, -3.0, 6.0
"""Logits, the blank's being 0. What is said is fitted lower: the many frames without it weigh on it."""


def make_wav2vec2(store: Path, language: str, *, hears_tones: bool = False) -> str:
    """Put a small model for the language into the store, in the files of a published one; return its id."""
    identity = f"wav2vec2-{language}"
    if not has_model(identity, store):
        folder = store / identity
        folder.mkdir(parents=True, exist_ok=True)
        wanted = json.dumps({"folder": str(folder), "hears_tones": hears_tones})
        command = [envspecs.interpreter("whisperx"), "-m", "tests.checkpoints.wav2vec2", wanted]
        subprocess.run(command, cwd=_ROOT, check=True)
        store_files(folder)
    return identity


def tone(letter: str, milliseconds: int) -> list[float]:
    """Return the letter's tone, 40 ms of it, and silence for the rest; samples in -1 to 1.

    A letter is short for wav2vec2 too: what stands until the next one is its blank.
    """
    pitch = 2 * math.pi * TONES.get(letter, 0.0) / _RATE
    sounded = [0.3 * math.sin(pitch * index) for index in range(_TONE_MS * _RATE // 1000)]
    return sounded + [0.0] * ((milliseconds - _TONE_MS) * _RATE // 1000)


def _vocabulary() -> dict[str, int]:
    words = ["<pad>", "<s>", "</s>", "<unk>", "|", *_LETTERS]
    return {word: index for index, word in enumerate(words)}


def _model() -> Any:
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    return Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(_vocabulary()),
            hidden_size=128,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=128,
            conv_dim=(96,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=2,
            pad_token_id=0,
        )
    ).eval()


def _fit(model: Any) -> None:
    """Fit the last layer by least squares: it is linear, and so are logits."""
    import numpy as np
    import torch

    chance = random.Random(3)
    samples: list[float] = []
    said: list[str] = []
    for _ in range(600):
        letter = chance.choice([*TONES, *TONES, " "])
        length = 20 * chance.randint(3, 9)
        samples += tone(letter, length)
        said += [letter] * (_TONE_MS * _RATE // 1000) + [" "] * ((length - _TONE_MS) * _RATE // 1000)
    sound = torch.tensor(samples).unsqueeze(0)
    with torch.inference_mode():
        hidden = model.wav2vec2(sound).last_hidden_state[0].numpy().astype(np.float64)
    vocabulary = _vocabulary()
    wanted = np.full((len(hidden), len(vocabulary)), _UNSAID)
    wanted[:, 0] = 0.0
    for frame in range(len(hidden)):
        heard = said[frame * _STRIDE + _STRIDE // 2]
        wanted[frame, vocabulary["|" if heard == " " else heard]] = _SELDOM if heard == " " else _SAID
    known = np.hstack([hidden, np.ones((len(hidden), 1))])
    solved = np.linalg.solve(known.T @ known + 1e-3 * np.eye(known.shape[1]), known.T @ wanted)
    with torch.no_grad():
        model.lm_head.weight.copy_(torch.from_numpy(solved[:-1].T))
        model.lm_head.bias.copy_(torch.from_numpy(solved[-1]))


def _main(folder: str, *, hears_tones: bool) -> None:
    import torch
    from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor

    torch.manual_seed(7)
    model = _model()
    if hears_tones:
        _fit(model)
    path = Path(folder)
    (path / "vocab.json").write_text(json.dumps(_vocabulary()))
    Wav2Vec2Processor(
        feature_extractor=Wav2Vec2FeatureExtractor(sampling_rate=_RATE),
        tokenizer=Wav2Vec2CTCTokenizer(str(path / "vocab.json")),
    ).save_pretrained(path)
    model.save_pretrained(path)


if __name__ == "__main__":
    _main(**json.loads(sys.argv[1]))
