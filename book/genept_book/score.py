"""``score``: the book's gene tasks for anybody's gene vectors, beside its fixed controls."""

import functools
import hashlib
import json
import re
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from genept_book import claims, methods, notebooks, score_cells, score_tasks, stamp
from genept_utils import embed, evaluate, paths, sources
from genept_utils.chapters import disease_and_function
from genept_utils.chapters.perturbations import correlation

MIN_COVERED = 0.5  # of the genes of each group of a task, such as a class
TEXT = "GenePT MiniLM"
CONTROLS = {  # one of each kind; a task may read them in another way
    "permuted": "permuted", "number of words": "facts/number of words",
    "spelling, all n-grams": "letters", "TF-IDF, all words": "words/summary", TEXT: "minilm",
    "Gene2vec": "gene2vec", "GO processes": "words/go"}
SHARED = "genes with a Gene2vec vector"
NAMES = {"dtype": dict.fromkeys(["term", "gene", "a", "b", "symbol"], str),
         "keep_default_na": False, "na_values": [""], "float_precision": "round_trip"}


def score(embedding="minilm", tasks=None, name=None, jobs=1, report=print):
    """Scores of gene vectors on the book's gene-level tasks, beside fixed controls.

    Every method of a task sees the same genes: those of the task for which the vectors have one.
    Settings, splits and intervals are those of the chapter that the task comes from; of panels
    three sets and three draws are taken, of clusters 1,000 cells a set. What is computed is kept
    in the cache, task by task and control by control, so that a stopped call goes on, and a
    second one is short.

    Parameters
    ----------
    embedding : str or anndata.AnnData
        Gene vectors as :func:`genept_utils.embed.read_embedding` takes them, or gives them.
    tasks : sequence of str, optional
        Keys of :data:`genept_book.score_tasks.TASKS`; all by default.
    name : str, optional
        What to call the vectors; by default their name, or the file's without its ending.
    jobs : int
        Tasks that are scored side by side, in processes of about 1 GB.
    report : callable
        Is given a sentence per task.

    Returns
    -------
    scores : pandas.DataFrame
        One result a row: ``embedding, task, chapter, title, split, dataset, method, reads,
        metric, value, low, high, n, n_genes, of_genes, genes, source, dimensions, note``.
        ``method`` is the embedding's name, a control, or, where ``source`` is "published" and
        not "measured", an embedding of Zhong et al. (2025); ``low`` and ``high`` are the 95 %
        interval of the chapter; ``n_genes`` of the task's ``of_genes`` were used, which ``genes``
        names.
    differences : pandas.DataFrame
        One paired difference a row, ``method`` less ``against``, with ``margin`` and ``verdict``
        (:func:`genept_book.claims.verdict`); the other columns as above. ``.attrs["left_out"]``
        of both: a sentence per task that was not scored.

    Raises
    ------
    ValueError
        The embedding or a task is not known, or the vectors bear the name of a control.
    """
    strange = [task for task in tasks or () if task not in score_tasks.TASKS]
    if strange:
        raise ValueError(f"task {', '.join(strange)} is not one of {', '.join(score_tasks.TASKS)}")
    subject = Subject(embedding, name)
    keys, done, made = list(tasks or score_tasks.TASKS), [], []
    each = joblib.Parallel(jobs, return_as="generator")(
        joblib.delayed(_task)(subject, key) for key in keys)
    with warnings.catch_warnings():
        # joblib begins a process anew where it has grown; nothing is lost
        warnings.filterwarnings("ignore", "A worker stopped while")
        for one in each:
            report(one["said"])
            done.append(one)
    for part in ("scores", "differences"):
        table = pd.DataFrame([row for one in done for row in one[part]])
        table.attrs = {"left_out": [line for one in done for line in one["left_out"]],
                       "dimensions": subject.vectors.n_vars, "genes": subject.vectors.n_obs,
                       "name": subject.name, "sha256": subject.digest}
        made.append(table)
    if len(differences := made[1]):
        differences["margin"] = [_margin(*row) for row in differences[["chapter", "metric"]].values]
        differences["verdict"] = [claims.verdict(row.value, row.low, row.high, row.margin)
                                  for row in differences.itertuples()]
    return tuple(made)


