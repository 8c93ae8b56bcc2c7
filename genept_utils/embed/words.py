"""Which words of their texts mark a list of genes."""

import functools
import re

import numpy as np
import pandas as pd

from genept_utils import genes
from genept_utils.embed.texts import texts

SHORTEST = 3  # letters of the shortest word
_WORD = re.compile(r"[a-z0-9][a-z0-9-]+")
_LETTER = re.compile(r"[a-z]")
# English function words, and what RefSeq says of any gene.
STOP_WORDS = frozenset("""
    about above across after again against all along also although among an and another any are
    around as at based be because been before being below between both but by can could did do
    does due during each either et al etc few first for found from further furthermore had has
    have having here how however if in including indicate indicated indicates into is it its
    itself known least less like likely many may might more moreover most much multiple must near
    neither no non nor not observed of off often on one only onto or other others our out over
    own per play plays possible possibly present probably rather related results same second see
    several shown shows similar since so some studies such suggest suggested suggests than that
    the their them then there therefore these they third this those three through throughout thus
    to together two under unlike until up upon use used using various very via was we well were
    what when where whereas whether which while who whose will with within without would yet
    belong belongs called contain containing contains different encode encoded encodes encoding
    full-length function functions gene genes identified involved member members protein proteins
    provided refseq role roles transcript transcripts variant variants
    """.split())


def words(text):
    """The different words of a text: what the enrichment counts.

    Lower case; runs of ASCII letters, digits and inner hyphens that begin with a letter or digit;
    hyphens at the end dropped; at least :data:`SHORTEST` characters, one of them a letter; none of
    :data:`STOP_WORDS`. No stemming.

    Returns
    -------
    set of str
    """
    found = (word.rstrip("-") for word in _WORD.findall(text.lower()))
    return {word for word in found
            if len(word) >= SHORTEST and _LETTER.search(word) and word not in STOP_WORDS}


@functools.cache
def described():
    """Name and RefSeq summary of every gene that has a summary: (15086,) str by symbol."""
    table = genes.gene_table()
    return texts("summary", table.index[table["summary"] != ""])


def marking_words(names, written=None, min_genes=5):
    """Words that stand in the texts of a list of genes more often than in those of other genes.

    For each word the one-sided hypergeometric test (Fisher's exact test) of the number of genes
    of the list whose text has it, among all genes that have a text; the false discovery rate
    after Benjamini and Hochberg (1995) over all words that ``min_genes`` genes or more have,
    whether the list has them or not. Genes of one family often share whole sentences, so a small
    p may tell of one family and not of many independent genes.

    Parameters
    ----------
    names : sequence of str
        Genes in any form that :func:`genept_utils.genes.match` takes; each gene counts once.
    written : pandas.Series, optional
        Texts by approved symbol, of the genes to compare with; by default name and RefSeq summary
        of every gene with a summary (:func:`described`).
    min_genes : int
        A word of fewer genes is not tested.

    Returns
    -------
    pandas.DataFrame
        One row per tested word that the list has, smallest p first: ``word``, ``in_list`` and
        ``in_all`` (genes with the word), ``fold`` (share in the list over share in all), ``p``,
        ``q`` (false discovery rate). ``.attrs``: ``list`` and ``all``, numbers of genes with a
        text; ``left_out``, the names that have none; ``tested``, number of words.

    Raises
    ------
    ValueError
        No gene of the list has a text.
    genept_utils.sources.SourceError
        The default texts cannot be made.
    """
    from scipy import stats

    written = described() if written is None else written
    symbols, vocabulary, table = _counted(tuple(written.index), tuple(written))
    given = pd.Series(list(names), dtype=object)
    rows = pd.Index(symbols).get_indexer(genes.match(given).symbols)
    here = np.unique(rows[rows >= 0])
    if not len(here):
        raise ValueError(f"none of the {len(given)} genes of the list has a text")
    everywhere = np.asarray(table.sum(axis=0)).ravel()
    inside = np.asarray(table[here].sum(axis=0)).ravel()
    tested = everywhere >= min_genes
    everywhere, inside = everywhere[tested], inside[tested]
    p = stats.hypergeom.sf(inside - 1, len(symbols), everywhere, len(here))
    p = np.where(inside == 0, 1.0, np.minimum(p, 1.0))
    q = stats.false_discovery_control(p) if len(p) else p
    fold = (inside / len(here)) / (everywhere / len(symbols))
    made = pd.DataFrame({"word": vocabulary[tested], "in_list": inside, "in_all": everywhere,
                         "fold": fold, "p": p, "q": q})
    made = made[made["in_list"] > 0].sort_values(["p", "in_list", "word"],
                                                 ascending=[True, False, True])
    made.attrs = {"list": len(here), "all": len(symbols), "tested": int(tested.sum()),
                  "left_out": given[rows < 0].astype(str).tolist()}
    return made.reset_index(drop=True)


@functools.lru_cache(maxsize=4)
def _counted(symbols, written):
    """(symbols, words, table (n_genes, n_words) of 0 and 1); lists of a page share their texts."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer=words, dtype=np.int32)
    table = counter.fit_transform(written)
    return np.array(symbols, dtype=object), counter.get_feature_names_out(), table
