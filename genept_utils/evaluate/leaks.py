"""What texts give away: the names of other genes in the text of a gene."""

import re

import numpy as np
import pandas as pd
import scipy.sparse as sp

_TOKEN = re.compile(r"[A-Za-z0-9]+")
SHORTEST = 3  # letters of a name: shorter ones are mostly other things


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
