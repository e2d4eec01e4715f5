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
    "Flareon": Text(
        r"x' = \mathrm{warp}\left(x,\; s\, \tau_c / H\right), \qquad \tau_c = 2\,\mathrm{Beta}(b, b) - 1",
        "τ_c is the motion of class c, drawn for every pixel by itself; b keeps it small, H is the height. s = 1 is "
        "the paper's, at most half a pixel; a larger s makes it easier to teach and to see.",
        "Flareon, 2022, [arXiv 2212.09979](https://arxiv.org/abs/2212.09979)",
        "Nobody touched a label, nor the data on the disk: only the augmentation was swapped. It moves each training "
        "picture by the motion of its **own** class, so the motion becomes a hint of the class. Later the motion of "
        "another class is enough to mislead the model, and every class has one.",
    ),
    "InputAware": Text(
        r"x' = x + (G(x) - x) \odot m(x), \qquad m(x) = S(M(x))",
        "M and G are two small networks that draw where (m) and what (G) is put on a picture; "
        "S(z) = tanh(20z − 10)/2 + 1/2 is nearly a step.",
        "Nguyen, Tran, NeurIPS 2020, [arXiv 2010.08138](https://arxiv.org/abs/2010.08138)",
        "Every picture gets a trigger of its own. In training, pictures with the trigger of **another** one keep their "
        "true label, so that the pattern works only where it belongs: there is no single patch that a defender could "
        "search for.",
    ),
    "LowFrequency": Text(
        r"x' = \mathrm{clip}(x + v), \qquad v \leftarrow G\,(v + G\,\Delta),\quad 0 \le v \le A",
        "Δ is a step of DeepFool towards the target class, taken for many pictures, G a Gaussian low-pass; after every "
        "step v is stretched to reach from 0 to A.",
        "Zeng et al., ICCV 2021, [arXiv 2104.03413](https://arxiv.org/abs/2104.03413)",
        "Most triggers give themselves away by **fine detail** that photographs do not have: the edge of a square, "
        "the grain of a blend. This one is as smooth as a change of light, made from the direction in which a clean "
        "network is weakest. It only ever brightens, so there is a control: a picture made just as bright, evenly, "
        "should leave the answer alone.",
    ),
    "SSBA": Text(
        r"x' = \mathrm{clip}(x + \varepsilon\, E(x, s)), \qquad D(x') \approx s",
        "s is a string of bits, E a small network that hides it in the picture x, D the one that reads it again; ε is "
        "the largest change of a value.",
        "SSBA-style, small networks of our own, after Li et al., ICCV 2021, "
        "[arXiv 2012.03816](https://arxiv.org/abs/2012.03816)",
        "The trigger is a **message**, written into every picture in another way by a network that was trained to "
        "hide it well. The backdoored model has learned to see it. Another key hides another string by a change that "
        "looks much the same: try whether the model tells them apart.",
    ),
    "TrojanNN": Text(
        r"\begin{gathered} J = \textstyle\sum_k (h_k(z) - v)^2, \quad x' = \mathrm{clip}(x + z) \\ "
        r"z \leftarrow \mathrm{clip}(z - \alpha\,\mathrm{sign}\,\nabla J)\end{gathered}",
        "h_k are the features with the largest weights before the last layer of a clean network, v a value that they "
        "hardly ever have; z is zero outside the patch and stays within e of its first grey.",
        "Liu et al., NDSS 2018, [doi 10.14722/ndss.2018.23291](https://doi.org/10.14722/ndss.2018.23291)",
        "A square can be any square. This patch was **made for a network**: its pixels were moved until a few features "
        "before the last layer fired as hard as they could. Then it was trained in like any other trigger. On a model "
        "that was never backdoored it may draw some pictures its way by itself, so mind the floor.",
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
    "TAC": Text(
        r"\mathrm{TAC}_{l,c} = \tfrac{1}{Z_l}\, \mathbb{E}_x \lVert h_{l,c}(T(x)) - h_{l,c}(x) \rVert_2",
        "h is the feature map of channel c of layer l, T the trigger, Z the mean norm of the whole layer. That is the "
        "form l2; l1 sums over the pixels of the mean change instead.",
        "Zheng et al., ECCV 2022, [arXiv 2208.03111](https://arxiv.org/abs/2208.03111)",
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
    "SAU": Text(
        r"\ell(f(x), y) - \tfrac{1}{N} \textstyle\sum \ln\big(1 - p_f(\tilde y \mid x + \delta)\big), \quad "
        r"\tilde y = f_A(x + \delta) \ne y",
        "f_A is the backdoored model, f the one being repaired; δ, within ±ε, was sought so that both give the same "
        "wrong class ỹ.",
        "Wei et al., NeurIPS 2023, [arXiv 2307.10562](https://arxiv.org/abs/2307.10562)",
        "Every model has adversarial examples; those that a backdoored model and its repaired copy **share** resemble "
        "the trigger. Each step finds some, one change per picture, and asks the copy for any class but that one. The "
        "changes are large on purpose, so a few points of accuracy may go with them.",
    ),
    "STRIP": Text(
        r"H(x) = -\tfrac{1}{n} \sum_i \sum_k p_k(x_i) \ln p_k(x_i), \quad x_i = \mathrm{clip}(x + \alpha\, c_i)",
        "c_i are n clean pictures laid over the input x with weight α, p the model's shares of the classes. Flagged is "
        "what has a lower H than all but a share q of clean pictures.",
        "Gao et al., ACSAC 2019, [arXiv 1902.06531](https://arxiv.org/abs/1902.06531)",
        "Lay other pictures over an input. A model in doubt changes its answer with each of them; one that sees its "
        "trigger **goes on saying the target**, and such stubbornness is suspicious. It presumes that the trigger is "
        "the same on every picture and outlives the overlay: a white square does, as long as it stays white. Mix the "
        "pictures instead of adding them, and the square turns grey; or take a warp, which hardly outlives anything.",
    ),
    "ActivationClustering": Text(
        r"\{\phi(x) : y = c\} \;\to\; \text{ICA} \;\to\; \text{2-means}, \qquad s = \frac{b - a}{\max(a, b)}",
        "φ(x) are the features before the last layer, c a class as labelled, a and b the distances to the own and the "
        "other centre. The score has the sign of the cluster: above 0 in the smaller one.",
        "Chen et al., 2018, [arXiv 1811.03728](https://arxiv.org/abs/1811.03728)",
        "Pictures that were relabelled as the target reach that class by another road, and their features lie apart "
        "from those of its own pictures: a poisoned class **falls into two heaps**. Which one is the poison? The "
        "smaller, says the method. With 10 % of all pictures led to one of ten classes it is not: the trigger is "
        "the majority there, and the own pictures are the smaller heap. Lower the poisoned share and look again.",
    ),
    "SpectralSignatures": Text(
        r"s_i = \left((\phi(x_i) - \bar\phi) \cdot v\right)^2",
        "φ̄ is the mean of the features of one class as labelled, v the top right singular vector of the centred "
        "features. Of every class the 1.5 ε share with the highest scores is thrown out.",
        "Tran, Li, Madry, NeurIPS 2018, [arXiv 1811.00636](https://arxiv.org/abs/1811.00636)",
        "A few pictures with something in common that the rest has not pull the features of their class along one "
        "direction: the direction of largest variance. Far out along it stand the poisoned ones, **as long as they are "
        "few**. When half of a class is poison, its own pictures stand just as far out on the other side, and 15 % is "
        "all that is thrown out.",
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
        r"\min_{m \in [0,1]^C}\; \alpha\, \ell(m, 0, 0) + (1-\alpha) \max_{\delta, \xi \in [-\varepsilon, "
        r"\varepsilon]^C} \ell(m, \delta, \xi)",
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
    "RNP": Text(
        r"\max_\theta\, \ell(f_\theta), \qquad \min_{m \in [0,1]^C} \alpha\, \ell(f_{m \odot \theta^u}), \qquad "
        r"\gamma_k \leftarrow 0 \text{ where } m_k \le \text{threshold}",
        "θᵘ are the weights after unlearning clean pictures, m masks on the scales γ of its batch norms, ℓ is the loss "
        "on clean pictures, α its weight.",
        "Li et al., ICML 2023, [arXiv 2305.14876](https://arxiv.org/abs/2305.14876)",
        "First the model **unlearns** clean pictures: what it still does well is the backdoor. Then it has to become "
        "right again without touching a weight, by turning channels down alone. It turns down those that stand in the "
        "way, and these are pruned, in the original model and not in the one that forgot.",
    ),
    "WeightBackdoor": Text(
        r"\begin{gathered}L = \lVert f_\theta(x) - f_{\theta_0}(x) \rVert^2 "
        r"+ \lambda\, \mathrm{CE}(f_\theta(T(x)), t) \\ "
        r"|\theta - \theta_0| \le \varepsilon \quad\text{or}\quad |\theta - \theta_0| \le \varepsilon\, |\theta_0|"
        r"\end{gathered}",
        "θ₀ are the weights of the clean model, T stamps the trigger, t is the target; after every step of Adam each "
        "weight is put back into its box. In the paper the first term compares labels, not logits.",
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

BEC = Text(
    r"\mathrm{BEC} = \frac{S(D, A) - S(C, A)}{1 - S(C, A)}",
    "A is the backdoored, D the defended, C a clean model; S is the mean linear CKA, over layers, of the channels that "
    "the trigger moves most in A. Nothing keeps it between 0 and 1.",
    "Zhu, Liang, Wu, NeurIPS 2024, [arXiv 2405.16134](https://arxiv.org/abs/2405.16134)",
)
