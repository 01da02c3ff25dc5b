"""Where a nematic is: shapes, their boundaries, meshes of their own."""
