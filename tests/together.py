"""Which tests go to the same process, where several processes test at a time."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

__all__ = ["ByFile", "together"]

_SHARED = {
    # One Chromium, whose window they share.
    "tests/browser/": "the browser",
    # One real house, which recognises a film once for all of them.
    "tests/env/scores/test_film.py": "the real house",
    "tests/env/test_bad_input.py": "the real house",
    "tests/env/test_films.py": "the real house",
}


def together(test: str) -> str:
    """Return the name of the group that a test goes with, by pytest's id of it: most go with their file."""
    file = test.partition("::")[0]
    return next((group for place, group in _SHARED.items() if file.startswith(place)), file)


class ByFile(LoadFileScheduling):
    """Gives a group to the next process that is free, the group with most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)
