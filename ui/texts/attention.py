"""Explanation consistency: what E compares, and the figures of the bias test."""

from __future__ import annotations

from ui.texts.steps import attention as steps
from ui.texts.text import Text

WU = "Wu et al., IEEE Transactions on Multimedia 2024, [arXiv 2408.04600](https://arxiv.org/abs/2408.04600)"
XIAO = "Xiao et al., ICLR 2021, [arXiv 2006.09994](https://arxiv.org/abs/2006.09994)"

TEXTS = {
    "ExplanationConsistency": Text(
        r"\min_\theta\; \tfrac{1}{N} \sum_i v_i'\, \mathrm{CE}(f_\theta(x_i), y_i),\quad v_i = 1 - E(x_i, \hat x_i)",
        "x̂ is the picture x with its background attacked; the background is what the network's own heatmap of x leaves "
        "out. E is how alike the heatmaps of x and x̂ are, and 0 where the answer changes. v' is v, raised to a floor "
        "and divided by its mean.",
        WU,
        "Pictures whose explanation does not survive the attack count for more. No masks are needed. Whether a gain "
        "comes from explanations is decided by the controls: the same weights, permuted, or weights by the loss. Only "
        "the paper's abstract and summaries of it could be read: heatmap, mask, attack, similarity and schedule are "
        "the lab's choice.",
        steps=steps.by_consistency,
    ),
}

SHUFFLED = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [f_\theta(x_i) = y_i]",
    "x are test pictures whose backgrounds are drawn without regard to their class y.", XIAO, steps=steps.shuffled,
)  # fmt: skip
BACKGROUND = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [f_\theta(b_i) = y_i]",
    "b is the background of a test picture, without its object.", XIAO, steps=steps.background,
)  # fmt: skip
ENERGY = Text(
    r"\tfrac{1}{n} \textstyle\sum_i \sum_p m_{ip} \max(L_{ip}, 0) \,/\, \sum_p \max(L_{ip}, 0)",
    "L is the Grad-CAM map of the true class, m the exact mask of the object, p a pixel; pictures whose map has "
    "nothing positive are left out.",
    "Wang et al., 2020, [arXiv 1910.01279](https://arxiv.org/abs/1910.01279)", steps=steps.energy,
)  # fmt: skip
CONSISTENCY = Text(
    r"\bar E = \tfrac{1}{n} \textstyle\sum_i s(H_i, \hat H_i)\, [f_\theta(x_i) = f_\theta(\hat x_i)]",
    "H is the heatmap of x, Ĥ that of x̂, whose background is attacked; s is their similarity.", WU,
    steps=steps.mean_e,
)  # fmt: skip

SCORES = {
    "shuffled": SHUFFLED, "background": BACKGROUND, "epg": ENERGY, "consistency": CONSISTENCY,
    **{f"beside/{key}": text for key, text in (
        ("shuffled", SHUFFLED), ("background", BACKGROUND), ("epg", ENERGY), ("consistency", CONSISTENCY),
    )},
}  # fmt: skip
"""The text of a score, by its key."""
