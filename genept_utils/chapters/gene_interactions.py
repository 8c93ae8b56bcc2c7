"""Chapter 3: pairs of genes, logistic regression on them, negative sampling, node-disjoint splits,
and partners that a text names."""

import re

import numpy as np
import pandas as pd
import scipy.optimize
import scipy.sparse as sp

from genept_utils import evaluate, genes, sources
from genept_utils.evaluate.inputs import facts_of, is_fact

TOLERANCE = 1e-3  # of a fit; areas move by less than .001
TIGHT = {"sum": 1e-4, "product": 1e-8}  # of a fit to sparse vectors: products are small
_TOKEN = re.compile(r"[A-Za-z0-9]+")
SHORTEST = 3  # letters of a name: shorter ones are mostly other things
PAIR_SETS = {
    "ggi": [f"interactions/ggi_{split}_{part}.txt" for split in ("train", "valid", "test")
            for part in ("text", "label")],
    "HuRI": ["interactions/HuRI.tsv"], "Lit-BM": ["interactions/lit_bm_17.tsv"],
    "tissue-specific": [f"interactions/ohmnet_brain/{part}.edgelist" for part in (
        "cerebellum", "frontal_lobe", "medulla_oblongata", "midbrain", "occipital_lobe",
        "parietal_lobe", "pons", "substantia_nigra", "temporal_lobe")]}


def gene_pairs(name):
    """Pairs of a name of :data:`PAIR_SETS`: ``a``, ``b`` (approved symbols), of the list "ggi" also
    ``label`` and ``split``; of a network reported pairs only, each once with a < b.
    ``.attrs["loss"]`` counts ``lines``, ``unmatched`` (an end has no gene, or several),
    ``self_pairs``, ``repeated`` and ``pairs`` kept."""
    if name not in PAIR_SETS:
        raise ValueError(f"pair set {name!r} is not one of {', '.join(PAIR_SETS)}")
    table = pd.concat([_ggi(split) for split in ("train", "valid", "test")] if name == "ggi" else [
        pd.read_csv(sources.fetch(key), sep="\t", dtype=str, usecols=[0, 1],
                    header=0 if name == "Lit-BM" else None, names=["a", "b"])
        for key in PAIR_SETS[name]], ignore_index=True)
    # look_up: "NA", an end of 209 published pairs, is read as the gene of that former name
    table[["a", "b"]] = genes.look_up(table[["a", "b"]].to_numpy().ravel()).symbols.reshape(-1, 2)
    known = table[(table[["a", "b"]] != "").all(axis=1)]
    kept = apart = known[known["a"] != known["b"]]
    if name != "ggi":  # the list of Du et al. is used line by line, as it was published
        kept = pd.DataFrame(np.sort(kept[["a", "b"]].to_numpy(), axis=1), columns=["a", "b"])
        kept = kept.drop_duplicates()
    kept = kept.reset_index(drop=True)
    kept.attrs["loss"] = {"lines": len(table), "unmatched": len(table) - len(known),
                          "self_pairs": len(known) - len(apart),
                          "repeated": len(apart) - len(kept), "pairs": len(kept)}
    return kept


def _ggi(split):
    """A gene of this list is literally called NA, so nothing is read as missing."""
    pairs = pd.read_csv(sources.fetch(f"interactions/ggi_{split}_text.txt"), sep=r"\s+",
                        header=None, names=["a", "b"], dtype=str, keep_default_na=False)
    label = np.loadtxt(sources.fetch(f"interactions/ggi_{split}_label.txt"), dtype=int)
    return pairs.assign(label=label, split=split)


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
            X = known if features == "sum" else pair_features(known, pairs, features)
        if features == "sum":
            X = incidence(pairs, len(X)), X
        made = evaluate.logistic_path(X, y, parts, strengths, TOLERANCE, overwrite=True)
        for C, fits in zip(strengths, made):
            self.made |= {(part, C): values for part, values in enumerate(fits)}

    def __call__(self, part, C):
        part %= len(self.parts)
        if (part, C) not in self.made:
            rows = self.parts[part]
            self.model = fit_pairs(self.known, self.pairs[rows], self.y[rows], self.features, C,
                                   TIGHT[self.features], self.model)
            self.made[part, C] = score_pairs(self.known, self.pairs, self.model, self.features)
        return self.made[part, C]


def pair_features(vectors, pairs, kind="sum"):
    """A row per pair: sum (as published) or product of its two vectors."""
    if kind not in ("sum", "product"):
        raise ValueError(f"pair feature {kind!r} is not one of sum, product")
    first, second = with_vectors(pairs).T
    made = vectors[first]
    if sp.issparse(made):
        return made + vectors[second] if kind == "sum" else made.multiply(vectors[second]).tocsr()
    for start in range(0, len(made), 8192):  # the vectors of both sides would take twice as much
        part = made[start:start + 8192]
        (np.add if kind == "sum" else np.multiply)(part, vectors[second[start:start + 8192]],
                                                   out=part)
    return made


def with_vectors(pairs):
    """Pairs as an array, once each of their genes has a row; -1 would take the last one."""
    pairs = np.asarray(pairs)
    if pairs.size and pairs.min() < 0:
        raise ValueError(f"{(pairs < 0).any(axis=1).sum():,} of {len(pairs):,} pairs name a gene "
                         "without a vector (row -1); leave them out")
    return pairs


