"""Mixing: how pictures and labels are mixed, and how the networks that learn so are judged."""

from __future__ import annotations

from ui.texts.steps import mixing as steps
from ui.texts.text import Text

FMIX = (
    "Harris, Marcu, Painter, Niranjan, Prügel-Bennett, Hare, 2020, [arXiv 2002.12047](https://arxiv.org/abs/2002.12047)"
)
MIXUP = "Zhang et al., ICLR 2018, [arXiv 1710.09412](https://arxiv.org/abs/1710.09412)"
CUTMIX = "Yun et al., ICCV 2019, [arXiv 1905.04899](https://arxiv.org/abs/1905.04899)"
GUO = "Guo et al., ICML 2017, [arXiv 1706.04599](https://arxiv.org/abs/1706.04599)"
CORRUPT = "Hendrycks, Dietterich, ICLR 2019, [arXiv 1903.12261](https://arxiv.org/abs/1903.12261)"
MADRY = "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)"

TEXTS = {
    "Mixing": Text(
        r"\begin{gathered}\tilde x = m \odot x + (1 - m) \odot x' \\ "
        r"\ell = \lambda\, \mathrm{CE}(f(\tilde x), y) \\ +\, (1 - \lambda)\, \mathrm{CE}(f(\tilde x), y')"
        r"\end{gathered}",
        "x' is another picture of the batch with label y'; λ ~ Beta(α, α). MixUp: m = λ everywhere. CutMix: m is 0 in "
        "a rectangle and λ the share around it. FMix: m is 1 at the λ H W brightest pixels of a random image whose "
        "Fourier amplitudes fall as 1/f^δ.",
        f"FMix: {FMIX}; MixUp: {MIXUP}; CutMix: {CUTMIX}",
        "A network that never sees the same picture twice cannot learn pictures by heart, and one that learns from two "
        "labels at once has less reason to be sure. MixUp changes every pixel; the masks of CutMix and FMix leave each "
        "pixel that of a picture, and vary in shape. What that is worth depends on how long is trained: mixed pictures "
        "are harder, so a short training may well lose accuracy by mixing. The authors' released sampler of FMix does "
        "not do what their text says: along the width its masks have at most one period (mode *official-code*).",
        steps=steps.mixing,
    ),
}

ACC = Text(r"\tfrac{1}{n} \textstyle\sum_i [f(x_i) = y_i]", "n test pictures.", FMIX, steps=steps.right("acc"))
ECE = Text(
    r"\textstyle\sum_b \tfrac{n_b}{n} \,\lvert \mathrm{acc}_b - \mathrm{conf}_b \rvert",
    "b runs over ten bins of the largest softmax probability, n_b of the n predictions fall into each.", GUO,
    steps=steps.ece,
)  # fmt: skip
CORRUPTED = Text(
    r"\tfrac{1}{6} \textstyle\sum_c \tfrac{1}{n} \textstyle\sum_i [f(c(x_i)) = y_i]",
    "c runs over noise, blur, contrast, brightness, pixelation and JPEG.", CORRUPT, steps=steps.corrupted,
)  # fmt: skip
OCCLUDED = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [f(o(x_i)) = y_i]", "o puts a grey square anywhere on the picture.", CORRUPT,
    steps=steps.right("occluded"),
)  # fmt: skip
ROBUST = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [f(x_i') = y_i \text{ for all } x_i' \text{ tried}]",
    "x' are the points that PGD passes within ε of x.", MADRY, steps=steps.right("robust"),
)  # fmt: skip

SCORES = {
    f"{name}/{key}": text
    for name in ("unmixed", "first", "second")
    for key, text in {
        "acc": ACC, "ece": ECE, "corrupted": CORRUPTED, "occluded": OCCLUDED, "robust": ROBUST,
    }.items()
}  # fmt: skip
"""The text of a score, by its key."""
