"""Gene interactions: logistic regressions on pairs for a grid of penalties, pairs that were not
reported, cuts of pairs that share no gene, and what texts say of a partner."""

import re

import numpy as np
import pandas as pd
import scipy.sparse as sp

from genept_utils import evaluate
from genept_utils.evaluate.simple import facts_of, is_fact

TOLERANCE = 1e-3  # of a fit; areas move by less than .001
TIGHT = {"sum": 1e-4, "product": 1e-8}  # of a fit to sparse vectors: products are small
_TOKEN = re.compile(r"[A-Za-z0-9]+")
SHORTEST = 3  # letters of a name: shorter ones are mostly other things


class Fits:
    """Decision values (n,) of all pairs by number of a training part (p, n) and penalty. Dense
    inputs are fitted to all at once; sparse ones when asked for, starting from the last fit."""

    def __init__(self, source, symbols, pairs, y, parts, strengths, features="sum", seed=0):
        self.pairs, self.y, self.parts, self.features = pairs, y, parts, features
        self.model, self.known, self.made = None, None, {}
        if is_fact(source) and features != "sum":
            X = both_values(facts_of(source, symbols), pairs)
        else:
            known = evaluate.gene_input(source, symbols, seed, pairs)
            if sp.issparse(known):
                self.known = known
                return
            X = known if features == "sum" else evaluate.pair_features(known, pairs, features)
        if features == "sum":
            n = len(pairs)
            X = sp.csr_array((np.ones(2 * n), pairs.ravel(), 2 * np.arange(n + 1)),
                             shape=(n, len(X))), X
        for C, fits in zip(strengths, evaluate.logistic_path(X, y, parts, strengths, TOLERANCE)):
            self.made |= {(part, C): values for part, values in enumerate(fits)}

    def __call__(self, part, C):
        part %= len(self.parts)
        if (part, C) not in self.made:
            rows = self.parts[part]
            self.model = evaluate.fit_pairs(
                self.known, self.pairs[rows], self.y[rows], self.features, C,
                TIGHT[self.features], start=self.model)
            self.made[part, C] = evaluate.score_pairs(self.known, self.pairs, self.model,
                                                      self.features)
        return self.made[part, C]


def both_values(facts, pairs):
    """Sum, difference and product of each fact of two genes (n, 3 k), columns of unit variance."""
    values = facts.to_numpy(dtype=float)
    values = (values - values.mean(axis=0)) / np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
    a, b = values[pairs[:, 0]], values[pairs[:, 1]]
    return np.hstack([a + b, abs(a - b), a * b])


def degree(pairs, n_genes):
    """How often each gene occurs in the pairs: (n_genes,) int."""
    return np.bincount(np.asarray(pairs).ravel(), minlength=n_genes)


def random_negatives(pairs, n_genes=None, seed=0):
    """As many pairs as given, drawn uniformly from the genes that occur, none of them reported.

    As published: "drawn at random from tested proteins not reported as pairs".
    """
    pool = np.unique(pairs)
    draw = np.random.default_rng(seed)
    return _negatives(pairs, lambda n: draw.choice(pool, (n, 2)))


def matched_negatives(pairs, seed=0):
    """As many pairs as given in which each gene occurs about as often as among the given ones.

    Ends of the reported pairs are shuffled (configuration model); reported pairs, self-pairs and
    repeats are drawn again. A classifier cannot then win by knowing which genes are well studied.
    """
    ends = np.asarray(pairs).ravel()
    draw = np.random.default_rng(seed)

    def shuffled(n):
        mixed = draw.permutation(ends)
        return mixed.reshape(-1, 2) if n == len(ends) // 2 else draw.choice(ends, (n, 2))

    return _negatives(pairs, shuffled)


