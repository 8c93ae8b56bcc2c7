"""Chapter 06 on the genes that all 38 published embeddings have.

``python benchmarks/gene_sets_common.py`` scores each method of the chapter on the terms cut to
these 11,355 genes and writes ``data/offline/06-common-genes.json``: the mean over terms of each
method and task. So our rows stand beside published means on the very same genes.
"""

import os
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
INPUTS = {"GenePT MiniLM": "minilm", "GenePT WordLlama": "wordllama/summary",
          "TF-IDF, all words": "words/summary", "TF-IDF": "tfidf/summary",
          "name only": "wordllama/name", "spelling": "spelling", "Gene2vec": "gene2vec"}
DRAWS, SEED = 1000, 0


def main():
    os.environ["GENEPT_RESULTS"] = str(ROOT / "data" / "offline")
    from genept_utils import datasets, evaluate, ledger, sources

    common = sources.fetch("gene_sets/zhong_common_genes.txt").read_text().split()
    tables = []
    for task in ("disease", "function"):
        table = datasets.gene_sets(task)
        table = table[table["gene"].isin(common)]
        scores = evaluate.sets_by_method(INPUTS, table, SEED)
        tables.append(evaluate.over_terms(scores, DRAWS, SEED).assign(task=task))
        print(tables[-1].round(3).to_string(), flush=True)
    ledger.record("06-common-genes", pd.concat(tables), item="Gene sets", dataset="Zhong 2025",
                  classifier="svm", metric="roc_auc", split="hold-out, genes of all 38 embeddings")


if __name__ == "__main__":
    main()
