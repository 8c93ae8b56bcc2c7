"""The OpenAI-compatible back end against a local server that fails in the usual ways."""

import asyncio
import concurrent.futures
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import traceback

import fault_server
import numpy as np
import pandas as pd
import pytest
from fault_server import KEY, MODEL, assert_right, written

from genept_utils import __main__, embed, genes, paths
from genept_utils.embed import api, batch, client, cost, server, store

FAULTS = ["429", "500", "drop", "truncated", "shuffled", "short", "429 date", "nan", "dimension"]


def kept_rows(folder):
    """How many answers are kept; what is remembered of a server is shorter."""
    table = sqlite3.connect(folder / "answers.sqlite", timeout=30)
    try:
        return table.execute("SELECT count(*) FROM kept WHERE length(value) > 9").fetchone()[0]
    except sqlite3.OperationalError:  # not there yet
        return 0
    finally:
        table.close()


# ---------------------------------------------------------------- must hold

def test_7000_texts(serve):
    """More than three requests hold; the time of 20,000 is measured by
    ``benchmarks/embed_api.py``."""
    stats = serve(latency=.05, per_minute=3000, dimension=16)
    texts, report = written(7000, words=15), {}
    vectors = api.vectors(texts, MODEL, report=report)
    assert report["requests"] >= 1 + -(-(7000 - 1) // cost.INPUTS) > 4
    assert vectors.shape == (7000, 16) and vectors.dtype == np.float32
    assert_right(vectors, texts, every=97)
    assert stats()["billed"] == 7000 and stats()["twice"] == 0
    again = api.vectors(texts, MODEL, report=report)
    assert report["requests"] == 0 and report["kept"] == 7000
    assert np.array_equal(vectors, again)


def test_every_tenth_request_fails(serve):
    stats = serve(faults=FAULTS, every=10)
    texts, report = written(1000), {}
    vectors = api.vectors(texts, MODEL, report=report, inputs=10, requests_per_minute=60_000)
    assert_right(vectors, texts)
    seen = stats()
    assert set(seen["faults"]) == set(FAULTS)
    assert seen["billed"] == seen["texts"] == 1000 and seen["twice"] == 0
    # a request that meets three faults in a row is halved, which makes one more; a text whose
    # vector was NaN is asked for again, without the others of its request
    assert seen["requests"] == report["requests"]
    assert 0 <= report["requests"] - 101 - report["retries"] <= 3 + seen["faults"]["nan"]


CHILD = """
import json
from genept_utils.embed import api
report = {}
vectors = api.vectors(json.load(open("texts.json")), "text-embedding-ada-002", report=report,
                      inputs=50, concurrency=4)
print(json.dumps([report, float(abs(vectors).sum())]))
"""
TWO = f"""
import os, traceback
children = []
for name in "ab":
    children.append(os.fork())
    if not children[-1]:
        try:
            exec({CHILD.replace('print(', 'open(name, "w").write(')!r}, {{"name": name}})
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
for process in children:
    os.waitpid(process, 0)
"""


def test_killed_and_started_again(serve, tmp_path):
    stats = serve(latency=.05, dies_after=50)  # it cannot end before it is killed
    texts = written(3000, words=20)
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    first = subprocess.Popen([sys.executable, "-c", CHILD], cwd=tmp_path,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={**os.environ, "PYTHONPATH": str(paths.ROOT)})
    while first.poll() is None and (
            not (tmp_path / "cache" / "answers.sqlite").is_file()
            or kept_rows(tmp_path / "cache") < 1500):
        time.sleep(.01)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    kept = kept_rows(tmp_path / "cache")
    assert 1500 <= kept < 3000
    time.sleep(.2)  # what was on its way when the process died is billed by now
    assert kept <= stats()["billed"] <= kept + 4 * 50  # at most the requests on their way
    stats, report = serve(), {}
    vectors = api.vectors(texts, MODEL, report=report, inputs=50)
    assert_right(vectors, texts)
    assert report["kept"] == kept and report["sent"] == 3000 - kept
    assert stats()["billed"] == 3000 - kept and stats()["twice"] == 0


def test_killed_between_answer_and_cache_it_pays_for_that_request_alone(serve, tmp_path, forks):
    stats, texts = serve(dimension=8), written(40)
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    status, _ = forks("""
import os
from genept_utils.embed import store
write, calls = store.write, []
def dies(table, found):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), 9)
    write(table, found)
store.write = dies
""" + CHILD.replace("inputs=50, concurrency=4", "inputs=10, concurrency=1"), tmp_path)
    assert status == -9 and kept_rows(tmp_path / "cache") == 1 + 10
    assert stats()["billed"] == 1 + 10 + 10
    assert_right(api.vectors(texts, MODEL), texts)
    assert stats()["billed"] == 40 + 10 and stats()["twice"] == 10


def test_two_processes_at_once(serve, tmp_path, forks):
    stats = serve(latency=.05)
    (tmp_path / "texts.json").write_text(json.dumps(written(600, words=20)))
    status, said = forks(TWO, tmp_path)
    assert not status and "Traceback" not in said
    said = [json.loads((tmp_path / name).read_text()) for name in "ab"]
    assert said[0][1] == said[1][1]
    assert sorted(report["sent"] for report, _ in said) == [0, 600]
    assert stats()["billed"] == 600 and stats()["twice"] == 0


@pytest.mark.parametrize("fault, said", [
    ("401", "refused the key"), ("403", "may not use"), ("quota", "no quota left"),
])
def test_a_key_that_does_not_work_gives_one_sentence(serve, tmp_path, caplog, capfd, fault, said):
    stats = serve(always=fault)
    caplog.set_level("DEBUG")
    with pytest.raises(api.ServiceError) as caught:
        api.vectors(written(100), MODEL)
    message = str(caught.value)
    assert said in message and "Without a key: the shipped embedding" in message
    assert "\n" not in message and stats()["requests"] == 1  # not tried again
    everything = "".join(traceback.format_exception(caught.value)) + caplog.text
    everything += "".join(capfd.readouterr())
    assert KEY not in everything
    assert not any(KEY.encode() in file.read_bytes()
                   for file in tmp_path.rglob("*") if file.is_file())


def test_no_key(serve, monkeypatch):
    serve()
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(api.ServiceError, match="no key in OPENAI_API_KEY.*Without a key"):
        embed.embed(["a text"], f"openai:{MODEL}")


@pytest.mark.parametrize("key", ["sk-\N{HORIZONTAL ELLIPSIS}", "sk-a\nb"])
def test_a_key_with_odd_characters(serve, monkeypatch, key):
    stats = serve()
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(api.ServiceError, match="characters that no key has") as caught:
        api.vectors(["a text"], MODEL)
    assert key not in str(caught.value) and stats()["requests"] == 0


def test_a_local_server_needs_no_key(serve, monkeypatch):
    serve()
    monkeypatch.delenv("OPENAI_API_KEY")
    assert_right(api.vectors(["a text"], MODEL), ["a text"])


def test_an_unknown_model_and_no_server(serve, monkeypatch):
    serve(always="404")
    with pytest.raises(api.ServiceError, match="knows no model"):
        api.vectors(["a text"], MODEL)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(api.ServiceError, match="No server answers at http://127.0.0.1:9/v1"):
        api.vectors(["a text"], MODEL, retries=1)


# ---------------------------------------------------------------- what is refused

@pytest.mark.parametrize("fault", ["short", "nan", "truncated", "drop", "500"])
def test_a_server_that_always_fails(serve, tmp_path, fault):
    stats = serve(always=fault)
    with pytest.raises(api.ServiceError, match="failed 3 times in a row"):
        api.vectors(written(10), MODEL, retries=2)
    assert stats()["requests"] == 3 and kept_rows(tmp_path / "cache") == 0


def test_the_servers_words_are_shown_without_the_key(serve):
    serve(always="500")  # this server repeats the request's head in its error
    with pytest.raises(api.ServiceError, match="your request was Bearer") as caught:
        api.vectors(written(10), MODEL, retries=0)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("before", range(170, 205, 5))
def test_a_key_is_not_shown_in_part_where_words_are_cut(monkeypatch, before):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert KEY[:3] not in server.plain("x" * before + KEY + " is wrong")


def test_a_planted_key_is_written_nowhere(serve, three_genes, tmp_path, monkeypatch, caplog,
                                          capfd):
    """Runs that go well and runs that fail, with all that they print, log, raise and write."""
    caplog.set_level("DEBUG")
    monkeypatch.chdir(tmp_path)
    command = ["embed", "--model", f"openai:{MODEL}", "--yes", "--out", "made.h5ad"]
    for options, code in (({"dimension": 8}, 0), ({"always": "500", "dimension": 8}, 2),
                          ({"always": "401"}, 2), ({"body": "error"}, 2)):
        serve(**options)
        monkeypatch.setenv("GENEPT_CACHE", str(tmp_path / f"cache{len(os.listdir())}"))
        monkeypatch.setattr(client, "FIRST_WAIT", 0)
        assert __main__.main(command) == code
    serve(dimension=8)
    batch.batch_vectors(["by batch"], MODEL, poll=.01)
    api.answers(["by chat"], "m")
    everything = "".join(capfd.readouterr()) + caplog.text
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert "dollars" in everything and len(files) >= 3
    assert KEY not in everything
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_what_came_before_a_failure_is_kept(serve, tmp_path):
    """The server breaks down for good in the middle: that is said after three texts, not 500."""
    stats = serve(dies_after=20)
    with pytest.raises(api.ServiceError, match="what had come is kept"):
        api.vectors(written(500), MODEL, inputs=10, concurrency=1, retries=0)
    assert kept_rows(tmp_path / "cache") == 1 + 19 * 10
    assert stats()["requests"] < 20 + 15


def test_a_changed_dimension_is_refused(serve):
    serve(dimension=64)
    api.vectors(["one"], MODEL)
    serve(dimension=32)
    with pytest.raises(api.ServiceError, match="another length than 64"):
        api.vectors(["one", "two"], MODEL, retries=1)
    assert api.vectors(["one", "two"], "other-model").shape == (2, 32)


def test_a_server_that_hangs(serve):
    stats = serve(faults=["hang"], every=2)
    texts = written(30)
    vectors = api.vectors(texts, MODEL, inputs=10, timeout=.3)
    assert_right(vectors, texts)
    assert stats()["faults"] == {"hang": 1} or stats()["requests"] > 3
    stats = serve(always="hang")
    with pytest.raises(api.ServiceError, match="failed 2 times in a row"):
        api.vectors(["another"], MODEL, timeout=.3, retries=1)
    assert stats()["faults"] == {"hang": 2}


def test_a_model_on_one_processor_is_asked_for_as_much_as_it_reads_in_time(serve):
    """All of them in eight requests would take three times the time-out."""
    stats, texts, report = serve(a_text=.005, dimension=8), written(600, words=20), {}
    assert_right(api.vectors(texts, MODEL, timeout=1, report=report), texts)
    assert stats()["billed"] == 600 and report["requests"] < 150
    stats = serve(dimension=8)
    api.vectors(written(3600, words=20)[600:], MODEL, report=report)
    assert report["requests"] < 60  # a fast one is asked for more and more


def sizes(stats):
    """Texts of each request, in the order in which they came."""
    return [texts for _, texts, _ in stats()["log"]]


def test_requests_begin_small_and_grow_while_answers_come_quickly(serve):
    stats = serve(dimension=8)
    api.vectors(written(400), MODEL, concurrency=1, inputs=200)
    assert sizes(stats)[:6] == [1, 10, 20, 40, 80, 50]  # the rest of a job of 200 is no larger


def test_requests_do_not_grow_where_answers_take_long(serve):
    stats = serve(dimension=8, latency=.15)  # an eighth of the time-out is less
    api.vectors(written(61), MODEL, concurrency=1, timeout=1)
    assert sizes(stats) == [1] + 6 * [10]


def test_requests_shrink_where_an_answer_takes_too_long(serve):
    stats, texts = serve(dimension=8, first=["", "hang"], latency=.15), written(31)
    assert_right(api.vectors(texts, MODEL, concurrency=1, timeout=1), texts)
    assert sizes(stats) == [1, 10] + 6 * [5]


def test_one_429_holds_all_threads(serve):
    """No thread asks while the server wants all to wait, and then all go on."""
    stats, texts = serve(dimension=8, first=6 * [""] + ["429"], retry_after="1.5"), written(600)
    assert_right(api.vectors(texts, MODEL, inputs=10), texts)
    log = stats()["log"]
    held = next(when for when, _, fault in log if fault == "429")
    came = [when - held for when, *_ in log]
    # at 50 requests a second; what was on its way already may still come
    assert not [when for when in came if .5 < when < 1.4]
    assert sum(when > 1.4 for when in came) > 30


def test_a_server_with_smaller_requests(serve):
    stats = serve(most_inputs=32)
    texts = written(500)
    assert_right(api.vectors(texts, MODEL), texts)
    assert stats()["twice"] == 0


# ---------------------------------------------------------------- texts

def test_order_repeats_and_empty_texts(serve):
    stats = serve(dimension=8)
    texts, report = ["b", "a", "", "b", "  ", "c", "a"], {}
    vectors = api.vectors(texts, MODEL, report=report)
    assert not vectors[[2, 4]].any()
    for i in (0, 1, 3, 5, 6):
        assert np.array_equal(vectors[i], fault_server.vector(texts[i], 8))
    assert stats()["billed"] == 3
    assert (report["texts"], report["sent"], report["empty"]) == (7, 3, 2)
    unit = embed.embed(texts, f"openai:{MODEL}")
    assert np.allclose(np.linalg.norm(unit, axis=1), [1, 1, 0, 1, 0, 1, 1])


def test_shorter_vectors_are_kept_apart(serve):
    serve()
    assert api.vectors(["a"], MODEL, dimensions=8).shape == (1, 8)
    assert api.vectors(["a"], MODEL).shape == (1, 64)
    assert api.vectors(["a"], MODEL, dimensions=8).shape == (1, 8)


def test_a_long_text_is_cut_at_a_token_boundary_and_counted(serve, token_folder):
    if token_folder is None:
        pytest.skip("tiktoken's table cannot be had")
    serve(dimension=8)
    long = "cathepsin \N{GREEK SMALL LETTER BETA}-chain \N{DNA DOUBLE HELIX} " * 5000
    report = {}
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than 8,192 tokens"):
        vectors = api.vectors([long, "short"], MODEL, report=report)
    assert report["truncated"] == 1
    cut = cost.shorten(long.strip())
    assert long.startswith(cut)
    assert 8185 <= cost.count_tokens([cut])[0][0] <= 8192
    assert np.array_equal(vectors[0], fault_server.vector(cut, 8))


def test_without_a_token_table(serve, monkeypatch):
    monkeypatch.setattr(cost, "token_table", lambda: None)
    long = "cathepsin B " * 5000
    cut = cost.shorten(long)
    assert long.startswith(cut) and cut.endswith("n") or cut.endswith("B")
    assert len(cut) <= cost.MAX_TOKENS * cost.BYTES_PER_TOKEN_LEAST
    counts, exact = cost.count_tokens(["a" * 41])
    assert not exact and counts[0] == 10
    assert not cost.estimate_cost(["a text"], f"openai:{MODEL}").exact


def test_the_estimate_without_the_table_is_near(source, serve, token_folder):
    if token_folder is None:
        pytest.skip("tiktoken's table cannot be had")
    source(genes.HGNC, genes.REFSEQ)
    texts = embed.texts("summary")[::40]
    counted, exact = cost.count_tokens(texts)
    assert exact
    guessed = sum(len(text.encode()) for text in texts) / cost.BYTES_PER_TOKEN
    assert guessed == pytest.approx(counted.sum(), rel=.1)


def test_requests_hold_the_limits(serve):
    tokens = {bytes([i, j]): 3000 for i in range(8) for j in range(256)}
    jobs = client.packed(list(tokens), tokens, 2048)
    assert {len(keys) for keys in jobs} == {100, 48} and sum(jobs, []) == list(tokens)
    small = dict.fromkeys(range(5000), 1)
    assert [len(keys) for keys in client.packed(list(small), small, 2048)] == [2048, 2048, 904]


def test_inside_a_running_event_loop(serve):
    serve(dimension=8)

    async def cell():
        return api.vectors(["a", "b"], MODEL)

    with concurrent.futures.ThreadPoolExecutor(1) as thread:  # a browser test may hold a loop here
        assert_right(thread.submit(asyncio.run, cell()).result(), ["a", "b"])


def test_the_rate_limit_is_kept(serve):
    stats = serve(dimension=8, per_minute=3000)
    api.vectors(["what is imported takes time, too"], MODEL)
    start = time.monotonic()
    api.vectors(written(20), MODEL, inputs=1, requests_per_minute=1200)
    assert .9 < time.monotonic() - start and stats()["requests"] == 21


# ---------------------------------------------------------------- cost, store

def test_the_estimate(serve):
    serve(dimension=8)
    texts = written(1000)
    estimate = cost.estimate_cost([*texts, texts[0], ""], f"openai:{MODEL}")
    assert (estimate.texts, estimate.to_send) == (1002, 1000)
    assert estimate.dollars == pytest.approx(estimate.tokens * .10 / 1e6)
    assert estimate.minutes == pytest.approx(estimate.tokens / 1e6)
    half = cost.estimate_cost(texts, f"openai-batch:{MODEL}")
    assert half.dollars == pytest.approx(estimate.dollars / 2)
    assert cost.estimate_cost(texts, "openai:unheard-of").dollars is None
    assert "no price known" in str(cost.estimate_cost(texts, "openai:unheard-of"))
    assert cost.estimate_cost(texts, "openai:x", price=2).dollars == pytest.approx(
        2 * estimate.tokens / 1e6)
    assert cost.estimate_cost(texts, "wordllama").dollars == 0
    api.vectors(texts[:600], MODEL)
    assert cost.estimate_cost(texts, f"openai:{MODEL}").to_send == 400


def test_nothing_is_kept_twice_or_half(serve, tmp_path):
    """The store takes back what was written in one go when it is cut off inside."""
    serve()
    with store.opened() as table:
        store.write(table, {b"1": b"one"})

        class Cut(dict):
            def items(self):
                yield b"2", b"two"
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.write(table, Cut())
        assert store.read(table, [b"1", b"2"]) == {b"1": b"one"}


# ---------------------------------------------------------------- command line

@pytest.fixture
def three_genes(monkeypatch):
    if not (paths.EMBEDDINGS / "minilm.h5ad").is_file():  # stands in where HGNC is not here
        pytest.skip("the shipped embedding is not here")
    written = pd.Series({"TP53": "a tumour gene", "TP63": "another", "XIST": "no protein"})

    def texts(kind, symbols=None):
        return written if symbols is None else written[written.index.isin(symbols)]

    for module in (embed, embed.registry):
        monkeypatch.setattr(module, "texts", texts)


def test_the_command_asks_before_it_spends(serve, three_genes, tmp_path, monkeypatch, capsys):
    stats, out = serve(dimension=8), tmp_path / "made.h5ad"
    command = ["embed", "--model", f"openai:{MODEL}", "--out", str(out)]
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert __main__.main(command) == 2 and "say so with --yes" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda said: "n")
    assert __main__.main(command) == 2
    said = "".join(capsys.readouterr())
    assert "3 to send" in said and "dollars" in said and "nothing was sent" in said
    assert stats()["requests"] == 0 and not out.exists()
    monkeypatch.setattr("builtins.input", lambda said: "y")
    assert __main__.main(command) == 0
    made = embed.read_embedding(out)
    assert made.shape == (3, 8) and made.uns["genept"]["sent"] == 3
    assert np.allclose(made["TP63"].X, fault_server.vector("another", 8), atol=1e-6)
    assert __main__.main([*command, "--quantise"]) == 0  # nothing left to pay: not asked
    assert stats()["billed"] == 3


