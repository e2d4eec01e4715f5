"""From masks to a pruned model: the threshold, chosen as `selection` says."""

from __future__ import annotations

from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.channel_masks import at_most, prune, share
from core.defenses.shared.selection import Choice, Oracle, accuracy, choose
from core.networks.bn_conv_pairs import channel_names
from core.runs import Progress, Run


def prune_by_threshold(
    model: nn.Module,
    masks: dict[str, Tensor],
    validation: ImageSet,
    *,
    rule: str,
    threshold: float,
    tau: float,
    candidates: int,
    oracle: Oracle | None,
) -> Run[Choice]:
    """`model` with the channels pruned whose mask is at most the threshold that `rule` picks from (0, `threshold`].

    Rules as in `core.defenses.shared.selection`; the masks are learned, so a candidate costs one look at
    the validation images.
    """
    floor = (1 - tau) * accuracy(model, validation)

    def repair(threshold: float) -> Run[nn.Module]:
        channels = at_most(masks, threshold)
        pruned = prune(model, channels)
        yield Progress("prune", 1, 1, {"pruned": share(channels)}, model=pruned)
        return pruned

    def score(pruned: nn.Module) -> float:
        return accuracy(pruned, validation)

    return (yield from choose(rule, threshold, repair, score, floor=floor, candidates=candidates, oracle=oracle))


def mask_report(
    kind: str, model: nn.Module, masks: dict[str, Tensor], validation: ImageSet, chosen: Choice
) -> dict[str, Tensor | float]:
    """What ANP and RNP say about a pruning: "threshold", "pruned", the validation figures, and by layer
    "<kind>/…" (the masks) and "masks/…" (bool, the channels pruned), named as `channel_names` does."""
    channels = at_most(masks, chosen.strength)
    names = channel_names(model, validation.images[:1], list(masks))
    report: dict[str, Tensor | float] = {
        "threshold": chosen.strength,
        "pruned": share(channels),
    }
    report |= chosen.figures(accuracy(model, validation))
    report |= {f"validation/threshold={t:g}": score for t, score in chosen.tried.items()}
    report |= {f"{kind}/{names[norm]}": mask for norm, mask in masks.items()}
    return report | {f"masks/{names[norm]}": marked for norm, marked in channels.items()}
