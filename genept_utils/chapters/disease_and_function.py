"""Chapter 6: a support vector machine a term, by the protocol of Zhong et al. (2025), and the words
of a term deleted from every text."""

import re

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import embed, genes, pickles, sources
from genept_utils.datasets.gene_sets import ALLOWED, term_names
from genept_utils.evaluate.inputs import (facts_of, gene_input, has_input, is_fact, text_facts,
                                          vectoriser)
from genept_utils.evaluate.svm import C_VALUES, Products, area, chosen, products

HOLDOUT = 3  # folds 0, 1 and 2 are for training
# Genes -> table of published scores, by task.
_PUBLISHED = {"disease": {"all": "omim_AUROC_full", "common": "omim_AUROC"},
              "function": {"all": "go_AUROC_full", "common": "go_AUROC"},
              "later": {"new": "go_post2024_AUROC", "older": "go_pre2024_AUROC"}}

OWN, OTHER, UNTOUCHED = "term words deleted", "other words deleted", "untouched"
_TOKEN = re.compile(r"[a-z0-9]+")
_EMPTY = {"of", "the", "and", "or", "to", "in", "via", "by", "a", "an", "from", "for", "with"}
# What else a text may call the thing, by word of a term's name: beginnings of words, by hand.
ALSO = sources.table("term-words.csv").set_index("word")["beginnings"].to_dict()


def published_terms(task):
    """Published ROC-AUC of 38 embeddings by term: ``embedding``, ``genes`` ("all" that it has, the
    "common" ones; of the later genes "new" or "older"), ``term``, ``roc_auc``."""
    names, parts = term_names(task), []
    identifier = pd.Series(names.index, names.str.lower())
    for which, file in _PUBLISHED[task].items():
        table = pd.read_csv(sources.fetch(f"gene_sets/zhong_single_gene_{file}.tsv"), sep="\t",
                            index_col=0)
        found = table.columns if table.columns[0] in names else identifier.reindex(
            table.columns.str.lower())
        table.columns = pd.Index(found, name="term")
        parts.append(table.rename_axis("embedding").stack().rename("roc_auc").reset_index()
                     .assign(genes=which))
    return pd.concat(parts, ignore_index=True)[["embedding", "genes", "term", "roc_auc"]]


def published_sets(task):
    """Published mean ROC-AUC of 38 embeddings by choice of genes, over the terms of a task; of
    "synthetic lethality", pairs as sums of two vectors, over three outer folds."""
    if task == "synthetic lethality":
        key = "gene_sets/zhong_paired_gene_sl_sum_outerloop_AUC.tsv"
        table = pd.read_csv(sources.fetch(key), sep="\t", index_col=0)
        table = table[["outer_AUC_average"]].set_axis(["all"], axis=1)
    else:
        table = published_terms(task).pivot_table("roc_auc", "embedding", "genes")
        table = table[list(_PUBLISHED[task])].rename_axis(columns=None)
    meta = pd.read_csv(sources.fetch("gene_sets/zhong_embed_meta.csv"), index_col=0)
    table.insert(0, "category", meta["Category"].reindex(table.index))
    return table.sort_values(table.columns[1], ascending=False).rename_axis("embedding")


def lethal_pairs():
    """Synthetic lethal pairs among drawn ones, (23364, 3) ``a``, ``b`` (Entrez) and ``label``, and
    three published outer folds: rows to ``train`` and ``test``, and ``inner``, a list of such."""
    with open(sources.fetch("gene_sets/zhong_sl_splits.pkl"), "rb") as file:
        found = pickles.load(file, ALLOWED)
    pairs = pd.DataFrame(found["pairs"], columns=["a", "b"]).assign(label=found["labels"])
    folds = [{"train": fold["train_idx"], "test": fold["test_idx"],
              "inner": fold["inner_splits"]} for _, fold in sorted(found["cv_splits"].items())]
    return pairs, folds


def sets_by_method(inputs, table, seed=0):
    """Decision values of every hold-out gene of every term, by method. Facts are tried up to C = 10:
    beyond, the curve only bends more, and a fit takes minutes."""
    unique, found, facts = pd.Index(table["gene"].unique()), [], None
    symbols = genes.match(unique).symbols
    for method, source in inputs.items():
        if is_fact(source) and isinstance(source, str):  # read once for all
            facts = text_facts(symbols[symbols != ""]) if facts is None else facts
            source = facts_of(source, facts.index, facts)
        X, row = known(source, unique, seed, symbols)
        scores = score_sets(X, table.assign(row=row[table["gene"]].to_numpy()),
                            values=C_VALUES[:3] if is_fact(source) else C_VALUES)
        scores.insert(0, "method", method)
        found.append(scores)
    return pd.concat(found, ignore_index=True).astype({"method": "category"})


def known(source, entrez, seed=0, symbols=None):
    """Vectors of the genes that a method knows, and the row of each Entrez id (-1: none)."""
    symbols = genes.match(entrez).symbols if symbols is None else symbols
    if isinstance(source, str) and not source.startswith(("words/", "letters", "facts")):
        source = embed.read_embedding(source, seed)
    has = (symbols != "") & has_input(source, symbols)
    X, row = gene_input(source, symbols[has], seed), np.cumsum(has) - 1
    if is_fact(source):  # few different rows
        X, once = np.unique(X, axis=0, return_inverse=True)
        row = once[row.clip(0)]
    return X, pd.Series(np.where(has, row, -1), entrez)