def test_the_command_spends_with_yes(serve, three_genes, tmp_path):
    stats, out = serve(dimension=8), tmp_path / "made.h5ad"
    command = ["embed", "--model", f"openai:{MODEL}", "--out", str(out), "--yes"]
    assert __main__.main(command) == 0 and stats()["billed"] == 3


def test_the_cost_command(serve, three_genes, capsys):
    stats = serve(dimension=8)
    assert __main__.main(["cost", "--model", f"openai:{MODEL}"]) == 0
    assert "3 to send" in capsys.readouterr().out and stats()["requests"] == 0
    assert __main__.main(["cost", "--model", "wordlama"]) == 2
    assert "is not one of wordllama" in capsys.readouterr().err
    assert __main__.main(["cost", "--model", f"openai:{MODEL}", "--text", "chat"]) == 2
    assert "3 chat answers are missing" in capsys.readouterr().err


@pytest.mark.parametrize("text, said", [("summary", "2 to send"), ("chat", "2 chat answers")])
def test_protein_coding_genes_alone_are_counted_and_paid(serve, three_genes, source, tmp_path,
                                                         capsys, text, said):
    source("genes/hgnc_complete_set.txt.gz")
    stats, out = serve(dimension=8), tmp_path / "made.h5ad"
    model = ["--model", f"openai:{MODEL}", "--coding", "--text", text]
    __main__.main(["cost", *model])
    assert said in "".join(capsys.readouterr())
    if text == "summary":
        assert __main__.main(["embed", *model, "--out", str(out), "--yes"]) == 0
        assert "2 to send" in capsys.readouterr().out and stats()["billed"] == 2
        assert list(embed.read_embedding(out).obs_names) == ["TP53", "TP63"]


def test_the_match_command(source, tmp_path, capsys):
    source(genes.HGNC)
    names, out = tmp_path / "names.csv", tmp_path / "found.csv"
    names.write_text("TP53,1\nNA,2\n1-Mar,3\nzzz,4\n")
    assert __main__.main(["match", str(names), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "2 of 4 names" in said and "1-Mar (MARCHF1, MTARC1)" in said and "Missing: zzz" in said
    table = pd.read_csv(out, keep_default_na=False)
    assert list(table["name"]) == ["TP53", "NA", "1-Mar", "zzz"]
    assert __main__.main(["match", str(tmp_path / "no.txt")]) == 2
