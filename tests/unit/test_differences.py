from __future__ import annotations

import array

import pytest

from tests.differences import short_difference

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (bytes(9_000), bytes(8_000) + b"!" + bytes(999), "lengths 9000 and 9000, alike up to 8000"),
        ("a" * 5_000, "a" * 4_999, "lengths 5000 and 4999, alike up to 4999"),
        ([b"x" * 5_000, b"y"], [b"x" * 5_000, b"z"], "lengths 2 and 2, alike up to 1"),
        (array.array("h", [1] * 3_000), array.array("h", [1, 2]), "lengths 3000 and 2, alike up to 1"),
        (set(range(3_000)), set(range(1, 3_001)), "sets of 3000 and 3000"),
    ],
)
def test_of_long_values_it_is_told_where_they_part(left, right, told):
    lines = short_difference(left, right)
    assert lines[0] == told
    assert len("\n".join(lines)) < 400


def test_short_values_are_left_to_pytest():
    assert short_difference([1, 2], [1, 3]) == []
    assert short_difference({"a": "x" * 9_000}, {}) == []


def test_pictures_that_differ_print_a_few_lines_in_continuous_integration_too(pytester, monkeypatch):
    monkeypatch.setenv("CI", "true")
    pytester.makeconftest("from tests.conftest import pytest_assertrepr_compare")
    pytester.makepyfile("def test_it(): assert bytes(20_000) == bytes(19_999) + b'!'")
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*lengths 20000 and 20000, alike up to 19999*"])
    assert len(done.stdout.str()) < 3_000
