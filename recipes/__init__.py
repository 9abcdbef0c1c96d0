"""Recipes: end-to-end examples that fetch real data, prepare it and train on it."""
