"""Species by name or taxon id, and what their gene names are recognised by."""

import re

HUMAN = "human"
# Taxa of NCBI HomoloGene as the package homologene has them; the first name is the one we use.
TAXA = {
    9606: ("human", "homo sapiens"), 10090: ("mouse", "mus musculus"),
    10116: ("rat", "rattus norvegicus"), 7955: ("zebrafish", "danio rerio"),
    9913: ("cow", "bos taurus", "cattle"), 9598: ("chimpanzee", "pan troglodytes", "chimp"),
    9544: ("macaque", "macaca mulatta", "rhesus", "rhesus macaque"),
    9615: ("dog", "canis lupus familiaris", "canis familiaris", "canis lupus"),
    9031: ("chicken", "gallus gallus"), 8364: ("frog", "xenopus tropicalis"),
    7227: ("fruit fly", "drosophila melanogaster", "fly"),
    6239: ("worm", "caenorhabditis elegans", "c. elegans"),
    7165: ("mosquito", "anopheles gambiae"), 4932: ("yeast", "saccharomyces cerevisiae"),
    4896: ("fission yeast", "schizosaccharomyces pombe"),
    3702: ("thale cress", "arabidopsis thaliana"), 4530: ("rice", "oryza sativa"),
    28985: ("kluyveromyces lactis",), 33169: ("eremothecium gossypii",),
    318829: ("magnaporthe oryzae",), 5141: ("neurospora crassa",),
}
_BY_NAME = {name: taxon for taxon, names in TAXA.items() for name in names}

# Genome assemblies that 10x and others write in front of a name, where genomes are mixed.
GENOMES = {"human": "grch3[78]|hg19|hg38", "mouse": "grcm3[89]|mm9|mm10|mm39",
           "rat": "rnor[_-]?6(?:[._-]0)?|mratbn7(?:[._-]2)?|rn[67]", "zebrafish": "grcz1[01]",
           "macaque": "mmul[_-]?10", "fruit fly": "bdgp6"}
BEHIND_GENOME = r"[-_.:|]+(?=\S)"
GENOME = {species: f"(?i)^(?:{names}){BEHIND_GENOME}" for species, names in GENOMES.items()}

# The letters of a species in its Ensembl gene ids; human ids have none (ENSG...).
ENSEMBL_LETTERS = {"MUS": "mouse", "RNO": "rat", "DAR": "zebrafish", "BTA": "cow",
                   "PTR": "chimpanzee", "MMU": "macaque", "CAF": "dog", "GAL": "chicken",
                   "XET": "frog"}
ENSEMBL_ID = re.compile(r"(?i)(?<![A-Z0-9])(ENS(?:[A-Z]{3,4})?G\d{11})(?:\.\d+)?(?![A-Z0-9])")


def taxon(species):
    """NCBI taxon id of a species.

    Parameters
    ----------
    species : str, int or None
        A name of :data:`TAXA` in any case ("mouse", "Mus musculus"), a taxon id (10090, "10090",
        "NCBITaxon:10090"), or None for human.

    Raises
    ------
    ValueError
        The species is not among those whose orthologs the files know; the message lists them.
    """
    if species is None:
        return 9606
    word = " ".join(str(species).replace("_", " ").lower().split())
    number = word.rpartition(":")[2].removeprefix("txid")
    found = _BY_NAME.get(word, int(number) if number.isdecimal() else None)
    if found not in TAXA:
        raise ValueError(f"species {species!r} is not known here; known are "
                         f"{', '.join(names[0] for names in TAXA.values())}, their Latin names "
                         "and taxon ids")
    return found


def species_name(species):
    """The name we use for a species, see :func:`taxon`; "human" for None."""
    return TAXA[taxon(species)][0]
