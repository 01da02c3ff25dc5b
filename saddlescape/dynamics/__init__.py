"""Methods: how does a point move? One loop (`search`), methods built from parts."""
