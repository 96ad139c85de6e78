"""Dataclasses to plain values and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ErrorInfo, ErrorKind, SchemaError
from protocol.messages import MESSAGES
from protocol.schema import from_plain, to_plain
from protocol.stages.asr import AsrRequest
from protocol.timeline import Segment, Transcript, Word


@dataclass(frozen=True)
class Inner:
    number: int
    kind: ErrorKind = ErrorKind.BUG


@dataclass(frozen=True)
class Outer:
    name: str
    inner: tuple[Inner, ...] = ()
    table: dict[str, Inner] = field(default_factory=dict)
    maybe: Inner | None = None
    share: float = 0.5


def test_a_value_survives_the_way_there_and_back() -> None:
    value = Outer("a", (Inner(1), Inner(2, ErrorKind.INPUT)), {"x": Inner(3)}, Inner(4), 1.0)
    assert from_plain(Outer, to_plain(value)) == value


def test_a_wrong_value_is_refused_by_its_path() -> None:
    with pytest.raises(SchemaError, match=r"Outer\.inner\[1\]\.number: expected int, got str"):
        from_plain(Outer, {"name": "a", "inner": [{"number": 1}, {"number": "2"}]})


def test_a_missing_value_without_a_default_is_refused_by_its_path() -> None:
    with pytest.raises(SchemaError, match=r"Outer\.maybe\.number: is missing"):
        from_plain(Outer, {"name": "a", "maybe": {}})


def test_an_unknown_key_of_a_peer_is_ignored_and_that_of_a_person_refused() -> None:
    assert from_plain(Outer, {"name": "a", "new": 1}) == Outer("a")
    with pytest.raises(SchemaError, match=r"Outer\.new: there is no such key"):
        from_plain(Outer, {"name": "a", "new": 1}, strict=True)


@pytest.mark.parametrize("value", [True, "1", 1.5, None, [1]])
def test_only_a_whole_number_is_an_int(value: object) -> None:
    with pytest.raises(SchemaError):
        from_plain(Inner, {"number": value})


def test_a_whole_number_is_a_float_and_a_string_is_not_a_list() -> None:
    assert from_plain(Outer, {"name": "a", "share": 1}).share == 1.0
    with pytest.raises(SchemaError, match="expected a list"):
        from_plain(AsrRequest, {"audio": {"path": "a", "size": 1, "sha256": ""}, "hotwords": "word"})


def test_an_enum_is_one_of_its_values() -> None:
    with pytest.raises(SchemaError, match="is not one of 'input'"):
        from_plain(ErrorInfo, {"kind": "odd", "message": ""})


def test_every_message_has_types_that_the_schema_knows() -> None:
    for name, kind in MESSAGES.items():
        with pytest.raises(SchemaError) if _has_required(kind) else _nothing():
            from_plain(kind, {}, path=name)


def _has_required(kind: type) -> bool:
    try:
        kind()
    except TypeError:
        return True
    return False


class _nothing:  # noqa: N801 (used as a function)
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


words = st.builds(
    Word,
    text=st.text(),
    start_ms=st.integers(-(2**63), 2**63 - 1),
    end_ms=st.integers(-(2**63), 2**63 - 1),
    probability=st.none() | st.floats(0, 1),
)
segments = st.builds(
    Segment,
    start_ms=st.integers(-(2**63), 2**63 - 1),
    end_ms=st.integers(-(2**63), 2**63 - 1),
    text=st.text(),
    words=st.tuples(words),
)


@given(st.builds(Transcript, language=st.text(), segments=st.tuples(segments, segments)))
def test_any_transcript_survives(transcript: Transcript) -> None:
    assert from_plain(Transcript, to_plain(transcript)) == transcript


def test_a_sparse_field_is_written_only_where_it_has_another_value() -> None:
    plain = Segment(start_ms=0, end_ms=1, text="a")
    assert "language" not in to_plain(plain)
    other = replace(plain, language="de")
    assert to_plain(other)["language"] == "de"
    for segment in (plain, other):
        assert from_plain(Segment, to_plain(segment)) == segment
