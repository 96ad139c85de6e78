"""How a track's channels become one."""

from __future__ import annotations

import pytest

from workers.engines.common.film.sound.channels import Mix, Moment, choose_mix

LOUD = 3_000.0


def moments(mixed: float | None, *channels: float, count: int = 10) -> list[Moment]:
    return [Moment(channels=channels, mixed=mixed)] * count


@pytest.mark.parametrize(
    ("mixed", "channels"),
    [
        (LOUD, (LOUD, LOUD)),
        (LOUD * 0.7, (LOUD, LOUD)),
        (LOUD / 2, (LOUD, 0)),
        (LOUD * 0.29, (0, 0, LOUD, 0, 0, 0)),
        (0, (20, 20)),
        (0, (0, 0)),
    ],
    ids=["the same", "of their own", "left alone", "the centre of 5.1", "all but silent", "silent"],
)
def test_channels_that_mix_well_are_mixed_as_ffmpeg_does(mixed, channels):
    assert choose_mix(moments(mixed, *channels)) == Mix()


def test_of_channels_that_cancel_each_other_the_loudest_is_heard_alone():
    mix = choose_mix([*moments(20, LOUD, LOUD + 1), *moments(LOUD, LOUD, LOUD, count=20)])
    assert mix.alone == 1
    assert "channel 2 of 2 is heard alone" in mix.note
    assert mix.filter(1) == "pan=mono|c0=c1"
    assert mix.filter(2) == "pan=stereo|c0=c1|c1=c1"


def test_a_few_moments_of_effects_that_cancel_each_other_change_nothing():
    assert choose_mix([*moments(20, LOUD, LOUD, count=5), *moments(LOUD, LOUD, LOUD, count=20)]) == Mix()


def test_channels_of_which_nothing_is_known_are_added_up():
    mix = choose_mix(moments(None, *[LOUD] * 9))
    assert "9 channels" in mix.note
    assert mix.filter(1) == "pan=mono|c0<c0+c1+c2+c3+c4+c5+c6+c7+c8"


def test_where_the_number_of_channels_changes_ffmpeg_mixes_each_part():
    assert choose_mix([*moments(20, LOUD, LOUD), *moments(LOUD, *[LOUD] * 6)]) == Mix()


def test_a_film_in_which_nothing_could_be_read_is_mixed_as_ffmpeg_does():
    assert choose_mix([]) == Mix()
