"""The memory layout: channels last where a network can take it, silently the plain one elsewhere."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch
from torch import Tensor, nn

import models
from core.attacks import FGSM, PGD, ReActivation, Regional
from core.data.imageset import ImageSet
from core.device import dtype_of
from core.explain import GradCAM, HiResCAM
from core.metrics import bec, evaluate
from core.metrics.tac import trigger_activated_change
from core.networks.bn_conv_pairs import bn_conv_pairs
from core.networks.feature_maps import feature_maps
from core.networks.layout import as_input, laid_out, layout_of, set_layout, training_copy
from core.networks.penultimate import classifier_of, penultimate
from core.networks.predictions import predict
from core.runs import finish
from core.triggers import BadNets, LowFrequency, TrojanNN
from tests.conftest import TinyNet, colour_set
from tests.core.defenses.test_contract import assert_same, snapshot

TRIGGER = BadNets(side=6)
LAST = torch.channels_last


class ViewNet(nn.Module):
    """Flattens maps of more than one position by `.view`, which channels-last maps refuse."""

    def __init__(self, seed: int = 0):
        super().__init__()
        torch.manual_seed(seed)
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, 2, 1)
        self.linear = nn.Linear(16 * 16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return self.linear(x.view(len(x), -1))


class Watched(nn.Module):
    """A network that notes what it is given."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net, self.given = net, []

    def forward(self, x: Tensor) -> Tensor:
        self.given.append(x)
        return self.net(x)


def is_last(images: Tensor) -> bool:
    return images.is_contiguous(memory_format=LAST) and not images.is_contiguous()


def attacked(attack, net: nn.Module, data: ImageSet) -> Tensor:
    return finish(attack.run(net, data.pixels, data.labels)).images


def reactivated(net: nn.Module, data: ImageSet) -> Tensor:
    short = ReActivation(steps=2, images=16, batch_size=8)
    return finish(short.run(net, data, test=data, trigger=TRIGGER, target=0, clean_model=ViewNet(3))).delta


USES = {
    "predict": lambda net, data: predict(net, data.images),
    "evaluate": lambda net, data: torch.tensor(evaluate(net, data, trigger=TRIGGER, target=0).acc),
    "penultimate": lambda net, data: penultimate(net, classifier_of(net, data.images[:2]), data.images),
    "channel change": lambda net, data: trigger_activated_change(net, data.images, TRIGGER(data.pixels))["conv2"],
    "feature maps": lambda net, data: torch.tensor(len(feature_maps(net, data.images, count=2))),
    "bn_conv_pairs": lambda net, data: torch.tensor(float(bn_conv_pairs(net, data.images[:1]) == {"bn1": "conv1"})),
    "FGSM": lambda net, data: attacked(FGSM(), net, data),
    "PGD": lambda net, data: attacked(PGD(steps=2), net, data),
    "Regional": lambda net, data: attacked(Regional(steps=2), net, data),
    "attended Regional": lambda net, data: attacked(Regional(steps=2, family="attention"), net, data),
    "ReActivation": lambda net, data: reactivated(net, data),
    "GradCAM": lambda net, data: GradCAM()(net, data.pixels, data.labels),
    "HiResCAM of channels-last pictures": lambda net, data: HiResCAM()(
        net, data.pixels.contiguous(memory_format=LAST), data.labels
    ),
    "BEC": lambda net, data: torch.tensor(bec(net, ViewNet(1), ViewNet(2), data, TRIGGER)),
    "LowFrequency": lambda net, data: finish(
        LowFrequency(pictures=10, passes=1, steps=2).fit(net, data, target=0)
    ).state["pattern"],
    "TrojanNN": lambda net, data: finish(TrojanNN(neurons=64, steps=2).fit(net, data, target=0)).state["patch"],
}  # fmt: skip


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_a_network_that_flattens_by_view_goes_everywhere(use, colours: ImageSet) -> None:
    net = ViewNet()
    before = snapshot(net)
    found = use(net, colours)
    assert found.isfinite().all() and found.float().abs().sum() > 0
    assert_same(before, snapshot(net))
    assert net.conv1.weight.is_contiguous()


def test_what_it_answers_is_what_the_plain_layout_gives(colours: ImageSet) -> None:
    net = ViewNet().eval()
    with torch.no_grad():
        assert torch.equal(predict(net, colours.images), net(colours.pixels))


USES_LAST = ["predict", "evaluate", "penultimate", "channel change", "feature maps", "FGSM", "PGD", "Regional"]


@pytest.mark.parametrize("use", USES_LAST)
def test_a_network_that_can_is_given_channels_last(use: str, colours: ImageSet) -> None:
    net, given = TinyNet(), []
    net.conv1.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0]))
    USES[use](net, colours)
    assert given and all(is_last(images) for images in given)


def test_one_trial_pass_for_a_network_and_a_size(colours: ImageSet) -> None:
    net = Watched(TinyNet())
    for _ in range(3):
        predict(net, colours.images)
    assert [len(images) for images in net.given] == [2, 64, 64, 64]
    attacked(PGD(steps=2), net, colours)
    assert sum(len(images) == 2 for images in net.given) == 1
    predict(net, colours.images[..., :12, :12])
    assert [len(images) for images in net.given[-2:]] == [2, 64]
    view = Watched(ViewNet())
    for _ in range(3):
        predict(view, colours.images)
    assert [len(images) for images in view.given] == [2, 64, 64, 64]


