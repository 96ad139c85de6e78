"""Which voices of a film are known already."""

from __future__ import annotations

import math
import random
import time

import pytest

from coordinator.voices.matching import (
    LEAST_LEAD,
    LEAST_LIKENESS,
    centre,
    known_names,
    likeness,
    said_names,
)
from protocol.jobs.voices import SaidName, Voice, Voices


def unit(*numbers: float) -> tuple[float, ...]:
    length = math.hypot(*numbers)
    return tuple(number / length for number in numbers)


def voice(name: str, *numbers: float) -> Voice:
    return Voice(id=name, speech_ms=1_000, embedding=unit(*numbers))


GABBAR, BASANTI = unit(1, 0, 0, 0), unit(0, 1, 0, 0)
KNOWN = {"Gabbar": GABBAR, "Basanti": BASANTI}


def at(cosine: float, known: tuple[float, ...] = GABBAR) -> tuple[float, ...]:
    """Return a voice that is so much like a known one, and like no other."""
    return (*(cosine * value for value in known[:3]), math.sqrt(1 - cosine**2))


def test_a_voice_that_is_like_a_known_one_gets_its_name_and_a_new_one_none() -> None:
    voices = [voice("1", 9, 1, 1, 0), voice("2", 1, 9, 0, 1), voice("3", 0, 0, 9, 1)]
    found = known_names(voices, KNOWN)
    assert {name: called for name, (called, _) in found.items()} == {"1": "Gabbar", "2": "Basanti"}
    assert found["1"][1] == pytest.approx(likeness(voices[0].embedding, GABBAR))


def test_the_bound_is_where_it_is_said_to_be() -> None:
    just, below = at(LEAST_LIKENESS + 0.001), at(LEAST_LIKENESS - 0.001)
    assert known_names([Voice(id="1", speech_ms=1, embedding=just)], KNOWN)
    assert known_names([Voice(id="1", speech_ms=1, embedding=below)], KNOWN) == {}


def test_a_voice_that_is_like_two_known_ones_gets_neither() -> None:
    assert known_names([voice("1", 1, 1, 0, 0)], KNOWN) == {}
    lead = LEAST_LEAD + 0.02
    clear = voice("1", 1, 1 - 2 * lead, 0, 0)
    assert known_names([clear], KNOWN)["1"][0] == "Gabbar"


def test_a_name_goes_to_one_voice_at_most_and_that_is_the_one_most_like() -> None:
    voices = [voice("1", 9, 0, 3, 0), voice("2", 9, 0, 1, 0)]
    assert {name: called for name, (called, _) in known_names(voices, KNOWN).items()} == {"2": "Gabbar"}


def test_the_order_of_voices_and_of_names_changes_nothing() -> None:
    chance = random.Random(1)
    voices = [voice(str(number), *(chance.gauss(0, 1) for _ in range(4))) for number in range(6)]
    known = {str(number): unit(*(chance.gauss(0, 1) for _ in range(4))) for number in range(6)}
    first = known_names(voices, known)
    assert first
    for _ in range(10):
        chance.shuffle(voices)
        names = list(known)
        chance.shuffle(names)
        assert known_names(voices, {name: known[name] for name in names}) == first


def test_embeddings_of_another_length_are_like_nothing() -> None:
    assert likeness(GABBAR, unit(1, 0)) == 0
    assert known_names([Voice(id="1", speech_ms=1, embedding=unit(1, 0))], KNOWN) == {}
    assert known_names([Voice(id="1", speech_ms=1, embedding=())], {"Gabbar": ()}) == {}


def test_a_mean_leans_to_what_was_heard_longer() -> None:
    mean = centre([(GABBAR, 3_000), (BASANTI, 1_000)])
    assert math.hypot(*mean) == pytest.approx(1)
    assert likeness(mean, GABBAR) == pytest.approx(3 / math.hypot(3, 1))
    assert centre([]) == ()


def said(name: str, called: str, *numbers: float, model: str = "m") -> SaidName:
    return SaidName(id=name, name=called, model=model, embedding=unit(*numbers) if numbers else ())


def test_names_that_a_person_gave_stay_with_the_voices_where_they_are_numbered_anew() -> None:
    names = [said("1", "Gabbar", 9, 1, 0, 0), said("2", "", 1, 9, 0, 0), said("3", "Jai", 0, 0, 9, 1)]
    as_before = Voices(
        model="m", voices=(voice("1", 9, 1, 0, 0), voice("2", 1, 9, 0, 0), voice("3", 0, 0, 9, 1))
    )
    assert said_names(names, as_before) == {"1": "Gabbar", "2": "", "3": "Jai"}
    anew = Voices(model="m", voices=(voice("1", 1, 8, 0, 0), voice("2", 8, 1, 0, 1), voice("3", 1, 1, 1, 9)))
    assert said_names(names, anew) == {"1": "", "2": "Gabbar"}
    assert said_names(names, Voices(model="another", voices=anew.voices)) == {}


def test_a_voice_that_said_too_little_to_be_known_keeps_its_name_by_its_number() -> None:
    heard = Voices(model="m", voices=(voice("1", 1, 0, 0, 0),))
    assert said_names([said("2", "Sambha")], heard) == {"2": "Sambha"}
    # Told apart anew, the number may be another's.
    assert said_names([said("1", "Sambha")], heard) == {}
    assert said_names([said("2", "Sambha")], Voices(model="another", voices=heard.voices)) == {}


def test_two_voices_may_be_one_person_if_a_person_says_so() -> None:
    heard = Voices(model="m", voices=(voice("1", 1, 0, 0, 0), voice("2", 0, 1, 0, 0)))
    names = [said("1", "Gabbar", 1, 0, 0, 0), said("2", "Gabbar", 0, 1, 0, 0)]
    assert said_names(names, heard) == {"1": "Gabbar", "2": "Gabbar"}


def test_a_film_full_of_voices_is_matched_while_nobody_waits() -> None:
    chance = random.Random(2)

    def anyone() -> tuple[float, ...]:
        return unit(*(chance.gauss(0, 1) for _ in range(192)))

    voices = [Voice(id=str(number), speech_ms=1, embedding=anyone()) for number in range(30)]
    known = {str(number): anyone() for number in range(50)}
    begun = time.process_time()
    assert known_names(voices, known) == {}
    assert time.process_time() - begun < 2
