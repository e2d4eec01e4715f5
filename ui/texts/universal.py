"""One change for all pictures: a perturbation, or a patch."""

from __future__ import annotations

from ui.texts.steps import universal as steps
from ui.texts.text import Text

MOOSAVI = "Moosavi-Dezfooli et al., CVPR 2017, [arXiv 1610.08401](https://arxiv.org/abs/1610.08401)"
BROWN = "Brown et al., 2017, [arXiv 1712.09665](https://arxiv.org/abs/1712.09665)"

TEXTS = {
    "Universal": Text(
        r"\begin{gathered}v \leftarrow \Pi_\xi\bigl(v + \alpha\, \xi\, \mathrm{sign}\, g\bigr), \quad "
        r"\lVert v \rVert_p \le \xi \\ g = \nabla_v \textstyle\sum_i \ell(f(x_i + v), f(x_i))\end{gathered}",
        "ℓ is the cross-entropy with what the model says without v; with a target, minus that with the target. Π "
        "projects back onto the ball. The paper's own way, *deepfool*, adds up DeepFool steps picture by picture.",
        f"{MOOSAVI}; targeted: Hirano, Takemoto, 2020, [arXiv 1911.06502](https://arxiv.org/abs/1911.06502)",
        "PGD needs a gradient for each picture. A universal perturbation is found **once** and then added to any "
        "picture, also to those that nobody has seen. *Fooled* compares two answers of the model, not an answer with "
        "the truth. What matters is the rate on pictures that it was not made on, beside that of random signs of the "
        "same size. On networks that were trained on attacked pictures it finds less.",
        steps=steps.universal,
    ),
    "Patch": Text(
        r"\max_p\; \mathbb{E}_{x, s, \varphi, o}\, \log P_f(t \mid A(p, x, s, \varphi, o))",
        "A pastes the patch p into the picture x, scaled to s, turned by φ, at the place o, each drawn anew for every "
        "picture in every step; t is the target.",
        BROWN,
        "A patch changes few pixels, but as much as it likes. As place, size and angle vary while it is made, it works "
        "wherever it is put. A large patch also **hides** the object: the control, the same pixels in random order, "
        "hides as much, so that only the difference between the two is due to what is drawn on the patch. It is "
        "judged with its pixels pasted, not photographed: print it and hold it into the camera to see what is left.",
        steps=steps.patch,
    ),
}

FOOLING = Text(
    r"\tfrac{1}{n} \textstyle\sum_i [f(x_i') \ne f(x_i)], \quad \text{with a target } \tfrac{1}{n} \textstyle\sum_i "
    r"[f(x_i') = t]",
    "x' is the picture with the change; with a target, the n pictures are those that are not given it without.",
    MOOSAVI, steps=steps.fooling,
)  # fmt: skip
OTHERS = Text(
    r"\tfrac{1}{M} \textstyle\sum_m \mathrm{fooling}(f_m)", "f_m are networks that the change was not made on.",
    MOOSAVI, steps=steps.others,
)  # fmt: skip

SCORES = {"fooling": FOOLING, "fit/fooling": FOOLING, "others/fooling": OTHERS}
"""The text of a score, by its key."""
