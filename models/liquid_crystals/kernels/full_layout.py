"""How the kernels of the full Landau-de Gennes model on boxes read their parameters and buffers.

`FullBox.parameters` writes them. What the nodes of a run contribute is put together in buffers: distances within a buffer are known
at compile time, so that the compiler need not ask whether its rows overlap, or nothing would be vectorised.
"""

from numba import njit

RUN = 384  # nodes that are taken together: the buffers stay in the nearest cache
BLOCK = 2048  # nodes of a plane that are taken through all planes together: their neighbours stay in the next one
# With several elastic constants: nodes of a piece of a row, which is gathered with a ghost on either side.
CHUNK = 64
STRIDE = CHUNK + 2

# floats: E at q = 0, the weights of tr Q^2, tr Q^3 and (tr Q^2)^2, 1 / hx; then blocks at the offsets that the integers name.
E0, SQUARE, CUBE, QUARTIC, INVERSE_HX = range(5)
# LENGTH is CHUNK, which the compiler must not know: it would unroll the loops over a chunk, which leaves nothing to vectorise. They
# run on beyond the end of a row, where the buffers hold zeros or what nobody uses, because remainders are slow.
# integers: nodes along z, y, x; what lies beyond the ends of a row; offsets of the blocks; numbers of planar-degenerate faces and
# of couplings; then neighbours along y and z, where the pull of each row is, the faces and the couplings.
MZ, MY, MX, LEFT, RIGHT, LINES, ENDS, COUPLINGS, FACES, N_FACES, N_COUPLINGS, LENGTH, TABLES = range(13)
FIXED, FREE, WRAPPED = 0, 1, 2
LINE = 11  # numbers per node along y or z: weight, surface; stiffness and both slopes at the lower neighbour, here, at the upper
WEIGHT, SURFACE, STIFF, SLOPE, TURNED = 0, 1, 2, 5, 8

# Not cached on their own: the kernels made of them are, and these know when a file they use has changed.
_OPTIONS = {"nogil": True, "error_model": "numpy"}
# A part of the kernel that calls it: a function of its own would be compiled twice.
outer = njit(**_OPTIONS, inline="always")
plain = njit(**_OPTIONS)
# No references are counted where nothing is allocated: for slices of rows that took longer than the arithmetic.
inner = njit(**_OPTIONS, fastmath={"contract"}, _nrt=False)
# The order of the sums in these is left to the compiler: in vector registers they are several times faster.
summing = njit(**_OPTIONS, fastmath={"contract", "reassoc"}, _nrt=False)
