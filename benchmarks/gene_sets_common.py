"""Chapter 06 on the genes that all 38 published embeddings have.

``python benchmarks/gene_sets_common.py`` scores each method of the chapter on the terms cut to
these 11,355 genes and writes ``data/offline/06-common-genes.json``: the mean over terms of each
method and task, and paired differences of MiniLM and all words to the controls, and term by term
to published embeddings. So our rows stand beside published ones on the very same genes.
"""

import os
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
INPUTS = {"GenePT MiniLM": "minilm", "GenePT WordLlama": "wordllama/summary",
          "TF-IDF, all words": "words/summary", "TF-IDF": "tfidf/summary",
          "name only": "wordllama/name", "spelling, all n-grams": "letters",
          "spelling": "spelling", "Gene2vec": "gene2vec"}
THEIRS = {"GENEPT-MODEL3": "GenePT text-embedding-3-large", "GENEPT-ADA": "GenePT ada-002"}
SEED, SPLIT = 0, "hold-out, genes of all 38 embeddings"


def main():
    os.environ["GENEPT_RESULTS"] = str(ROOT / "data" / "offline")
    from genept_utils import datasets, evaluate, ledger, sources
    from genept_utils.chapters import disease_and_function as chapter

    common = sources.fetch("gene_sets/zhong_common_genes.txt").read_text().split()
    tables = []
    for task in ("disease", "function"):
        table = datasets.gene_sets(task)
        scores = chapter.sets_by_method(INPUTS, table[table["gene"].isin(common)], SEED)
        tables.append(evaluate.summarise(scores, "method", kind="terms").assign(task=task))
        print(tables[-1].round(3).to_string(), flush=True)
        pairs = [("GenePT MiniLM", other) for other in list(INPUTS)[1:]]
        pairs += [("Gene2vec", "spelling, all n-grams")]
        tables.append(evaluate.compare(scores, pairs, kind="terms").assign(task=task))
        theirs = chapter.published_terms(task).query("genes == 'common'")
        areas = [theirs.assign(method=theirs["embedding"].map(THEIRS)).dropna(subset="method")]
        areas += [evaluate.term_areas(part)[0].rename("roc_auc").reset_index().assign(method=name)
                  for name, part in scores.groupby("method", observed=True)]
        pairs = [(ours, their) for ours in ("GenePT MiniLM", "TF-IDF, all words")
                 for their in THEIRS.values()]
        tables.append(evaluate.compare(pd.concat(areas), pairs, "term", "roc_auc").assign(
            task=task, note="interval over terms only"))
        print(tables[-1].round(3).to_string(), flush=True)
    ledger.record("06-common-genes", *tables, item="Gene sets", dataset="Zhong 2025",
                  classifier="svm", metric="roc_auc", split=SPLIT)


if __name__ == "__main__":
    main()
