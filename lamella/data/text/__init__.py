"""Bytes, sentences, pieces of words, placeholders and languages."""