def score_sets(X, table, C=None, values=C_VALUES):
    """Decision values of the hold-out genes of every term, whose vectors stand in the ``row`` of X
    (-1: none); the folds choose C among ``values``, unless it is given by term."""
    table, found = table[table["row"] >= 0], []
    shared = Products.of(X) if _pays(X.shape[0], table) else None
    for term, part in table.groupby("term", sort=False):
        rows, label, fold = (part[name].to_numpy() for name in ("row", "label", "fold"))
        dots = shared or Products.of(X[rows])
        scores, used = score_term(dots, label, fold, None if C is None else C[term], values,
                                  rows if shared else None)
        if scores is not None:
            held = part.loc[fold >= HOLDOUT, ["term", "gene", "fold", "label"]]
            found.append(held.assign(score=scores, C=used))
    return pd.concat(found, ignore_index=True)


def _pays(n, table):
    """Whether dot products of all n rows are fewer than those of the terms, one by one."""
    return n**2 <= (table["term"].value_counts()**2).sum()


def score_term(dots, label, fold, C=None, values=C_VALUES, rows=None):
    """Decision values of a term's hold-out genes, but for a constant (None where the training set
    has one class only), and the C."""
    rows = np.arange(len(label)) if rows is None else rows
    if C is None:
        inner = [((fold != test) & (fold < HOLDOUT), fold == test) for test in range(HOLDOUT)]
        C = dots.best_C(rows, label, inner, values)
    found = dots.over_C(rows, label, fold < HOLDOUT, fold >= HOLDOUT, [C])
    return (found[0] if found else None), C


def pair_auc(source, pairs, folds, ratio=3, seed=0):
    """ROC-AUC of the test pairs of nested folds, a pair being the sum of its two vectors. Training
    draws ``ratio`` negatives for each positive."""
    X, row = known(source, pd.Index(pd.unique(pairs[["a", "b"]].to_numpy().ravel())), seed)
    ends, label = np.column_stack([row[pairs["a"]], row[pairs["b"]]]), pairs["label"].to_numpy()
    has, made, rng = (ends >= 0).all(axis=1), [], np.random.default_rng(seed)
    single = Products.of(X)
    for fold in folds:
        train, test = (np.array(fold[part])[has[fold[part]]] for part in ("train", "test"))
        inside, outside = train[label[train] == 1], train[label[train] == 0]
        some = min(len(outside), ratio * len(inside))
        train = np.concatenate([inside, rng.choice(outside, some, replace=False)])
        used = np.concatenate([train, test])
        dots, rows = single.of_pairs(ends[used]), np.arange(len(used))
        C = dots.best_C(rows, label[used], [tuple(np.isin(used, part) for part in parts)
                                            for parts in fold["inner"]])
        scores = dots.over_C(rows, label[used], rows < len(train), rows >= len(train), [C])[0]
        made.append(area(label[test], scores))
    return made


def beginnings(name):
    """How words of a term begin in a text (long ones lose their ending), and its whole words."""
    name = name.lower()
    starts = {start for word in name.split() for start in ALSO.get(word.strip(","), "").split()}
    whole = set()
    for word in _TOKEN.findall(name):
        if word in _EMPTY:
            continue
        starts.update(ALSO.get(word, "").split())
        if len(word) > 6:
            starts.add(word[:max(5, len(word) - 3)])
        else:
            whole |= {word, word + "s"}
    return starts, whole


def with_texts(table, kind="summary"):
    """Texts of the genes of some sets, and the sets with the row of each gene's text (or -1)."""
    unique = pd.Index(table["gene"].unique())
    symbols = pd.Series(genes.match(unique).symbols, unique)
    written = embed.texts(kind, symbols[symbols != ""].unique())
    rows = pd.Series(np.arange(len(written)), written.index)
    return written, table.assign(row=table["gene"].map(symbols).map(rows).fillna(-1).astype(int))


