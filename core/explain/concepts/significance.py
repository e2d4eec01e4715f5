"""Whether a class's TCAV scores differ from those of random concepts."""

from __future__ import annotations

import warnings

import torch
from scipy.stats import ttest_ind
from torch import Tensor


def against_random(scores: Tensor, controls: Tensor) -> Tensor:
    """p (K,) of a permutation test: how often a random concept lies as far from the middle of them as the concept does.

    scores (R, K) of the concept and controls (B, S, K) of random concepts; each counts by the mean over its random
    sets. p = (1 + #{b : |c_b - m| >= |s - m|}) / (1 + B) with m = 0.5; never below 1 / (1 + B).
    The concept's sets share its pictures, so they are one draw and not R; a t-test over the sets takes them for R.
    """
    found, others = (scores.mean(0) - 0.5).abs(), (controls.mean(1) - 0.5).abs()
    p = (1 + (others >= found - 1e-9).sum(0).double()) / (1 + len(controls))
    return p.where(found.isfinite(), torch.nan)


def t_test(scores: Tensor, controls: Tensor) -> Tensor:
    """p (K,) of the reference's two-sided t-test between scores (R, K) and control scores (B, K); NaN where undefined.

    It takes the scores for independent, which they are not: they share the class's pictures, and those of a
    concept its examples too.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # equal constants: the test is undefined, and NaN says so
        return torch.from_numpy(ttest_ind(scores.double().numpy(), controls.double().numpy(), axis=0).pvalue)
