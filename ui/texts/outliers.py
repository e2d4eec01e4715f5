"""Outliers: autoencoders, ITSR, the other detectors, balanced accuracy and its ceiling."""

from __future__ import annotations

from ui.texts.steps import outliers as steps
from ui.texts.text import Text

BEGGEL = "Beggel, Pfeiffer and Bischl, ECML-PKDD 2019, [arXiv 1901.06355](https://arxiv.org/abs/1901.06355)"
ERROR = r"L(x) = \lVert x - g(f(x)) \rVert^2"
LETTERS = "f is the encoder, g the decoder, z = f(x) the code, T a threshold from the training pictures"

TEXTS = {
    "Autoencoder": Text(
        rf"{ERROR}, \qquad \text{{reject if }} L(x) > T_{{90\,\%}}", f"{LETTERS}: their 90th percentile.", BEGGEL,
        "What a network cannot reconstruct is unusual: that works while it has only learned the majority. Once the "
        "errors of normal pictures are small, the outliers among the training pictures dominate the gradient, and are "
        "learned as well. Stopping early is no remedy where the normal pictures are not learned yet either.",
        steps=steps.autoencoder,
    ),
    "AdversarialAutoencoder": Text(
        r"\max\left(\tfrac{L(x)}{T_\text{rec}},\; \tfrac{\lVert z \rVert}{T_z}\right) > 1", f"{LETTERS}.",
        f"Makhzani et al., 2015, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644), as used by {BEGGEL}",
        "The codes are made to follow a normal distribution, so that an unlikely code is a second alarm. Each rule "
        "rejects a tenth of the training pictures by construction, both together 10 to 20 %: that bounds the balanced "
        "accuracy from above, however good the scores are.",
        steps=steps.adversarial,
    ),
    "ITSR": Text(
        r"\min \textstyle\sum_i w_i\, L(x_i), \qquad w_i \in \{w, 0, 1\}, \quad w < 0",
        "w_i is 1 for kept pictures, 0 for candidates, which a one-class SVM of the codes leaves outside, and w for "
        "the fifth of the candidates with the largest errors.",
        BEGGEL,
        "The training takes its own likely outliers out, round by round, and at the end unlearns the worst of them. "
        "It assumes that normal pictures form one cluster of codes: where they vary a lot, as all of Scenes do, it may "
        "take out the wrong ones. What the negative weight is, and whether candidates add up over "
        "the rounds, the summary that was read leaves open: both are the lab's choice.",
        steps=steps.itsr,
    ),
    "VariationalAutoencoder": Text(
        r"-\log p(x \mid z) + \mathrm{KL}\left(q(z \mid x) \,\Vert\, \mathcal{N}(0, I)\right)",
        "q is the distribution of the code, p that of a decoded picture; the mean of several draws of z.",
        "Kingma and Welling, 2013, [arXiv 1312.6114](https://arxiv.org/abs/1312.6114)",
        "A bound on the likelihood of a picture. It is high for plain pictures, too, even if none like them was seen.",
        steps=steps.scores,
    ),
    "DeepSVDD": Text(
        r"\lVert \phi(x) - c \rVert^2", "φ is a network without biases, c the mean of its first answers.",
        "Ruff et al., ICML 2018, [code](https://github.com/lukasruff/Deep-SVDD-PyTorch)",
        "All training pictures are drawn to one point. With biases a constant would be optimal, and nothing would be "
        "told apart. Outliers among the training pictures are drawn to it as well.",
        steps=steps.scores,
    ),
    "IsolationForest": Text(
        r"2^{-\mathrm{E}[h(x)] / c(n)}", "h is the number of random splits until x is alone, c(n) its usual value.",
        "Liu, Ting and Zhou, ICDM 2008, "
        "[scikit-learn](https://scikit-learn.org/stable/modules/outlier_detection.html)",
        "Few random splits isolate what is unusual. Nothing is learned in epochs.",
        steps=steps.scores,
    ),
    "OneClassSVM": Text(
        r"-\left(\textstyle\sum_i \alpha_i\, k(x_i, x) - \rho\right)",
        "k is an RBF kernel, α and ρ are found so that a share ν of the pictures lies outside.",
        "Schölkopf et al., 2001, [scikit-learn](https://scikit-learn.org/stable/modules/outlier_detection.html)",
        "A region of the main components that holds most pictures.", steps=steps.scores,
    ),
    "PaDiM": Text(
        r"\max_p \sqrt{(x_p - \mu_p)^\top \Sigma_p^{-1} (x_p - \mu_p)}",
        "x_p are features of a trained network at place p, μ_p and Σ_p their mean and covariance over the training "
        "pictures.",
        "Defard et al., 2020, [arXiv 2011.08785](https://arxiv.org/abs/2011.08785)",
        "No gradient step: the features of a network that was trained for something else, and a normal distribution at "
        "each place. What is shown must always lie at the same place.",
        steps=steps.scores,
    ),
    "PatchCore": Text(
        r"\max_p \min_{m \in M} \lVert x_p - m \rVert \cdot \left(1 - \mathrm{softmax}\right)",
        "M are remembered patches; the softmax is that over the distances to the neighbours of the nearest one.",
        "Roth et al., CVPR 2022, [arXiv 2106.08265](https://arxiv.org/abs/2106.08265)",
        "A well-spread part of all training patches is remembered. An outlier lies far from the others, so it is "
        "remembered first of all: contamination hurts it.",
        steps=steps.scores,
    ),
}

SCORES = {
    "bacc": Text(r"\tfrac{1}{2}\left(\mathrm{TPR} + \mathrm{TNR}\right)",
                 "TPR is the share of outliers that are rejected, TNR that of normal pictures that are kept.", BEGGEL,
                 steps=steps.bacc),
    "ceiling": Text(r"1 - \tfrac{1}{2} \cdot \tfrac{\max(0,\, r - \alpha)}{1 - \alpha}",
                    "r is the share of training pictures that the rule rejects, α the share of outliers among them.",
                    "Follows from the rule", steps=steps.ceiling),
    "area": Text(r"P\left(s(x_\text{outlier}) > s(x_\text{normal})\right)", "s is the score.", "ROC analysis",
                  steps=steps.scores),
    "unobserved": Text(r"\tfrac{1}{2}\left(\mathrm{TPR} + \mathrm{TNR}\right)",
                       "The same, with outliers of kinds that were not trained on.", BEGGEL, steps=steps.unobserved),
    "ratio": Text(r"\bar L_\text{outliers} / \bar L_\text{normal}", "Mean errors over training pictures.", BEGGEL,
                  steps=steps.ratio),
}  # fmt: skip
"""The text of a score, by its key."""
