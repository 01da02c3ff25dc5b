"""How a domain becomes numbers: grids, elements, anchoring, symmetry, quadratic forms."""
