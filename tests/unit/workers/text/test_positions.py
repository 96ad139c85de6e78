from __future__ import annotations

import math

import pytest

from workers.text.positions import first_wrong_position, sinusoid, wrong_positions


class Table(list):
    def float(self):
        return self

    def tolist(self):
        return list(self)


class Config:
    pad_token_id = 1


class Model:
    config = Config()

    def __init__(self, **tables):
        self.tables = tables

    def named_buffers(self):
        return [(f"{name}.embed_positions.weights", table) for name, table in self.tables.items()]


def table(rows=30, width=16, padding=1):
    return Table([0.0] * width if row == padding else sinusoid(row, width) for row in range(rows))


def test_the_formula_is_fairseqs():
    # half of the row sines, half cosines; frequencies from 1 to 1/10000, both included
    row = sinusoid(3, 8)
    assert row[0] == pytest.approx(math.sin(3))
    assert row[3] == pytest.approx(math.sin(3 / 10_000))
    assert row[4] == pytest.approx(math.cos(3))
    assert row[7] == pytest.approx(math.cos(3 / 10_000))
    assert sinusoid(3, 9)[8] == 0.0


def test_a_right_table_has_no_wrong_row():
    assert first_wrong_position(table(), 1) is None


@pytest.mark.parametrize("found", [0.0, float("nan"), -1.9e31, 3e-41])
def test_raw_memory_is_wrong_whatever_stands_in_it(found):
    rows = [[found] * 16 for _ in range(30)]
    assert first_wrong_position(rows, 1) == 0


def test_the_rows_are_told_apart():
    rows = table()
    rows[7], rows[8] = rows[8], rows[7]
    assert first_wrong_position(rows, 1) == 7


def test_half_precision_is_right_enough():
    rows = [[round(value * 512) / 512 for value in row] for row in table()]
    assert first_wrong_position(rows, 1) is None


def test_what_is_wrong_names_the_table():
    good, bad = table(), Table([[0.0] * 16] * 30)
    assert wrong_positions(Model(encoder=good, decoder=good)) == ""
    said = wrong_positions(Model(encoder=good, decoder=bad))
    assert said == "row 0 of decoder.embed_positions.weights differs from the formula"
    assert wrong_positions(Model()) == "the model has none"
