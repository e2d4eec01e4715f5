"""Robust accuracy against the budget."""

from __future__ import annotations

from ui.texts.steps import robustness as steps
from ui.texts.text import Text

MADRY = "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)"

TEXTS = {
    "RobustCurve": Text(
        r"\mathrm{rob}(\varepsilon) = \tfrac{1}{n} \textstyle\sum_i [f(x_i') = y_i \;\; \text{for all } x_i' "
        r"\text{ found with } \lVert x_i' - x_i \rVert_p \le \varepsilon]",
        "x' are the pictures that PGD finds in the ball of radius ε around x. In L2 the radius is ε √(H W) / 2, so "
        "that 8/255 stands beside 0.5 at 32 x 32 pixels.",
        MADRY,
        "One attack asks whether it finds a change. Whether a network is robust is another question: **every** attack "
        "would have to fail, so a robust accuracy that was measured is an upper bound. FGSM takes one step, PGD "
        "several; MI-FGSM sums its gradients to fool other networks too; Carlini-Wagner and DeepFool have no budget "
        "and look for the smallest change. Compare them by norm and by queries, on the same picture. What is right "
        "under noise of the same size says nothing about what is right under attack.",
        steps=steps.curve,
    ),
}

SURVIVES = Text(
    r"\mathrm{rob}(\varepsilon_\text{max})", "ε_max is the largest budget; n test pictures.", MADRY,
    steps=steps.survives,
)  # fmt: skip

SCORES = {"survives": SURVIVES, "others/survives": SURVIVES}
"""The text of a score, by its key."""
