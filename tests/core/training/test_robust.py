"""Adversarial trainings: their losses against direct formulas, their attack, their parts, their record."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import device
from core.attacks import FGSM, PGD
from core.data.imageset import ImageSet
from core.networks.layout import laid_out
from core.networks.report import report_of
from core.optim.ema import Average
from core.optim.schedules import piecewise
from core.runs import Progress, finish
from core.training import AWP, FGSMRS, MART, NFGSM, SAM, TRADES, Adversarial, Standard
from core.training.mart import mart_loss
from core.training.shared.augmentation import AUTO, auto_augmented, disturbed
from core.training.shared.crafting import crafted, slope
from core.training.shared.robust_training import RobustTraining
from core.training.shared.rotation import RotationHead
from core.training.trades import kl_sum, trades_loss
from core.triggers import BadNets
from tests.conftest import TinyNet, colour_set

SHORT: dict[str, Any] = dict(epochs=3, batch_size=16, lr=0.05, pictures=80, heldout=16)
METHODS = [Adversarial, TRADES, MART]


@pytest.fixture(autouse=True)
def _float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are compared to the last digits, on processors with bfloat16 too."""
    monkeypatch.setattr(device, "bf16_pays", lambda device: False)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return TinyNet()


def trained(method: RobustTraining | Standard, data: ImageSet | None = None, seed: int = 0) -> Any:
    return finish(method.run(fresh(), colour_set(80) if data is None else data, seed=seed))


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


