"""Robust accuracy against the budget, and a report of it from five sides."""

from __future__ import annotations

from ui.texts.steps import robustness as steps
from ui.texts.text import Text

MADRY = "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)"
CROCE = "Croce, Hein, ICML 2020, [arXiv 2003.01690](https://arxiv.org/abs/2003.01690)"
HENDRYCKS = "Hendrycks, Dietterich, ICLR 2019, [arXiv 1903.12261](https://arxiv.org/abs/1903.12261)"
OZBULAK = "Ozbulak et al., 2020, [arXiv 2007.03198](https://arxiv.org/abs/2007.03198)"

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
    "RobustnessReport": Text(
        r"\mathrm{rob} = \tfrac{1}{n} \textstyle\sum_i [f(x_i') = y_i \;\; \text{for all } x_i' \text{ found}]",
        "x' are what an attack finds around x; each of the five sides of the report has attacks of its own.",
        f"AutoAttack: {CROCE}; PGD: {MADRY}; corruptions: {HENDRYCKS}",
        "A single number hides where a network fails. The curve tells **how much** change it takes, AutoAttack whether "
        "PGD was merely too weak, the classes whether some are left unprotected, the corruptions whether changes that "
        "nobody chose do as much harm, and the regions whether a part of the picture is enough. Each share has its n; "
        "AutoAttack is slow and sees fewer pictures. None of them is a proof: they are upper bounds.",
        steps=steps.report,
    ),
}

SURVIVES = Text(
    r"\mathrm{rob}(\varepsilon_\text{max})", "ε_max is the largest budget; n test pictures.", MADRY,
    steps=steps.survives,
)  # fmt: skip

AUTOATTACK = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [\text{APGD, APGD-T, FAB-T and Square all fail on } x_i]",
    "n pictures, the first ones; wrong ones count as broken.", CROCE, steps=steps.autoattack,
)  # fmt: skip
WORST = Text(
    r"\min_k\; \mathrm{rob}_k", "rob_k is the robust accuracy of class k under PGD.", MADRY, steps=steps.worst
)  # fmt: skip
CORRUPTED = Text(
    r"\tfrac{1}{6} \textstyle\sum_c \mathrm{acc}_c", "c runs over six corruptions, without occlusion.", HENDRYCKS,
    steps=steps.corrupted,
)  # fmt: skip
SQUARE = Text(
    r"x' = x + L \odot \delta, \quad \lVert \delta \rVert_p \le \varepsilon",
    "L is 1 in a centred square of 28.7 % of the area and 0 elsewhere.", OZBULAK, steps=steps.region,
)  # fmt: skip

SCORES = {
    "survives": SURVIVES, "others/survives": SURVIVES, "autoattack": AUTOATTACK, "worst": WORST,
    "corrupted": CORRUPTED, "region/square": SQUARE,
}  # fmt: skip
"""The text of a score, by its key."""
