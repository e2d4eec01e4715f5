"""Repairs: defenses that give the model back without its backdoor."""

from __future__ import annotations

from ui.texts.text import Text

TEXTS = {
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
    "NAD": Text(
        r"\begin{gathered}\mathrm{CE} + \textstyle\sum_l \beta_l\, \mathrm{MSE}(A(F^s_l), A(F^t_l)) \\ "
        r"A(F) = \textstyle\sum_c |F_c|^p \,/\, \lVert \textstyle\sum_c |F_c|^p \rVert_2\end{gathered}",
        "F are the feature maps of the last three stages l, s the student and t the teacher; A says where in the "
        "picture a stage is active; β are weights, p a power.",
        "Li et al., NAD, ICLR 2021, [arXiv 2101.05930](https://arxiv.org/abs/2101.05930)",
        "The teacher is the model itself after a little fine-tuning, in the hope that it looks less at the trigger. "
        "The student starts again from the backdoored model and has to look **where the teacher looks**, at several "
        "depths, while it learns the clean pictures. Where fine-tuning alone forgets nothing, both look at the same "
        "place, and there is nothing to distil.",
    ),
    "ANP": Text(
        r"\begin{gathered}\min_{m}\; \alpha\, \ell(m, 0, 0) + (1-\alpha) \max_{\delta, \xi}\, \ell(m, \delta, \xi) \\ "
        r"m \in [0,1]^C, \quad \delta, \xi \in [-\varepsilon, \varepsilon]^C\end{gathered}",
        "a batch norm computes (m + δ) γ x̂ + (1 + ξ) β; m is a mask per channel, δ and ξ are noise on its weights, "
        "ℓ is the loss on clean pictures, α the weight of the loss without noise.",
        "Wu, Wang, NeurIPS 2021, [arXiv 2110.14430](https://arxiv.org/abs/2110.14430)",
        "Shake the weights of a backdoored model against the labels, and it soon answers with the target class, even "
        "though no trigger is there: some channels stand close to the backdoor. Masks are learned **under such "
        "noise**, and they close those channels. The smallest masks say what to prune in the original model; how many, "
        "only clean accuracy can tell.",
    ),
    "CLP": Text(
        r"\begin{gathered}\mathrm{UCLC}_k = \sigma_{\max}(W_k)\, |\gamma_k| / \sqrt{v_k + \epsilon} \\ "
        r"\text{prune } k \text{ where } \mathrm{UCLC}_k > \mu + u\, s\end{gathered}",
        "W_k are the weights of channel k as a matrix, σ_max its largest singular value, γ and v scale and variance "
        "of its batch norm; μ and s are mean and standard deviation over the layer.",
        "Zheng et al., ECCV 2022, [arXiv 2208.03111](https://arxiv.org/abs/2208.03111)",
        "A small trigger moves the output far, so some channel must amplify a small change a lot. How much a channel "
        "can amplify at most is read off its weights: **no picture is needed**, and the same model always gives the "
        "same answer. A channel stands out only against its neighbours, so layers with few channels need a lower u; "
        "and a batch norm that follows a sum of two branches has no weights of its own to judge by.",
    ),
    "NeuralCleanse": Text(
        r"\min_{m, p}\; \ell\big(f((1 - m) \odot x + m \odot p),\, c\big) + \lambda \lVert m \rVert_1",
        "m is a mask and p a pattern, looked for once for each class c; λ is the price of a large mask. A class is "
        "flagged where its mask's norm lies more than 2 · 1.4826 MAD below the median of all classes.",
        "Wang et al., IEEE S&P 2019, "
        "[abstract](https://people.cs.uchicago.edu/~ravenben/publications/abstracts/backdoor-sp19.html)",
        "For every class: how small a patch sends **every** picture there? A backdoor is a shortcut, so the target "
        "needs a far smaller patch than the others. That patch is stamped on clean pictures with their true labels, "
        "and the model learns to ignore it. When no class stands out, nothing is changed at all: so it goes with "
        "triggers that are spread over the whole picture. With fewer than five classes nothing can stand out.",
    ),
    "IBAU": Text(
        r"\begin{gathered}\min_\theta\, \max_\delta\; \ell(f_\theta(x + \delta), y) \\ "
        r"g = \nabla_\theta L + \left(\tfrac{\partial \Phi}{\partial \theta}\right)^{\!\top} v, \quad "
        r"v = \left(\tfrac{\partial \Phi}{\partial \delta}\right)^{\!\top} v + \nabla_\delta L\end{gathered}",
        "δ is one perturbation for all pictures, Φ one step of the search for it; v is found in K steps, g is what the "
        "weights follow.",
        "Zeng et al., ICLR 2022, [arXiv 2110.03735](https://arxiv.org/abs/2110.03735)",
        "Search the perturbation that fools the model on all pictures at once, which a trigger does, and train it "
        "away. But δ was the answer to the weights as they were: when they move, it moves. The implicit gradient "
        "**counts that in**, at the price of second derivatives. Nothing bounds δ here, so watch its norm.",
    ),
    "FTSAM": Text(
        r"w \leftarrow w - \eta\, \nabla L\!\left(w + \rho\, "
        r"\frac{w^2 \odot \nabla L}{\lVert\, |w| \odot \nabla L \,\rVert_2}\right)",
        "w are the weights, ρ is the radius of the step uphill, in units of each weight; L has smoothed labels.",
        "Zhu et al., ICCV 2023, [arXiv 2304.11823](https://arxiv.org/abs/2304.11823)",
        "Plain fine-tuning finds the backdoored model in a valley and leaves it there, for clean pictures see no "
        "reason to move. Here each step looks at the gradient a little way uphill, and **large weights are shaken "
        "most**. Backdoor neurons tend to have large weights: they lose their hold, and what clean pictures need grows "
        "back.",
    ),
    "RNP": Text(
        r"\begin{gathered}\max_\theta\, \ell(f_\theta), \qquad "
        r"\min_{m \in [0,1]^C} \alpha\, \ell(f_{m \odot \theta^u}) \\ "
        r"\gamma_k \leftarrow 0 \text{ where } m_k \le \text{threshold}\end{gathered}",
        "θᵘ are the weights after unlearning clean pictures, m masks on the scales γ of its batch norms, ℓ is the loss "
        "on clean pictures, α its weight.",
        "Li et al., ICML 2023, [arXiv 2305.14876](https://arxiv.org/abs/2305.14876)",
        "First the model **unlearns** clean pictures: what it still does well is the backdoor. Then it has to become "
        "right again without touching a weight, by turning channels down alone. It turns down those that stand in the "
        "way, and these are pruned, in the original model and not in the one that forgot.",
    ),
    "SAU": Text(
        r"\begin{gathered}\ell(f(x), y) - \tfrac{1}{N} \textstyle\sum \ln\big(1 - p_f(\tilde y \mid x + \delta)\big) "
        r"\\ \tilde y = f_A(x + \delta) \ne y\end{gathered}",
        "f_A is the backdoored model, f the one being repaired; δ, within ±ε, was sought so that both give the same "
        "wrong class ỹ.",
        "Wei et al., NeurIPS 2023, [arXiv 2307.10562](https://arxiv.org/abs/2307.10562)",
        "Every model has adversarial examples; those that a backdoored model and its repaired copy **share** resemble "
        "the trigger. Each step finds some, one change per picture, and asks the copy for any class but that one. The "
        "changes are large on purpose, so a few points of accuracy may go with them.",
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
}