def _negatives(pairs, draw):
    pairs = np.sort(np.asarray(pairs), axis=1)
    width = int(pairs.max()) + 1
    taken = np.unique(pairs[:, 0] * width + pairs[:, 1])
    kept = np.empty(0, dtype=np.int64)
    for _ in range(200):
        missing = len(pairs) - len(kept)
        if not missing:
            return np.column_stack([kept // width, kept % width])
        drawn = np.sort(draw(missing).astype(np.int64), axis=1)
        drawn = drawn[drawn[:, 0] != drawn[:, 1]]
        code = pd.unique(drawn[:, 0] * width + drawn[:, 1])
        code = code[~np.isin(code, taken)]
        kept = np.concatenate([kept, code[~np.isin(code, kept)]])
    raise ValueError("the pairs are so dense that not enough unreported pairs exist")


def labelled(positive, negative):
    """Reported and unreported pairs as one array (n, 2), and their labels 1 and 0."""
    return np.vstack([positive, negative]), np.repeat([1, 0], [len(positive), len(negative)])


def node_disjoint(pairs, test_share=0.3, seed=0, groups=None):
    """Pairs cut so that no gene (with ``groups``: no family) stands on both sides.

    ``test_share`` of the genes or families is put aside; pairs with one gene on each side are
    dropped.

    Parameters
    ----------
    pairs : numpy.ndarray
        (n, 2) gene numbers.
    groups : array-like, optional
        (n_genes,) family of each gene number.

    Returns
    -------
    tuple of numpy.ndarray
        Boolean (n,) masks of training and of test pairs.
    """
    pairs = np.asarray(pairs)
    if groups is not None:  # numbers, since comparing names takes minutes
        pairs = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1][pairs]
    pool = np.unique(pairs)
    aside = np.random.default_rng(seed).permutation(pool)[:round(test_share * len(pool))]
    inside = np.isin(pairs, aside)
    return ~inside.any(axis=1), inside.all(axis=1)


def named_genes(texts, names):
    """Where texts name genes.

    A name is found as a run of whole words: a symbol or alias as it is written, a name of several
    words without regard to case. Where two names overlap the longer one counts. Names that are
    plain lower-case words, or shorter than three letters, are not looked for.

    Parameters
    ----------
    texts : pandas.Series
        (n,) texts by symbol.
    names : pandas.Series
        Per symbol a list of its names: symbol, full name, aliases.

    Returns
    -------
    pandas.DataFrame
        One row per mention and gene that bears the name: ``symbol`` (whose text), ``named``,
        ``start``, ``end`` (characters). A gene's own names are left out.
    """
    known = {}
    for symbol, own in names.items():
        for name in own:
            words = tuple(_TOKEN.findall(name))
            plain = len(words) == 1 and name == name.lower() and name.isalpha()
            if len(name) >= SHORTEST and words and not plain:
                key = words if len(words) == 1 else tuple(word.lower() for word in words)
                known.setdefault(key, set()).add(symbol)
    longest = {}
    for key in known:
        longest[key[0]] = max(longest.get(key[0], 0), len(key))
    rows = []
    for symbol, text in texts.items():
        found = list(_TOKEN.finditer(text))
        exact = [word.group() for word in found]
        lower = [word.lower() for word in exact]
        at = 0
        while at < len(exact):
            reach = max(longest.get(exact[at], 0), longest.get(lower[at], 0))
            for size in range(min(reach, len(exact) - at), 0, -1):
                key = (exact[at],) if size == 1 else tuple(lower[at:at + size])
                if key in known:
                    rows += [(symbol, named, found[at].start(), found[at + size - 1].end())
                             for named in known[key] if named != symbol]
                    at += size - 1
                    break
            at += 1
    return pd.DataFrame(rows, columns=["symbol", "named", "start", "end"])


def names_partner(mentions, a, b):
    """Mask (n,) of the pairs of genes ``a``, ``b`` of which one text names the other gene."""
    said = set(zip(mentions["symbol"], mentions["named"]))
    return np.array([(x, y) in said or (y, x) in said for x, y in zip(a, b)], dtype=bool)


def shared_sets(sets, a, b):
    """How many gene sets hold both genes of each pair.

    Parameters
    ----------
    sets : pandas.Series
        Per gene a list of the sets that hold it.
    a, b : sequence of str
        (n,) the two genes of each pair; a gene of no set shares none.

    Returns
    -------
    numpy.ndarray
        (n,) int.
    """
    each = sets.explode().dropna()
    genes, names = pd.factorize(each.index)
    codes, known = pd.factorize(each)
    table = sp.csr_array((np.ones(len(each), dtype=np.int32), (genes, codes)),
                         shape=(len(names) + 1, len(known)))  # the last row is of unknown genes
    first, second = (pd.Index(names).get_indexer(list(side)) for side in (a, b))
    return np.asarray(table[first].multiply(table[second]).sum(axis=1)).ravel()
