"""What batches are worth: 1,012 lines of FLORES-200 in one call against one line a call.

The small model's time is what a step costs whatever is in it: what is shown is that steps are shared.
"""

from __future__ import annotations

import time

import pytest

from tests.checkpoints.indictrans2 import MODELS
from tests.conftest import Figure
from tests.data import data
from tests.lone_translator import LoneTranslator, texts_of

pytestmark = [pytest.mark.env("indictrans2"), pytest.mark.slow, pytest.mark.timeout(600)]

LINES = 1_012
EVERY = 11
"""One line a call is timed on each eleventh line and scaled: all of them would take minutes."""


def one_a_call(translator: LoneTranslator, model: str, lines: list[str]) -> float:
    """Return how many seconds the lines take, each in a call of its own."""
    begun = time.monotonic()
    for line in lines:
        translator.translate([line], "en-hi", model)
    return time.monotonic() - begun


@pytest.mark.alone
def test_batches_are_four_times_as_fast_as_one_line_a_call(
    translator: LoneTranslator, figure: Figure
) -> None:
    lines = data("mt/flores200.eng.devtest").read_text(encoding="utf-8").splitlines()
    assert len(lines) == LINES
    model = MODELS["en-indic"]
    translator.translate(lines[:1], "en-hi", model)  # neither pays for loading

    sample = lines[::EVERY]
    # Half before and half after: what else the machine does weighs on both.
    alone_s = one_a_call(translator, model, sample[::2])
    begun = time.monotonic()
    transcript, _ = translator.translate(lines, "en-hi", model)
    together_s = time.monotonic() - begun
    assert len(texts_of(transcript)) == LINES
    alone_s = (alone_s + one_a_call(translator, model, sample[1::2])) * LINES / len(sample)

    ratio = alone_s / together_s
    figure(
        f"indictrans2, {LINES} lines: {together_s:.1f} s in batches, {alone_s:.1f} s one line a call "
        f"(measured on {len(sample)}): {ratio:.1f} times as long (at least 4)"
    )
    assert ratio >= 4
