"""Factorizations: a vector for each thing, and a product that says how well things go together."""
