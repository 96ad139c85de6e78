"""What each size of Whisper costs on this processor: `make bench-sizes`; the table of docs/models.md.

The weights are random, in the shapes that OpenAI published: real ones of more than base come from a hub. The
time does not depend on what weights say, only on how many tokens are written: a hundred in 30 s, as in quick
speech.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import envspecs
from tests.bench.figures import Sheet

SIZES = ("base", "small", "medium", "large-v3-turbo", "large-v3")
CORES = 2
_PROGRAM = Path(__file__).parent / "peers" / "whisper_of_size.py"
_CHUNKS_A_MINUTE = 2
_MEBIBYTE = 1 << 20


def main() -> int:
    """Measure every size; nothing is judged, because there is no peer: it is the same library."""
    sheet = Sheet("make bench-sizes")
    python = envspecs.interpreter("whisperx")
    with tempfile.TemporaryDirectory(prefix="cpw-sizes-") as folder:
        for size in SIZES:
            words = [str(python), str(_PROGRAM), size, folder, str(CORES)]
            done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            seconds = _CHUNKS_A_MINUTE * (found["encode_s"] + found["decode_s"])
            sheet.add(f"{size}: a minute of speech on {CORES} cores", [seconds], unit="s")
            sheet.add(f"{size}: memory of the process", [found["peak_bytes"] / _MEBIBYTE], unit="MiB")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
