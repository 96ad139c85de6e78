"""The peer that a film is measured against: faster-whisper's batched pipeline, warm, with word times.

Run by the interpreter of the environment whisperx: `python -m tests.bench.peers.faster_whisper MODEL DEVICE
THREADS`. Reads one path of a film a line and answers with one line of JSON: seconds, and the words as [text,
start_ms, end_ms].
"""

from __future__ import annotations

import importlib
import json
import sys
import time

from faster_whisper import BatchedInferencePipeline, WhisperModel

_KINDS = {"cpu": ("int8", 8), "cuda": ("float16", 16)}
"""Device to the kind of numbers and to how many chunks go through the model at once."""


def main(model: str, device: str, threads: int) -> None:
    """Answer until the input ends."""
    kind, batch = _KINDS[device]
    if device == "cuda":
        # CTranslate2 finds the GPU's libraries where torch, which brings them, has loaded them.
        importlib.import_module("torch")
    loaded = WhisperModel(model, device=device, compute_type=kind, cpu_threads=threads, local_files_only=True)
    pipeline = BatchedInferencePipeline(loaded)
    for line in sys.stdin:
        begun = time.monotonic()
        segments, _ = pipeline.transcribe(line.rstrip("\n"), batch_size=batch, word_timestamps=True)
        words = [
            [word.word.strip(), round(word.start * 1000), round(word.end * 1000)]
            for segment in segments
            for word in segment.words or ()
        ]
        seconds = time.monotonic() - begun
        sys.stdout.write(json.dumps({"seconds": seconds, "words": words}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
