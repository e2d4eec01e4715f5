"""Repairs and trainings of a network that cannot run in channels-last memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.attacks import WeightBackdoor
from core.data.imageset import ImageSet
from core.defenses import ANP, IBAU, SAU, TSBD, FinePruning, FineTuning, NeuralCleanse
from core.runs import Run, finish
from core.training import ABL, Standard
from core.triggers import BadNets
from tests.conftest import colour_set


class Viewing(nn.Module):
    """Flattens its 4 x 4 maps with `.view`, which channels-last memory does not allow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8)
        self.pool, self.linear = nn.MaxPool2d(4), nn.Linear(8 * 4 * 4, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.relu(self.norm(self.conv(x))))
        return self.linear(x.view(len(x), -1))


RUNS: dict[str, Callable[[nn.Module, ImageSet], Run[nn.Module]]] = {
    "Standard": lambda net, data: Standard(epochs=1, batch_size=16).run(net, data),
    "ABL": lambda net, data: ABL(isolate_epochs=1, epochs=1, unlearn_epochs=1, share=0.2).run(net, data),
    "FineTuning": lambda net, data: FineTuning(steps=2, batch_size=16).run(net, data),
    "FinePruning": lambda net, data: FinePruning(steps=2, batch_size=16, prune_step=0.5).run(net, data),
    "TSBD": lambda net, data: TSBD(steps=2, unlearn_steps=2, batch_size=16, candidates=1).run(net, data),
    "ANP": lambda net, data: ANP(steps=2, batch_size=16, candidates=1).run(net, data),
    "SAU": lambda net, data: SAU(steps=2, batch_size=16, attack_steps=1).run(net, data),
    "NeuralCleanse": lambda net, data: NeuralCleanse(
        epochs=2, epoch_steps=1, limit=0.0, success=0.0, steps=2, batch_size=16
    ).run(net, data),
    "IBAU": lambda net, data: IBAU(rounds=1, steps=1, iterations=2, batch_size=16).run(net, data),
    "WeightBackdoor": lambda net, data: WeightBackdoor(steps=2, batch_size=8).run(
        net, data, trigger=BadNets(), target=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_a_network_that_flattens_with_view_runs(name: str) -> None:
    torch.manual_seed(0)
    net, data = Viewing(), colour_set(60, classes=6)
    result = finish(RUNS[name](net, data))
    assert not torch.equal(result.conv.weight, net.conv.weight) or name in ("ANP", "TSBD")
    assert result(data.pixels).isfinite().all()
