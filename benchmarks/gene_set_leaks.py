"""What the texts give away to MiniLM: terms' words deleted, on a part of the terms.

``python benchmarks/gene_set_leaks.py`` draws 30 diseases and 16 functions of chapter 06, takes the
first 12 and 4 of them in the order of their identifiers, deletes the words of the term (or as many
of another) from the summaries, embeds the texts that change with all-MiniLM-L6-v2, and writes
``data/offline/06-leaks-minilm.json``: three rows a term. Texts that do not change keep the shipped
vectors. It needs the extra ``[st]``; what is embedded is kept in the cache.
"""

import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
TERMS = {"disease": (30, 12), "function": (16, 4)}  # drawn, and taken of these
SEED = 0


def main():
    os.environ["GENEPT_RESULTS"] = str(ROOT / "data" / "offline")
    from genept_utils import datasets, embed, evaluate, ledger
    from genept_utils.chapters import disease_and_function as chapter

    shipped, rows = embed.read_embedding(), []
    for task, (count, taken) in TERMS.items():
        written, table = chapter.with_texts(datasets.gene_sets(task))
        vectors_of = shipped[written.index].X
        terms = list(chapter.masked(chapter.WordTable(written), table, SEED))
        drawn = np.random.default_rng(SEED).choice(len(terms), count, replace=False)
        for term, own, other, about in [terms[i] for i in sorted(drawn)[:taken]]:
            part = table[(table["term"] == term) & (table["row"] >= 0)]
            C = None  # chosen on the untouched texts, then kept
            for method, changed in (("untouched", None), ("term words deleted", own),
                                    ("other words deleted", other)):
                vectors = vectors_of
                if changed is not None:
                    vectors = vectors.copy()
                    vectors[changed.index] = embed.embed(changed, "st:all-MiniLM-L6-v2")
                scores = chapter.score_sets(vectors, part, C=C)
                C = scores.groupby("term")["C"].first() if C is None else C
                rows.append({"task": task, "label": part["name"].iloc[0], "method": method,
                             "value": evaluate.term_areas(scores)[0].iloc[0], "n": len(part)})
            print(task, len(rows), rows[-3]["label"], [round(r["value"], 3) for r in rows[-3:]],
                  flush=True)
    note = "sentence model all-MiniLM-L6-v2, computed once on some of the terms"
    ledger.record("06-leaks-minilm", rows, item="Gene sets", dataset="Zhong 2025",
                  classifier="svm", metric="roc_auc", split="hold-out", repeats=1, note=note)


if __name__ == "__main__":
    main()
