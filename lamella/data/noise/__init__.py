"""Noise as it comes in practice, of a strength from 0 to 1: what `evaluate --stress` measures with.

    from lamella.data.noise import text
    text.NOISES["typos"]("Hello there.", 0.5, np.random.default_rng(0))      'Helo there.'

A file a kind of value, in it a table of functions of the value, the strength and a generator. Strength 0 changes nothing. With
generators of one seed a stronger noise changes what a weaker one changed, and more: each place has a number between 0 and 1
and is changed where that is below the strength. So a curve over the strengths is of the same slips, only more of them.
"""
