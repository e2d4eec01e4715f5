"""What every trigger keeps that is fitted before the training."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.triggers import TRIGGERS
from core.triggers.shared.offline import OfflineTrigger
from tests.conftest import TinyNet, colour_set
from tests.core.triggers.fitting import SHORT, driven


def test_every_fitted_trigger_is_tried_here() -> None:
    assert {type(trigger) for trigger in SHORT} == {cls for cls in TRIGGERS if issubclass(cls, OfflineTrigger)}


@pytest.mark.parametrize("trigger", SHORT, ids=lambda trigger: type(trigger).__name__)
class TestContract:
    def test_a_fit_gives_a_new_trigger_with_the_same_knobs(self, trigger: Any, trained_net: nn.Module) -> None:
        train = colour_set(40)
        fitted, seen = driven(trigger, trained_net, train)
        assert fitted == trigger and hash(fitted) == hash(trigger)
        assert fitted.state and not trigger.state
        assert all(not value.requires_grad and value.isfinite().all() for value in fitted.state.values())
        stamped = fitted(train.pixels)
        assert stamped.shape == train.pixels.shape and stamped.min() >= 0 and stamped.max() <= 1
        assert not torch.equal(stamped, train.pixels)
        assert all(p.stage == "fit" and 1 <= p.step <= p.total for p in seen)

    def test_same_seed_same_state(self, trigger: Any, trained_net: nn.Module) -> None:
        first, second = (driven(trigger, trained_net, colour_set(40), seed=3)[0].state for _ in range(2))
        assert all(torch.equal(value, second[name]) for name, value in first.items())

    def test_the_model_and_the_random_numbers_stay_as_they_were(self, trigger: Any) -> None:
        torch.manual_seed(1)
        model, train = TinyNet().train(), colour_set(40)
        before, pictures = copy.deepcopy(model.state_dict()), train.images.clone()
        random = torch.get_rng_state()
        run = trigger.fit(model, train, target=0)
        for _ in itertools.islice(run, 3):
            assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            assert not torch.is_autocast_enabled("cpu")
            assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
        run.close()
        assert torch.equal(torch.get_rng_state(), random)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert model.training and all(p.requires_grad and p.grad is None for p in model.parameters())
        assert torch.equal(train.images, pictures)

    def test_a_class_that_is_none_is_refused(self, trigger: Any, trained_net: nn.Module, colours: ImageSet) -> None:
        with pytest.raises(ValueError, match="target = 4 is not a class"):
            driven(trigger, trained_net, colours, target=4)
