"""TAC: closed forms of both of its forms, what it is blind to, and that it leaves the model alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.metrics.tac import channel_change, trigger_activated_change
from core.networks.channels import neuron_layers
from core.runs import Progress
from core.triggers import BadNets
from tests.core.defenses.test_contract import assert_same, snapshot


class Sums(nn.Module):
    """One layer whose channels are w_0 x and w_1 x of a grey picture, before a second one."""

    def __init__(self, first: float, second: float):
        super().__init__()
        self.one = nn.Conv2d(1, 2, 1, bias=False)
        self.two = nn.Conv2d(2, 1, 1)
        self.one.weight.data = torch.tensor([first, second]).view(2, 1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x)).mean((2, 3))


def lit(images: Tensor) -> Tensor:
    """The trigger: one pixel brighter by a half."""
    triggered = images.clone()
    triggered[..., 0, 0] += 0.5
    return triggered


def test_both_forms_in_closed_form() -> None:
    images = torch.full((3, 1, 2, 2), 0.25)
    model = Sums(2.0, 0.0)
    plain = trigger_activated_change(model, images, lit(images), form="l1")
    torch.testing.assert_close(plain["one"], torch.tensor([1.0, 0.0]))  # 2 · 0.5 at one pixel
    scaled = trigger_activated_change(model, images, lit(images), form="l2")
    clean, triggered = (4 * 0.5**2) ** 0.5, (3 * 0.5**2 + 1.5**2) ** 0.5
    torch.testing.assert_close(scaled["one"], torch.tensor([2 / (clean + triggered), 0.0]))


def test_a_mean_over_different_pictures_is_taken_after_the_absolute_value() -> None:
    images = torch.tensor([0.5, 0.5]).view(2, 1, 1, 1)
    triggered = torch.tensor([0.75, 0.25]).view(2, 1, 1, 1)
    plain = trigger_activated_change(Sums(1.0, -4.0), images, triggered, form="l1")
    torch.testing.assert_close(plain["one"], torch.tensor([0.25, 1.0]))


@pytest.mark.parametrize("form", ["l1", "l2"])
def test_no_trigger_no_change(form: str, trained_net: nn.Module, colours) -> None:
    found = trigger_activated_change(trained_net, colours.images, colours.pixels, form=form)
    assert list(found) == neuron_layers(trained_net) == ["conv1", "conv2"]
    assert [len(change) for change in found.values()] == [8, 16]
    assert all((change == 0).all() for change in found.values())


def test_the_second_form_does_not_see_the_scale_of_a_layer(colours) -> None:
    images = colours.pixels[:, :1]
    one = trigger_activated_change(Sums(1.0, 0.3), images, lit(images * 0.5))
    two = trigger_activated_change(Sums(8.0, 2.4), images, lit(images * 0.5))
    torch.testing.assert_close(one["one"], two["one"])


def test_batches_change_nothing(trained_net: nn.Module, colours) -> None:
    images, triggered = colours.images, BadNets()(colours.pixels)
    layers = neuron_layers(trained_net)
    for form in ("l1", "l2"):
        whole = trigger_activated_change(trained_net, images, triggered, form=form)
        run = channel_change(trained_net, images, triggered, layers, form=form, size=7)
        steps: list[Progress] = []
        while True:
            try:
                steps.append(next(run))
                assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            except StopIteration as end:
                parts = end.value
                break
        assert [step.step for step in steps] == list(range(1, 11)) and steps[0].total == 10
        for name in layers:
            torch.testing.assert_close(whole[name], parts[name])


def test_the_model_is_left_as_it_was(trained_net: nn.Module, colours) -> None:
    trained_net.train()
    before = snapshot(trained_net)
    trigger_activated_change(trained_net, colours.pixels, BadNets()(colours.pixels))
    assert_same(before, snapshot(trained_net))
    trained_net.eval()


def test_a_transformers_linear_layers_have_channels_too() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.mix, self.head = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 5), nn.Linear(5, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.mix(self.embed(x).flatten(2).transpose(1, 2)).mean(1))

    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    found = trigger_activated_change(Tokens(), images, BadNets()(images))
    assert {name: len(change) for name, change in found.items()} == {"embed": 6, "mix": 5}
    assert all((change > 0).all() for change in found.values())


@pytest.mark.parametrize(
    ("images", "triggered", "form", "said"),
    [
        (torch.rand(3, 3, 8, 8), torch.rand(2, 3, 8, 8), "l2", "same pictures"),
        (torch.rand(0, 3, 8, 8), torch.rand(0, 3, 8, 8), "l2", "same pictures"),
        (torch.rand(3, 3, 8, 8), torch.rand(3, 3, 8, 8), "l3", "form = 'l3'"),
    ],
)
def test_what_does_not_pair_is_refused(
    trained_net: nn.Module, images: Tensor, triggered: Tensor, form: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        trigger_activated_change(trained_net, images, triggered, form=form)
