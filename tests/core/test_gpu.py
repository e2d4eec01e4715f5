"""The same runs on a CUDA device; skipped without one."""

import pytest
import torch
from torch import nn

from core.attacks import ATTACKS
from core.defenses import DEFENSES
from core.explain import EXPLAINERS
from core.metrics import evaluate
from core.runs import finish
from core.training import Standard
from core.triggers import BadNets, Flareon, InputAware, Poison, WaNet
from tests.conftest import TinyNet, colour_set
from tests.core.triggers.test_triggers import READY

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, which this machine lacks"),
]


@pytest.fixture
def on_gpu(trained_net: nn.Module) -> nn.Module:
    twin = TinyNet()
    twin.load_state_dict(trained_net.state_dict())
    return twin.eval().cuda()


@pytest.mark.parametrize("trigger", READY, ids=lambda t: type(t).__name__)
def test_triggers_agree_with_the_cpu(trigger) -> None:
    images = colour_set(8, size=32).pixels
    assert torch.allclose(trigger(images.cuda()).cpu(), trigger(images), atol=1e-5)


def test_scores_agree_with_the_cpu(on_gpu: nn.Module, trained_net: nn.Module) -> None:
    data = colour_set(64)
    ours, theirs = (evaluate(net, data, trigger=BadNets(), target=0) for net in (on_gpu, trained_net))
    assert ours == theirs


@pytest.mark.parametrize("trigger", [BadNets(), WaNet(), InputAware(mask_epochs=1, width=4), Flareon(motion="learned")])
def test_training(trigger) -> None:
    net, data = TinyNet().cuda(), colour_set(64)
    poison = Poison(trigger, mode="all-to-one" if "all-to-one" in trigger.modes else "any-to-any")
    made = finish(Standard(epochs=2, batch_size=16, poison=poison).run(net, data))
    assert next(made.parameters()).is_cuda
    assert made.trigger(data.pixels.cuda(), data.labels.cuda()).is_cuda


@pytest.mark.parametrize("defense", [cls() for cls in DEFENSES], ids=lambda d: type(d).__name__)
def test_defenses(defense, on_gpu: nn.Module) -> None:
    repaired = finish(defense.run(on_gpu, colour_set(128)))
    assert next(repaired.parameters()).is_cuda
    assert evaluate(repaired, colour_set(64, seed=1)).acc > 0.5


@pytest.mark.parametrize("attack", [cls() for cls in ATTACKS], ids=lambda a: type(a).__name__)
def test_attacks(attack, on_gpu: nn.Module) -> None:
    data = colour_set(16).to("cuda")
    result = finish(attack.run(on_gpu, data.pixels, data.labels))
    assert result.images.is_cuda and result.images.min() >= 0 and result.images.max() <= 1


@pytest.mark.parametrize("explainer", [cls() for cls in EXPLAINERS], ids=lambda e: type(e).__name__)
def test_explainers(explainer, on_gpu: nn.Module, trained_net: nn.Module) -> None:
    data = colour_set(4)
    ours = explainer(on_gpu, data.pixels.cuda(), data.labels.cuda()).cpu()
    assert torch.allclose(ours, explainer(trained_net, data.pixels, data.labels), atol=1e-3)
