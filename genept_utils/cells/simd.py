"""The compiled part of the kernel; imported only when a set is large enough to pay for it.

The columns of the gene vectors are cut into tiles of :data:`ACCUMULATORS` vector registers. Of a
tile, the rows of a block of genes are copied into one buffer that stays in the processor's
second-level cache; then every cell runs through its non-zeros within the block, and its sum
stays in registers from the first to the last of them. Between blocks the sums of a tile lie side
by side: at their places in the result each would be on a page of memory of its own. (Tried
without gain on Kang: the genes of over 30 % of the cells as a dense block for BLAS; what the
product gains, taking the matrix apart costs.)
"""

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from genept_utils.optional import compiled

LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8  # float32 in a register
ACCUMULATORS = 12  # registers that hold a cell's sum: 192 columns at 16 lanes
BUFFER = 1 << 20  # bytes of gene vectors held at a time
CELLS = 16_384  # cells whose sums are held before they go to their places


def registers(d, tiles_of=LANES * ACCUMULATORS):
    """How many registers a tile takes so that d columns fall into equal tiles."""
    tiles = -(-d // tiles_of)
    return -(-d // (tiles * LANES))


@intrinsic
def add_segment(typingctx, data, indices, start, end, later, buffer, first, out, shape):
    """``out[j] += sum over k of data[k] * buffer[(indices[k] - first) * width + j]`` for the
    ``width = len(shape) * LANES`` columns of a tile; k from start to end. What the next cell
    needs, from its first non-zero ``later`` on, is asked for meanwhile.

    Written as vector instructions, because the loops that a compiler finds by itself store the
    sum every few non-zeros (two thirds of the speed). No flag lets it assume finite values.
    """
    n = shape.count
    signature = types.void(data, indices, start, end, later, buffer, first, out, shape)

    def codegen(context, builder, signature, arguments):
        def pointer(i):
            array = cgutils.create_struct_proxy(signature.args[i])
            return array(context, builder, arguments[i]).data

        whole, vector = ir.IntType(64), ir.VectorType(ir.FloatType(), LANES)
        same = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        nothing = ir.Constant(vector, ir.Undefined)
        data, indices, buffer = pointer(0), pointer(1), pointer(5)
        target = builder.bitcast(pointer(7), vector.as_pointer())

        def load(base, i):
            loaded = builder.load(builder.gep(base, [whole(i)]))
            loaded.align = 4
            return loaded

        def ask(base, i, byte=ir.IntType(8).as_pointer(), number=ir.IntType(32)):
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
            place = builder.bitcast(builder.gep(base, [i]), byte)
            builder.call(fetch, [place, number(0), number(3), number(1)])

        for i in range(n):
            ask(target, whole(n + i))
        for base in (data, indices):
            ask(base, arguments[4])
            ask(base, builder.add(arguments[4], whole(LANES)))
        before = builder.basic_block
        head, body, done = (builder.append_basic_block(name) for name in ("head", "body", "done"))
        begun = [load(target, i) for i in range(n)]
        builder.branch(head)

        builder.position_at_end(head)
        k = builder.phi(whole)
        k.add_incoming(arguments[2], before)
        sums = [builder.phi(vector) for _ in range(n)]
        for held, value in zip(sums, begun):
            held.add_incoming(value, before)
        builder.cbranch(builder.icmp_signed("<", k, arguments[3]), body, done)

        builder.position_at_end(body)
        gene = builder.load(builder.gep(indices, [k]))
        gene = gene if gene.type.width == 64 else builder.sext(gene, whole)
        offset = builder.mul(builder.sub(gene, arguments[6]), whole(n * LANES))
        row = builder.bitcast(builder.gep(buffer, [offset]), vector.as_pointer())
        value = builder.insert_element(nothing, builder.load(builder.gep(data, [k])),
                                       ir.IntType(32)(0))
        value = builder.shuffle_vector(value, nothing, same)
        for i, held in enumerate(sums):
            product = builder.fmul(value, load(row, i), flags=["contract"])
            held.add_incoming(builder.fadd(product, held, flags=["contract"]), body)
        k.add_incoming(builder.add(k, whole(1)), body)
        builder.branch(head)

        builder.position_at_end(done)
        for i, held in enumerate(sums):
            builder.store(held, builder.gep(target, [whole(i)])).align = 4
        return context.get_dummy_value()

    return signature, codegen


@compiled
def borders(indptr, indices, genes, borders):
    """``borders[b, i]``: the first non-zero of cell i in gene block b; indices are sorted."""
    for i in range(indptr.size - 1):
        at, end = indptr[i], indptr[i + 1]
        borders[0, i] = at
        for b in range(1, borders.shape[0]):
            at += np.searchsorted(indices[at:end], b * genes)
            borders[b, i] = at


@compiled
def _lines(size):
    """Zeros that begin where a cache line does."""
    held = np.zeros(size + LANES, np.float32)
    return held[(-(held.ctypes.data // 4)) % LANES:]


@compiled
def tile(data, indices, borders, vectors, out, tile, rows, genes, shape):
    """The columns of one tile of ``out`` (n_cells, tiles * width) for the cells of ``rows``."""
    width = len(shape) * LANES
    left = tile * width
    columns = min(width, vectors.shape[1] - left)
    held = _lines(genes * width)
    sums = _lines(min(CELLS, rows[1] - rows[0]) * width)
    for top in range(rows[0], rows[1], CELLS):
        bottom = min(top + CELLS, rows[1])
        sums[:] = 0
        for b in range(borders.shape[0] - 1):
            first = np.int64(b * genes)
            for g in range(first, min(first + genes, vectors.shape[0])):
                for j in range(columns):
                    held[(g - first) * width + j] = vectors[g, left + j]
            for i in range(top, bottom):
                start, end = borders[b, i], borders[b + 1, i]
                if start < end:
                    later = borders[b, min(i + 1, bottom - 1)]
                    add_segment(data, indices, start, end, later, held, first,
                                sums[(i - top) * width:], shape)
        for i in range(top, bottom):
            for j in range(width):
                out[i, left + j] = sums[(i - top) * width + j]
