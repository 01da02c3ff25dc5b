"""Mathematics: what is true at a point? Arrays in, arrays out; no printing, no files, no model names."""
