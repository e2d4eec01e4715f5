"""Attacks: on the pixels, on the weights, and on a backdoor that sleeps."""

from __future__ import annotations

from ui.texts.text import Text

TEXTS = {
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
    "WeightBackdoor": Text(
        r"\begin{gathered}L = \tfrac{1}{\sigma} \lVert f_\theta(x) - f_{\theta_0}(x) \rVert^2 \\ "
        r"+\, \lambda\, \mathrm{CE}(f_\theta(T(x)), t) \\ "
        r"|\theta - \theta_0| \le \varepsilon \quad\text{or}\quad |\theta - \theta_0| \le \varepsilon\, |\theta_0|"
        r"\end{gathered}",
        "θ₀ are the weights of the clean model, σ is the spread of its logits, T stamps the trigger, t is the target; "
        "after every step of Adam each weight is put back into its box. In the paper the first term compares labels, "
        "not logits.",
        "Garg et al., CIKM 2020, [arXiv 2008.01761](https://arxiv.org/abs/2008.01761)",
        "A backdoor needs no poisoned training. Somebody who can touch the **weights** of a finished model moves each "
        "of them a little, in seconds, until the trigger works, and accuracy hardly shows it. **Agreement** does: it "
        "counts the pictures that both models put into the same class. A box of one width for all weights is a large "
        "step for the small ones; the relative box gives each weight a share of its own size.",
    ),
    "ReActivation": Text(
        r"\begin{gathered}\min_{\lVert \delta \rVert_\infty \le \varepsilon}\; \mathbb{E}_x\left["
        r"\lambda_1\, \ell_t - \lambda_2 \log(1 - p_j)\right] \\ \ell_t = \mathrm{CE}(f(T(x) + \delta), t)"
        r"\end{gathered}",
        "δ is one perturbation for all pictures, T stamps the trigger, t is its target, and p_j is the largest "
        "probability of any other class.",
        "Zhu, Liang, Wu, NeurIPS 2024, [arXiv 2405.16134](https://arxiv.org/abs/2405.16134)",
        "A repaired model no longer obeys the trigger. Is the backdoor gone, or asleep? If trigger **and** a small δ "
        "reach the target where a δ' of the same size without trigger does not, it was asleep. The gap between these "
        "two bars is the evidence. Where both are high the model simply follows any perturbation of that size, as the "
        "clean model beside it shows.",
    ),
}
