"""Times are told for the machine that runs."""

import pytest

from genept_book import pace


def test_a_machine_half_as_fast_takes_twice_as_long():
    runs = {"02": {"minutes": 3.0, "unit_s": .1}, "03": {"minutes": 2.0}}
    assert pace.expected(runs, .2) == pytest.approx({"02": 6.0, "03": 2.0})


def test_the_unit_is_short():
    assert 0 < pace.unit(1)
