"""What the chapter on scale shows is what the benchmarks recorded."""

import pandas as pd
import pytest

from genept_utils import ledger
from genept_utils.chapters import scale as speed


@pytest.fixture(scope="module")
def recorded():
    return ledger.results("13-scale")


def test_other_parts_have_what_was_measured_of_them(recorded):
    shown = speed.others(recorded).set_index(["part", "beside"])["times"]
    for part, other in (("embedding client", "one request per text"),
                        ("sentences", "authors' loop")):
        seconds = recorded[recorded["task"] == part].set_index("method")
        if part == "sentences":
            seconds = seconds[seconds["metric"] == "cells per second"]["value"]
            times = seconds["this book"] / seconds[other]
        else:
            seconds = seconds[seconds["metric"] == "seconds"]["value"]
            times = seconds[other] / seconds["this book"]
        assert shown[part, other] == pytest.approx(times, abs=.06)


def test_two_workers_are_faster_than_one(recorded):
    rate = speed.on_workers(recorded)["cells per second in blocks"]
    assert list(rate.index) == [1, 2] and rate[2] > 1.5 * rate[1]


def test_goals_of_the_kernel_are_recorded(recorded):
    """Eight times scipy at 1,200 non-zeros and 1,536 dimensions, seven on Kang, twelve times the
    authors' cell there; a million cells below 1.5 GB in twice the time of their parts."""
    times = speed.ratios(recorded)
    assert times.loc[("synthetic, 1,200 non-zeros a cell", 1536), "scipy CSR float32"] >= 8
    kang = times.loc["kang"].loc[[384, 1536]]
    assert (kang["scipy CSR float32"] >= 7).all()
    assert (kang["authors' cell, dense float64"] >= 12).all()
    million = speed.on_disk(recorded).loc[1_000_000]
    assert million["peak MB"] < 1500 and million["times reading and kernel apart"] <= 2
    slope = recorded[recorded["metric"] == "log time in blocks by log cells"]["value"].item()
    assert slope == pytest.approx(1, abs=.05)


def test_hours_are_cells_by_speed():
    hours = speed.extrapolated(1000, n=3_600_000, machines=(1, 4))["hours"]
    pd.testing.assert_series_equal(hours, pd.Series([1.0, .25], name="hours"))