class TestLosses:
    CLEAN, ATTACKED = (torch.randn(6, 5, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    LABELS = torch.tensor([0, 1, 2, 3, 4, 0])

    def test_trades(self) -> None:
        """CE(f(x), y) and the mean over pictures of sum_k p_k (log p_k - log p'_k), p that of the clean picture."""
        p, p_adv = self.CLEAN.softmax(1), self.ATTACKED.softmax(1)
        natural, stable = trades_loss(self.CLEAN, self.ATTACKED, self.LABELS)
        torch.testing.assert_close(natural, -p[torch.arange(6), self.LABELS].log().mean())
        torch.testing.assert_close(stable, (p * (p.log() - p_adv.log())).sum(1).mean())
        assert trades_loss(self.CLEAN, self.CLEAN, self.LABELS)[1].item() == pytest.approx(0, abs=1e-6)

    def test_the_gradient_goes_through_both_arguments_of_the_kl(self) -> None:
        clean, attacked = self.CLEAN.clone().requires_grad_(), self.ATTACKED.clone().requires_grad_()
        trades_loss(clean, attacked, self.LABELS)[1].backward()
        p, p_adv = self.CLEAN.softmax(1), self.ATTACKED.softmax(1)
        gap = p.log() - p_adv.log()
        torch.testing.assert_close(attacked.grad, (p_adv - p) / 6)
        torch.testing.assert_close(clean.grad, p * (gap - (p * gap).sum(1, keepdim=True)) / 6)

    def test_mart(self) -> None:
        """BCE = -log p'_y - log(1.0001 - largest other), and KL (1.0000001 - p_y), picture by picture."""
        boosted, weighted = [], []
        for clean, attacked, y in zip(self.CLEAN.softmax(1), self.ATTACKED.softmax(1), self.LABELS, strict=True):
            other = max(value.item() for k, value in enumerate(attacked) if k != y)
            boosted.append(-attacked[y].log().item() - torch.tensor(1.0001 - other + 1e-12).log().item())
            kl = (clean * (clean.log() - (attacked + 1e-12).log())).sum()
            weighted.append(kl.item() * (1.0000001 - clean[y].item()))
        found = mart_loss(self.CLEAN, self.ATTACKED, self.LABELS)
        assert [value.item() for value in found] == pytest.approx([sum(boosted) / 6, sum(weighted) / 6], rel=1e-5)

    def test_mart_lets_gradients_through_the_weight_of_each_picture(self) -> None:
        clean = self.CLEAN.clone().requires_grad_()
        (ours,) = torch.autograd.grad(mart_loss(clean, self.ATTACKED, self.LABELS)[1], clean)
        p, p_adv, own = clean.softmax(1), self.ATTACKED.softmax(1), self.LABELS[:, None]
        weighted = (p * (p.log() - p_adv.log())).sum(1) * (1 - p.gather(1, own)[:, 0])
        (theirs,) = torch.autograd.grad(weighted.mean(), clean)
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)

    def test_mart_of_a_sure_answer_is_near_nothing(self) -> None:
        sure = 50 * F.one_hot(self.LABELS, 5).float()
        boosted, weighted = mart_loss(sure, sure, self.LABELS)
        assert abs(boosted.item()) < 1e-3 and abs(weighted.item()) < 1e-3


class TestCrafting:
    @pytest.mark.parametrize(
        "attack",
        [PGD(eps=0.3, alpha=0.1, stop_early=False), PGD(norm="l2", eps=3.0, alpha=1.0, stop_early=False)],
        ids=["linf", "l2"],
    )
    def test_it_is_the_attack_itself_from_the_same_start(self, trained_net: nn.Module, attack: PGD) -> None:
        data = colour_set(32, seed=3)
        theirs = finish(attack.run(trained_net, data.pixels, data.labels, seed=5))
        torch.manual_seed(5)
        ours = crafted(trained_net, attack, data.pixels, data.labels)
        torch.testing.assert_close(ours, theirs.images, rtol=0, atol=1e-6)
        assert theirs.success.float().mean() > 0

    def test_the_slope_is_that_of_one_picture_alone(self, trained_net: nn.Module) -> None:
        data = colour_set(8, seed=3)

        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            return F.cross_entropy(logits, labels, reduction="sum")

        every = slope(trained_net, data.pixels, lambda logits: loss(logits, data.labels))
        first = slope(trained_net, data.pixels[:1], lambda logits: loss(logits, data.labels[:1]))
        torch.testing.assert_close(every[:1], first)

    @pytest.mark.parametrize("mode", ["eval", "train"])
    @pytest.mark.parametrize("attack", [PGD(steps=3), FGSMRS(), NFGSM()], ids=lambda a: type(a).__name__)
    def test_what_it_leaves(self, attack: Any, mode: str) -> None:
        """Modes, flags, gradients; running statistics move in training mode only."""
        model, data = fresh(), colour_set(16)
        before = model.bn1.running_mean.clone()
        made = crafted(model, attack, data.pixels, data.labels, mode=mode)
        assert made.min() >= 0 and made.max() <= 1
        far = {"PGD": 8, "FGSMRS": 8, "NFGSM": 24}[type(attack).__name__] / 255
        assert 0 < (made - data.pixels).abs().max() <= far + 1e-6
        assert model.training and all(p.requires_grad and p.grad is None for p in model.parameters())
        assert torch.equal(before, model.bn1.running_mean) == (mode == "eval")

    def test_memory_trouble_halves_the_batch(self) -> None:
        class Tight(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.linear = nn.Linear(3, 4)

            def forward(self, x: Tensor) -> Tensor:
                if len(x) > 6:
                    raise torch.OutOfMemoryError("too much")
                return self.linear(x.mean((2, 3)))

        torch.manual_seed(0)
        model, data, attack = Tight(), colour_set(20), PGD(random_start=False)
        pieces = zip(data.pixels.split(4), data.labels.split(4), strict=True)
        whole = torch.cat([crafted(model, attack, *piece) for piece in pieces])
        torch.testing.assert_close(crafted(model, attack, data.pixels, data.labels), whole)

    def test_a_model_without_a_gradient_is_one_sentence(self) -> None:
        class Deaf(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return torch.zeros(len(x), 4)

        data = colour_set(8)
        with pytest.raises(ValueError, match=r"gives no gradient to its input"):
            crafted(Deaf(), PGD(), data.pixels, data.labels)

    def test_trades_raises_the_kl_and_mart_the_cross_entropy(self, trained_net: nn.Module) -> None:
        data = colour_set(32, seed=3)
        clean = trained_net(data.pixels).log_softmax(1)
        by_trades = TRADES(**SHORT).craft(trained_net, data.pixels, data.labels)
        by_mart = MART(**SHORT).craft(trained_net, data.pixels, data.labels)
        random = PGD().start(data.pixels)
        assert kl_sum(trained_net(by_trades), clean) > 2 * kl_sum(trained_net(random), clean)
        right = [F.cross_entropy(trained_net(x), data.labels) for x in (data.pixels, by_mart)]
        assert right[1] > 2 * right[0]
        for made in (by_trades, by_mart):
            assert (made - data.pixels).abs().max() <= 8 / 255 + 1e-6


class TestSingleStep:
    def test_fgsm_rs_by_hand(self) -> None:
        x, now, g = torch.tensor([0.5, 0.5, 0.001]), torch.tensor([0.52, 0.48, 0.0]), torch.tensor([1.0, 1.0, -1.0])
        attack = FGSMRS(eps=0.03, alpha=0.04)
        torch.testing.assert_close(attack.step(now, g, x), torch.tensor([0.53, 0.52, 0.0]))

    def test_n_fgsm_leaves_the_ball(self) -> None:
        x, now, g = torch.tensor([0.5]), torch.tensor([0.56]), torch.tensor([2.0])
        torch.testing.assert_close(NFGSM(eps=0.03).step(now, g, x), torch.tensor([0.59]))

    def test_starts(self) -> None:
        x = torch.full((4, 3, 8, 8), 0.5)
        assert 0.9 * 8 / 255 < (FGSMRS().start(x) - x).abs().max() <= 8 / 255
        assert 0.9 * 16 / 255 < (NFGSM().start(x) - x).abs().max() <= 16 / 255

    def test_two_passes_per_step(self) -> None:
        model, passes, data = fresh(), [], colour_set(16)
        laid_out(model, data.pixels)  # a trial pass, once per network
        model.register_forward_hook(lambda *_: passes.append(1))
        method = Adversarial(attack=FGSMRS())
        method._objective(None)(model, data.pixels, data.labels)()
        assert len(passes) == 2


PLAIN: dict[str, Any] = dict(epochs=3, batch_size=16, lr=0.05)


class TestPlain:
    @pytest.mark.parametrize("mode", ["eval", "train"])
    @pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "piecewise"])
    def test_eps_of_0_is_standard_bit_for_bit(self, schedule: str, mode: str) -> None:
        plain = trained(Standard(schedule=schedule, **PLAIN))
        robust = Adversarial(attack=PGD(eps=0.0), schedule=schedule, heldout=0, craft_mode=mode, **PLAIN)
        assert same(plain, trained(robust))
        assert not same(plain, trained(dataclasses.replace(robust, attack=PGD())))

    def test_looking_changes_nothing(self) -> None:
        """The record of pictures held out, on the same training pictures."""
        method = Adversarial(**SHORT)
        watched, alone = trained(method), trained(dataclasses.replace(method, heldout=0), colour_set(80)[:64])
        assert same(watched, alone) and report_of(watched) and not report_of(alone)

    def test_beta_of_0_is_standard(self) -> None:
        plain = trained(Standard(schedule="piecewise", **PLAIN))
        assert same(plain, trained(TRADES(beta=0.0, heldout=0, **PLAIN)))

    def test_standard_has_the_shared_parts(self) -> None:
        base = Standard(schedule="piecewise", **PLAIN)
        plain = trained(base)
        for part in ({"ema": 0.5}, {"label_smoothing": 0.2}, {"weight_perturbation": AWP(0.05)}, {"pictures": 40}):
            assert not same(plain, trained(dataclasses.replace(base, **part))), part
        assert same(trained(dataclasses.replace(base, pictures=40)), trained(base, colour_set(80)[:40]))


PARTS: list[dict[str, Any]] = [
    {"weight_perturbation": AWP(0.05)}, {"weight_perturbation": AWP(0.05, warmup=1)}, {"weight_perturbation": SAM()},
    {"ema": 0.5}, {"label_smoothing": 0.2}, {"label_noise": 0.5}, {"augmentation": AUTO}, {"rotation": 1.0},
    {"pseudo_labelled": 32}, {"craft_mode": "train"}, {"weight_decay": 0.05}, {"attack": NFGSM()},
    {"attack": FGSMRS()},
]  # fmt: skip


class TestRun:
    @pytest.mark.parametrize("cls", METHODS)
    def test_it_learns_to_withstand_and_leaves_the_model_it_was_given(self, cls: type[RobustTraining]) -> None:
        model, data = fresh(), colour_set(128)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        method = cls(attack=PGD(eps=0.2, alpha=0.05), epochs=12, batch_size=16, lr=0.05, pictures=128, heldout=32)
        state = torch.get_rng_state()
        result = finish(method.run(model, data))
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert model.training and all(p.requires_grad and p.grad is None for p in model.parameters())
        assert not result.training and not any(p.requires_grad for p in result.parameters())
        plain = trained(Standard(epochs=12, batch_size=16, lr=0.05, schedule="piecewise"), data)
        attack, test = PGD(eps=0.2, alpha=0.05), colour_set(64, seed=9)
        shares = [finish(attack.run(net, test.pixels, test.labels)).success.float().mean() for net in (result, plain)]
        assert shares[0] < shares[1]

    @pytest.mark.parametrize("cls", METHODS)
    def test_same_seed_same_weights_other_seed_others(self, cls: type[RobustTraining]) -> None:
        one, two, other = (trained(cls(**SHORT), seed=seed) for seed in (1, 1, 2))
        assert same(one, two) and not same(one, other)

    @pytest.mark.parametrize("part", PARTS, ids=lambda part: "-".join(map(str, part)))
    @pytest.mark.parametrize("cls", METHODS)
    def test_every_part_composes_with_every_training(self, cls: type[RobustTraining], part: dict[str, Any]) -> None:
        if cls is MART and "label_smoothing" in part:
            pytest.skip("refused")
        plain, changed = trained(cls(**SHORT)), trained(cls(**SHORT | part))
        assert not same(plain, changed)
        assert all(bool(tensor.isfinite().all()) for tensor in changed.state_dict().values())

    def test_progress_is_yielded_outside_of_every_context(self) -> None:
        model = fresh()
        seen: list[Progress] = []
        for progress in Adversarial(**SHORT, weight_perturbation=AWP()).run(model, colour_set(80)):
            seen.append(progress)
            assert progress.model is not None and progress.model.training
            assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
            assert all(parameter.requires_grad for parameter in progress.model.parameters())
        assert {(p.stage, p.total) for p in seen} == {("train", 12)}
        assert [p.step for p in seen] == sorted(p.step for p in seen) and seen[-1].step == 12
        assert "robust" not in seen[0].metrics and {"acc", "robust", "loss"} <= set(seen[-1].metrics)

    def test_a_stop_leaves_the_model_it_was_given(self) -> None:
        model = fresh()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        run = Adversarial(**SHORT, weight_perturbation=AWP()).run(model, colour_set(80))
        for _ in range(5):
            student = next(run).model
        run.close()
        assert student is not None and not student.training
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class TestRecord:
    def test_a_row_per_epoch(self) -> None:
        report = trained(Adversarial(**SHORT)).report
        looked = {f"record/{s}/{k}" for s in ("train", "heldout") for k in ("acc", "robust", "loss", "robust_loss")}
        assert set(report) == looked | {"record/epoch", "record/lr", "record/loss", "record/seconds"}
        assert report["record/epoch"].tolist() == [1, 2, 3]
        torch.testing.assert_close(report["record/lr"], torch.tensor([0.05, 0.005, 0.0005]))
        assert (report["record/heldout/robust_loss"] > report["record/heldout/loss"]).all()
        assert (report["record/seconds"].diff() > 0).all()

    def test_every_so_many_epochs_and_at_the_last(self) -> None:
        every, some = (trained(Adversarial(**SHORT | {"epochs": 5}, record_every=n)).report for n in (1, 2))
        assert some["record/epoch"].tolist() == [2, 4, 5]
        assert torch.equal(some["record/heldout/robust"], every["record/heldout/robust"][[1, 3, 4]])

    def test_its_last_row_is_the_network_that_comes_back(self) -> None:
        data = colour_set(80)
        result = trained(Adversarial(**SHORT), data)
        logits = result(data[64:].pixels)
        right = (logits.argmax(1) == data.labels[64:]).float().mean()
        assert result.report["record/heldout/acc"][-1] == right
        assert result.report["record/heldout/loss"][-1].item() == pytest.approx(
            F.cross_entropy(logits, data.labels[64:]).item(), rel=1e-4
        )

    def test_early_stopping_brings_back_the_best_epoch(self) -> None:
        """A learning rate that spoils the network at its end, so that the best epoch is not the last."""
        method = Adversarial(**SHORT | {"epochs": 8, "lr": 0.2}, schedule="one-cycle", early_stop=True)
        result = trained(method)
        robust = result.report["record/heldout/robust"]
        best = int(result.report["best_epoch"])
        assert best == robust.argmax().item() + 1
        heldout = colour_set(80)[64:]
        right = (result(heldout.pixels).argmax(1) == heldout.labels).float().mean()
        assert right == result.report["record/heldout/acc"][best - 1]

    def test_without_pictures_held_out_there_is_none(self) -> None:
        assert not report_of(trained(Adversarial(**SHORT | {"heldout": 0})))

    def test_catastrophic_overfitting_shows(self) -> None:
        """Robust accuracy is that under `judge`, whatever the training attacks with: here with nothing."""
        judge = PGD(eps=64 / 255, alpha=16 / 255)
        report = trained(Adversarial(**SHORT | {"epochs": 6}, attack=FGSMRS(eps=0.0), judge=judge)).report
        assert report["record/heldout/acc"][-1] > 0.5 > report["record/heldout/robust"][-1]


class TestParts:
    def test_averages_follow_slowly(self) -> None:
        model = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            model.weight.fill_(0.0)
            average = Average(model, 0.75)
            model.weight.fill_(1.0)
        average.step()  # d = 1/10 in the first step
        assert average.model.weight.item() == pytest.approx(0.9)
        for _ in range(40):
            average.step()
        with torch.no_grad():
            model.weight.fill_(2.0)
        held = average.model.weight.item()
        average.step()
        assert average.model.weight.item() == pytest.approx(0.75 * held + 0.25 * 2.0)

    def test_piecewise_drops_twice(self) -> None:
        schedule = piecewise(0.1, 8)
        assert [schedule(step)["lr"] for step in range(1, 9)] == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2)

    def test_label_noise_draws_anew(self) -> None:
        generator = torch.Generator().manual_seed(0)
        change = disturbed(generator, augmentation="flip and shift", label_noise=0.5, classes=4)
        assert change is not None
        images, labels = torch.rand(400, 3, 4, 4), torch.zeros(400, dtype=torch.int64)
        one, two = (change(images, labels)[1] for _ in range(2))
        assert 0.3 < (one != 0).float().mean() < 0.45  # of half of them, three quarters are drawn as another class
        assert not torch.equal(one, two)
        assert change(images, labels)[0] is images

    def test_autoaugment_draws_for_each_picture_and_by_its_seed(self) -> None:
        picture = colour_set(1, size=32).pixels.expand(16, -1, -1, -1)
        state = torch.get_rng_state()
        one, two, other = (auto_augmented(picture, seed) for seed in (1, 1, 2))
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.equal(one, two) and not torch.equal(one, other)
        assert len({tuple(image.flatten().tolist()) for image in one}) > 4
        assert one.dtype == torch.float32 and one.min() >= 0 and one.max() <= 1

    def test_the_rotation_head_is_trained_with_the_network(self, trained_net: nn.Module) -> None:
        data = colour_set(32)
        head = RotationHead(trained_net, data.images[:1])
        seen: list[Tensor] = []
        trained_net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        loss = head.loss(trained_net, data.pixels)
        assert torch.equal(seen[-1][8:16], data.pixels[8:16].rot90(1, (2, 3)))
        loss.backward()
        assert head.linear.weight.grad is not None and head.linear.out_features == 4
        trained_net._forward_pre_hooks.clear()

    def test_hidden_labels_are_never_read(self) -> None:
        data, method = colour_set(80), Adversarial(**SHORT, pseudo_labelled=32)
        wrong = dataclasses.replace(data, labels=torch.cat([data.labels[:48], torch.zeros(32, dtype=torch.int64)]))
        assert same(trained(method, data), trained(method, wrong))
        assert not same(trained(method, data), trained(Adversarial(**SHORT), data))


