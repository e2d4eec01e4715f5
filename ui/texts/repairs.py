"""Repairs: defenses that change the model to remove its backdoor."""

from __future__ import annotations

from ui.texts.steps import channels
from ui.texts.steps import repairs as steps
from ui.texts.text import Text

TEXTS = {
    "FineTuning": Text(
        r"\theta \leftarrow \theta - \eta\, \nabla_\theta\, \ell(f_\theta(x), y)",
        "x, y are clean pictures and their labels, η is the learning rate.",
        "the baseline of every defense; setting of [BackdoorBench](https://arxiv.org/abs/2206.12654)",
        "Training goes on with clean pictures only. Nothing in the loss refers to the trigger, so the backdoor is "
        "forgotten as a side effect or not at all, depending on the learning rate and on the trigger. A high rate "
        "forgets more, also of what the network should keep, and some networks diverge at it; so the largest rate up "
        "to η is taken that keeps 1 - τ of the accuracy on a fifth of the clean pictures, which are set aside.",
        steps=steps.fine_tuning,
    ),
    "FinePruning": Text(
        r"a_k = \mathbb{E}_x\left[\phi_k(x)\right], \qquad \text{prune } k \text{ in order of } a_k",
        "φ_k is the k-th feature before the last layer, a_k its mean on clean pictures.",
        "Liu, Dolan-Gavitt, Garg, RAID 2018, [arXiv 1805.12185](https://arxiv.org/abs/1805.12185)",
        "Features that are inactive on clean pictures may serve the trigger. They are pruned, the least active first, "
        "as far as clean accuracy allows; then what is left is fine-tuned. This fails where the backdoor uses features "
        "that clean pictures need as well.",
        steps=steps.fine_pruning,
    ),
    "NAD": Text(
        r"\begin{gathered}\mathrm{CE} + \textstyle\sum_l \beta_l\, \mathrm{MSE}(A(F^s_l), A(F^t_l)) \\ "
        r"A(F) = \textstyle\sum_c |F_c|^p \,/\, \lVert \textstyle\sum_c |F_c|^p \rVert_2\end{gathered}",
        "F are the feature maps of the last three stages l, s the student and t the teacher; A says where in the "
        "picture a stage is active; β are weights, p a power.",
        "Li et al., NAD, ICLR 2021, [arXiv 2101.05930](https://arxiv.org/abs/2101.05930)",
        "The teacher is the model itself after some fine-tuning, in the hope that it attends less to the trigger. The "
        "student starts again from the backdoored model and is trained on clean pictures to attend **where the teacher "
        "does**, at several depths. Where fine-tuning alone forgets nothing, both attend to the same places, and there "
        "is nothing to distil.",
        steps=steps.nad,
    ),
    "ANP": Text(
        r"\begin{gathered}\min_{m}\; \alpha\, \ell(m, 0, 0) + (1-\alpha) \max_{\delta, \xi}\, \ell(m, \delta, \xi) \\ "
        r"m \in [0,1]^C, \quad \delta, \xi \in [-\varepsilon, \varepsilon]^C\end{gathered}",
        "a batch norm computes (m + δ) γ x̂ + (1 + ξ) β; m is a mask per channel, δ and ξ are noise on its weights, "
        "ℓ is the loss on clean pictures, α the weight of the loss without noise.",
        "Wu, Wang, NeurIPS 2021, [arXiv 2110.14430](https://arxiv.org/abs/2110.14430)",
        "Perturb the weights of a backdoored model so that its loss rises, and it tends to answer with the target "
        "class although there is no trigger: some channels belong to the backdoor. Masks that are learned **under such "
        "noise** close these channels. The smallest masks tell what to prune in the original model; how many, a "
        "defender can judge by clean accuracy only.",
        steps=channels.anp,
    ),
    "CLP": Text(
        r"\begin{gathered}\mathrm{UCLC}_k = \sigma_{\max}(W_k)\, |\gamma_k| / \sqrt{v_k + \epsilon} \\ "
        r"\text{prune } k \text{ where } \mathrm{UCLC}_k > \mu + u\, s\end{gathered}",
        "W_k are the weights of channel k as a matrix, σ_max its largest singular value, γ and v scale and variance "
        "of its batch norm; μ and s are mean and standard deviation over the layer.",
        "Zheng et al., ECCV 2022, [arXiv 2208.03111](https://arxiv.org/abs/2208.03111)",
        "A small trigger moves the output far, so some channel must amplify small changes. How much a channel can "
        "amplify at most follows from its weights: **no picture is needed**, and the same model always gives the same "
        "answer. A channel stands out only against the others of its layer, so layers with few channels need a lower "
        "u; a batch norm after a sum of two branches has no convolution, and its channels are left alone.",
        steps=channels.clp,
    ),
    "NeuralCleanse": Text(
        r"\min_{m, p}\; \ell\big(f((1 - m) \odot x + m \odot p),\, c\big) + \lambda \lVert m \rVert_1",
        "m is a mask and p a pattern, optimised for each class c; λ is the cost of a large mask. A class is flagged "
        "where its mask's norm lies more than limit · 1.4826 MAD below the median of all classes; the paper's limit "
        "is 2.",
        "Wang et al., IEEE S&P 2019, "
        "[abstract](https://people.cs.uchicago.edu/~ravenben/publications/abstracts/backdoor-sp19.html)",
        "For every class: how small a patch sends nearly **every** picture there? A backdoor is a shortcut, so its "
        "target should need a far smaller patch than the others. That patch is stamped on clean pictures with their "
        "true labels, and the model learns to ignore it. Where no class stands out, as is usual for triggers spread "
        "over the whole picture, none is flagged and the model is returned unchanged; **no class flagged** does not "
        "mean no backdoor. Nor is one flagged in a model with fewer than five classes: too few for an outlier test.",
        steps=steps.neural_cleanse,
    ),
    "IBAU": Text(
        r"\begin{gathered}\min_\theta\, \max_\delta\; \ell(f_\theta(x + \delta), y) \\ "
        r"g = \nabla_\theta L + \left(\tfrac{\partial \Phi}{\partial \theta}\right)^{\!\top} v, \quad "
        r"v = \left(\tfrac{\partial \Phi}{\partial \delta}\right)^{\!\top} v + \nabla_\delta L\end{gathered}",
        "δ is one perturbation for all pictures, Φ one step of the search for it; v is found in K steps, g is the "
        "gradient that the weights follow.",
        "Zeng et al., ICLR 2022, [arXiv 2110.03735](https://arxiv.org/abs/2110.03735)",
        "Find one perturbation that fools the model on all pictures at once, as a trigger does, and train the model to "
        "resist it. But the best δ depends on the weights, and moves when they do. The implicit gradient **accounts "
        "for that**, at the cost of second derivatives. Nothing bounds δ here; the run reports its norm.",
        steps=steps.ibau,
    ),
    "FTSAM": Text(
        r"w \leftarrow w - \eta\, \nabla L\!\left(w + \rho\, "
        r"\frac{w^2 \odot \nabla L}{\lVert\, |w| \odot \nabla L \,\rVert_2}\right)",
        "w are the weights, ρ is the radius of the step uphill, in units of each weight; L has smoothed labels.",
        "Zhu et al., ICCV 2023, [arXiv 2304.11823](https://arxiv.org/abs/2304.11823)",
        "Plain fine-tuning starts in a minimum of the clean loss and may stay there, since clean pictures give no "
        "reason to leave it. Here each step takes the gradient a short way uphill, and **large weights are perturbed "
        "most**. The authors find that backdoor neurons tend to have large weights; these shrink, and what clean "
        "pictures need is learned again.",
        steps=steps.ft_sam,
    ),
    "RNP": Text(
        r"\begin{gathered}\max_\theta\, \ell(f_\theta), \qquad "
        r"\min_{m \in [0,1]^C} \alpha\, \ell(f_{m \odot \theta^u}) \\ "
        r"\gamma_k \leftarrow 0 \text{ where } m_k \le \text{threshold}\end{gathered}",
        "θᵘ are the weights after unlearning clean pictures, m masks on the scales γ of its batch norms, ℓ is the loss "
        "on clean pictures, α its weight.",
        "Li et al., ICML 2023, [arXiv 2305.14876](https://arxiv.org/abs/2305.14876)",
        "First the model **unlearns** clean pictures; what tends to remain is the backdoor. Then it has to recover "
        "clean accuracy by scaling channels down alone, with all weights fixed. The channels that it scales down most "
        "are pruned in the original model, not in the unlearned one.",
        steps=channels.rnp,
    ),
    "SAU": Text(
        r"\begin{gathered}\ell(f(x), y) - \tfrac{1}{N} \textstyle\sum \ln\big(1 - p_f(\tilde y \mid x + \delta)\big) "
        r"\\ \tilde y = f_A(x + \delta) \ne y\end{gathered}",
        "f_A is the backdoored model, f the one being repaired; δ, within ±ε, is sought so that both leave their own "
        "answers on x for the same class ỹ. The sum is over pictures where ỹ is neither y nor f_A(x).",
        "Wei et al., NeurIPS 2023, [arXiv 2307.10562](https://arxiv.org/abs/2307.10562)",
        "Every model has adversarial examples; those that a backdoored model and its repaired copy **share** mostly "
        "lead where the trigger leads. Each step looks for one change per picture under which both leave their own "
        "answers on the clean picture for the same class, and trains the copy to avoid that class. The changes are "
        "large on purpose, so a few points of accuracy may be lost.",
        steps=steps.sau,
    ),
    "TSBD": Text(
        r"\begin{gathered}\mathrm{NWC}_{l,i} = \textstyle\sum_j |w^{u}_{l,i,j} - w_{l,i,j}| \\ "
        r"g = (1-\alpha)\, g_1 + \alpha\, \nabla L(\theta + r\, g_1 / \lVert g_1 \rVert)\end{gathered}",
        "w are the weights of channel i of layer l, w^u the same after unlearning clean pictures; g₁ is the plain "
        "gradient, g the gradient that the second stage follows.",
        "Lin et al., NeurIPS 2024, [arXiv 2405.20291](https://arxiv.org/abs/2405.20291)",
        "When a backdoored model **unlearns** clean pictures, the weights of channels that carry the backdoor tend to "
        "change most. The first stage ranks channels by that change and sets most of the weights of the top ones to "
        "zero, which costs accuracy as well. The second stage fine-tunes what is left and penalises the gradient norm, "
        "so that accuracy returns and the backdoor, if all goes well, does not. Where accuracy does not return, fewer "
        "channels are set to zero and the learning rate is lowered; a network without batch norm may not be able to "
        "spare any channel, and then the method is fine-tuning alone.",
        steps=steps.tsbd,
    ),
}
