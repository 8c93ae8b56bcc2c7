"""The rules by which the module reads names, for the scripts of the pages that read them, too."""

import json
import re

from genept_utils import sources
from genept_utils.genes import features, files, lookup, orthologs, paste, rewritten, species
from genept_utils.genes.synonyms import synonyms


def as_json(columns):
    """A dict as JSON for a script; arrays, indexes and columns are lists."""
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":"),
                      default=lambda some: some.tolist()).encode()


def script_pattern(pattern):
    """A Python pattern (str or compiled) as [source, flags] of a script's."""
    source, flags = (pattern, 0) if isinstance(pattern, str) else (pattern.pattern, pattern.flags)
    ignore = flags & re.IGNORECASE or source.startswith("(?i)")
    return [source.removeprefix("(?i)").replace("(?P<", "(?<"), "i" if ignore else ""]


def name_rules(symbols):
    """Patterns, limits and lists of :mod:`genept_utils.genes`; ``symbols`` (n,) are the genes that
    rows are counted by."""
    patterns = {
        "date": re.compile(rewritten.DATE, re.IGNORECASE), "suffix": rewritten._SUFFIX,
        "plain": rewritten._PLAIN, "version": rewritten._VERSION, "several": rewritten.SEVERAL,
        "transcript": f"^(?:{rewritten._TRANSCRIPT.pattern})$", "gff": rewritten._GFF,
        "numbered": rewritten._NUMBERED, "hgnc": rewritten._HGNC, "hyphen": rewritten._HYPHEN,
        "withEntrez": rewritten._WITH_ENTREZ, "ensembl": species.ENSEMBL_ID,
        "genome": species.GENOME["human"], "quoted": paste.QUOTED, "call": paste.CALL,
        "noName": paste.NO_NAME}
    return {
        **{name: script_pattern(pattern) for name, pattern in patterns.items()},
        "ends": rewritten._ENDS, "edges": paste.EDGES, "greek": rewritten.GREEK,
        "months": rewritten._NUMBER, "stems": rewritten._STEMS,
        "heads": sorted(files.HEADS), "gaps": sorted(paste.GAPS), "share": lookup.MIN_SHARE,
        "minIds": paste.MIN_IDS, "leastId": paste.LEAST_ID, "minKnown": features.MIN_KNOWN,
        "minDensity": features.MIN_DENSITY, "mouse": mouse_names(symbols)}


def mouse_names(symbols):
    """Names of mouse genes that no human gene has in any letters -> row of the human ortholog; {}
    where HomoloGene cannot be had."""
    try:
        table = orthologs.of_species("mouse").drop_duplicates("entrez_id")
        human = orthologs.to_human("mouse")
    except sources.SourceError:
        return {}
    row = {symbol: i for i, symbol in enumerate(symbols)}
    found = table["symbol"].to_numpy(), human["symbols"].reindex(table["entrez_id"]).fillna("")
    known = synonyms().casefolded.index
    own = ~table["symbol"].str.upper().isin(known).to_numpy()
    return {name: row[symbol] for name, symbol, yes in zip(*found, own) if yes and symbol in row}
