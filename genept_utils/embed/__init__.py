"""Texts of genes -> gene vectors, and the AnnData that holds them."""

import sys
import types

from genept_utils.embed.backends import embed
from genept_utils.embed.find import align, nearest
from genept_utils.embed.named import SHIPPED, embed_genes, read_embedding
from genept_utils.embed.texts import CHAT_MODEL, PROMPT, TEXTS, clean, texts
from genept_utils.embed.vectors import as_embedding, permuted, random_like, unit, write_embedding
from genept_utils.embed.words import marking_words

__all__ = ["CHAT_MODEL", "PROMPT", "SHIPPED", "TEXTS", "align", "as_embedding", "clean", "embed",
           "embed_genes", "marking_words", "nearest", "permuted", "random_like",
           "read_embedding", "texts", "unit", "write_embedding"]


class _Room(types.ModuleType):
    """`gp.embed(texts)` and `gp.embed.read_embedding()` both work: one name, room and function."""

    def __call__(self, *arguments, **options):
        return embed(*arguments, **options)


sys.modules[__name__].__class__ = _Room
