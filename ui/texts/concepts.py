"""Concepts: TCAV, A-CAV, FastCAV, and recall with what it costs."""

from __future__ import annotations

from ui.texts.steps import concepts as steps
from ui.texts.text import Text

KIM = "Kim et al., ICML 2018, [arXiv 1711.11279](https://arxiv.org/abs/1711.11279)"
SONI = "Soni et al., 2020, [arXiv 2002.03549](https://arxiv.org/abs/2002.03549)"
FAST = "Schmalwasser et al., ICML 2025, [arXiv 2505.17883](https://arxiv.org/abs/2505.17883)"
A = "a is the layer's answer to a picture, standardised"
SCORE = r"\mathrm{TCAV}_k = \frac{|\{x \in X_k : \nabla h_k(a)^\top v > 0\}|}{|X_k|}"

TEXTS = {
    "TCAV": Text(
        rf"\begin{{gathered}}v \perp \{{a : v^\top a + b = 0\}} \\ {SCORE}\end{{gathered}}",
        "v is the normal of a linear classifier of pictures with the concept against random ones, a the layer's answer "
        "to a picture, h_k the logit of class k, X_k its pictures.",
        KIM,
        "A concept is a direction: if a linear classifier recalls pictures with the concept that it has not seen, the "
        "layer holds it. The score asks another question: for how many pictures of a class would the logit rise along "
        "that direction. A vector of **random** pictures has a score, too, and with few dimensions it is often 0 or 1; "
        "so a score counts only beside those of random concepts. The usual t-test takes the random sets for "
        "independent draws, which share the concept's pictures: it calls chance significant far too often. p here "
        "says how many random concepts lie as far from one half as the concept does.",
        steps=steps.tcav,
    ),
    "ACAV": Text(
        r"\begin{gathered}n = \mu + \textstyle\sum_j c_j\, b_j, \quad b_j \perp \mathrm{span}(a_C - \mu) \\ "
        r"a' = a + \eta\, y\, \tfrac{w}{\lVert w \rVert}, \quad v \propto \tfrac{1}{M} \textstyle\sum_m "
        r"\tfrac{w_m}{\lVert w_m \rVert}\end{gathered}",
        f"{A}; a_C are those with the concept, μ the mean of the random ones, b_j a basis of what these hold beside "
        "the concept's span, c_j as spread out as they are; y is 1 with the concept and -1 without, w the normal of "
        "one of M classifiers, η how far copies move from the boundary.",
        SONI,
        "Another draw of random pictures gives another vector. A-CAV wants one that does not depend on the draw: "
        "negatives orthogonal to the concept, a wider margin, and the mean of several normals. Only the abstract of "
        "the paper could be read, so sizes and details are the lab's own, and the margin can point either way. "
        "A higher recall is worth nothing if the false positives rise with it: compare at 5 %.",
        steps=steps.acav,
    ),
    "FastCAV": Text(
        r"v \propto \bar a_C - \bar a",
        "The bars are means over the pictures with the concept, and over all.",
        FAST,
        "No classifier at all: the vector points from one mean to the other. It is as good as a classifier where the "
        "activations vary alike in all directions, and worse where they do not.",
        steps=steps.fast,
    ),
}

SCORES = {
    "recall_at_5": Text(
        r"\max_t \left\{\mathrm{TPR}(t) : \mathrm{FPR}(t) \le 0.05\right\}",
        "t is the threshold on v·a; TPR is the share of pictures with the concept beyond it, FPR that of the others.",
        SONI, steps=steps.recall_at_5,
    ),
    "recall": Text(r"\frac{\mathrm{TP}}{\mathrm{TP} + \mathrm{FN}}", "With the concept: beyond the threshold, and all.",
                   SONI, steps=steps.recall),
    "fpr": Text(r"\frac{\mathrm{FP}}{\mathrm{FP} + \mathrm{TN}}", "Without it: beyond the threshold, and all.", SONI,
                steps=steps.fpr),
    "spread": Text(r"\sqrt{\tfrac{1}{R - 1} \textstyle\sum_r (\rho_r - \bar\rho)^2}",
                   "ρ_r is the recall with random set r of R.", SONI, steps=steps.spread),
}  # fmt: skip
SCORES |= {
    f"beside/{key}": Text(SCORES[key].formula, f"The same of the second method. {SCORES[key].symbols}", SONI,
                          steps=steps.second(key))
    for key in ("recall_at_5", "recall", "fpr", "spread")
}  # fmt: skip
"""The text of a score, by its key."""
