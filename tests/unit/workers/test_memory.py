"""Measuring this very process, and the decisions about it."""

from __future__ import annotations

from workers.memory import MEGABYTE, Budget, Meter, is_worn_out, model_factor, over_ram


def test_nothing_is_over_a_budget_that_is_none() -> None:
    assert over_ram(Budget(), 1 << 60, 1 << 60) == ""
    assert not is_worn_out(Budget(), 1 << 60, 0)


def test_formats_grow_by_what_is_known_of_them() -> None:
    assert model_factor("model.bin", "int8_float16") < model_factor("model.bin", "float32")
    assert model_factor("weights.PT", "float32") == 2
    assert model_factor("tokenizer.json", "int8") == model_factor("vocabulary", "float32") > 2


def test_the_real_meter_sees_memory_come_and_go() -> None:
    meter = Meter()
    meter.give_back()  # what other tests have left, the pieces would otherwise fill unseen
    before = meter.resident()
    meter.forget_peak()
    # Small pieces: the C library keeps what they leave until it is told to give it back.
    pieces = [bytes([1]) * 65_536 for _ in range(1_000)]
    taken = meter.resident()
    assert taken - before > 50 * MEGABYTE
    del pieces
    meter.give_back()
    assert taken - meter.resident() > 50 * MEGABYTE
    assert meter.peak() - meter.resident() > 50 * MEGABYTE
    assert meter.device() == 0