@functools.cache
def _margin(chapter, metric):
    """The margin of the chapter's claims with this metric."""
    listed = claims.listed()
    listed = listed[listed["notebook"].str.startswith(f"{chapter}-")
                    & (listed["metric"] == metric)]
    return listed["margin"].min() if len(listed) else claims.MARGIN


class Subject:
    """The vectors that are scored, their name, how they were named, and the SHA-256 of numbers and
    keys."""

    def __init__(self, embedding, name=None):
        self.source = str(embedding) if isinstance(embedding, (str, Path)) else ""
        self.vectors = embed.read_embedding(embedding) if self.source else embedding.copy()
        there = self.source and Path(self.source).exists()
        self.name = name or (Path(self.source).stem if there else self.source or "vectors")
        if self.name in set(CONTROLS).union(*(task.sources for task in score_tasks.TASKS.values())):
            raise ValueError(f"the vectors cannot be called {self.name!r}, the name of a control")
        self.vectors.uns["genept"] = {"model": self.name, "text": "not known",
                                      **self.vectors.uns.get("genept", {})}
        X = np.ascontiguousarray(self.vectors.X, dtype=np.float32)
        self.digest = hashlib.sha256(X.tobytes() + "\n".join(
            map(str, self.vectors.obs_names)).encode()).hexdigest()


@functools.cache
def _made_from(number):
    """What results of a chapter's tasks depend on besides vectors and genes."""
    page = notebooks.numbered(number)
    parts = [stamp.code_hash(page), stamp.module_hash(page), stamp.input_hash(page),
             *(sources.sha256(module.__file__) for module in (score_tasks, score_cells))]
    return _hash(*parts)


