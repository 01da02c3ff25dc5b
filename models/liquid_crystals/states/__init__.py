"""Reading a state: director, order, defects, names, files."""
