"""Weights of other projects: key maps, loading and conversion."""
