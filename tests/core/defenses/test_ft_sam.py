"""FT-SAM on the shared loop: its loss, and what it becomes without a radius."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses import FTSAM, FineTuning
from core.defenses.repairs.ft_sam import smoothed
from core.networks.model_state import working_copy
from core.runs import finish

SAME = dict(steps=4, batch_size=16, lr=0.05)


def states(model: nn.Module) -> list[Tensor]:
    return list(model.state_dict().values())


def test_without_a_radius_it_is_fine_tuning(trained_net: nn.Module, colours: ImageSet) -> None:
    ours = finish(FTSAM(rho=0.0, smoothing=0.0, **SAME).run(trained_net, colours, seed=5))
    theirs = finish(FineTuning(**SAME).run(trained_net, colours, seed=5))
    assert all(torch.equal(a, b) for a, b in zip(states(ours), states(theirs), strict=True))
    shaken = finish(FTSAM(rho=2.0, smoothing=0.0, **SAME).run(trained_net, colours, seed=5))
    assert not all(torch.equal(a, b) for a, b in zip(states(shaken), states(theirs), strict=True))


def test_statistics_move_once_per_step(trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(FTSAM(**SAME).run(trained_net, colours))
    assert repaired.bn1.num_batches_tracked == trained_net.bn1.num_batches_tracked + 4


@pytest.mark.parametrize("classes", [2, 4, 10])
def test_smoothed_mass_goes_to_the_other_classes(classes: int) -> None:
    """1 - s for the label, s / (K - 1) for each other class."""
    logits = torch.randn(6, classes, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(6) % classes
    wanted = torch.full((6, classes), 0.1 / (classes - 1))
    wanted[torch.arange(6), labels] = 0.9
    torch.testing.assert_close(smoothed(0.1, classes)(logits, labels), F.cross_entropy(logits, wanted))


def test_no_steps_is_the_identity(trained_net: nn.Module, colours: ImageSet) -> None:
    same = finish(FTSAM(steps=0).run(trained_net, colours))
    assert all(torch.equal(a, b) for a, b in zip(states(same), states(trained_net), strict=True))


def test_it_learns(trained_net: nn.Module, colours: ImageSet) -> None:
    run = FTSAM(steps=20, lr=0.1, batch_size=32, rho=0.5).run(spoiled(trained_net), colours)
    losses = [p.metrics["loss"] for p in run if p.stage == "tune"]
    assert losses[-1] < 0.8 * losses[0]


def spoiled(model: nn.Module) -> nn.Module:
    copy = working_copy(model)
    with torch.no_grad():
        copy.linear.weight.zero_()
    return copy
