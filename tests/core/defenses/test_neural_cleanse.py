"""The outlier test and the cost schedule by hand, and a planted backdoor found and unlearned."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses import NeuralCleanse
from core.defenses.repairs.neural_cleanse.inversion import Inversion, Search, Triggers, squashed, stamped
from core.defenses.repairs.neural_cleanse.mad import abnormally_small, anomaly_index
from core.defenses.repairs.neural_cleanse.mask_cost_schedule import MaskCostSchedule
from core.defenses.repairs.neural_cleanse.neural_cleanse import with_triggers
from core.metrics import evaluate
from core.networks.model_state import working_copy
from core.runs import finish
from core.triggers import BadNets
from tests.conftest import TinyNet, colour_set

HOW = Inversion(epochs=4, epoch_steps=2, batch_size=8, lr=0.1, cost=1e-3, wanted=0.98, patience=1)


class TestAnomalyIndex:
    def test_by_hand(self) -> None:
        """Median 4; distances 3, 1, 0, 1, 3, so MAD 1."""
        index = anomaly_index(torch.tensor([1.0, 3.0, 4.0, 5.0, 7.0]))
        torch.testing.assert_close(index, torch.tensor([3.0, 1.0, 0.0, 1.0, 3.0]) / 1.4826)

    def test_an_even_number_of_norms(self) -> None:
        """Median 2.5, between the two in the middle; distances 1.5, .5, .5, 1.5, so MAD 1."""
        index = anomaly_index(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        torch.testing.assert_close(index, torch.tensor([1.5, 0.5, 0.5, 1.5]) / 1.4826)

    def test_only_small_norms_are_flagged(self) -> None:
        flagged = abnormally_small(torch.tensor([1.0, 3.0, 4.0, 5.0, 7.0]), 2.0)
        assert flagged.tolist() == [True, False, False, False, False]

    def test_equal_norms(self) -> None:
        norms = torch.full((10,), 3.7)
        assert (anomaly_index(norms) == 0).all()
        assert not abnormally_small(norms, 2.0).any()

    def test_one_outlier_among_equals(self) -> None:
        norms = torch.tensor([10.0] * 9 + [1.0])
        assert anomaly_index(norms)[9] > 1e6
        assert abnormally_small(norms, 2.0).tolist() == [False] * 9 + [True]


class TestCosts:
    def schedule(self, patience: int = 2) -> MaskCostSchedule:
        return MaskCostSchedule(3, 1.0, 0.98, patience, torch.device("cpu"))

    def test_costs_move_both_ways_class_by_class(self) -> None:
        costs, success = self.schedule(), torch.tensor([1.0, 0.5, 1.0])
        costs.update(success, torch.ones(3))
        assert costs.cost.tolist() == [1.0, 1.0, 1.0]
        costs.update(torch.tensor([1.0, 0.5, 0.5]), torch.ones(3))
        assert costs.cost.tolist() == pytest.approx([2.0, 2**-1.5, 1.0])
        costs.update(success, torch.ones(3))
        costs.update(success, torch.ones(3))
        assert costs.cost.tolist() == pytest.approx([4.0, 2**-3, 2.0])

    def test_the_smallest_norm_with_success_is_kept(self) -> None:
        costs = self.schedule()
        kept = costs.update(torch.tensor([1.0, 0.97, 0.98]), torch.tensor([5.0, 1.0, 4.0]))
        assert kept.tolist() == [True, False, True]
        kept = costs.update(torch.tensor([1.0, 0.99, 0.5]), torch.tensor([6.0, 3.0, 1.0]))
        assert kept.tolist() == [False, True, False]
        assert costs.best.tolist() == [5.0, 3.0, 4.0]
        assert costs.success.tolist() == pytest.approx([1.0, 0.99, 0.98])

    def test_a_class_stops_once_its_cost_has_moved_both_ways(self) -> None:
        """patience 1: five epochs without an improvement by 1 %, and only after a rise and a fall."""
        costs = self.schedule(patience=1)
        ones = torch.ones(3)
        costs.update(torch.tensor([1.0, 1.0, 0.0]), ones)  # a first norm; costs rise
        for _ in range(6):
            assert not costs.stopped.any()
            costs.update(torch.tensor([1.0, 0.0, 0.0]), 0.995 * ones)
            if costs.stopped[1]:
                break
        assert costs.stopped.tolist() == [False, True, False]
        assert not costs.update(ones, 0.1 * ones)[1]
        assert costs.best[1] == 1.0

    def test_improvement_starts_the_count_again(self) -> None:
        costs, norm = self.schedule(patience=1), torch.ones(3)
        for epoch in range(30):
            costs.update(torch.tensor([1.0, 1.0, 1.0]) if epoch % 2 else torch.zeros(3), norm)
            norm = 0.98 * norm
        assert not costs.stopped.any()


class TestInversion:
    def test_values_at_the_start(self, trained_net: nn.Module) -> None:
        search = Search(trained_net, torch.arange(4), (3, 16, 16), HOW)
        assert search.masks.shape == (4, 1, 16, 16)
        assert search.masks.mean().item() == pytest.approx(0.8808, abs=1e-4)
        assert search.patterns.mean().item() == pytest.approx(0.8808, abs=1e-4)

    def test_stamped_images(self) -> None:
        x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
        masks, patterns = torch.zeros(3, 1, 4, 4), torch.rand(3, 3, 4, 4)
        masks[1] = 1.0
        masks[2, :, 0, 0] = 0.25
        all_of_them = stamped(x, masks, patterns).view(3, 2, 3, 4, 4)
        torch.testing.assert_close(all_of_them[0], x)
        torch.testing.assert_close(all_of_them[1], patterns[1].expand(2, 3, 4, 4))
        torch.testing.assert_close(all_of_them[2][1, :, 0, 0], 0.75 * x[1, :, 0, 0] + 0.25 * patterns[2, :, 0, 0])
        torch.testing.assert_close(all_of_them[2][:, :, 1:], x[:, :, 1:])

    def test_classes_do_not_see_each_other(self, trained_net: nn.Module, colours: ImageSet) -> None:
        """Four classes in one batch take the steps that each takes alone."""
        net, images = working_copy(trained_net), colours.pixels[:8]
        together = Search(net, torch.arange(4), (3, 16, 16), HOW)
        alone = [Search(net, torch.tensor([c]), (3, 16, 16), HOW) for c in range(4)]
        for _ in range(2):
            together.step(images)
            for search in alone:
                search.step(images)
        for c, search in enumerate(alone):
            torch.testing.assert_close(squashed(together.a)[c], squashed(search.a)[0], atol=0.02, rtol=0.02)

    def test_stopped_classes_leave_the_batch(self, trained_net: nn.Module, colours: ImageSet) -> None:
        net, seen = working_copy(trained_net), []
        net.register_forward_pre_hook(lambda _module, inputs: seen.append(len(inputs[0])))
        search = Search(net, torch.arange(4), (3, 16, 16), HOW)
        search.step(colours.pixels[:8])
        search.costs.stopped[1:3] = True
        losses = search.step(colours.pixels[:8])
        assert seen[-2:] == [32, 16]  # before them the trial of the memory layout
        assert losses.shape == (2,)

    def test_values_stay_in_range(self, trained_net: nn.Module, colours: ImageSet) -> None:
        how = dataclasses.replace(HOW, lr=5.0)
        net = working_copy(trained_net).requires_grad_(False)
        run = how.run(net, colours, torch.arange(4), torch.Generator().manual_seed(0))
        pictures = []
        try:
            while True:
                pictures.append(next(run).images["trigger"])
        except StopIteration as end:
            found: Triggers = end.value
        assert all(picture.shape == (3, 16, 16) for picture in pictures)
        for tensor in (found.masks, found.patterns, found.success, *pictures):
            assert tensor.min() >= 0
            assert tensor.max() <= 1


def test_flagged_triggers_share_the_images() -> None:
    data = ImageSet(torch.zeros(50, 3, 4, 4, dtype=torch.uint8), torch.arange(50) % 10, tuple("abcdefghij"))
    masks, patterns = torch.zeros(10, 4, 4), torch.zeros(10, 3, 4, 4)
    masks[2, 0, 0] = masks[5, 3, 3] = 1.0
    patterns[2], patterns[5] = 1.0, 0.5
    flagged = torch.zeros(10, dtype=torch.bool)
    flagged[[2, 5]] = True
    found = Triggers(masks, patterns, torch.ones(10))
    marked = with_triggers(data, found, flagged, 0.2, torch.Generator().manual_seed(0))
    assert (marked.images[:, 0, 0, 0] == 255).sum() == 5
    assert (marked.images[:, 0, 3, 3] == 128).sum() == 5
    assert (marked.images.flatten(1) > 0).any(1).sum() == 10
    assert torch.equal(marked.labels, data.labels)
    assert not data.images.any()


def test_nothing_flagged_means_nothing_changed(trained_net: nn.Module, colours: ImageSet) -> None:
    repaired = finish(NeuralCleanse(epochs=2, epoch_steps=1, limit=10.0).run(trained_net, colours))
    assert repaired is not trained_net
    for name, tensor in trained_net.state_dict().items():
        assert torch.equal(tensor, repaired.state_dict()[name])
    report = repaired.report
    assert report["repaired"] == 0
    assert report["meaningful"] == 0  # four classes
    assert not report["flagged"].any()
    assert report["validation/before"] == report["validation/after"]


def test_many_classes_come_in_groups(
    trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.defenses.repairs.neural_cleanse.neural_cleanse.TOGETHER", 3)
    report = finish(NeuralCleanse(epochs=1, epoch_steps=1, steps=0).run(trained_net, colours)).report
    assert report["norms"].shape == report["index"].shape == report["success"].shape == (4,)
    assert report["masks"].shape == (4, 16, 16)
    assert report["patterns"].shape == (4, 3, 16, 16)


class Planted(nn.Module):
    """A net of colours in which a white 3 x 3 square in the corner adds to the logit of class 2."""

    def __init__(self, net: nn.Module, classes: int):
        super().__init__()
        self.net, self.gain = net, nn.Parameter(6.0 * torch.eye(classes)[2])

    def forward(self, x: Tensor) -> Tensor:
        white = torch.relu(x[..., -3:, -3:].mean((1, 2, 3)) - 0.75) * 20
        return self.net(x) + white[:, None] * self.gain


@pytest.fixture(scope="module")
def planted() -> tuple[nn.Module, ImageSet]:
    torch.manual_seed(0)
    data, net = colour_set(180, classes=6), TinyNet(6)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(data.pixels), data.labels).backward()
        optimiser.step()
    return Planted(net, 6).eval(), data


def test_a_planted_backdoor_is_found_and_unlearned(planted: tuple[nn.Module, ImageSet]) -> None:
    net, data = planted
    before = evaluate(net, data, trigger=BadNets(side=3), target=2)
    assert before.acc > 0.95
    assert before.asr > 0.95
    method = NeuralCleanse(
        epochs=60, epoch_steps=2, invert_lr=0.3, patience=2, stamp_ratio=0.5, steps=60, lr=0.1, flip=False, pad=0
    )
    report = (repaired := finish(method.run(net, data))).report
    assert report["norms"].argmin() == 2
    assert report["flagged"][2]
    assert report["repaired"] == report["meaningful"] == 1
    after = evaluate(repaired, data, trigger=BadNets(side=3), target=2)
    assert after.acc > 0.9
    assert after.asr < 0.3


def test_fewer_than_five_classes_are_never_flagged(
    trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With limit 0 and success 0 the smaller half of the norms would be flagged, were the test meaningful."""
    method = NeuralCleanse(epochs=1, epoch_steps=1, limit=0.0, success=0.0, steps=2)
    report = (repaired := finish(method.run(trained_net, colours))).report
    assert report["meaningful"] == report["repaired"] == 0
    assert not report["flagged"].any()
    for name, tensor in trained_net.state_dict().items():
        assert torch.equal(tensor, repaired.state_dict()[name])
    monkeypatch.setattr("core.defenses.repairs.neural_cleanse.neural_cleanse.FEWEST", 4)
    assert finish(method.run(trained_net, colours)).report["repaired"] == 1


def test_the_success_asked_for_is_a_share_of_the_images_of_an_epoch() -> None:
    """0.98 of 48 images would be 48 of 48: the lab's epoch is large enough that one may fail."""
    method = NeuralCleanse()
    images = method.epoch_steps * method.invert_batch
    assert (images - 1) / images >= method.success
