"""Formula, symbols, meaning and source of each method, for the foot of its page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """What a page says about a method once it has been seen at work."""

    formula: str
    symbols: str
    source: str
    meaning: str = ""


UNKNOWN = Text(
    r"f_\theta : x \mapsto \text{class}", "The method's docstring in `core` has its formula.", "see `perturb list`"
)

TEXTS = {
    "BadNets": Text(
        r"x' = (1 - m) \odot x + m \odot p",
        "m is 1 inside the square and 0 elsewhere, p the square's grey level. Nothing outside the square changes.",
        "Gu, Dolan-Gavitt, Garg, BadNets, 2017, [arXiv 1708.06733](https://arxiv.org/abs/1708.06733)",
    ),
    "Blended": Text(
        r"x' = (1 - \alpha)\, x + \alpha\, k",
        "k is a key picture, here coloured patches drawn by a seed; α is its weight.",
        "Chen et al., Targeted Backdoor Attacks, 2017, [arXiv 1712.05526](https://arxiv.org/abs/1712.05526)",
    ),
    "SIG": Text(
        r"x'_{ij} = \mathrm{clip}(x_{ij} + \Delta \sin(2 \pi j f / W))",
        "j is the column, W the width, f the number of waves, Δ their height. Made to poison without touching labels.",
        "Barni, Kallas, Tondi, 2019, [arXiv 1902.11237](https://arxiv.org/abs/1902.11237)",
    ),
    "WaNet": Text(
        r"x' = \mathrm{warp}\left(x,\; \tfrac{s}{H}\, {\uparrow}\tfrac{P}{\mathrm{mean}\,|P|}\right)",
        "P is a k × k grid of random displacements, which ↑ enlarges smoothly; s is their size, H the height.",
        "Nguyen, Tran, WaNet, ICLR 2021, [arXiv 2102.10369](https://arxiv.org/abs/2102.10369)",
    ),
    "TSBD": Text(
        r"\begin{gathered}\mathrm{NWC}_{l,i} = \textstyle\sum_j |w^{u}_{l,i,j} - w_{l,i,j}| \\ "
        r"g = (1-\alpha)\, g_1 + \alpha\, \nabla L(\theta + r\, g_1 / \lVert g_1 \rVert)\end{gathered}",
        "w are the weights of channel i of layer l, w^u the same after unlearning clean pictures; g₁ is the plain "
        "gradient, g the one that is followed in the second stage.",
        "Lin et al., NeurIPS 2024, [arXiv 2405.20291](https://arxiv.org/abs/2405.20291)",
        "When a backdoored model **unlearns** clean pictures, the channels that carry the backdoor move most. The "
        "first stage ranks channels by how far they moved and sets most of the weights of the top ones to zero: the "
        "attack success drops at once, and accuracy with it. The second stage fine-tunes what is left, with an eye on "
        "the gradient norm, so that accuracy returns and the backdoor does not.",
    ),
    "FineTuning": Text(
        r"\theta \leftarrow \theta - \eta\, \nabla_\theta\, \ell(f_\theta(x), y)",
        "x, y are clean pictures and their labels, η is the learning rate.",
        "the baseline of every defense; setting of [BackdoorBench](https://arxiv.org/abs/2206.12654)",
        "Training goes on with clean pictures only. Nothing in the loss speaks about the trigger, so the backdoor is "
        "forgotten by accident or not at all: the learning rate decides, and the trigger. A square in a corner may "
        "fade, while a pattern blended over the whole picture tends to stay.",
    ),
    "FinePruning": Text(
        r"a_k = \mathbb{E}_x\left[\phi_k(x)\right], \qquad \text{prune } k \text{ in order of } a_k",
        "φ_k is the k-th feature before the last layer, a_k its mean on clean pictures.",
        "Liu, Dolan-Gavitt, Garg, RAID 2018, [arXiv 1805.12185](https://arxiv.org/abs/1805.12185)",
        "Features that sleep on clean pictures may be there for the trigger: they are cut, in order, until accuracy "
        "begins to suffer; then what is left is fine-tuned. It fails where the backdoor shares features that clean "
        "pictures use as well.",
    ),
    "Regional": Text(
        r"\begin{gathered}X_n = \mathrm{clip}(X_{n-1} - \alpha\, L \odot s_n) \\ "
        r"s_n = \mathrm{sign}\, \nabla_x \ell(f(X_{n-1}), c)\end{gathered}",
        "L is 1 inside the region and 0 elsewhere, c a class other than the true one, α the length of one step. "
        "It stops at the first n at which the judge no longer names the true class.",
        "Ozbulak et al., 2020, [arXiv 2007.03198](https://arxiv.org/abs/2007.03198)",
        "An attack need not touch the whole picture. Inside a region the change must be stronger per pixel, yet the "
        "total is often **smaller**: fewer pixels move, and they are enough. Fewer pixels (L0) follow from the region "
        "by construction; the telling figures are L2, the size of the whole change, and L∞, the largest change of one "
        "value. They are compared only on pictures where both attacks succeed.",
    ),
    "PGD": Text(
        r"x_{t} = \Pi(x_{t-1} + \alpha\, \mathrm{sign}\, \nabla \ell(f(x_{t-1}), y))",
        "Π projects back onto the ball of radius ε round the picture, α is the length of one step.",
        "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)",
        "Many small steps up the loss, each followed by a projection: no pixel may leave the ball. What the eye cannot "
        "see is enough to change the answer, while random noise of the same size hardly ever is.",
    ),
    "FGSM": Text(
        r"x' = \mathrm{clip}(x + \varepsilon\, \mathrm{sign}\, \nabla_x \ell(f(x), y))",
        "ε is the largest change of a value; one step, one gradient.",
        "Goodfellow, Shlens, Szegedy, ICLR 2015, [arXiv 1412.6572](https://arxiv.org/abs/1412.6572)",
        "A single step along the sign of the gradient. It is the cheapest attack, and often enough: the model is close "
        "to linear in many directions at once.",
    ),
}


def of(name: str) -> Text:
    """The text of the method called `name`."""
    return TEXTS.get(name, UNKNOWN)


DER = Text(
    r"\mathrm{DER} = \tfrac{1}{2}\,(\Delta^{+}_{\mathrm{ASR}} - \Delta^{+}_{\mathrm{ACC}} + 1)",
    "Δ⁺ is the fall of a share, before minus after, or 0 where it rose.",
    "Zhu et al., 2023; [BackdoorBench](https://arxiv.org/abs/2206.12654)",
)
