"""bench.robust.overhead: the bare passes are as many as a step makes, and leave nothing behind."""

from __future__ import annotations

import pytest
from torch import nn

from bench.robust.overhead import STEPS, passes
from core.attacks import PGD
from core.training import AWP, Adversarial
from tests.conftest import colour_set


@pytest.mark.parametrize(("awp", "weights"), [(None, 1), (AWP(gamma=0.01), 2)])
def test_the_bare_passes_are_as_many_as_those_of_a_step(awp: AWP | None, weights: int) -> None:
    data = colour_set(16)
    model, count = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4)), 0

    def counted(layer: nn.Module, *_: object) -> None:
        nonlocal count
        count += isinstance(layer, nn.Flatten)

    handle = nn.modules.module.register_module_forward_hook(counted)
    try:
        bare = passes(model, data.pixels, data.labels, weights)
        count = 0  # the memory layout was tried with a pass of its own
        bare()
        alone = count
        method = Adversarial(
            attack=PGD(steps=STEPS), epochs=3, pictures=16, batch_size=16, heldout=0, weight_perturbation=awp
        )
        training = method.run(model, data)
        next(training)
        count = 0
        next(training)
        training.close()
    finally:
        handle.remove()
    assert alone == count == STEPS + weights
    assert all(parameter.grad is None for parameter in model.parameters())
