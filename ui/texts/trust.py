"""Tests of heatmaps: random weights, deletion and insertion, pointing games, IoU, sensitivity."""

from __future__ import annotations

from ui.texts.steps import trust as steps
from ui.texts.text import Text

ADEBAYO = "Adebayo et al., NeurIPS 2018, [arXiv 1810.03292](https://arxiv.org/abs/1810.03292)"
RISE = "Petsiuk et al., BMVC 2018, [arXiv 1806.07421](https://arxiv.org/abs/1806.07421)"
SCORE_CAM = "Wang et al., CVPR workshops 2020, [arXiv 1910.01279](https://arxiv.org/abs/1910.01279)"
ZHANG = "Zhang et al., ECCV 2016, [arXiv 1608.00507](https://arxiv.org/abs/1608.00507)"
YEH = "Yeh et al., NeurIPS 2019, [arXiv 1901.09392](https://arxiv.org/abs/1901.09392)"
L = "L is the map of a picture x for the class y"

TEXTS = {
    "TrustTests": Text(
        r"\rho_\ell = \mathrm{rank}\bigl(L(f_\theta, x),\, L(f_{\theta_\ell}, x)\bigr)",
        f"{L}; θ_ℓ are the weights θ, drawn anew from the output down to layer ℓ; rank is Spearman's correlation over "
        "the pixels.",
        ADEBAYO,
        "A heatmap is a claim, and each test asks for one thing that a true claim would do. A map that stays while the "
        "weights are destroyed shows the picture and not the network; edges of the picture pass every test of looks "
        "and fail this one. Passing is necessary and not sufficient, and comparing absolute values can turn the "
        "verdict around. Deletion and insertion show the network pictures that it never saw, so the order of methods "
        "depends on the fill: a random order stands beside them. The pointing games ask whether a person's object is "
        "marked, which a network need not use; the centre of the picture scores well, too.",
        steps=steps.tested,
    ),
}

SCORES = {
    "randomised": Text(r"\bar\rho = \tfrac{1}{n} \textstyle\sum_i \rho_L(x_i)",
                       "ρ_L is the rank correlation with the map of a network whose layers are all random.", ADEBAYO,
                       steps=steps.mean("randomised")),
    "deletion": Text(r"\tfrac{1}{n} \textstyle\sum_i \int_0^1 p_y\bigl(x_i \text{ less its top } s\bigr)\, ds",
                     "The top s is the share s of the pixels with the largest values of the map.", RISE,
                     steps=steps.mean("deletion")),
    "insertion": Text(r"\tfrac{1}{n} \textstyle\sum_i \int_0^1 p_y\bigl(\mathrm{blur}(x_i) \text{ with its top } s"
                      r"\bigr)\, ds", "The top s comes back from the picture into its blurred copy.", RISE,
                      steps=steps.mean("insertion")),
    "pointing": Text(r"\tfrac{1}{n} \textstyle\sum_i [\arg\max L_i \in m_i]", "m is the exact mask of the object.",
                     ZHANG, steps=steps.pointing),
    "energy": Text(r"\frac{1}{n} \sum_i \frac{\sum_p m_{ip} \max(L_{ip}, 0)}{\sum_p \max(L_{ip}, 0)}",
                   "m is the exact mask of the object, p a pixel.", SCORE_CAM, steps=steps.mean("energy")),
    "iou": Text(r"\tfrac{1}{n} \textstyle\sum_i |K_i \cap m_i| \,/\, |K_i \cup m_i|",
                "K are the pixels of at least half the map's maximum, m the object.",
                "Selvaraju et al., ICCV 2017, [arXiv 1610.02391](https://arxiv.org/abs/1610.02391)",
                steps=steps.mean("iou")),
    "sensitivity": Text(r"\frac{1}{n} \sum_i \max_d \frac{\lVert L(x_i + d) - L(x_i)\rVert_2}{\lVert L(x_i)\rVert_2}",
                        "d are random changes of at most r per pixel, cut off at black and white.", YEH,
                        steps=steps.mean("sensitivity")),
}  # fmt: skip
"""The text of a score, by its key."""
