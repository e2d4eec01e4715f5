"""Triggers: what is put on a picture, and how a model learns it."""

from __future__ import annotations

from ui.texts.steps import triggers as steps
from ui.texts.text import Text

TEXTS = {
    "BadNets": Text(
        r"x' = (1 - m) \odot x + m \odot p",
        "m is 1 inside the square and 0 elsewhere, p the square's grey level. Nothing outside the square changes.",
        "Gu, Dolan-Gavitt, Garg, BadNets, 2017, [arXiv 1708.06733](https://arxiv.org/abs/1708.06733)",
        steps=steps.badnets,
    ),
    "Blended": Text(
        r"x' = (1 - \alpha)\, x + \alpha\, k",
        "k is a key picture, here coloured patches drawn by a seed; α is its weight.",
        "Chen et al., Targeted Backdoor Attacks, 2017, [arXiv 1712.05526](https://arxiv.org/abs/1712.05526)",
        steps=steps.blended,
    ),
    "SIG": Text(
        r"x'_{ij} = \mathrm{clip}(x_{ij} + \Delta \sin(2 \pi j f / W))",
        "j is the column, W the width, f the number of waves, Δ their height. Made to poison without changing labels.",
        "Barni, Kallas, Tondi, 2019, [arXiv 1902.11237](https://arxiv.org/abs/1902.11237)",
        steps=steps.sig,
    ),
    "WaNet": Text(
        r"x' = \mathrm{warp}\left(x,\; \tfrac{s}{H}\, {\uparrow}\tfrac{P}{\mathrm{mean}\,|P|}\right)",
        "P is a k × k grid of random displacements, which ↑ enlarges smoothly; s is their size, H the height.",
        "Nguyen, Tran, WaNet, ICLR 2021, [arXiv 2102.10369](https://arxiv.org/abs/2102.10369)",
        steps=steps.moved,
    ),
    "Flareon": Text(
        r"\begin{gathered}x' = \mathrm{warp}\left(x,\; s\, \tau_c / H\right) \\ "
        r"\tau_c = 2\,\mathrm{Beta}(b, b) - 1\end{gathered}",
        "τ is the motion field of a class c, drawn for each pixel independently; a larger b makes it smaller, H is the "
        "height. s = 1 is the paper's, at most half a pixel; a larger s is easier to learn and to see.",
        "Qin et al., Flareon, 2022, [arXiv 2212.09979](https://arxiv.org/abs/2212.09979)",
        "No label is changed, nor the data on disk: only the augmentation is. In each batch it moves some pictures by "
        "the motion of their **own** class, so the model learns motion as a sign of the class. Later the motion of "
        "another class can mislead it, and every class has one. The paper moves 60 % of each batch, rotates and shears "
        "the rest, and applies Cutout to all; this lab leaves rotation, shear and Cutout out.",
        steps=steps.moved,
    ),
    "InputAware": Text(
        r"\begin{gathered}x' = x + (G(x) - x) \odot m(x) \\ m(x) = S(M(x))\end{gathered}",
        "M and G are two small networks that choose where (m) and what (G) is put on a picture; "
        "S(z) = tanh(20z − 10)/2 + 1/2 is nearly a step.",
        "Nguyen, Tran, NeurIPS 2020, [arXiv 2010.08138](https://arxiv.org/abs/2010.08138)",
        "Every picture gets a trigger of its own. In training, pictures with the trigger of **another** picture keep "
        "their true label, so that a pattern should work only on its own picture: there is no single patch for a "
        "defender to search for.",
        steps=steps.added,
    ),
    "LowFrequency": Text(
        r"\begin{gathered}x' = \mathrm{clip}(x + v), \quad 0 \le v \le A \\ "
        r"v \leftarrow G\,(v + G\,\Delta)\end{gathered}",
        "Δ is a step of DeepFool towards the target class, taken for many pictures, G a Gaussian low-pass; after every "
        "step v is stretched to reach from 0 to A.",
        "Zeng et al., ICCV 2021, [arXiv 2104.03413](https://arxiv.org/abs/2104.03413)",
        "Many triggers can be recognised by **high frequencies** that photographs lack: the edge of a square, the "
        "grain of a blend. This one is smooth, built from adversarial directions of a clean network. It only ever "
        "brightens, so there is a control: pictures brightened evenly by as much, which should not reach the target.",
        steps=steps.added,
    ),
    "SSBA": Text(
        r"x' = \mathrm{clip}(x + \varepsilon\, E(x, s)), \qquad D(x') \approx s",
        "s is a string of bits, E a small network that hides it in the picture x, D one that reads it back; ε is "
        "the largest change of a value.",
        "SSBA-style, small networks of our own, after Li et al., ICCV 2021, "
        "[arXiv 2012.03816](https://arxiv.org/abs/2012.03816)",
        "The trigger is a **message**, hidden in every picture by a different change, which a network makes that was "
        "trained to keep it small. A backdoored model learns to see it. Another key hides another string by a change "
        "that looks much the same: try whether the model tells the two apart.",
        steps=steps.added,
    ),
    "TrojanNN": Text(
        r"\begin{gathered} J = \textstyle\sum_k (h_k(z) - v)^2, \quad x' = \mathrm{clip}(x + z) \\ "
        r"z \leftarrow \mathrm{clip}(z - \alpha\,\mathrm{sign}\,\nabla J)\end{gathered}",
        "h_k are the features with the largest weights before the last layer of a clean network, v is a value that "
        "they rarely reach; z is zero outside the patch and stays within e of its initial grey.",
        "Liu et al., NDSS 2018, [doi 10.14722/ndss.2018.23291](https://doi.org/10.14722/ndss.2018.23291)",
        "Any square can serve as a trigger. This patch is **optimised for a network**: its pixels are changed to drive "
        "a few features before the last layer towards v. Then it is trained in like any other trigger. It may lead "
        "some pictures to the target on a model that was never backdoored, so compare with the clean model's ASR.",
        steps=steps.added,
    ),
}
