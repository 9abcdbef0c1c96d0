"""Transformers: encoder-decoder, classifiers, language model."""
