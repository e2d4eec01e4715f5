"""Robust trainings: the loss of attacked pictures, what TRADES and MART add, and how robustness is counted."""

from __future__ import annotations

from ui.texts.steps import robust as steps
from ui.texts.text import Text

MADRY = "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)"
RICE = "Rice, Wong, Kolter, ICML 2020, [arXiv 2002.11569](https://arxiv.org/abs/2002.11569)"
AWP = "Wu, Xia, Wang, NeurIPS 2020, [arXiv 2004.05884](https://arxiv.org/abs/2004.05884)"
BALL = r"\lVert x_i' - x_i \rVert_\infty \le \varepsilon"
WORST = "With AWP every step is taken at w + v, where v climbs the same loss and ‖v‖ ≤ γ‖w‖ in each layer."
OVERFITS = (
    "A network that is large for its pictures learns their attacked versions by heart: robust accuracy goes on rising "
    "on them and falls on others, mostly after the learning rate has dropped. Stopping early keeps what was best; AWP "
    "seeks weights around which the loss is flat. Both narrow the gap, and neither makes it disappear."
)

TEXTS = {
    "Adversarial": Text(
        rf"\min_w\; \tfrac{{1}}{{n}} \textstyle\sum_i \max_{{{BALL}}} \mathrm{{CE}}(f_w(x_i'), y_i)",
        f"x' is the attacked picture, found anew in each step by PGD or a single step. {WORST}",
        f"{MADRY}; overfitting: {RICE}; AWP: {AWP}",
        OVERFITS,
        steps=steps.training,
    ),
    "TRADES": Text(
        r"\min_w\; \tfrac{1}{n} \textstyle\sum_i \mathrm{CE}(f_w(x_i), y_i) + "
        r"\beta\, \mathrm{KL}(p_w(x_i) \,\Vert\, p_w(x_i'))",
        f"p is the softmax; x' is the picture of the ball that raises the KL term most. {WORST}",
        f"Zhang et al., ICML 2019, [arXiv 1901.08573](https://arxiv.org/abs/1901.08573); AWP: {AWP}",
        "The first term asks for the right class, the second that the answer stays what it is around each picture; β "
        f"weighs one against the other. {OVERFITS}",
        steps=steps.training,
    ),
    "MART": Text(
        r"\min_w\; \tfrac{1}{n} \textstyle\sum_i \mathrm{BCE}(p_w(x_i'), y_i) + "
        r"\beta\, \mathrm{KL}(p_w(x_i) \,\Vert\, p_w(x_i'))\,(1 - p_{w, y_i}(x_i))",
        "BCE is the cross-entropy with a second term against the likeliest wrong class; the last factor is large for "
        f"pictures that are wrong without an attack. {WORST}",
        f"Wang et al., ICLR 2020, [OpenReview](https://openreview.net/forum?id=rklOg6EFwS); AWP: {AWP}",
        f"Pictures that are misclassified before any attack count for more. {OVERFITS}",
        steps=steps.training,
    ),
}

ROBUST = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [f_w(x_i') = y_i]",
    "x' is the picture after every step of PGD with the ε of the training.", MADRY, steps=steps.robust,
)  # fmt: skip
GAP = Text(
    r"\mathrm{rob}_\text{train} - \mathrm{rob}_\text{test}", "rob is the robust accuracy.", RICE, steps=steps.gap
)  # fmt: skip
SECOND = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [f_{w_2}(x_i) = y_i], \quad \tfrac{1}{n} \textstyle\sum_i [f_{w_2}(x_i') = y_i]",
    "w₂ are the weights of the second training; x' attacks them.", MADRY, steps=steps.second,
)  # fmt: skip

SCORES = {
    "robust": ROBUST, "train/robust": ROBUST, "gap": GAP,
    **{f"beside/{key}": SECOND for key in ("acc", "robust", "train/robust", "gap")},
}  # fmt: skip
"""The text of a score, by its key."""
