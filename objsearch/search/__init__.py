"""Queries -> described images -> candidates -> hits: the one order in which everything happens."""
