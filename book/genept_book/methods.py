"""What a method reads: the kind by which tables, figures and claims group methods."""

KINDS = ("text", "words", "letters", "expression", "annotations", "nothing")

# By name; a variant ("GenePT-w whitened", "TF-IDF, all words") goes by its longest beginning here.
READS = {
    "GenePT": "text", "name only": "text", "RefSeq": "text", "wordllama": "text",
    "open text": "text", "ensemble": "text", "text + co-expression": "text",
    "text + GO processes": "text",
    "TF-IDF": "words", "tfidf": "words", "all words": "words", "words": "words",
    "spelling": "letters", "nearest by name": "letters",
    "PCA": "expression", "SVD": "expression", "Harmony": "expression", "expression": "expression",
    "Gene2vec": "expression", "loadings": "expression", "coexpression": "expression",
    "half of its own profile": "expression", "similarity of the singles": "expression",
    "strength of the singles": "expression",
    "scGPT": "expression", "Mashup": "annotations",  # cells; a network of proteins
    "GO processes": "annotations", "shared GO processes": "annotations",
    "shares a GO process": "annotations",
    "permuted": "nothing", "random": "nothing", "degree": "nothing", "largest type": "nothing",
    "number of words": "nothing", "length": "nothing", "has a summary": "nothing",
    "number of GO processes": "nothing", "mean effect": "nothing",
    "fitness of the singles": "nothing",
}


def reads(method):
    """The kind of a method (one of :data:`KINDS`), ``""`` where it is not known."""
    known = [name for name in READS if method.startswith(name)]
    return READS[max(known, key=len)] if known else ""
