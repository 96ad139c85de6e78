"""Terms that came as values."""

from __future__ import annotations

import pytest

from clients.glossary.checking import checked_terms
from protocol.errors import UsageError
from protocol.jobs.glossary import Term


def test_a_language_becomes_a_tag_and_spaces_are_one():
    given = Term(source=" Ram  Garh ", target="Ramgarh", language="Hindi")
    assert checked_terms((given,)) == (Term(source="Ram Garh", target="Ramgarh", language="hi"),)


@pytest.mark.parametrize(
    ("term", "told"),
    [
        (Term(source=" "), r"glossary\[0\]\.source is empty"),
        (Term(source="a", target="b" * 201), r"glossary\[0\] has a word of over 200"),
        (Term(source="a", language="klingonese"), r"glossary\[0\]\.language"),
    ],
)
def test_a_wrong_term_is_named_by_its_place(term, told):
    with pytest.raises(UsageError, match=told):
        checked_terms((term,))


def test_there_may_not_be_more_than_a_message_carries():
    with pytest.raises(UsageError, match="2001 terms"):
        checked_terms((Term(source="a"),) * 2001)
