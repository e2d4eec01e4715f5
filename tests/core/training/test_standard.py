"""Plain and poisoned training."""

import dataclasses

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.optim.augment import flip_and_shift
from core.optim.batches import batches
from core.runs import finish
from core.training import SAM, Standard
from core.training.standard import stamping
from core.triggers import BadNets, Flareon, InputAware, Poison, WaNet
from core.triggers.flareon import Motion
from tests.conftest import TinyNet, colour_set

SHORT = Standard(epochs=3, batch_size=16, lr=0.05, flip=False, pad=0)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return TinyNet()


def test_it_learns_and_leaves_the_model_it_was_given() -> None:
    model, data = fresh(), colour_set(64)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = finish(Standard(epochs=12, batch_size=16, lr=0.05).run(model, data))
    assert (result(data.pixels).argmax(1) == data.labels).float().mean() > 0.95
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training and all(p.requires_grad and p.grad is None for p in model.parameters())
    assert not result.training and not any(p.requires_grad for p in result.parameters())


def test_same_seed_same_weights_other_seed_others() -> None:
    def weights(seed: int) -> torch.Tensor:
        return finish(SHORT.run(fresh(), colour_set(64), seed=seed)).linear.weight

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


@pytest.mark.parametrize("trigger", [BadNets(), WaNet(strength=4.0)])
def test_a_poisoned_training_says_what_it_did(trigger) -> None:
    method = Standard(epochs=1, batch_size=16, poison=Poison(trigger, target=1, rate=0.25))
    result = finish(method.run(fresh(), colour_set(64)))
    assert (result.trigger, result.target, result.mode) == (trigger, 1, "all-to-one")
    assert len(result.poisoned) == (16 if trigger == BadNets() else 0)


LEARNED = [InputAware(width=4, mask_epochs=1), Flareon(motion="learned", amplify=3.0, warmup=1)]


