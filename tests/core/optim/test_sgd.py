"""SGD on augmented batches, and fine-tuning by it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import ANP, FineTuning
from core.networks.model_state import working_copy
from core.optim.batches import batches
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import finish

CONFIG = SGDConfig(4, 16, 0.1, 0.9, 0.0, "cosine", True, 2)


def test_config_of_a_method() -> None:
    method = FineTuning(steps=7, lr=0.02, schedule="constant", flip=False)
    assert SGDConfig.of(method) == SGDConfig(7, 64, 0.02, 0.9, 5e-4, "constant", False, 2)
    masks = SGDConfig.of(ANP(steps=3), weight_decay=0.0, schedule="constant")  # ANP has no such knobs
    assert masks == SGDConfig(3, 64, 0.2, 0.9, 0.0, "constant", True, 2)


def test_batches_visit_every_image_before_any_comes_back(colours: ImageSet) -> None:
    numbered = ImageSet(colours.images, torch.arange(len(colours)), colours.class_names)
    stream = batches(numbered, 16, torch.Generator().manual_seed(0), flip=True, pad=2)
    for _ in range(2):
        seen = torch.cat([next(stream)[1] for _ in range(4)])
        assert sorted(seen.tolist()) == list(range(64))


def test_unshuffled_batches_keep_the_order(colours: ImageSet) -> None:
    stream = batches(colours, 16, torch.Generator().manual_seed(0), flip=False, pad=0, shuffle=False)
    images, labels = next(stream)
    assert torch.equal(images, colours.pixels[:16])
    assert torch.equal(labels, colours.labels[:16])


def test_one_step_is_sgd(trained_net: nn.Module, colours: ImageSet) -> None:
    """One step by hand: theta - lr grad, on a batch of all images (whose order does not matter)."""
    config = SGDConfig(1, 64, 0.1, 0.9, 0.0, "constant", False, 0)
    mine = working_copy(trained_net)
    finish(train_with_sgd(mine, colours, config, generator=torch.Generator().manual_seed(0)))
    theirs = working_copy(trained_net).train()
    F.cross_entropy(theirs(colours.pixels), colours.labels).backward()
    for ours, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours, other - 0.1 * other.grad, atol=2e-3, rtol=0.05)


def test_running_statistics_move_once_per_step(trained_net: nn.Module, colours: ImageSet) -> None:
    mine = working_copy(trained_net)
    before = mine.bn1.num_batches_tracked.item()
    finish(train_with_sgd(mine, colours, CONFIG, generator=torch.Generator().manual_seed(0)))
    assert mine.bn1.num_batches_tracked.item() == before + CONFIG.steps


def test_fine_tuning_of_no_steps_is_the_identity(trained_net: nn.Module, colours: ImageSet) -> None:
    same = finish(FineTuning(steps=0).run(trained_net, colours))
    for name, tensor in trained_net.state_dict().items():
        assert torch.equal(tensor, same.state_dict()[name])
    assert same.report["validation/before"] == same.report["validation/after"]


def test_fine_tuning_learns(trained_net: nn.Module, colours: ImageSet) -> None:
    spoiled = working_copy(trained_net)
    with torch.no_grad():
        spoiled.linear.weight.zero_()
    run = FineTuning(steps=20, lr=0.1, batch_size=32).run(spoiled, colours)
    losses = [p.metrics["loss"] for p in run if p.stage == "tune"]
    assert losses[-1] < 0.7 * losses[0]
