"""Tokens of texts, and what their vectors would cost; nothing here is sent anywhere."""

import collections
import functools
import math
import os
import sys

import numpy as np

from genept_utils import optional, sources
from genept_utils.embed import backends, store

INPUTS = 512  # inputs a request that we send: an interruption loses little, at no cost in speed
MAX_TOKENS = 8192  # tokens an input
TOKEN_TABLE = "tiktoken/9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
BYTES_PER_TOKEN = 4.1  # of RefSeq summaries under cl100k_base (names alone: 2.8)
BYTES_PER_TOKEN_LEAST = 2.0  # a safe bound for cutting, where the table cannot be had
PRICES = {  # dollars per million tokens, OpenAI's public list
    "text-embedding-ada-002": .10, "text-embedding-3-small": .02, "text-embedding-3-large": .13,
}
PRICES_SEEN = "May 2026"


@functools.cache
def token_table():
    """tiktoken's encoding cl100k_base, which all OpenAI embedding models use; None where its
    table cannot be had."""
    tiktoken = optional.need("tiktoken")

    try:
        if "TIKTOKEN_CACHE_DIR" not in os.environ:
            os.environ["TIKTOKEN_CACHE_DIR"] = str(sources.fetch(TOKEN_TABLE, False).parent)
        return tiktoken.get_encoding("cl100k_base")
    except (OSError, ValueError):
        return None


def count_tokens(texts):
    """(n,) int, tokens of each text, and whether they are exact.

    Where tiktoken's table cannot be had a text is taken to have one token per
    :data:`BYTES_PER_TOKEN` bytes.
    """
    texts, table = list(texts), token_table()
    if table is None:
        lengths = [math.ceil(len(text.encode()) / BYTES_PER_TOKEN) for text in texts]
        return np.array(lengths, dtype=int), False
    # its batches cost more in threads than they save
    return np.array([len(table.encode_ordinary(text)) for text in texts], dtype=int), True


def shorten(text, max_tokens=MAX_TOKENS):
    """The text cut at the last token boundary that fits; the same text where all of it fits.

    Without tiktoken's table it is cut at the last blank that surely fits.
    """
    if len(text.encode()) <= max_tokens:  # a token is a byte or more
        return text
    table = token_table()
    if table is None:
        room = int(max_tokens * BYTES_PER_TOKEN_LEAST)
        head = text.encode()[:room].decode(errors="ignore")
        return text if len(text.encode()) <= room else head[:head.rfind(" ")] or head
    tokens = table.encode_ordinary(text)
    end = max_tokens
    while len(tokens) > max_tokens:
        text = table.decode_bytes(tokens[:end]).decode(errors="ignore")
        tokens, end = table.encode_ordinary(text), end - 1
    return text


class Estimate(collections.namedtuple(
        "Estimate", "model texts to_send tokens exact dollars minutes")):
    """What an embedding will cost; see :func:`estimate_cost`."""

    def __str__(self):
        cost = (f"no price known for {self.model}" if self.dollars is None
                else f"{self.dollars:.2f} dollars")
        return (f"{self.model}: {self.texts:,} texts, {self.to_send:,} to send (the rest are "
                f"repeated, empty or kept), {self.tokens:,} tokens "
                f"({'counted' if self.exact else 'estimated'}), {cost}, "
                f"{self.minutes:.1f} minutes at the given rate limit.")


def ask(otherwise="to spend money, say so with --yes"):
    """Ask whether to spend what was just printed; ValueError where the answer is no, or where
    nobody can be asked."""
    if not (sys.stdin.isatty() and input("Go on? [y/N] ").strip().lower() in ("y", "yes")):
        raise ValueError(f"nothing was sent; {otherwise}")


def estimate_cost(texts, model, requests_per_minute=3000, tokens_per_minute=1_000_000,
                  price=None, dimensions=None):
    """What it would cost to embed texts; nothing is sent.

    Parameters
    ----------
    texts : sequence of str
        (n,) texts. Repeated, empty and already kept ones cost nothing.
    model : str
        ``"openai:MODEL"``, ``"openai-batch:MODEL"`` (half the price, up to 24 hours), or any
        model that runs here, which costs nothing.
    requests_per_minute, tokens_per_minute : int
        Rate limits of the account.
    price : float, optional
        Dollars per million tokens; by default :data:`PRICES`, OpenAI's list as seen in
        :data:`PRICES_SEEN`. Prices change: look before you spend.
    dimensions : int, optional
        As in :func:`genept_utils.embed.api.vectors`.

    Returns
    -------
    Estimate
        ``tokens``, ``exact`` (counted with tiktoken, not estimated), ``dollars`` (None where no
        price is known), ``minutes`` (0 for a model that runs here).

    Raises
    ------
    ValueError
        The model is not known.
    """
    texts = list(texts)
    backend, name = backends.known(model), model.partition(":")[2]
    keyed = {store.vector_key(name, dimensions, text): text for text in map(shorten, texts) if text}
    if not backend.startswith("openai"):
        price, requests_per_minute, tokens_per_minute = 0, np.inf, np.inf
    else:
        price = PRICES.get(name) if price is None else price
        with store.opened() as table:
            for kept in store.read(table, keyed):
                del keyed[kept]
    counts, exact = count_tokens(keyed.values())
    tokens = int(counts.sum())
    half = .5 if backend == "openai-batch" else 1
    dollars = None if price is None else tokens / 1e6 * price * half
    minutes = max(len(keyed) / INPUTS / requests_per_minute, tokens / tokens_per_minute)
    return Estimate(model, len(texts), len(keyed), tokens, exact, dollars, minutes)
