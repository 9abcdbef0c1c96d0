"""From scores to answers: search, sampling, likelihood. Numpy only: any engine may compute the scores."""

from lamella.decode.likelihood import importance_bounds, log_odds, log_probabilities
from lamella.decode.sampling import narrowed, sample, sampling
from lamella.decode.search import Hypothesis, beam, greedy
from lamella.decode.steps import (
    Among,
    Array,
    Arrays,
    Graph,
    Step,
    both_ways,
    by_steps,
    forced,
    over_patches,
    scorer,
    stepping,
)

__all__ = [
    "Among",
    "Array",
    "Arrays",
    "Graph",
    "Hypothesis",
    "Step",
    "beam",
    "both_ways",
    "by_steps",
    "forced",
    "greedy",
    "importance_bounds",
    "log_odds",
    "log_probabilities",
    "narrowed",
    "over_patches",
    "sample",
    "sampling",
    "scorer",
    "stepping",
]
