"""Flatness: average and worst case, what rescaling does to a measure, and landscapes of the loss."""

from __future__ import annotations

from ui.texts.steps import flatness as steps
from ui.texts.text import Text

STUTZ = "Stutz, Hein, Schiele, ICCV 2021, [arXiv 2104.04448](https://arxiv.org/abs/2104.04448)"
DINH = "Dinh et al., ICML 2017, [arXiv 1703.04933](https://arxiv.org/abs/1703.04933)"
LI = "Li et al., NeurIPS 2018, [arXiv 1712.09913](https://arxiv.org/abs/1712.09913)"
LOSS = (
    r"L(w) = \tfrac{1}{n} \textstyle\sum_i \ell_i(w) \\ "
    r"\ell_i(w) = \max_{\lVert \delta \rVert_\infty \le \varepsilon} \mathrm{CE}(f_w(x_i + \delta), y_i)"
)
BALL = "The layers l are single tensors; scale and shift of normalisation layers stay as they are."

TEXTS = {
    "AverageFlatness": Text(
        rf"\begin{{gathered}}F = \mathbb{{E}}_v\left[L(w + v)\right] - L(w) \\ "
        rf"\lVert v_l \rVert = \xi \lVert w_l \rVert \\ {LOSS}\end{{gathered}}",
        f"w are the weights, v a random direction in every layer, L the robust loss, δ found anew for every v. {BALL}",
        STUTZ,
        "A network is flat where its loss hardly changes when its weights do. The ball is **relative** to each layer: "
        "a layer with weights twice as large is moved twice as far. Under attack the examples must be found anew for "
        "every v, since those of another network are weaker. That flat networks generalise better is an observation "
        "on families of networks, and it is disputed: flatness tells about the weights' surroundings, not about "
        "pictures far away ([arXiv 2510.14231](https://arxiv.org/abs/2510.14231)).",
        steps=steps.average,
    ),
    "WorstFlatness": Text(
        r"F = \max_{\lVert v_l \rVert \le \xi \lVert w_l \rVert} L(w + v) - L(w)",
        "v and the changes δ of the pictures climb the loss together, each projected onto its ball after every step. "
        f"{BALL} The best of several tries counts.",
        STUTZ,
        "Instead of random weights, the worst ones: the gradient says where to go, so a ball far smaller than that of "
        "the average case is enough. What ascent finds is a lower bound of the true worst case; more tries never "
        "lower it.",
        steps=steps.worst,
    ),
    "Rescaling": Text(
        r"W_2\, \mathrm{relu}(W_1 x + b) = \tfrac{1}{k} W_2\, \mathrm{relu}(k\, W_1 x + k\, b), \quad k > 0",
        "W₁, b is a layer, or the scale and shift of its batch norm, W₂ the next layer, with just a ReLU between them.",
        DINH,
        "The same function can be written down with other weights. A measure that then changes tells about the way of "
        "writing, not about the network. A ball that is relative to each layer follows the rescaling; a ball of an "
        "absolute size hits the divided layer harder, and second derivatives grow with the square of k.",
        steps=steps.rescaling,
    ),
    "Landscape": Text(
        rf"\begin{{gathered}}g(\alpha) = L(w + \alpha\, d), \quad \lVert d_{{l,j}} \rVert = \lVert w_{{l,j}} \rVert "
        rf"\\ {LOSS}\end{{gathered}}",
        "d is a random direction in which every filter j of layer l has the length of its weights; biases and "
        "normalisation layers stay. δ is found anew at every α. A plane has two such directions.",
        f"{LI}; with attacks: Wu, Xia, Wang, NeurIPS 2020, [arXiv 2004.05884](https://arxiv.org/abs/2004.05884)",
        "A slice through millions of dimensions: what lies off the line does not show. Two models can be compared "
        "because their directions are the same random numbers and each filter is scaled to its own weights. Examples "
        "that were found at α = 0 were made for other weights, so a curve over them misses what an attack on the moved "
        "network would find: switch to them and compare.",
        steps=steps.landscape,
    ),
}

SCORES = {
    "flatness": Text(r"F = L(w + v) - L(w)", "v as in the measure that is run: on average, or at worst.", STUTZ,
                     steps=steps.flatness),
    "reference": Text(rf"\begin{{gathered}}{LOSS}\end{{gathered}}",
                      "CE is the cross-entropy in nats; without an attack δ = 0.", STUTZ, steps=steps.reference),
    "still_right": Text(r"\tfrac{1}{n} \textstyle\sum_i [f_w(x_i + \delta_i) = y_i]",
                        "δᵢ is the change at which the loss was highest.", STUTZ, steps=steps.still_right),
    "absolute": Text(r"F_\text{abs} = \mathbb{E}_v\left[L(w' + v)\right] - L(w'), \quad "
                     r"\lVert v_l \rVert = \xi \lVert w_l \rVert",
                     "w' are the rescaled weights; the radii are those of the weights w before.", DINH,
                     steps=steps.absolute),
    "trace": Text(r"\mathrm{tr}\, H \approx \tfrac{1}{m} \textstyle\sum_j s_j^\top H s_j",
                  "H is the Hessian of the loss in the weights, s are m random vectors of signs (Hutchinson).", DINH,
                  steps=steps.trace),
    "rise": Text(r"\tfrac{1}{|A|} \textstyle\sum_{\alpha \in A} g(\alpha) - g(0)", "A are the points of the grid.", LI,
                 steps=steps.rise),
    "fixed/rise": Text(r"\tfrac{1}{|A|} \textstyle\sum_{\alpha \in A} g_0(\alpha) - g(0)",
                       "g₀ is the loss on the examples that were found at α = 0.", LI, steps=steps.rise_kept),
    "other/rise": Text(r"\tfrac{1}{|A|} \textstyle\sum_{\alpha \in A} g'(\alpha) - g'(0)",
                       "g' is the loss of the other model, along the same directions.", LI, steps=steps.rise_other),
}  # fmt: skip
"""The text of a score, by its key."""