class WordTable:
    """Texts as numbered words, so that the same words are looked up once for all terms."""

    def __init__(self, texts):
        split = [text.split() for text in texts]
        codes, words = pd.factorize(np.array([w for words in split for w in words], dtype=object))
        self.words, self._codes = words, codes
        self._ends = np.concatenate([[0], np.cumsum([len(words) for words in split])])
        parts = [(part, number) for number, word in enumerate(words)
                 for part in _TOKEN.findall(word.lower())]
        self._parts = pd.Series([number for _, number in parts],
                                pd.Index([part for part, _ in parts])).sort_index()
        self._names = self._parts.index.to_numpy(str)

    def of(self, name):
        """(n_words,) mask of the words that a term's name or its other names begin."""
        starts, whole = beginnings(name)
        found = np.zeros(len(self.words), dtype=bool)
        for beginning in starts:
            low, high = np.searchsorted(self._names, [beginning, beginning + "\uffff"])
            found[self._parts.to_numpy()[low:high]] = True
        for word in whole:
            low, high = (np.searchsorted(self._names, word, side) for side in ("left", "right"))
            found[self._parts.to_numpy()[low:high]] = True
        return found

    def positions(self, rows, words):
        """Where words of a mask stand in the texts of some rows: (m, 2) of row and position."""
        lengths = self._ends[rows + 1] - self._ends[rows]
        starts = np.repeat(self._ends[rows], lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        hit = words[self._codes[starts + within]]
        return np.column_stack([np.repeat(rows, lengths)[hit], within[hit]])

    def at(self, positions):
        """The numbers of the words that stand at such positions."""
        return self._codes[self._ends[positions[:, 0]] + positions[:, 1]]

    def without(self, positions):
        """The texts that lose words: a Series by row."""
        made = {}
        for row, part in pd.Series(positions[:, 1]).groupby(positions[:, 0]):
            codes = self._codes[self._ends[row]:self._ends[row + 1]]
            made[row] = " ".join(self.words[np.delete(codes, part.to_numpy())])
        return pd.Series(made, dtype=object)


def masked(words, table, seed=0):
    """By term: the texts that lose its words, those that lose as many of another term, and what
    is to be said of it. The other term has no gene in common, and of those it is the one whose
    words are rarest here among those that are frequent enough; where none is, the next joins."""
    table, made = table[table["row"] >= 0], 0
    inside = table[table["label"] == 1].groupby("term")["row"].agg(set)
    names = table.drop_duplicates("term").set_index("term")["name"]
    mine = {term: words.of(name) for term, name in names.items()}
    every = np.unique(table["row"])
    where = {term: words.positions(every, mask) for term, mask in mine.items()}
    which = {term: words.at(positions) for term, positions in where.items()}
    here, rng = np.zeros(every.max(initial=-1) + 1, bool), np.random.default_rng(seed)
    for term, part in table.groupby("term", sort=False):
        rows = part["row"].to_numpy()
        here[:] = False
        here[rows] = True
        own = where[term][here[where[term][:, 0]]]
        others = {other: where[other][here[where[other][:, 0]] & ~mine[term][which[other]]]
                  for other in inside.index if not inside[other] & inside[term]}
        order = sorted(others, key=lambda o: (len(others[o]) < len(own), len(others[o])))
        enough = [o for o in order if len(others[o]) >= len(own)]
        chosen = enough[:1] or sorted(order, key=lambda o: -len(others[o]))
        pool, used = np.empty((0, 2), dtype=int), []
        while chosen and len(pool) < len(own):
            used.append(chosen.pop(0))
            pool = np.unique(np.vstack([pool, others[used[-1]]]), axis=0)
        if len(pool) < len(own) or not len(own):
            continue
        drawn = pool[np.sort(rng.choice(len(pool), len(own), replace=False))]
        told = len(inside[term] & set(own[:, 0])) / len(inside[term])
        made += 1
        yield term, words.without(own), words.without(drawn), {
            "other": "; ".join(names[used]), "deleted": len(own), "genes": len(rows),
            "told": told}
    if not made:
        raise ValueError(f"none of the {len(names)} terms has another one without common genes "
                         "whose words could be deleted for comparison; take more terms")


def masked_scores(written, table, changes, model, C):
    """Decision values of hold-out genes with untouched texts, with a term's words deleted, and
    with others deleted; the C of each term stays as it was chosen on the untouched texts."""
    parts = [part for _, own, other, _ in changes for part in (own, other)]
    rest = [text for part in parts for text in part]
    if model == "words":  # with the weights that they have in the untouched texts
        count = vectoriser("words")
        vectors = sp.vstack([count.fit_transform(list(written)), count.transform(rest)]).tocsr()
    else:
        vectors = embed.embed([*written, *rest], model)
    ends, found = len(written) + np.cumsum([0] + [len(part) for part in parts]), []
    by_term = dict(list(table[table["row"] >= 0].groupby("term")))
    all_rows = _pays(len(written), table)  # then the untouched texts are multiplied once
    known = products(vectors[:len(written)]) if all_rows else None
    for number, (term, own, other, _) in enumerate(changes):
        here, dots, now = by_term[term], None, None  # a hundred MB go before others come
        label, fold, row = (here[name].to_numpy() for name in ("label", "fold", "row"))
        dots = products(vectors[row]) if known is None else chosen(known, row, row)
        for method, part, start in ((UNTOUCHED, own[:0], 0), (OWN, own, ends[2 * number]),
                                    (OTHER, other, ends[2 * number + 1])):
            moved = pd.Series(np.arange(start, start + len(part)), part.index).reindex(row)
            changed, used = moved.notna().to_numpy(), moved.fillna(0).to_numpy(int)
            X = vectors[np.where(changed, used, row)]
            now = None
            now = Products.of(X, products(X, dots, np.flatnonzero(changed)))
            score, _ = score_term(now, label, fold, C[term])
            held = here.loc[fold >= HOLDOUT, ["term", "gene", "label"]]
            found.append(held.assign(method=method, score=score))
    return pd.concat(found, ignore_index=True)
