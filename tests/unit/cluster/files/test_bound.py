"""What goes where a node keeps too much."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cluster.files.bound import Kept, taken, what_goes

KEPT = st.lists(
    st.builds(
        lambda used, files, in_use: (used, files, in_use),
        st.integers(0, 9),
        st.dictionaries(st.tuples(st.just(1), st.integers(0, 6)), st.just(10), max_size=3),
        st.booleans(),
    ),
    max_size=8,
)


def thing(name: str, used: int, *files: int, in_use: bool = False) -> Kept:
    return Kept(path=Path(name), used_ns=used, files={(1, file): 10 for file in files}, in_use=in_use)


def names(gone: list[Kept]) -> list[str]:
    return [str(found.path) for found in gone]


def test_the_oldest_use_goes_first_and_no_more_than_must() -> None:
    kept = [thing("new", 3, 1), thing("old", 1, 2), thing("middle", 2, 3)]
    assert names(what_goes(kept, 30)) == []
    assert names(what_goes(kept, 20)) == ["old"]
    assert names(what_goes(kept, 19)) == ["old", "middle"]


def test_a_linked_file_is_freed_with_the_last_that_holds_it() -> None:
    kept = [thing("cached", 1, 1), thing("job", 2, 1), thing("other", 3, 2)]
    assert names(what_goes(kept, 10)) == ["cached", "job"]


def test_what_a_running_call_needs_stays_even_where_it_is_too_much() -> None:
    kept = [thing("cached", 1, 1), thing("job", 2, 1, in_use=True), thing("needed", 0, 2, in_use=True)]
    assert names(what_goes(kept, 0)) == []


@given(KEPT, st.integers(0, 80))
def test_all_that_may_go_goes_before_the_bound_is_passed(
    drawn: list[tuple[int, dict[tuple[int, int], int], bool]], most: int
) -> None:
    kept = [
        Kept(path=Path(str(number)), used_ns=used, files=files, in_use=in_use)
        for number, (used, files, in_use) in enumerate(drawn)
    ]
    gone = what_goes(kept, most)
    left = [found for found in kept if found not in gone]
    needed = {file for found in kept if found.in_use for file in found.files}
    assert not any(found.in_use for found in gone)
    assert taken(left) <= most or all(found.files.keys() <= needed for found in left)
