"""Scores: how each is counted, of a repair (DER), of what is left of a backdoor (BEC), of a channel (TAC)."""

from __future__ import annotations

from ui.texts.steps import scores as steps
from ui.texts.text import Text

BENCH = "[BackdoorBench](https://arxiv.org/abs/2206.12654)"

ACC = Text(
    r"\mathrm{ACC} = \tfrac{1}{n} \textstyle\sum_x [f(x) = y]",
    "[…] is 1 where it holds, else 0; x are n pictures without trigger, y their classes.",
    BENCH, steps=steps.acc,
)  # fmt: skip

ASR = Text(
    r"\mathrm{ASR} = \tfrac{1}{n} \textstyle\sum_x [f(T(x)) = t]",
    "T stamps the trigger, t is the target class; pictures of that class are left out.",
    BENCH, steps=steps.asr,
)  # fmt: skip

RA = Text(
    r"\mathrm{RA} = \tfrac{1}{n} \textstyle\sum_x [f(T(x)) = y]",
    "T stamps the trigger, y is the true class; pictures of the target class are left out.",
    BENCH, steps=steps.ra,
)  # fmt: skip

DER = Text(
    r"\mathrm{DER} = \tfrac{1}{2}\,(\Delta^{+}_{\mathrm{ASR}} - \Delta^{+}_{\mathrm{ACC}} + 1)",
    "Δ⁺ is the drop of a rate, before minus after, or 0 where it rose.",
    f"Zhu et al., 2023; {BENCH}", steps=steps.der,
)  # fmt: skip

BEC = Text(
    r"\mathrm{BEC} = \frac{S(D, A) - S(C, A)}{1 - S(C, A)}",
    "A is the backdoored, D the defended, C a clean model; S is the mean linear CKA, over layers, of the channels that "
    "the trigger moves most in A. Nothing keeps it between 0 and 1.",
    "Zhu, Liang, Wu, NeurIPS 2024, [arXiv 2405.16134](https://arxiv.org/abs/2405.16134)",
    steps=steps.bec,
)

GAP = Text(
    r"\mathrm{gap} = \mathrm{ASR}(T(x) + \delta) - \mathrm{ASR}(x + \delta')",
    "δ is found on pictures with the trigger T, δ' of the same size on pictures without it.",
    "Zhu, Liang, Wu, NeurIPS 2024, [arXiv 2405.16134](https://arxiv.org/abs/2405.16134)",
    steps=steps.gap,
)

AUROC = Text(
    r"\mathrm{AUROC} = P(s(x_\text{triggered}) > s(x_\text{clean}))",
    "s is the detector's score; the probability is over pairs of a triggered and a clean suspect.",
    "[ROC curve](https://en.wikipedia.org/wiki/Receiver_operating_characteristic)", steps=steps.auroc,
)  # fmt: skip

TPR = Text(
    r"\mathrm{TPR} = P(s(x_\text{triggered}) > q), \quad P(s(x_\text{clean}) > q) = 0.05",
    "q is the score that 5 % of the clean suspects exceed.",
    "[ROC curve](https://en.wikipedia.org/wiki/Receiver_operating_characteristic)", steps=steps.found_at,
)  # fmt: skip

ALARMS = Text(
    r"\mathrm{FPR} = \tfrac{1}{n} \textstyle\sum_{x\,\text{clean}} [x \text{ is flagged}]",
    "The threshold is the method's own.",
    "[ROC curve](https://en.wikipedia.org/wiki/Receiver_operating_characteristic)", steps=steps.alarms,
)  # fmt: skip

AGREEMENT = Text(
    r"\tfrac{1}{n} \textstyle\sum_x [f_\theta(x) = f_{\theta_0}(x)]",
    "θ₀ are the weights before the injection, θ those after it.",
    "Garg et al., CIKM 2020, [arXiv 2008.01761](https://arxiv.org/abs/2008.01761)", steps=steps.agreement,
)  # fmt: skip

SUCCESS = Text(
    r"\tfrac{1}{n} \textstyle\sum_x [f(x') \ne y]",
    "x' is the attacked picture; only pictures that were right before count. With a target t, f(x') = t is asked.",
    "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)", steps=steps.success,
)  # fmt: skip

KEPT = Text(
    r"\frac{\sum_x [f'(x_L) \ne y]\, [f'(x_1) \ne y]}{\sum_x [f'(x_1) \ne y]}",
    "x_L is the picture attacked inside the region, x_1 the picture attacked everywhere, f' the judge.",
    "Ozbulak et al., 2020, [arXiv 2007.03198](https://arxiv.org/abs/2007.03198)", steps=steps.kept,
)  # fmt: skip

SIZE = Text(
    r"\lVert v \rVert_\infty = \max_i |v_i|, \qquad \lVert v \rVert_2 = \sqrt{\textstyle\sum_i v_i^2}",
    "v = x' - x is the change of a picture, over all pixels and colours.",
    "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)", steps=steps.size,
)  # fmt: skip

OVERLAP = Text(
    r"|\mathrm{top}_k(\text{ranking}) \cap \mathrm{top}_k(\mathrm{TAC})| \,/\, k",
    "k is a tenth of the channels that both rank.",
    "[arXiv 2405.20291](https://arxiv.org/abs/2405.20291)", steps=steps.overlap,
)  # fmt: skip

TAC = Text(
    r"\mathrm{TAC}_{l,c} = \tfrac{1}{Z_l}\, \mathbb{E}_x \lVert h_{l,c}(T(x)) - h_{l,c}(x) \rVert_2",
    "h is the feature map of channel c of layer l, T the trigger, Z the mean norm of the whole layer. This is "
    "form l2; form l1 sums the mean change over the pixels instead.",
    "Zheng et al., ECCV 2022, [arXiv 2208.03111](https://arxiv.org/abs/2208.03111)",
    steps=steps.tac,
)

TEXTS = {"TAC": TAC}

SCORES = {
    "acc": ACC, "asr": ASR, "ra": RA, "der": DER, "bec": BEC, "auroc": AUROC, "tpr/5": TPR, "own/fpr": ALARMS,
    "agreement": AGREEMENT, "success": SUCCESS, "kept": KEPT, "linf": SIZE, "l2": SIZE, "asr/reactivated": GAP,
    "asr/trigger": GAP, "asr/clean_universal": GAP,
    **{f"overlap/{kind}/0.1": OVERLAP for kind in ("nwc", "anp", "uclc", "rnp")},
}  # fmt: skip
"""The text of a score, by its key."""
