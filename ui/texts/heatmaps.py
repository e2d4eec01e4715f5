"""Heatmaps: what each method shows, by which formula, and what it does not show."""

from __future__ import annotations

from ui.texts.steps import heatmaps as steps
from ui.texts.text import Text


def arxiv(who: str, number: str) -> str:
    return f"{who}, [arXiv {number}](https://arxiv.org/abs/{number})"


MAPS = "A are the maps of the layer, g the gradient of the class's logit there, k a channel, u, v a position of Z."

TEXTS = {
    "GradCAM": Text(
        r"L = \textstyle\sum_k a_k A_k, \quad a_k = \tfrac{1}{Z} \textstyle\sum_{u,v} g_k(u, v)",
        MAPS,
        arxiv("Selvaraju et al., ICCV 2017", "1610.02391"),
        "Each map counts as much as its average gradient. Averaging can mark places that the model did not use: at an "
        "early layer, compare HiResCAM. The map is as coarse as the layer, and enlarging it smooths what is not known.",
        steps=steps.ends,
    ),
    "HiResCAM": Text(
        r"L = \textstyle\sum_k g_k \odot A_k", MAPS, arxiv("Draelos and Carin, 2020", "2011.08891"),
        "Gradient times activation, place by place. Where a single linear layer follows, the map adds up to the logit "
        "without its bias; elsewhere that proof does not hold. Behind the last pooling it equals Grad-CAM.",
        steps=steps.ends,
    ),
    "GradCAMPlusPlus": Text(
        r"L = \sum_k w_k A_k, \quad w_k = \sum_{u,v} \frac{g_k^2}{2 g_k^2 + S_k g_k^3}\, \mathrm{relu}(g_k)",
        f"{MAPS} S is the sum of A over the positions.",
        arxiv("Chattopadhyay et al., WACV 2018", "1710.11063"),
        "Only positive gradients count, weighted so that several instances of a class all show. The closed form is "
        "derived for the exponential of the logit; with the logit itself it is a convention.",
        steps=steps.ends,
    ),
    "LayerCAM": Text(
        r"L = \textstyle\sum_k \mathrm{relu}(g_k) \odot A_k", MAPS,
        "Jiang et al., IEEE TIP 2021, [doi](https://doi.org/10.1109/TIP.2021.3089943)",
        "Made for early layers, whose maps are finer. What speaks against the class is left out, so the map does not "
        "add up to the logit.",
        steps=steps.ends,
    ),
    "XGradCAM": Text(
        r"L = \sum_k w_k A_k, \quad w_k = \frac{\sum_{u,v} g_k A_k}{\sum_{u,v} A_k}", MAPS,
        arxiv("Fu et al., BMVC 2020", "2008.02312"),
        "Its weights keep the sum of gradient times activation. Behind the last pooling it equals Grad-CAM.",
        steps=steps.ends,
    ),
    "EigenCAM": Text(
        r"L = X v", "X are the activations by position, less their mean; v is the first right singular vector of X.",
        arxiv("Muhammad and Yeasin, IJCNN 2020", "2008.00299"),
        "What the layer does most, whatever the class: the map is the same for every class. The sign of v is "
        "arbitrary; here bright is where the layer is active.",
        steps=steps.ends,
    ),
    "ScoreCAM": Text(
        r"L = \sum_k w_k A_k, \quad w = \mathrm{softmax}_k\, f_y(x \odot H_k)",
        "H is a channel's map, enlarged and brought to [0, 1]; f is the logit of the class y.",
        arxiv("Wang et al., CVPR workshops 2020", "1910.01279"),
        "No gradient: the picture is masked by each map, and the maps count by what is left of the score. A masked "
        "picture is one that the model never saw. The authors' code weighs by the probability instead.",
        steps=steps.ends,
    ),
    "AblationCAM": Text(
        r"L = \sum_k w_k A_k, \quad w_k = \frac{f_y - f_y^{(A_k = 0)}}{f_y}",
        "f is the logit of the class y, with and without channel k.",
        "Desai and Ramaswamy, WACV 2020, [doi](https://doi.org/10.1109/WACV45572.2020.9093360)",
        "A channel counts as much as the score falls without it. Where the score is not positive, the drop is not "
        "divided by it (our choice), since all weights would change their sign.",
        steps=steps.ends,
    ),
    "Saliency": Text(
        r"L = \max_c \left| \partial f_y / \partial x_c \right|", "f is the logit of the class y, c a colour.",
        arxiv("Simonyan et al., 2013", "1312.6034"),
        "How the score reacts to a tiny change of each pixel. It is near zero where the evidence is complete, and "
        "noisy elsewhere. Without its sign it does not tell for from against.",
        steps=steps.ends,
    ),
    "IntegratedGradients": Text(
        r"L = \sum_c (x - x')_c \int_0^1 \frac{\partial f_y}{\partial x_c}\big(x' + t (x - x')\big)\, dt",
        "x' is the baseline, c a colour, f the logit of the class y.",
        arxiv("Sundararajan, Taly, Yan, ICML 2017", "1703.01365"),
        "The map adds up to the change of the logit from the baseline to the picture. No baseline is neutral: against "
        "black, black pixels get nothing.",
        steps=steps.ends,
    ),
    "SmoothGrad": Text(
        r"L = \frac{1}{n} \sum_i \sum_c \frac{\partial f_y}{\partial x_c}(x + e_i), \quad e_i \sim N(0, \sigma^2)",
        "f is the logit of the class y, c a colour, σ a share of the picture's range.",
        arxiv("Smilkov et al., 2017", "1706.03825"),
        "The gradient, averaged over noisy copies. It looks cleaner, and it is the map of a blurred function.",
        steps=steps.ends,
    ),
    "Occlusion": Text(
        r"L(p) = \operatorname{mean}_{W \ni p} \left[ f_y(x) - f_y(x_{\setminus W}) \right]",
        "W are the windows that cover pixel p, f the logit of the class y.",
        arxiv("Zeiler and Fergus, ECCV 2014", "1311.2901"),
        "How much the score falls when a window is covered. What it is covered with matters: every fill is something, "
        "too. Evidence that stands in two places is not found by covering one of them.",
        steps=steps.ends,
    ),
    "LRP": Text(
        r"R_i = \sum_j \frac{a_i (w_{ij} + \gamma w^{s}_{ij})}{\sum_i a_i (w_{ij} + \gamma w^{s}_{ij})}\, R_j",
        "R is relevance, a an activation, w a weight; wˢ is the part whose contribution has the sign of the output.",
        "Bach et al., PLoS ONE 2015, [doi](https://doi.org/10.1371/journal.pone.0130140)",
        "The logit is shared out backwards, layer by layer. With γ = 0 the map is that of input times gradient; a "
        "larger γ prefers what agrees with the answer, so it is smoother and tells less of what speaks against it.",
        steps=steps.ends,
    ),
    "RISE": Text(
        r"S = \frac{1}{N p} \sum_{i=1}^{N} p_y(x \odot M_i)\, M_i",
        "M are random masks that keep a cell with probability p, pᵧ is the probability of the class y. Centred, S is "
        "less what it would be if the masks did not matter.",
        arxiv("Petsiuk, Das, Saenko, BMVC 2018", "1806.07421"),
        "Only answers are asked for, so it works on any model. It is an average over random masks: with few of them "
        "the map is noise, and another seed gives another one.",
        steps=steps.ends,
    ),
    "AttentionRollout": Text(
        r"L = \Big[ \prod_l \tfrac{1}{2}(A_l + I) \Big]_{\mathrm{cls}}",
        "A is a block's attention, the mean over its heads; the row is that of the class token.",
        arxiv("Abnar and Zuidema, ACL 2020", "2005.00928"),
        "Which patches are mixed into the answer of a vision transformer. It is the same for every class, and "
        "attention is no proof of use: what is attended to may be thrown away later.",
        steps=steps.ends,
    ),
    "GuidedBackprop": Text(
        r"R_{\mathrm{in}} = [z > 0]\, [R_{\mathrm{out}} > 0]\, R_{\mathrm{out}}",
        "R runs backwards through each ReLU, z is what went into it.",
        arxiv("Springenberg et al., 2014", "1412.6806"),
        "**A warning.** It looks sharp because it redraws the picture's edges. It hardly changes when the weights are "
        "replaced by random ones ([Adebayo et al., NeurIPS 2018](https://arxiv.org/abs/1810.03292)), so it says "
        "little about what this model learned.",
        steps=steps.ends,
    ),
}  # fmt: skip

SCORES = {
    "agreement": Text(
        r"\rho = \mathrm{corr}(\mathrm{rank}\, L, \mathrm{rank}\, L')",
        "L and L' are the two heatmaps of one picture, pixel by pixel.",
        "[Rank correlation](https://en.wikipedia.org/wiki/Spearman%27s_rank_correlation_coefficient)",
        steps=steps.agreement,
    ),
}  # fmt: skip