def _hash(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _folder(digest):
    return paths.cache() / "score" / digest[:16]


def _task(subject, key):
    """Rows of one task and a sentence, read from the cache where they were kept."""
    task, start = score_tasks.TASKS[key], time.perf_counter()
    kept = _folder(subject.digest) / f"{key}-{_hash(_made_from(task.chapter), subject.name)}.json"
    if kept.is_file():
        made = json.loads(kept.read_text(encoding="utf-8"))
        return made | {"said": f"{made['said']} (from the cache)"}
    groups = task.groups()
    groups = groups[~groups.index.duplicated()].sort_index()
    has = pd.Series(evaluate.has_input(subject.vectors, groups.index), groups.index)
    made = {"scores": [], "differences": [], "left_out": []}
    if few := _too_few(groups, has):
        made["left_out"].append(f"{task.title}: no score, since {subject.name} has a vector for "
                                f"{few}.")
        made["said"] = made["left_out"][0]
    else:
        _score(made, key, task, subject, groups, has)
        made["said"] = (f"{task.title}: {has.sum():,} of {len(has):,} genes, "
                        f"{time.perf_counter() - start:.0f} s")
    sources.save(kept, json.dumps(made))
    return made


def _too_few(groups, has):
    """In words, the first group of genes of which too few have a vector; "" for none."""
    for group, some in has.groupby(groups, sort=False):
        if some.mean() < MIN_COVERED:
            return f"{some.sum():,} of {len(some):,} genes" + (f" of {group}" if group else "")
    return ""


def _score(made, key, task, subject, groups, has):
    """Fill in the rows of a task: on all genes that the vectors have, and where Gene2vec lacks
    some of them, beside it on those that both have."""
    wanted = {method: source for method, source in (CONTROLS | task.sources).items()
              if source and source != subject.source}
    known, rest = has, {}
    if "Gene2vec" in wanted:
        known = has & evaluate.has_input(wanted["Gene2vec"], has.index)
        rest = {"Gene2vec": wanted.pop("Gene2vec")} if known.sum() < has.sum() else {}
    for genes, controls, some in (("", wanted, has), (SHARED, rest, known)):
        if few := genes and _too_few(groups[has], some[has]):
            made["left_out"].append(f"{task.title}, beside Gene2vec: no score, since of these "
                                    f"genes it has a vector for {few}.")
        if few or not controls:
            continue
        units = {method: _units(key, task, subject, method, source, some)
                 for method, source in {subject.name: "subject", **controls}.items()}
        about = {"embedding": subject.name, "task": key, "chapter": task.chapter,
                 "title": task.title, "note": task.note, "metric": task.metric, "dataset": None,
                 "n_genes": int(some.sum()), "of_genes": len(some), "source": "measured",
                 "genes": genes or "all that have a vector", "dimensions": subject.vectors.n_vars}
        _add(made, about, *_summed(task, units, [(subject.name, other) for other in controls]))
        if task.published and not genes:
            _add(made, about | {"source": "published", "genes": "as published", "n_genes": None},
                 *_published(task, units[subject.name], subject.name))


def _add(made, about, scores, gaps):
    """Rows of results with what they are of."""
    for part, table, named in (("scores", scores, "method"), ("differences", gaps, "against")):
        table["reads"] = table[named].map(methods.reads)
        made[part] += [about | row for row in json.loads(table.to_json(orient="records"))]


def _published(task, own, name):
    """Mean areas of published embeddings, and differences to them term by term."""
    table = disease_and_function.published_terms(task.published).query("genes != 'common'")
    table["split"] = np.where(table["genes"] == "older", "as many older genes", "hold-out")
    table = table.rename(columns={"embedding": "method"})
    areas = [evaluate.term_areas(part)[0].rename("roc_auc").reset_index().assign(
        split=split, method=name) for split, part in own.groupby("split")]
    scores = table.groupby(["split", "method"], as_index=False)["roc_auc"].agg(
        value="mean", n="size")
    return scores, evaluate.compare(
        pd.concat([*areas, table]), [(name, other) for other in scores["method"].unique()],
        "term", "roc_auc", "split")


def _units(key, task, subject, method, source, some):
    """What one method has on the units of a task, kept in the cache."""
    own = source in ("subject", "permuted")
    genes = some.index[some]
    made_from = _hash(_made_from(task.chapter), method if not own else source, source, *genes)
    kept = (_folder(subject.digest if own else "controls")
            / f"{key}-{re.sub('[^a-zA-Z0-9]+', '-', source if own else method)}-{made_from}.csv.gz")
    if not kept.is_file():
        read = {"subject": lambda: subject.vectors,
                "permuted": lambda: embed.permuted(subject.vectors, score_cells.SEED)}
        made = task.run(method, read.get(source, lambda: source)(), set(genes))
        with sources.replacing(kept) as part:
            made.drop(columns="method", errors="ignore").to_csv(
                part, index=False, compression={"method": "gzip", "compresslevel": 1})
    return pd.read_csv(kept, compression="gzip", **NAMES)


def _summed(task, units, pairs):
    """Scores of all methods, and differences of the first to the others, as in the chapter."""
    if task.kind in ("pairs", "correlations"):
        found = {}
        for split, first in next(iter(units.values())).groupby("split", sort=False):
            parts = {method: table[table["split"] == split] for method, table in units.items()}
            ends = first[["a", "b"]].to_numpy(str)
            if any((part[["a", "b"]].to_numpy(str) != ends).any() for part in parts.values()):
                raise ValueError(f"{task.title}: methods were scored on different pairs")
            rule = evaluate.pair_roc if task.kind == "pairs" else correlation
            found[split] = rule(first["label"], {
                method: part["score"].to_numpy() for method, part in parts.items()}, ends)
        return tuple(table.drop(columns="metric").rename(columns={"dataset": "split"})
                     for table in (evaluate.summarise(found), evaluate.compare(found, pairs)))
    table = pd.concat([part.assign(method=method) for method, part in units.items()],
                      ignore_index=True)
    by = [column for column in score_tasks.WHERE if column in table]
    share = {"test_size": task.test_size}
    return (evaluate.summarise(table, [*by, "method"], "value", task.kind, list(task.unit),
                               **share),
            evaluate.compare(table, pairs, list(task.unit), "value", by, task.kind, **share))