def test_a_view_over_the_batch_is_found_too(colours: ImageSet) -> None:
    class Batched(TinyNet):
        def forward(self, x: Tensor) -> Tensor:
            maps = torch.relu(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return self.linear(maps.view(len(x) * 16, 64).mean(1).view(len(x), 16))

    assert predict(Batched(), colours.images).shape == (64, 4)


def test_a_network_without_convolutions_is_not_tried(colours: ImageSet) -> None:
    net = Watched(nn.Sequential(nn.Flatten(), nn.Linear(768, 4)))
    predict(net, colours.images)
    assert len(net.given) == 1 and net.given[0].is_contiguous()


def test_pictures_of_the_wrong_size_do_not_decide_for_the_right_one(colours: ImageSet) -> None:
    class Strict(TinyNet):
        def forward(self, x: Tensor) -> Tensor:
            assert x.shape[2:] == (16, 16)
            return super().forward(x)

    net = Strict()
    with pytest.raises(AssertionError):
        predict(net, colours.images[..., :12, :12])
    assert layout_of(net, colours.images) == LAST


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_any_dtype_and_gradient_mode(dtype: torch.dtype, context, colours: ImageSet) -> None:
    can, cannot = TinyNet().to(dtype).eval(), ViewNet().to(dtype).eval()
    before = snapshot(can)
    with context():
        assert layout_of(can, colours.images) == LAST and layout_of(cannot, colours.images) == torch.contiguous_format
        assert as_input(can, colours.images).dtype == dtype
        assert predict(can, colours.images[:4]).isfinite().all() and predict(cannot, colours.pixels[:4]).shape == (4, 4)
    assert_same(before, snapshot(can))
    finish(FGSM().run(can, colours.pixels[:4], colours.labels[:4]))  # what was found inside serves outside


def test_images_become_the_model_s(colours: ImageSet) -> None:
    net = TinyNet()
    images = as_input(net, colours.images)
    assert images.dtype == torch.float32 and is_last(images) and torch.equal(images, colours.pixels)
    assert as_input(net.double(), colours.pixels).dtype == torch.float64
    given = images.clone(memory_format=torch.preserve_format)
    assert laid_out(net, given) is given  # nothing is copied where nothing is to be done
    assert as_input(ViewNet(), images).is_contiguous()
    assert as_input(net, colours.images[:0]).shape == (0, 3, 16, 16)
    assert colours.images.dtype == torch.uint8


def test_an_error_of_memory_is_not_taken_for_an_answer(colours: ImageSet) -> None:
    class Full(TinyNet):
        error: type[Exception] | None = torch.OutOfMemoryError

        def forward(self, x: Tensor) -> Tensor:
            if self.error is not None:
                raise self.error("no memory left")
            return super().forward(x)

    net = Full()
    for error in (torch.OutOfMemoryError, MemoryError):
        net.error = error
        with pytest.raises(error):
            layout_of(net, colours.images)
    net.error = None
    assert layout_of(net, colours.images) == LAST


def test_the_trial_draws_from_no_random_numbers_of_the_caller(colours: ImageSet) -> None:
    class Noisy(TinyNet):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x + 0.01 * torch.randn_like(x))

    net = Noisy()
    state = torch.get_rng_state()
    layout_of(net, colours.images)
    assert torch.equal(torch.get_rng_state(), state)


def test_networks_are_held_weakly_and_carry_nothing(colours: ImageSet) -> None:
    net = ViewNet()
    before = set(vars(net))
    layout_of(net, colours.images)
    GradCAM()(net, colours.pixels, 0)
    assert set(vars(net)) == before
    gone = [weakref.ref(net), weakref.ref(net.conv2)]
    twin = copy.deepcopy(net)
    layout_of(twin, colours.images)
    GradCAM()(twin, colours.pixels, 0)
    gone.append(weakref.ref(twin))
    del net, twin
    gc.collect()
    assert all(ref() is None for ref in gone)


def test_weights_are_set_in_place_and_back(colours: ImageSet) -> None:
    can, cannot = TinyNet(), ViewNet()
    assert set_layout(can, colours.images) is can and can.conv1.weight.is_contiguous(memory_format=LAST)
    cannot.to(memory_format=LAST)  # as somebody may have set it
    assert set_layout(cannot, colours.images) is cannot and cannot.conv1.weight.is_contiguous()
    assert predict(cannot, colours.images).shape == (64, 4)


def test_a_training_copy_trains_and_the_model_is_left_alone(colours: ImageSet) -> None:
    for net in (TinyNet().requires_grad_(False), ViewNet().train()):
        before = snapshot(net)
        twin = training_copy(net, colours.images)
        assert type(twin) is type(net) and not twin.training
        twin(laid_out(twin, colours.pixels)).sum().backward()
        assert all(parameter.grad is not None for parameter in twin.parameters())
        assert_same(before, snapshot(net))
        assert net.conv1.weight.is_contiguous() and not net.conv1.weight.is_contiguous(memory_format=LAST)


def test_a_classifier_is_placed_by_a_black_image_of_its_size() -> None:
    model = models.create("preact_resnet18", ("a", "b"), width=4)
    assert set_layout(model.eval(), torch.zeros(1, *model.input_size)) is model
    assert layout_of(model, torch.zeros(5, *model.input_size)) == LAST
    assert model.net.conv1.weight.is_contiguous(memory_format=LAST)
    model.net = ViewNet()
    set_layout(model, torch.zeros(1, 3, 16, 16))
    assert model.net.conv1.weight.is_contiguous() and predict(model, torch.zeros(2, 3, 16, 16)).shape == (2, 4)


def test_the_dtype_of_a_model_is_that_of_its_first_floating_tensor() -> None:
    assert dtype_of(nn.Flatten()) == torch.float32 and dtype_of(TinyNet().half()) == torch.float16
    assert colour_set(2).pixels.dtype == torch.float32