def incidence(pairs, n_genes):
    """Pairs x genes, sparse, with two ones per row."""
    n = len(pairs)
    return sp.csr_array((np.ones(2 * n), pairs.ravel(), 2 * np.arange(n + 1)), shape=(n, n_genes))


def fit_pairs(vectors, pairs, y, features="sum", C=1.0, tol=1e-8, start=None):
    """Coefficients (d,) and intercept of L2 logistic regression on pairs, from sparse vectors.

    The minimum of |w|^2 / 2 + C * sum(log loss), as scikit-learn's, by L-BFGS: with tens of
    thousands of words no Hessian fits into memory. The sums of all pairs are A @ G (A pairs x
    genes, two ones per row), so a step costs as much as the entries of A and G.
    """
    pairs, y = with_vectors(pairs), np.asarray(y, dtype=float)
    if set(np.unique(y)) != {0.0, 1.0}:
        raise ValueError("pair labels must be 0 and 1, with both present")
    if features == "sum":
        used = np.flatnonzero(degree(pairs, vectors.shape[0]))
        G = sp.csr_array(vectors[used].astype(np.float64))
        A = incidence(pairs, vectors.shape[0])[:, used]
        rows, columns = [A, G], [G.T.tocsr(), A.T.tocsr()]
    else:
        table = sp.csr_array(pair_features(vectors, pairs, features), dtype=np.float64)
        rows, columns = [table], [table.T.tocsr()]
    sign = 2 * y - 1

    def through(factors, values):
        for factor in reversed(factors):
            values = factor @ values
        return values

    def loss(weights):
        margin = sign * (through(rows, weights[:-1]) + weights[-1])
        small = np.exp(-np.abs(margin))  # np.logaddexp takes ten times as long
        lost = np.log1p(small) - np.minimum(margin, 0)
        residual = -C * sign * np.where(margin > 0, small, 1) / (1 + small)
        value = weights[:-1] @ weights[:-1] / 2 + C * lost.sum()
        return value, np.append(weights[:-1] + through(columns, residual), residual.sum())

    start = np.zeros(vectors.shape[1] + 1) if start is None else np.append(*start)
    found = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={
        "maxiter": 5000, "maxfun": 10_000, "maxcor": 20, "gtol": 1e-6 * C, "ftol": tol / 1000})
    if not found.success:
        raise ValueError(f"pair logistic regression did not converge ({found.message}); lower C")
    return found.x[:-1], found.x[-1]


def score_pairs(vectors, pairs, model, features="sum"):
    """Decision values (n,) of pairs under a model of :func:`fit_pairs`."""
    weights, intercept = model
    pairs = with_vectors(pairs)
    if features == "sum":
        each = vectors @ weights
        return each[pairs[:, 0]] + each[pairs[:, 1]] + intercept
    return np.concatenate([pair_features(vectors, pairs[i:i + 8192], features) @ weights
                           for i in range(0, len(pairs), 8192)]) + intercept


def both_values(facts, pairs):
    """Sum, difference and product of each fact of two genes (n, 3 k), columns of unit variance."""
    values = facts.to_numpy(dtype=float)
    values = values - values.mean(axis=0)
    values /= np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
    a, b = values[pairs[:, 0]], values[pairs[:, 1]]
    return np.hstack([a + b, abs(a - b), a * b])


def degree(pairs, n_genes):
    """How often each gene occurs in the pairs: (n_genes,) int."""
    return np.bincount(np.asarray(pairs).ravel(), minlength=n_genes)


def random_negatives(pairs, seed=0):
    """As many pairs as given, drawn uniformly from the genes that occur, none of them reported: as
    published, "drawn at random from tested proteins not reported as pairs"."""
    pool, draw = np.unique(pairs), np.random.default_rng(seed)
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


def node_disjoint(pairs, test_size=0.3, seed=0, groups=None):
    """Masks (n,) of training and test pairs that share no gene, or no family of ``groups``
    (n_genes,): a share of genes or families is put aside, pairs with one gene there are dropped."""
    pairs = np.asarray(pairs)
    if groups is not None:  # numbers, since comparing names takes minutes
        pairs = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1][pairs]
    pool = np.unique(pairs)
    aside = np.random.default_rng(seed).permutation(pool)[:round(test_size * len(pool))]
    inside = np.isin(pairs, aside)
    return ~inside.any(axis=1), inside.all(axis=1)


def named_genes(texts, names):
    """Where texts (by symbol) name other genes: a row per mention with ``symbol`` (whose text),
    ``named``, ``start`` and ``end`` (characters); ``names`` holds a list of names per symbol.

    A name is a run of whole words: a symbol or alias as written, a name of several words in any
    case; the longest counts. Lower-case words and names under three letters are not looked for.
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
    """How many gene sets hold both genes of each pair ``a``, ``b`` (n,); ``sets`` holds a list of
    sets per gene."""
    each = sets.explode().dropna()
    genes, names = pd.factorize(each.index)
    codes, known = pd.factorize(each)
    table = sp.csr_array((np.ones(len(each), dtype=np.int32), (genes, codes)),
                         shape=(len(names) + 1, len(known)))  # the last row is of unknown genes
    first, second = (pd.Index(names).get_indexer(list(side)) for side in (a, b))
    return np.asarray(table[first].multiply(table[second]).sum(axis=1)).ravel()
