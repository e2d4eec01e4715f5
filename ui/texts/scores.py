"""Scores: of a repair (DER), of how much of a backdoor is left (BEC), of a channel (TAC)."""

from __future__ import annotations

from ui.texts.text import Text

DER = Text(
    r"\mathrm{DER} = \tfrac{1}{2}\,(\Delta^{+}_{\mathrm{ASR}} - \Delta^{+}_{\mathrm{ACC}} + 1)",
    "Δ⁺ is the drop of a rate, before minus after, or 0 where it rose.",
    "Zhu et al., 2023; [BackdoorBench](https://arxiv.org/abs/2206.12654)",
)

BEC = Text(
    r"\mathrm{BEC} = \frac{S(D, A) - S(C, A)}{1 - S(C, A)}",
    "A is the backdoored, D the defended, C a clean model; S is the mean linear CKA, over layers, of the channels that "
    "the trigger moves most in A. Nothing keeps it between 0 and 1.",
    "Zhu, Liang, Wu, NeurIPS 2024, [arXiv 2405.16134](https://arxiv.org/abs/2405.16134)",
)

TAC = Text(
    r"\mathrm{TAC}_{l,c} = \tfrac{1}{Z_l}\, \mathbb{E}_x \lVert h_{l,c}(T(x)) - h_{l,c}(x) \rVert_2",
    "h is the feature map of channel c of layer l, T the trigger, Z the mean norm of the whole layer. This is "
    "form l2; form l1 sums the mean change over the pixels instead.",
    "Zheng et al., ECCV 2022, [arXiv 2208.03111](https://arxiv.org/abs/2208.03111)",
)

TEXTS = {"TAC": TAC}
