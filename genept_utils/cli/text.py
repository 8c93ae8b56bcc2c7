"""The commands ``embed`` and ``cost`` of ``python -m genept_utils``.

The subpackage embed is imported where a command uses it: with anndata it takes two seconds,
which no other command needs, and which every process of a run would pay again.
"""

from genept_utils import sources
from genept_utils.cli.options import add_command, add_reading, at_least, reading, writable


def register(commands):
    """Add both commands to the subparsers of the command line."""
    parser = add_command(commands, "embed", cli_embed, "embed the texts of all genes")
    add = _add_model(parser, ", or coexpression:FILE.h5ad")
    add_reading(parser.add_argument_group("with --model coexpression:FILE.h5ad").add_argument)
    add("--out", required=True, metavar="FILE.h5ad", help="file to write")
    add("--yes", action="store_true", help="spend without asking")
    add("--quantise", action="store_true", help="one byte per number, as shipped")

    parser = add_command(commands, "cost", cli_cost, "what an embedding would cost")
    _add_model(parser)("--tokens-per-minute", type=at_least(1), default=1_000_000, metavar="N")


def _add_model(parser, more=""):
    add = parser.add_argument
    add("--model", required=True, help=f"wordllama, st:NAME, openai:MODEL, ...{more}")
    add("--text", default="summary", help="name, summary (default), section, chat, ...")
    add("--price", type=at_least(0, float), metavar="DOLLARS", help="of a million tokens")
    add("--dimensions", type=at_least(1), metavar="N", help="shorter vectors")
    add("--max-tokens", type=at_least(1), metavar="N", help="cut texts that are longer")
    add("--requests-per-minute", type=at_least(1), default=3000, metavar="N")
    add("--coding", action="store_true", help="only protein-coding genes")
    return add


def cli_embed(options):
    """Compute the vectors of all genes from one text with one model, and write them as AnnData. A
    model on a paid server is estimated first, and asked about unless --yes. With --model
    coexpression:FILE.h5ad the vectors are learnt from the cells of a file."""
    from genept_utils import embed

    if not options.out.endswith(".h5ad"):
        raise ValueError(f"--out is {options.out}; the embedding is written as .h5ad")
    out = writable(options.out)
    if options.model.startswith("coexpression:"):
        import genept_utils

        given = {"n": options.dimensions} if options.dimensions else {}
        made = genept_utils.coexpression(
            options.model.removeprefix("coexpression:"), **reading(options), **given)
    else:
        made = _embedded(options)
    if options.quantise:
        embed.write_embedding(made, out)
    else:
        with sources.replacing(out) as part:
            made.write_h5ad(part, convert_strings_to_categoricals=False)
    print(f"{made.n_obs:,} vectors of {made.n_vars:,} numbers are in {out}")
    if cut := made.uns["genept"].get("truncated", 0):
        print(f"{cut:,} texts were longer than the model takes and were cut")
    return 0


def _embedded(options):
    """Estimate, ask and embed."""
    from genept_utils import embed
    from genept_utils.embed import cost

    if any(reading(options).values()):
        raise ValueError("--layer, --raw, --values and --species say how a file of cells is read, "
                         f"for --model coexpression:FILE; {options.model} reads texts")
    symbols = _symbols(options)
    if unasked := _chat_unasked(options.text, symbols):
        print(f"{options.text}: {unasked:,} prompts go to the chat model first, at its own price; "
              f"at least {unasked / options.requests_per_minute:.0f} minutes.")
        if not options.yes:
            cost.ask()
    if options.model.startswith("openai"):
        estimate = _estimate(options, embed.texts(options.text, symbols))
        print(estimate)
        if estimate.to_send and not options.yes:
            cost.ask()
    given = {name: value for name in ("dimensions", "max_tokens")
             if (value := getattr(options, name))}
    if options.model.startswith("openai:"):
        given["requests_per_minute"] = options.requests_per_minute
    return embed.embed_genes(options.model, options.text, symbols=symbols, **given)


def cli_cost(options):
    """Count tokens and print dollars and minutes; nothing is sent."""
    from genept_utils import embed

    symbols = _symbols(options)
    if unasked := _chat_unasked(options.text, symbols):
        raise ValueError(f"the text {options.text!r} is not written yet: {unasked:,} chat answers "
                         "are missing, and their length is not known before they come")
    print(_estimate(options, embed.texts(options.text, symbols),
                    tokens_per_minute=options.tokens_per_minute))
    return 0


def _symbols(options):
    """The genes that --coding asks for; None for all."""
    from genept_utils import genes

    if not options.coding:
        return None
    kinds = genes.gene_table()["gene_type"]
    return kinds.index[kinds == genes.PROTEIN_CODING]


def _estimate(options, texts, **limits):
    from genept_utils.embed import cost

    return cost.estimate_cost(texts, options.model, options.requests_per_minute,
                              price=options.price, dimensions=options.dimensions, **limits)


def _chat_unasked(text, symbols):
    """How many answers of a chat text are not kept yet; 0 for another text."""
    if not text.startswith("chat"):
        return 0
    from genept_utils import embed
    from genept_utils.embed import store

    model = text.partition(":")[2] or embed.CHAT_MODEL
    keys = [store.key("chat", model, embed.PROMPT.format(symbol=symbol))
            for symbol in embed.texts("name", symbols).index]
    with store.opened() as table:
        return len(keys) - len(store.read(table, keys))
