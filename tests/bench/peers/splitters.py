"""Splits texts into sentences by pysbd and by sentencex.

Run by an interpreter that has `splitters.txt`: `python tests/bench/peers/splitters.py`. It reads texts from
stdin, a JSON list of (language, text), and writes a JSON object: by splitter the sentences of each text.
"""

from __future__ import annotations

import json
import sys
import warnings


def _by_pysbd(texts: list[tuple[str, str]]) -> list[list[str]]:
    """Split; a language that pysbd does not know is split as English."""
    import pysbd
    from pysbd.languages import LANGUAGE_CODES

    known = {language for language, _ in texts} & set(LANGUAGE_CODES)
    segmenters = {language: pysbd.Segmenter(language=language, clean=False) for language in {"en", *known}}
    return [segmenters.get(language, segmenters["en"]).segment(text) for language, text in texts]


def _by_sentencex(texts: list[tuple[str, str]]) -> list[list[str]]:
    import sentencex

    return [list(sentencex.segment(language, text)) for language, text in texts]


def main() -> None:
    """Read, split, write."""
    warnings.simplefilter("ignore")
    texts = json.load(sys.stdin)
    json.dump({"pysbd": _by_pysbd(texts), "sentencex": _by_sentencex(texts)}, sys.stdout)


if __name__ == "__main__":
    main()
