"""What the chapter on scale shows: recorded benchmarks beside published speeds."""

import timeit

import pandas as pd

# Cells per second as their authors report them; none was measured again here.
PUBLISHED = pd.DataFrame([
    ("Geneformer", 112, 112, "A100 GPU, 48,082 cells", "Wen et al. 2024 (CellPLM), Table 1"),
    ("scGPT", 373, 373, "A100 GPU, 48,082 cells", "Wen et al. 2024 (CellPLM), Table 1"),
    ("CellPLM", 56_600, 56_600, "A100 GPU, 48,082 cells", "Wen et al. 2024 (CellPLM), Table 1"),
    ("GenePT-tools", 83, 406, "CPU", "repository honicky/GenePT-tools"),
], columns=["method", "from", "to", "machine", "source"])


def timed(function, repeats=3):
    """Shortest of several times of a call, in seconds."""
    return min(timeit.repeat(function, number=1, repeat=repeats))


def measured(rows, task, metric=None):
    """Recorded rows whose task begins with ``task``, of one metric or of all.

    Parameters
    ----------
    rows : pandas.DataFrame
        As :func:`genept_utils.ledger.results` returns it.
    """
    rows = rows[rows["task"].str.startswith(task)]
    return rows if metric is None else rows[rows["metric"] == metric]


def ratios(rows):
    """How many times as fast the kernel is, (set and dimensions) x (what it is compared with)."""
    rows = measured(rows, "weighted sum")
    rows = rows[rows["metric"].str.startswith("times ")].copy()
    parts = rows["task"].str.extract(r"weighted sum, (?P<d>\d+) dimensions, (?P<set>.*)")
    rows["set"], rows["dimensions"] = parts["set"], parts["d"].astype(int)
    rows["way"] = rows["metric"].str.removeprefix("times ")
    return rows.pivot_table(index=["set", "dimensions"], columns="way", values="value").round(1)


def speeds(rows, dataset="kang"):
    """Cells per second of every way on one set, ways x dimensions."""
    rows = measured(rows, "weighted sum", "cells per second")
    rows = rows[rows["dataset"] == dataset].copy()
    rows["dimensions"] = rows["task"].str.extract(r"(\d+) dimensions")[0].astype(int)
    return rows.pivot_table(index="method", columns="dimensions", values="value").round(0)


def others(rows):
    """How many times as fast the other parts are: ``part``, ``beside``, ``times``."""
    rows = pd.concat([measured(rows, part) for part in (
        "sentences", "pair regression", "embedding client")])
    rows = rows[rows["metric"].str.startswith("times ")]
    return pd.DataFrame({"part": rows["task"], "beside": rows["metric"].str.removeprefix("times "),
                         "times": rows["value"].round(1)}).reset_index(drop=True)


def on_workers(rows):
    """The command ``cells`` with Dask workers, workers x metrics, for the same cells."""
    rows = rows[rows["method"].str.contains("Dask workers")]
    workers = rows["method"].str.extract(r"(\d+) Dask")[0].astype(int).rename("workers")
    return rows.pivot_table(index=workers, columns="metric", values="value")


def on_disk(rows):
    """The command ``cells`` by the number of cells: what was measured, one column a metric."""
    rows = measured(rows, "cells on disk,")
    rows = rows[rows["method"] == "cells"].query("metric != 'log time in blocks by log cells'")
    return rows.pivot_table(index="n", columns="metric", values="value")


def extrapolated(cells_per_second, n=50_000_000, machines=(1, 20)):
    """Hours for ``n`` cells at a measured speed, on so many machines that do not wait for each
    other. An extrapolation: disks and network that they share are not in it."""
    return pd.DataFrame({"machines": machines,
                         "hours": [n / cells_per_second / count / 3600 for count in machines]})
