"""What steps took before tells what they will take."""

from __future__ import annotations

import random

import pytest

from coordinator.timing.rates import Rate, Rates, line_through, rate_name
from protocol.messages import Submit

FILM = Submit(media="/film.mkv", workflow="transcribe", user="u", out="/out")


def rates(facts: dict[str, str] | None = None) -> Rates:
    kept = {} if facts is None else facts
    return Rates(lambda name: kept.get(name, ""), kept.__setitem__)


def test_the_fixed_cost_of_a_step_is_told_by_films_of_different_lengths() -> None:
    rate = Rate()
    for sound_ms in (20_000, 70_000, 600_000):
        rate.add(sound_ms, 1_500 + sound_ms // 10)
    assert rate.takes_ms(7_200_000) == pytest.approx(721_500, rel=0.01)
    assert rate.takes_ms(5_000) == pytest.approx(2_000, rel=0.01)


def test_one_film_tells_of_others_in_proportion() -> None:
    rate = Rate()
    rate.add(60_000, 6_000)
    assert rate.takes_ms(600_000) == 60_000


def test_one_step_that_was_held_up_changes_little() -> None:
    rate = Rate()
    for number in range(6):
        rate.add(60_000 + number, 6_000)
        rate.add(600_000 + number, 60_000)
    rate.add(600_000, 400_000)
    assert rate.takes_ms(600_000) == pytest.approx(60_000, rel=0.05)


def test_many_short_films_do_not_drive_out_a_long_one() -> None:
    rate = Rate()
    rate.add(3_600_000, 500_000)
    for _ in range(100):
        rate.add(20_000, 4_000)
    assert rate.takes_ms(3_600_000) == pytest.approx(500_000, rel=0.01)
    assert sum(len(samples) for samples in rate.classes.values()) == 6


def test_a_line_has_no_negative_part() -> None:
    for points in ([(10.0, 100.0), (100.0, 10.0)], [(10.0, 1.0), (100.0, 100.0)]):
        fixed, slope = line_through(points)
        assert fixed == 0
        assert slope > 0
    assert line_through([(10.0, 20.0)]) == (0.0, 2.0)
    assert line_through([(10.0, 0.0)])[0] == 0


@pytest.mark.parametrize("seed", range(50))
def test_a_rate_is_never_negative_and_grows_with_the_sound(seed: int) -> None:
    dice = random.Random(seed)
    rate = Rate()
    for _ in range(dice.randint(1, 40)):
        rate.add(dice.randint(1, 10_000_000), dice.randint(0, 10_000_000))
    taken = [rate.takes_ms(sound_ms) for sound_ms in (0, 1, 1_000, 1_000_000, 100_000_000)]
    assert taken == sorted(taken)
    assert taken[0] >= 0


def test_rates_are_kept_by_stage_environment_model_and_settings() -> None:
    submit = Submit(
        media="/film.mkv",
        workflow="transcribe",
        user="u",
        out="/out",
        parameters={"asr": {"model": "whisper-base", "beam_size": 1, "initial_prompt": "Of a film in Rome."}},
    )
    assert rate_name("asr", "whisperx", submit, {}) == "asr whisperx whisper-base beam_size=1"
    assert rate_name("asr", "whisperx", submit, {"device": "cuda"}).endswith("beam_size=1 device=cuda")
    assert rate_name("translate", "nllb", submit, {"model": "nllb-600m"}) == "translate nllb nllb-600m"
    assert rate_name("demux", "common", submit, {}) == "demux common"


def test_settings_that_were_not_measured_are_taken_for_the_usual_ones() -> None:
    known = rates()
    known.note("mux common", 60_000, 500)
    assert known.find("mux common burn=en") is not None
    known.note("mux common burn=en", 60_000, 90_000)
    burned, plain = known.find("mux common burn=en"), known.find("mux common burn=de")
    assert burned is not None
    assert plain is not None
    assert (burned.takes_ms(60_000), plain.takes_ms(60_000)) == (90_000, 500)
    assert known.find("asr whisperx") is None


def test_rates_outlive_the_coordinator() -> None:
    facts: dict[str, str] = {}
    rates(facts).note("asr whisperx", 60_000, 6_000)
    rates(facts).note("asr whisperx", 600_000, 60_000)
    found = rates(facts).find("asr whisperx")
    assert found is not None
    assert found.takes_ms(300_000) == 30_000
    assert found.usual_ms() == 33_000


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"1": 3}', '{"1": [["a", "b"]]}', '{"1": [[0, 5]]}'])
def test_a_rate_that_cannot_be_read_is_not_known(text: str) -> None:
    assert rates({"rate asr whisperx": text}).find("asr whisperx") is None


def test_what_has_no_length_tells_nothing() -> None:
    facts: dict[str, str] = {}
    rates(facts).note("asr whisperx", 0, 6_000)
    assert facts == {}
