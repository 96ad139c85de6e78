"""One size of Whisper with random weights in CTranslate2: python whisper_of_size.py SIZE FOLDER CORES.

Runs in the environment whisperx, and writes a line of JSON: seconds for the encoder of 30 s of sound, seconds
for a hundred tokens with beam 5, and the most memory that the process took while it computed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

WIDTHS = {
    "base": (512, 6, 6, 8, 80),
    "small": (768, 12, 12, 12, 80),
    "medium": (1024, 24, 24, 16, 80),
    "large-v3-turbo": (1280, 32, 4, 20, 128),
    "large-v3": (1280, 32, 32, 20, 128),
}
"""Width, layers of encoder and decoder, heads, bands of the spectrum: OpenAI's model cards."""
TOKENS = 100
_ROUNDS = 3
_START = [50258, 50259, 50359, 50363]
_END = 50257


def make(size: str, folder: Path) -> None:
    """Write a model of that size."""
    import torch
    from ctranslate2.converters.transformers import WhisperLoader
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    width, encoder, decoder, heads, bands = WIDTHS[size]
    words = 51_866 if bands == 128 else 51_865
    config = WhisperConfig(
        d_model=width,
        encoder_layers=encoder,
        decoder_layers=decoder,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        num_mel_bins=bands,
        vocab_size=words,
    )
    torch.manual_seed(0)
    spec = WhisperLoader().get_model_spec(WhisperForConditionalGeneration(config).eval())
    named = dict(
        zip(_START, ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"), strict=True)
    )
    spec.register_vocabulary([named.get(number, f"<{number}>") for number in range(words)])
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [_END], []
    spec.config.lang_ids, spec.config.alignment_heads = list(range(50_259, 50_358)), []
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir()
    spec.save(str(folder))


def measure(size: str, folder: Path, cores: int) -> dict[str, Any]:
    """Return the least seconds of several rounds, and the peak of memory."""
    import ctranslate2
    import numpy as np

    model = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="int8", intra_threads=cores)
    sound = np.random.default_rng(0).standard_normal((1, WIDTHS[size][4], 3_000)).astype(np.float32)
    features = ctranslate2.StorageView.from_array(sound)
    encoding, decoding = [], []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        encoded = model.encode(features, to_cpu=False)
        encoding.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        # The most that is generated is half of it: the rest is for a text that goes before.
        model.generate(
            encoded, [_START], beam_size=5, max_length=2 * (TOKENS + len(_START)), suppress_tokens=[_END]
        )
        decoding.append(time.perf_counter() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
    return {"encode_s": min(encoding), "decode_s": min(decoding), "peak_bytes": peak}


def main() -> None:
    """Make the model in a process of its own, which takes more memory than computing, then measure."""
    size, folder, cores = sys.argv[1], Path(sys.argv[2]) / sys.argv[1], int(sys.argv[3])
    child = os.fork()
    if child == 0:
        make(size, folder)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(f"the model of size {size} could not be made")
    print(json.dumps(measure(size, folder, cores)))  # noqa: T201 (its answer)


if __name__ == "__main__":
    main()
