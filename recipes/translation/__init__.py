"""Translation: a parallel corpus from installable packages, for training a translator."""
