from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.text.cutting import TextPiece, cut_to_clauses, cut_to_fit, join_pieces


def words(texts):
    return [len(text.split()) for text in texts]


def letters(texts):
    return [len(text) for text in texts]


def cut(text, most, count=words):
    return [piece.text for piece in cut_to_fit([text], count, most)]


def test_a_text_that_fits_stays_whole():
    assert cut("one, two three", 3) == ["one, two three"]


def test_a_text_is_cut_behind_the_comma_nearest_to_its_middle():
    assert cut("a b, c d e f, g h i j", 6) == ["a b, c d e f,", "g h i j"]


def test_a_comma_near_an_end_is_no_place_for_a_cut():
    assert cut("a, b c d e f g h i j k", 6) == ["a, b c d e", "f g h i j k"]


def test_a_number_and_a_compound_are_not_cut_at_their_marks():
    assert cut("they were 1,012 men of BT—Group then", 4) == ["they were 1,012", "men of BT—Group then"]


def test_chinese_is_cut_behind_its_own_comma():
    assert cut("一二三四，五六七八九", 6, letters) == ["一二三四，", "五六七八九"]  # noqa: RUF001 (the letters are meant)


def test_a_text_without_any_place_is_cut_between_letters():
    assert cut("abcdefgh", 3, letters) == ["ab", "cd", "ef", "gh"]


def test_one_letter_is_never_cut():
    assert cut("x", 0, letters) == ["x"]


def test_pieces_are_counted_all_at_once():
    calls = []

    def count(texts):
        calls.append(len(texts))
        return words(texts)

    cut_to_fit(["a b c d", "e", "f g h i"], count, 2)
    assert calls == [3, 5]


def test_the_translations_of_a_texts_pieces_are_one_text_again():
    pieces = [TextPiece(owner=0, text="a"), TextPiece(owner=1, text="b"), TextPiece(owner=1, text="c")]
    assert join_pieces(pieces, ["A", "B", "C"], " ") == ["A", "B C"]
    assert join_pieces(pieces, ["A", "B", "C"], "") == ["A", "BC"]


def test_a_piece_without_translation_leaves_no_space():
    pieces = [TextPiece(owner=0, text="a"), TextPiece(owner=0, text="b"), TextPiece(owner=1, text="c")]
    assert join_pieces(pieces, ["A", " ", ""], " ") == ["A", ""]


@given(st.lists(st.text(alphabet="ab ,،、c—", max_size=40), max_size=5), st.integers(1, 12))
def test_every_text_has_its_pieces_in_order_and_no_letter_is_lost(texts, most):
    pieces = cut_to_fit(texts, letters, most)
    owners = [piece.owner for piece in pieces]
    assert owners == sorted(owners)
    assert set(owners) == set(range(len(texts)))
    for index, text in enumerate(texts):
        own = [piece.text for piece in pieces if piece.owner == index]
        assert "".join("".join(own).split()) == "".join(text.split())
        assert own == [text] or all(len(part) <= most for part in own)
    assert len(join_pieces(pieces, [piece.text for piece in pieces], " ")) == len(texts)


def test_a_text_is_cut_after_each_clause() -> None:
    pieces = cut_to_clauses(["We go, he said; you stay", "Yes."])
    assert [(piece.owner, piece.text) for piece in pieces] == [
        (0, "We go,"),
        (0, "he said;"),
        (0, "you stay"),
        (1, "Yes."),
    ]