class TestBadInput:
    @pytest.mark.parametrize(
        ("make", "says"),
        [
            (lambda: Adversarial(attack=FGSM()), r"Adversarial.attack = FGSM\(.*does not fit into a training"),
            (lambda: TRADES(attack=PGD(restarts=2)), r"TRADES.attack = PGD\(.*without restarts"),
            (lambda: Adversarial(judge=BadNets()), r"Adversarial.judge = BadNets\("),
            (lambda: MART(weight_perturbation=PGD()), r"MART.weight_perturbation = PGD\(.* perturbs no weights"),
            (lambda: MART(label_smoothing=0.1), r"MART.label_smoothing has no place in its loss"),
            (lambda: Adversarial(early_stop=True, heldout=0), r"early_stop needs pictures that are held out"),
            (lambda: Adversarial(schedule="one-cycle", momentum=0.5), r"Adversarial.momentum = 0.5 has no effect"),
        ],
    )  # fmt: skip
    def test_a_knob(self, make: Any, says: str) -> None:
        with pytest.raises(ValueError, match=says) as refusal:
            make()
        assert "\n" not in str(refusal.value)

    def test_too_few_pictures(self) -> None:
        with pytest.raises(ValueError, match=r"has 0 pictures to train on: of 1, 0 lose their labels and 1"):
            finish(Adversarial(**SHORT).run(fresh(), colour_set(1)))

    def test_a_model_without_the_classes(self) -> None:
        with pytest.raises(ValueError, match=r"labels must be class indices in 0\.\.3"):
            finish(Adversarial(**SHORT).run(fresh(), colour_set(80, classes=6)))

    def test_a_training_that_diverges(self) -> None:
        broken = fresh()
        broken.conv1.weight.data.fill_(float("nan"))
        with pytest.raises(ValueError, match=r"not finite|no longer finite") as refusal:
            finish(Adversarial(**SHORT, weight_perturbation=AWP(0.2)).run(broken, colour_set(80)))
        assert "\n" not in str(refusal.value)
