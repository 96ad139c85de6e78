"""Run by the whisperx environment's own interpreter: write cues as `whisperx --output_format srt` does.

Reads a JSON list of {"segments", "language", "options"} and writes the list of [SRT text, seconds of the
processor]. `segments` are what whisperx's alignment returns, `options` its command line's `--max_line_width`,
`--max_line_count` and `--highlight_words`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from whisperx.utils import get_writer


def main() -> None:
    """Write every job's file and say what is in it."""
    texts = []
    with tempfile.TemporaryDirectory() as folder:
        for job in json.load(sys.stdin):
            result = {"segments": job["segments"], "language": job["language"]}
            begun = time.process_time()
            get_writer("srt", folder)(result, "film.wav", job["options"])
            seconds = time.process_time() - begun
            texts.append([(Path(folder) / "film.srt").read_text(encoding="utf-8"), seconds])
    json.dump(texts, sys.stdout)


if __name__ == "__main__":
    main()
