"""How much of its disk a node keeps filled."""

from __future__ import annotations

import pytest

from envspecs.cluster.cache import node_cache_bytes
from protocol.errors import UsageError

GB = 10**9


def test_without_a_word_it_is_twenty_gigabytes_or_a_tenth_of_a_small_disk() -> None:
    assert node_cache_bytes({}, 4_000 * GB) == 20 * GB
    assert node_cache_bytes({"CPW_NODE_CACHE": " "}, 50 * GB) == 5 * GB


@pytest.mark.parametrize(
    ("written", "size"), [("20GB", 20 * GB), ("500 mb", GB // 2), ("2TB", 2_000 * GB), ("0MB", 0)]
)
def test_a_person_says_it_with_a_unit(written: str, size: int) -> None:
    assert node_cache_bytes({"CPW_NODE_CACHE": written}, 50 * GB) == size


@pytest.mark.parametrize("written", ["20", "GB", "-1GB", "1.5GB", "20GiB", "all", "9999999TB", "20GB\n5"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="not a size"):
        node_cache_bytes({"CPW_NODE_CACHE": written}, 50 * GB)
