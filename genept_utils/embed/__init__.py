"""Texts of genes -> gene vectors, and the AnnData that holds them."""

import sys
import types

from genept_utils.embed.backends import embed
from genept_utils.embed.find import align, nearest, nearest_to_list
from genept_utils.embed.registry import SHIPPED, embed_genes, read_embedding
from genept_utils.embed.texts import CHAT_MODEL, PROMPT, TEXTS, clean, texts
from genept_utils.embed.vectors import as_embedding, permuted, random_like, unit, write_embedding
from genept_utils.embed.words import marking_words


class _Callable(types.ModuleType):
    """`gp.embed(texts)` and `gp.embed.read_embedding()` both work."""

    def __call__(self, *arguments, **options):
        return embed(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
