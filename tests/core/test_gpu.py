"""The same runs on a CUDA device; skipped without one."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.attacks import ATTACKS, PGD, ReActivation, WeightBackdoor
from core.defenses import DEFENSES, DETECTORS
from core.device import best_device, gpu, hardware
from core.explain import EXPLAINERS, AttentionRollout, SmoothGrad
from core.flatness import FLATNESS, Landscape, Rescaled
from core.flatness.robust_loss import RobustLoss
from core.metrics import evaluate
from core.networks import batch_size
from core.networks.predictions import predict
from core.networks.report import report_of
from core.optim.gradients import backward, fit_of
from core.runs import finish
from core.training import ABL, AWP, FGSMRS, MART, NFGSM, SAM, TRADES, Adversarial, Standard
from core.triggers import SSBA, BadNets, Flareon, InputAware, LowFrequency, Poison, TrojanNN, WaNet
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


def test_the_gpu_is_chosen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERTURB_DEVICE", raising=False)
    found = gpu(best_device())
    assert found is not None and found.name == torch.cuda.get_device_name() == hardware()
    assert 0 < found.free <= found.total
    last = torch.cuda.device_count() - 1
    monkeypatch.setenv("PERTURB_DEVICE", f"cuda:{last}")
    assert best_device() == torch.device("cuda", last) and gpu(best_device()) is not None
    monkeypatch.setenv("PERTURB_DEVICE", f"cuda:{last + 1}")
    with pytest.raises(ValueError, match="counted from cuda:0"):
        best_device()
    monkeypatch.setenv("PERTURB_DEVICE", "cpu")
    assert best_device().type == "cpu" and gpu(best_device()) is None


def test_memory_that_was_freed_counts_as_free() -> None:
    held = torch.empty(2**28, dtype=torch.uint8, device="cuda")
    before = gpu(held.device)
    del held
    after = gpu(torch.device("cuda"))
    assert before is not None and after is not None and after.free - before.free > 2**27


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


@pytest.mark.parametrize(
    "explainer", [cls() for cls in EXPLAINERS if cls is not AttentionRollout], ids=lambda e: type(e).__name__
)
def test_explainers(explainer, on_gpu: nn.Module, trained_net: nn.Module) -> None:
    data = colour_set(4)
    ours = explainer(on_gpu, data.pixels.cuda(), data.labels.cuda()).cpu()
    assert ours.isfinite().all()
    if not isinstance(explainer, SmoothGrad):  # its noise is the GPU's
        assert torch.allclose(ours, explainer(trained_net, data.pixels, data.labels), atol=1e-3)


ROBUST: dict[str, Any] = dict(epochs=2, batch_size=16, pictures=64, heldout=16)
TRAININGS = [
    ABL(isolate_epochs=1, epochs=1), Standard(epochs=2, weight_perturbation=SAM()),
    Adversarial(**ROBUST, weight_perturbation=AWP(), ema=0.5, early_stop=True), TRADES(**ROBUST), MART(**ROBUST),
    Adversarial(**ROBUST, attack=FGSMRS(), rotation=1.0, label_noise=0.2, craft_mode="train"),
    Adversarial(**ROBUST, attack=NFGSM(), augmentation="AutoAugment", pseudo_labelled=16),
]  # fmt: skip


@pytest.mark.parametrize("method", TRAININGS, ids=lambda method: type(method).__name__)
def test_other_trainings(method) -> None:
    made = finish(method.run(TinyNet().cuda(), colour_set(64)))
    assert next(made.parameters()).is_cuda and evaluate(made, colour_set(32)).n == 32


@pytest.mark.parametrize("trigger", [LowFrequency(pictures=60, passes=1), SSBA(steps=5), TrojanNN(steps=5)])
def test_triggers_that_are_fitted(trigger, on_gpu: nn.Module) -> None:
    data = colour_set(64, size=32)
    fitted = finish(trigger.fit(on_gpu, data.to("cuda"), target=0))
    assert fitted(data.pixels.cuda()).is_cuda
    assert torch.allclose(fitted(data.pixels.cuda()).cpu(), fitted(data.pixels), atol=1e-4)


@pytest.mark.parametrize("detector", [cls() for cls in DETECTORS], ids=lambda d: type(d).__name__)
def test_detectors(detector, on_gpu: nn.Module) -> None:
    found = finish(detector.run(on_gpu, colour_set(80), clean=colour_set(80, seed=1)))
    assert found.scores.isfinite().all() and len(found.scores) == 80


def test_a_backdoor_in_the_weights(on_gpu: nn.Module) -> None:
    made = finish(WeightBackdoor(steps=4).run(on_gpu, colour_set(64), trigger=BadNets(), target=0))
    assert next(made.parameters()).is_cuda


@pytest.mark.parametrize("threat", ["white-box", "query", "transfer"])
def test_reactivation(threat: str, on_gpu: nn.Module) -> None:
    method = ReActivation(threat=threat, steps=4, batch_size=16, iterations=4, query_images=20)
    given = {"test": colour_set(60, seed=9), "trigger": BadNets(), "target": 1, "surrogates": [on_gpu]}
    found = finish(method.run(on_gpu, colour_set(64), **given))
    assert found.n == 45 and found.delta.abs().max() <= 8 / 255 + 1e-6


@pytest.mark.parametrize("method", [cls() for cls in FLATNESS], ids=lambda m: type(m).__name__)
def test_flatness(method, on_gpu: nn.Module, trained_net: nn.Module) -> None:
    found = finish(method.run(on_gpu, colour_set(64)))
    measured = found.relative[1] if isinstance(found, Rescaled) else found
    robust = finish(RobustLoss().losses(trained_net, colour_set(64).pixels, colour_set(64).labels, 0)).mean
    assert measured.reference == pytest.approx(robust, rel=0.05) and len(measured.draws) >= 3


def test_a_landscape(on_gpu: nn.Module) -> None:
    found = finish(Landscape(points=2).run(on_gpu, colour_set(64), others=[on_gpu]))
    assert found.loss.isfinite().all() and torch.allclose(found.loss[0], found.loss[1], rtol=1e-3)


class Wide(nn.Module):
    """Takes about 8 MiB per image of 64 pixels and pass without gradients, several times that with them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 256, 3, padding=1), nn.Conv2d(256, 256, 3, padding=1)
        self.linear = nn.Linear(256, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(torch.relu(self.conv2(torch.relu(self.conv1(x)))).mean((2, 3)))


@pytest.fixture
def wide() -> nn.Module:
    torch.manual_seed(0)
    return Wide().cuda().eval()


@pytest.fixture
def one_gib() -> Iterator[None]:
    """A GPU of which this process may take 1 GiB more than it holds."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, (torch.cuda.memory_reserved() + 2**30) / total))
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


def test_the_batch_follows_the_memory(wide: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    images, sizes = colour_set(300, size=64).pixels.cuda(), []
    for share in (0.25, 1e-3):
        monkeypatch.setattr(batch_size, "SHARE", share)
        sizes += [batch_size.batch_size(wide, images, 500, gradients=gradients) for gradients in (False, True)]
    plain, sloped, few, fewest = sizes
    assert 1 <= fewest <= few <= plain <= batch_size.MOST and fewest <= sloped <= plain
    assert batch_size._cost(wide, images, True) > batch_size._cost(wide, images, False) > 2**20
    assert not any(parameter.requires_grad is False or parameter.grad is not None for parameter in wide.parameters())


def test_scores_do_not_depend_on_the_batch(wide: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    images, found = colour_set(300, size=64).images.cuda(), []
    for most in (1024, 16):
        monkeypatch.setattr(batch_size, "MOST", most)
        found.append(predict(wide, images))
    assert torch.allclose(*found, atol=1e-3)


def test_scoring_goes_on_when_memory_runs_out(wide: nn.Module, one_gib: None) -> None:
    images = colour_set(1024, size=64).images
    found = predict(wide, images)  # 1,024 at once would take 8 GiB
    assert found.shape == (1024, 4) and torch.allclose(found[:8], predict(wide, images[:8]), atol=1e-3)


def test_training_goes_on_when_memory_runs_out(wide: nn.Module, one_gib: None) -> None:
    data = colour_set(256, size=64)
    made = finish(Standard(epochs=1, batch_size=256).run(wide, data))
    assert 1 <= report_of(made)["micro_batch"] < 256
    assert all(parameter.isfinite().all() for parameter in made.parameters())


def test_parts_give_the_gradient_of_the_whole(wide: nn.Module, request: pytest.FixtureRequest) -> None:
    data = colour_set(256, size=64).to("cuda")

    def gradient() -> Tensor:
        wide.zero_grad(set_to_none=True)
        backward(wide, nn.functional.cross_entropy, data.pixels, data.labels)
        return torch.cat([parameter.grad.flatten() for parameter in wide.parameters()])

    whole = gradient()
    assert fit_of(wide, data.images).size is None
    request.getfixturevalue("one_gib")
    parts = gradient()
    assert fit_of(wide, data.images).size < 256
    assert nn.functional.cosine_similarity(whole, parts, dim=0) > 0.999


def test_an_attack_goes_on_when_memory_runs_out(wide: nn.Module, one_gib: None) -> None:
    data = colour_set(256, size=64).to("cuda")
    found = finish(PGD(steps=2).run(wide, data.pixels, data.labels))
    assert len(found) == 256 and found.norms["linf"].max() <= 8 / 255 + 1e-6
