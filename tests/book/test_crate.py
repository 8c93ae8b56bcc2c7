"""The research object: what RO-Crate 1.1 requires, and that it says what the book holds."""

import json
import re

import pytest
import yaml
from genept_book import crate

import genept_utils
from genept_utils import paths, sources

if not (paths.ROOT / "CITATION.cff").is_file():
    pytest.skip("the research object is made in the checkout only", allow_module_level=True)


@pytest.fixture(scope="module")
def graph():
    made = json.loads(json.dumps(crate.metadata()))
    assert made["@context"] == "https://w3id.org/ro/crate/1.1/context"
    return {one["@id"]: one for one in made["@graph"]}


def references(value):
    """Every {"@id": ...} inside an entity."""
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    return [value["@id"]] if isinstance(value, dict) else []


def test_what_the_specification_requires(graph):
    about, root = graph[crate.NAME], graph["./"]
    assert about["@type"] == "CreativeWork" and about["about"] == {"@id": "./"}
    assert about["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset"
    assert {"name", "description", "datePublished", "license"} <= set(root)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", root["datePublished"])
    assert all({"@id", "@type"} <= set(one) for one in graph.values())
    files = {key for key, one in graph.items() if "File" in one["@type"]}
    assert set(references(root["hasPart"])) == files
    loose = {key for one in graph.values() for value in one.values() for key in references(value)}
    assert all(key.startswith("https://") for key in loose - graph.keys())


def test_runs_name_what_they_read_and_recorded(graph):
    runs = [one for one in graph.values() if one["@type"] == "CreateAction"]
    assert len(runs) == len(list(paths.NOTEBOOKS.glob("*.ipynb")))
    for run in runs:
        assert set(references([run["instrument"], run["object"], run["result"]])) <= graph.keys()
    local = paths.ROOT / "data" / "published.csv"
    assert graph["data/published.csv"]["sha256"] == sources.sha256(local)
    row = sources.registry().loc["cells/pbmc_facs.RData"]
    assert graph[row.url]["sha256"] == row.sha256


def test_versions_and_dates_are_the_same_everywhere():
    cited = yaml.safe_load((paths.ROOT / "CITATION.cff").read_text())
    zenodo = json.loads((paths.ROOT / ".zenodo.json").read_text())
    assert cited["version"] == zenodo["version"] == genept_utils.__version__
    assert str(cited["date-released"]) == zenodo["publication_date"]
    assert cited["title"] == zenodo["title"] and cited["license"] == zenodo["license"]
    assert cited["preferred-citation"]["doi"] == zenodo["related_identifiers"][0]["identifier"]


def test_the_container_has_the_pins_of_the_lock():
    recipe = (paths.ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in recipe and "--no-deps -e ." in recipe
