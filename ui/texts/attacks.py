"""Attacks: on pixels, on weights, and on a backdoor that a defense left dormant."""

from __future__ import annotations

from ui.texts.steps import attacks as steps
from ui.texts.text import Text

TEXTS = {
    "PGD": Text(
        r"x_{t} = \Pi(x_{t-1} + \alpha\, \mathrm{sign}\, \nabla \ell(f(x_{t-1}), y))",
        "Π projects back onto the ball of radius ε around the picture, α is the length of one step.",
        "Madry et al., ICLR 2018, [arXiv 1706.06083](https://arxiv.org/abs/1706.06083)",
        "Many small steps up the loss, each followed by a projection, so that no value changes by more than ε. On an "
        "undefended network a change too small to see may be enough. The control is random noise of the same size.",
        steps=steps.pgd,
    ),
    "FGSM": Text(
        r"x' = \mathrm{clip}(x + \varepsilon\, \mathrm{sign}\, \nabla_x \ell(f(x), y))",
        "ε is the largest change of a value; one step, one gradient.",
        "Goodfellow, Shlens, Szegedy, ICLR 2015, [arXiv 1412.6572](https://arxiv.org/abs/1412.6572)",
        "A single step along the sign of the gradient: the cheapest attack. The authors' explanation is "
        "that networks are close to linear, so that many small changes in the right direction add up.",
        steps=steps.fgsm,
    ),
    "MIFGSM": Text(
        r"\begin{gathered}m_t = \mu\, m_{t-1} + g_t / \lVert g_t \rVert_1 \\ "
        r"x_t = \Pi(x_{t-1} + \alpha\, \mathrm{sign}\, m_t)\end{gathered}",
        "g_t is the gradient of the loss, m_t the running sum of the gradients so far, μ what is kept of it; Π "
        "projects back onto the ball of radius ε around the picture, α is the length of one step.",
        "Dong et al., CVPR 2018, [arXiv 1710.06081](https://arxiv.org/abs/1710.06081)",
        "PGD follows the gradient of one network at one point, and what it finds may work on that network only. A "
        "running sum keeps to the directions that help at many points. The authors made it so that the change fools "
        "**other** networks too.",
        steps=steps.mifgsm,
    ),
    "APGD": Text(
        r"\begin{gathered}u = \Pi(x_t + \eta\, \mathrm{sign}\, \nabla L(x_t)) \\ "
        r"x_{t+1} = \Pi(x_t + a\,(u - x_t) + (1 - a)(x_t - x_{t-1}))\end{gathered}",
        "η is the length of a step, 2 ε at first; a = 0.75 weighs the new step against the last one. Π projects back "
        "onto the ball of radius ε around the picture. L is the cross-entropy or the difference of logits ratio "
        "(DLR), which does not depend on the scale of the logits.",
        "Croce, Hein, ICML 2020, [arXiv 2003.01690](https://arxiv.org/abs/2003.01690)",
        "PGD with a poorly chosen step makes a network look more robust than it is. Auto-PGD chooses it: where the "
        "loss has stopped rising, the step is halved and the search goes back to its best point. A picture that "
        "withstands is returned unchanged.",
        steps=steps.apgd,
    ),
    "APGDT": Text(
        r"L_t(x) = -\frac{z_y - z_t}{z_{\pi_1} - \tfrac{1}{2}(z_{\pi_3} + z_{\pi_4})}",
        "y is the class to leave and t the one that is aimed at; z are the logits, and π sorts them, the largest "
        "first.",
        "Croce, Hein, ICML 2020, [arXiv 2003.01690](https://arxiv.org/abs/2003.01690)",
        "The steps of Auto-PGD, but towards one class at a time: the likeliest other one, then the next. An attack "
        "that only pushes away from a class may follow a direction that leads nowhere; aiming at several classes "
        "tries several directions. Any class but the true one counts.",
        steps=steps.apgd,
    ),
    "FAB": Text(
        r"x_{t+1} = (1 - \alpha)(x_t + \eta\, d_1) + \alpha\, (x + \eta\, d_2)",
        "The boundary between two classes is taken as linear at the present point; d₁ and d₂ are the smallest changes "
        "that move that point and the picture itself onto it. α, at most 0.1, pulls towards the picture, and η = 1.05 "
        "goes a little beyond the boundary.",
        "Croce, Hein, ICML 2020, [arXiv 1907.02044](https://arxiv.org/abs/1907.02044)",
        "Like DeepFool it walks to the nearest boundary, but it does not stop there: after each success it steps back "
        "towards the picture and tries again, so that the change becomes smaller and smaller. There is no budget.",
        steps=steps.smallest,
    ),
    "Square": Text(
        r"\delta \leftarrow \delta' \;\text{ if }\; m(x + \delta') < m(x + \delta), \quad "
        r"m = z_y - \max_{k \ne y} z_k",
        "δ' is δ with one random square changed, m the margin of the class that is to be left: below 0 the attack has "
        "succeeded. The squares become smaller as the search goes on.",
        "Andriushchenko et al., ECCV 2020, [arXiv 1912.00049](https://arxiv.org/abs/1912.00049)",
        "An attack **without gradients**: it asks the network for its logits and keeps what helps. Where it succeeds "
        "and the attacks with gradients do not, the gradients are misleading (masked), and their robust accuracy "
        "says little.",
        steps=steps.square,
    ),
    "AutoAttack": Text(
        r"\text{APGD-CE} \to \text{APGD-T} \to \text{FAB-T} \to \text{Square}",
        "Each attack is given the pictures that withstood all those before it.",
        "Croce, Hein, ICML 2020, [arXiv 2003.01690](https://arxiv.org/abs/2003.01690)",
        "Four different attacks with nothing to tune. A picture counts as robust only if it survives all of them, and "
        "the share of robust pictures is the figure that defenses are compared by. It is still an upper bound: another "
        "attack may break more.",
        steps=steps.autoattack,
    ),
    "CarliniWagner": Text(
        r"\min_u\; \lVert x' - x \rVert_2^2 + c\, \max(0, h(x') + \kappa), \quad "
        r"x' = \tfrac{1}{2}(\tanh(w_0 + u) + 1)",
        "h is the margin of the class that is to be left, in logits: below 0 the attack has succeeded. c weighs "
        "success against the size of the change and is searched for each picture by bisection; κ is a lead that is "
        "asked for.",
        "Carlini, Wagner, IEEE S&P 2017, [arXiv 1608.04644](https://arxiv.org/abs/1608.04644)",
        "PGD asks whether a change of a given size is enough. This attack asks for the **smallest** change that is, "
        "and spends hundreds of passes on each picture to find it. The size of what it finds tells how robust the "
        "network is on that picture.",
        steps=steps.smallest,
    ),
    "DeepFool": Text(
        r"r_t = \Bigl(\min_k \frac{|f_k|}{\lVert \nabla f_k \rVert_2} + 10^{-4}\Bigr)"
        r"\frac{\nabla f_k}{\lVert \nabla f_k \rVert_2}, \quad f_k = z_k - z_y",
        "z are the logits at the present point and y the class to leave. Each rival class k has a boundary; were the "
        "network linear, its distance would be |f_k| over the length of the gradient. The step goes to the nearest.",
        "Moosavi-Dezfooli, Fawzi, Frossard, CVPR 2016, [arXiv 1511.04599](https://arxiv.org/abs/1511.04599)",
        "A few steps, each to the nearest class boundary of the linearised network, give a change that is nearly as "
        "small as that of much slower attacks.",
        steps=steps.smallest,
    ),
    "Regional": Text(
        r"\begin{gathered}X_n = \mathrm{clip}(X_{n-1} - \alpha\, L \odot s_n) \\ "
        r"s_n = \mathrm{sign}\, \nabla_x \ell(f(X_{n-1}), c)\end{gathered}",
        "L is 1 inside the region and 0 elsewhere, c a class other than the true one, α the length of one step. "
        "The attack stops at the first n at which the judge no longer names the true class.",
        "Ozbulak et al., 2020, [arXiv 2007.03198](https://arxiv.org/abs/2007.03198)",
        "An attack need not touch the whole picture. Whether the whole change is then smaller or larger depends on "
        "**the family of the region**: compare the square, or where the source looks, with the frame, or where it "
        "looks least. Fewer pixels (L0) follow from the region by construction, so look at L2, the size of the whole "
        "change, and L∞, the largest change of one value. They are compared only on pictures where both attacks "
        "succeed. `perturb paper regional` has the figures of pairs of networks.",
        steps=steps.regional,
    ),
    "WeightBackdoor": Text(
        r"\begin{gathered}L = \tfrac{1}{K \sigma} \lVert f_\theta(x) - f_{\theta_0}(x) \rVert^2 \\ "
        r"+\, \lambda\, \mathrm{CE}(f_\theta(T(x)), t) \\ "
        r"|\theta - \theta_0| \le \varepsilon \quad\text{or}\quad |\theta - \theta_0| \le \varepsilon\, |\theta_0|"
        r"\end{gathered}",
        "θ₀ are the weights of the clean model, K is the number of its logits and σ their standard deviation in the "
        "batch; T stamps the trigger, t is the target. After every step of Adam each weight is put back into its box. "
        "The paper compares labels, not logits. Batch-norm statistics are frozen here; in the released code they "
        "drift.",
        "Garg et al., CIKM 2020, [arXiv 2008.01761](https://arxiv.org/abs/2008.01761)",
        "A backdoor needs no poisoned training data. Whoever can write to the **weights** of a finished model trains "
        "the trigger into them, while each weight stays within a box around its value. Accuracy need not show it. "
        "**Agreement** is the stricter test: it counts the clean pictures that both models put into the same class. "
        "With a box of one width for all weights, small ones may change by more than their own size; the relative box "
        "bounds the change of each weight by a share of its size.",
        steps=steps.injection,
    ),
    "ReActivation": Text(
        r"\begin{gathered}\min_{\lVert \delta \rVert_\infty \le \varepsilon}\; \mathbb{E}_x\left["
        r"\lambda_1\, \ell_t - \lambda_2 \log(1 - p_j)\right] \\ \ell_t = \mathrm{CE}(f(T(x) + \delta), t)"
        r"\end{gathered}",
        "δ is one perturbation for all pictures, T stamps the trigger, t is its target, and p_j is the largest "
        "probability of any other class.",
        "Zhu, Liang, Wu, NeurIPS 2024, [arXiv 2405.16134](https://arxiv.org/abs/2405.16134)",
        "After a repair the trigger alone may no longer work. Is the backdoor gone, or dormant? If the trigger **and** "
        "a small δ reach the target where a δ' of the same size without a trigger does not, the backdoor is still in "
        "the model: the gap between these two bars is the evidence. Where both are high there is no gap: the model "
        "follows a perturbation of that size anyway. Such a perturbation may fool a small clean model too, so the "
        "clean model's figures stand beside them, where there is one.",
        steps=steps.reactivation,
    ),
}