@pytest.mark.parametrize("trigger", LEARNED, ids=lambda t: type(t).__name__)
def test_a_trigger_that_learns_along_comes_back_fitted(trigger) -> None:
    model, data = fresh(), colour_set(64)
    poison = Poison(trigger, target=1, rate=0.5, mode=trigger.modes[0])
    method, state = Standard(epochs=2, batch_size=16, poison=poison), torch.get_rng_state()
    first, second = (finish(method.run(model, data, seed=3)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.trigger == trigger and first.trigger.state and not trigger.state
    assert first.target == (None if first.mode == "any-to-any" else 1)
    for name, tensor in first.trigger.state.items():
        assert torch.equal(tensor, second.trigger.state[name]) and not tensor.requires_grad
    assert torch.equal(first.linear.weight, second.linear.weight)
    other = finish(dataclasses.replace(method, epochs=1).run(model, data, seed=3))
    if isinstance(trigger, InputAware):
        assert any(not torch.equal(first.trigger.state[n], other.trigger.state[n]) for n in other.trigger.state)
    else:  # frozen after its one epoch of warm-up, while the model trains on; the cycle of one epoch is another one
        assert not torch.equal(first.trigger.state["tau"], Motion(trigger, data, "any-to-any", warmup=0).tau)


def test_the_mask_stage_comes_first_and_is_watched() -> None:
    method = Standard(epochs=1, batch_size=16, poison=Poison(InputAware(width=4, mask_epochs=2), rate=0.25))
    run = method.run(fresh(), colour_set(64))
    seen = []
    for progress in run:
        seen.append((progress.stage, progress.step, progress.total))
        assert torch.is_grad_enabled()
    assert seen == [("mask", i, 8) for i in range(1, 9)] + [("train", i, 4) for i in range(1, 5)]


def first_batch(data: ImageSet, poison: Poison) -> torch.Tensor:
    """The images of a training's first batch, in their order."""
    generator = torch.Generator().manual_seed(5)
    before, after = stamping(poison, 4, generator, None)
    return next(batches(data, 16, generator, flip=True, pad=2, shuffle=False, before=before, after=after))[0]


def test_flareon_warps_after_flip_and_shift_and_wanet_before() -> None:
    """A flip of the warped picture is not the warp of the flipped one."""
    data, flareon = colour_set(16), Poison(Flareon(amplify=3.0), rate=1.0, mode="any-to-any")
    moved = flip_and_shift(data.pixels, torch.Generator().manual_seed(5), flip=True, pad=2)
    assert torch.allclose(first_batch(data, flareon), flareon.trigger(moved, data.labels), atol=1e-6)
    again, wanet = torch.Generator().manual_seed(5), Poison(WaNet(strength=4.0, cross=0.0), rate=1.0)
    expected = flip_and_shift(wanet.trigger(data.pixels), again, flip=True, pad=2)
    assert torch.allclose(first_batch(data, wanet), expected, atol=1e-6)


def test_any_to_any_carries_no_target() -> None:
    poison = Poison(Flareon(), target=2, rate=0.6, mode="any-to-any")
    result = finish(Standard(epochs=1, batch_size=16, poison=poison).run(fresh(), colour_set(64)))
    assert (result.trigger, result.target, result.mode) == (Flareon(), None, "any-to-any")
    assert len(result.poisoned) == 0


def test_memory_trouble_keeps_the_gradient_of_the_pictures() -> None:
    from core.optim.gradients import backward

    class Tight(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.room = nn.Linear(3, 4), 99

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) > self.room:
                raise torch.OutOfMemoryError("too much")
            return self.linear(x.mean((2, 3)))

    torch.manual_seed(0)
    model, data, gradients = Tight(), colour_set(20), []
    for room in (99, 6):
        model.room = room
        pixels = data.pixels.requires_grad_()
        backward(model, nn.functional.cross_entropy, pixels, data.labels)
        gradients.append(pixels.grad)
    assert torch.allclose(*gradients, atol=2e-3 * gradients[0].abs().max())


def test_a_clean_training_says_so() -> None:
    result = finish(SHORT.run(fresh(), colour_set(64)))
    assert result.trigger is result.target is result.mode is None


def test_no_epochs_is_the_identity() -> None:
    model, data = fresh(), colour_set(32)
    result = finish(Standard(epochs=0).run(model, data))
    assert torch.allclose(result(data.pixels), model.eval()(data.pixels), atol=1e-6)


def test_progress_is_yielded_outside_of_every_context() -> None:
    run = SHORT.run(fresh(), colour_set(64))
    for expected in range(1, 13):
        progress = next(run)
        assert (progress.stage, progress.step, progress.total) == ("train", expected, 12)
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    run.close()


def test_divergence_is_one_sentence() -> None:
    broken = fresh()
    broken.linear.weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="no longer finite at step 4 of 12; choose a lower lr"):
        finish(SHORT.run(broken, colour_set(64)))


def test_shifts_reflect_and_flips_mirror() -> None:
    images = colour_set(8).pixels
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(flip_and_shift(images, generator, flip=False, pad=0), images)
    mirrored = flip_and_shift(images, generator, flip=True, pad=0)
    same = (mirrored == images).flatten(1).all(1)
    turned = (mirrored == images.flip(3)).flatten(1).all(1)
    assert (same ^ turned).all()
    moved = flip_and_shift(images, generator, flip=False, pad=2)
    padded = nn.functional.pad(images, (2, 2, 2, 2), mode="reflect")
    windows = padded.unfold(2, 16, 1).unfold(3, 16, 1)
    found = (windows == moved[:, :, None, None]).all(-1).all(-1).all(1).flatten(1).any(1)
    assert found.all()


def test_memory_trouble_halves_the_batch_and_keeps_the_gradient() -> None:
    from core.optim.gradients import backward

    class Tight(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.room = nn.Linear(3, 4), 99

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) > self.room:
                raise torch.OutOfMemoryError("too much")
            return self.linear(x.mean((2, 3)))

    torch.manual_seed(0)
    model, data, gradients = Tight(), colour_set(20), []
    for room in (99, 6):
        model.room = room
        model.zero_grad()
        backward(model, nn.functional.cross_entropy, data.pixels, data.labels)
        gradients.append(model.linear.weight.grad.clone())
    assert torch.allclose(*gradients, atol=2e-3)


def weights_of(model: nn.Module | None = None, **knobs) -> torch.Tensor:
    method = dataclasses.replace(SHORT, **knobs)
    return finish(method.run(model or fresh(), colour_set(64), seed=1)).linear.weight


class TestSchedule:
    def test_momentum_counts_with_the_cosine(self) -> None:
        assert not torch.equal(weights_of(schedule="cosine"), weights_of(schedule="cosine", momentum=0.5))

    def test_momentum_that_would_be_ignored_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"Standard.momentum = 0.5 has no effect with the one-cycle schedule"):
            Standard(momentum=0.5)

    def test_the_cosine_is_plain_sgd(self) -> None:
        """Three steps of one batch of all pictures, by hand and without Nesterov."""
        torch.manual_seed(0)
        data, model = colour_set(16), nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4))
        method = Standard(epochs=3, batch_size=16, lr=0.02, schedule="cosine", flip=False, pad=0, weight_decay=0.01)
        mine = finish(method.run(model, data))
        theirs = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9, weight_decay=0.01)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 3)
        for _ in range(3):
            theirs.zero_grad()
            nn.functional.cross_entropy(model(data.pixels), data.labels).backward()
            theirs.step()
            falling.step()
        torch.testing.assert_close(mine[1].weight, model[1].weight, rtol=1e-3, atol=1e-3)

    def test_paper_is_the_published_protocol(self) -> None:
        paper = Standard.paper()
        assert (paper.epochs, paper.lr, paper.batch_size) == (100, 0.01, 128)
        assert (paper.momentum, paper.weight_decay, paper.schedule) == (0.9, 5e-4, "cosine")


class TestWeightPerturbation:
    def test_sam_of_no_radius_changes_nothing_and_sam_does(self) -> None:
        plain = weights_of()
        assert torch.equal(weights_of(weight_perturbation=SAM(rho=0.0)), plain)
        assert not torch.equal(weights_of(weight_perturbation=SAM(rho=0.5)), plain)

    def test_only_a_weight_perturbation_is_taken(self) -> None:
        with pytest.raises(ValueError, match=r"Standard.weight_perturbation = BadNets\(.* perturbs no weights"):
            Standard(weight_perturbation=BadNets())

    def test_a_trigger_that_learns_along_hears_of_the_last_pass_only(self) -> None:
        """A radius of almost nothing moves the trigger as no radius does, though there are two passes."""
        poison = Poison(Flareon(motion="learned", lr=50.0), rate=0.5, mode="any-to-any")

        def tau(rho: float) -> torch.Tensor:
            method = Standard(epochs=1, batch_size=16, lr=1e-4, poison=poison, weight_perturbation=SAM(rho=rho))
            return finish(method.run(fresh(), colour_set(64))).trigger.state["tau"]

        torch.testing.assert_close(tau(1e-7), tau(0.0), rtol=0.05, atol=1e-3)


def test_dropout_depends_on_the_seed_alone() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model.append(nn.Linear(8, 4))
    results = [finish(SHORT.run(model, colour_set(64), seed=seed))[5].weight for seed in (0, 0)]
    assert torch.equal(*results)
