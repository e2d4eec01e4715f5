"""Stage 1 of TSBD by hand, and the whole on a small net."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import TSBD
from core.defenses.repairs.tsbd.affordable import affordable
from core.defenses.repairs.tsbd.weight_change import (
    marked,
    neuron_layers,
    neuron_weight_change,
    reinitialise,
    weight_changes,
)
from core.defenses.shared.unlearning import unlearn
from core.networks.channels import weight_of
from core.networks.model_state import working_copy
from core.runs import Progress, Run, finish
from models.preact_resnet import PreActResNet


def moved(model: nn.Module, seed: int = 0) -> nn.Module:
    """A copy whose weights have all been moved a little."""
    copy, generator = working_copy(model), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in copy.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.01)
    return copy


def ascent(model: nn.Module, data: ImageSet, **values: float) -> object:
    settings = dict(lr=0.05, steps=10, stop=0.0, batch_size=16, flip=True, pad=2, watched="conv2") | values
    return finish(unlearn(model, data, generator=torch.Generator().manual_seed(0), **settings))


class TestNeurons:
    def test_convolutions_without_shortcuts(self) -> None:
        names = neuron_layers(PreActResNet(width=4))
        assert names[0] == "conv1"
        assert len(names) == 17
        assert names[-1] == "layer4.1.conv2"
        assert not any("shortcut" in name for name in names)

    def test_a_net_of_linear_layers(self) -> None:
        assert neuron_layers(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))) == ["0"]

    def test_nothing_to_rank(self) -> None:
        with pytest.raises(ValueError, match="no neurons"):
            neuron_layers(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))


class TestNWC:
    def test_by_hand(self) -> None:
        original = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Conv2d(2, 2, 1))
        unlearned = working_copy(original)
        with torch.no_grad():
            weight_of(unlearned, "0").add_(torch.tensor([0.5, -0.25]).view(2, 1, 1, 1))
            weight_of(unlearned, "1")[1, 0] -= 1.0
            unlearned[1].bias.add_(9.0)
        nwc = neuron_weight_change(weight_changes(original, unlearned))
        torch.testing.assert_close(nwc["0"], torch.tensor([0.5, 0.25]))
        torch.testing.assert_close(nwc["1"], torch.tensor([0.0, 1.0]))

    def test_a_linear_layer_by_hand(self) -> None:
        original = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2))
        unlearned = working_copy(original)
        with torch.no_grad():
            weight_of(unlearned, "0")[0] += torch.tensor([1.0, -2.0, 0.5])
        nwc = neuron_weight_change(weight_changes(original, unlearned))
        torch.testing.assert_close(nwc["0"], torch.tensor([3.5, 0.0]))

    def test_it_is_not_divided_by_the_number_of_weights(self) -> None:
        original = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3))
        unlearned = working_copy(original)
        with torch.no_grad():
            for parameter in unlearned.parameters():
                parameter.add_(0.1)
        nwc = neuron_weight_change(weight_changes(original, unlearned))
        torch.testing.assert_close(nwc["1"], 4 * nwc["0"], rtol=1e-4, atol=1e-5)

    def test_nothing_moved(self, trained_net: nn.Module) -> None:
        changes = weight_changes(trained_net, trained_net)
        assert all((nwc == 0).all() for nwc in neuron_weight_change(changes).values())
        assert not any(mask.any() for mask in marked(changes, 0.5, 0.7).values())


class TestReinitialise:
    @pytest.mark.parametrize("n", [0.1, 0.15, 0.5, 1.0])
    @pytest.mark.parametrize("m", [0.3, 0.7, 1.0])
    def test_number_of_zeroed_weights(self, n: float, m: float) -> None:
        net = PreActResNet(width=4)
        changes = weight_changes(net, moved(net))
        masks = marked(changes, n, m)
        nwc = torch.cat(list(neuron_weight_change(changes).values()))
        count = math.floor(n * len(nwc) + 1e-9)
        threshold = nwc.sort(descending=True).values[count - 1]
        weights = 0
        for name, change in changes.items():
            rows = change.flatten(1).sum(1) >= threshold
            weights += int(rows.sum()) * change[0].numel()
            assert not masks[name][~rows].any()
        assert sum(int(mask.sum()) for mask in masks.values()) == math.floor(m * weights + 1e-9)

    def test_one_threshold_for_all_chosen_channels(self, trained_net: nn.Module) -> None:
        changes = weight_changes(trained_net, moved(trained_net))
        masks = marked(changes, 1.0, 0.7)
        smallest = min(changes[name][mask].min() for name, mask in masks.items())
        largest = max(changes[name][~mask].max() for name, mask in masks.items())
        assert smallest >= largest

    def test_only_marked_weights_differ(self, trained_net: nn.Module) -> None:
        masks = marked(weight_changes(trained_net, moved(trained_net)), 0.5, 0.7)
        zeroed = reinitialise(trained_net, masks)
        marks = {f"{name}.weight": mask for name, mask in masks.items()}
        for name, tensor in trained_net.state_dict().items():
            after = zeroed.state_dict()[name]
            if name in marks:
                assert (after[marks[name]] == 0).all()
                assert torch.equal(after[~marks[name]], tensor[~marks[name]])
            else:
                assert torch.equal(after, tensor)

    def test_masks_are_nested_in_both_ratios(self, trained_net: nn.Module) -> None:
        changes = weight_changes(trained_net, moved(trained_net))
        small, wide = marked(changes, 1.0, 0.2), marked(changes, 1.0, 0.6)
        assert all(not (small[name] & ~wide[name]).any() for name in small)

    def test_none_is_the_identity(self, trained_net: nn.Module) -> None:
        changes = weight_changes(trained_net, moved(trained_net))
        for n, m in ((0.0, 0.7), (0.5, 0.0)):
            assert not any(mask.any() for mask in marked(changes, n, m).values())


class TestUnlearning:
    def test_it_forgets(self, trained_net: nn.Module, colours: ImageSet) -> None:
        run = unlearn(
            trained_net, colours, lr=1.0, steps=30, stop=0.1, batch_size=32, flip=True, pad=2, watched="conv2",
            generator=torch.Generator().manual_seed(0),
        )  # fmt: skip
        losses = [progress.metrics["loss"] for progress in run]
        assert losses[-1] > losses[0]

    def test_it_stops_at_the_accuracy(self, trained_net: nn.Module, colours: ImageSet) -> None:
        assert ascent(trained_net, colours, stop=1.0).steps == 1
        result = ascent(trained_net, colours, lr=1.0, stop=0.5, steps=200)
        assert result.steps < 200
        assert result.accuracy <= 0.5

    def test_it_keeps_the_last_finite_weights(self, trained_net: nn.Module, colours: ImageSet) -> None:
        result = ascent(trained_net, colours, lr=1e30, steps=50)
        assert result.steps < 50
        assert all(torch.isfinite(parameter).all() for parameter in result.model.parameters())

    def test_activeness_is_one_row_per_step(self, trained_net: nn.Module, colours: ImageSet) -> None:
        result = ascent(trained_net, colours, steps=5)
        assert result.activeness.shape == (5, 16)
        assert (result.activeness > 0).any()

    def test_no_steps(self, trained_net: nn.Module, colours: ImageSet) -> None:
        result = ascent(trained_net, colours, steps=0)
        for before, after in zip(trained_net.parameters(), result.model.parameters(), strict=True):
            assert torch.equal(before, after)


class TestAffordable:
    """Accuracy after a short recovery is 0.9 without n, and falls as it is told to."""

    def choice(self, images: ImageSet, accurate: dict[float, float]) -> tuple[float | None, list[float]]:
        tried = []

        def recovered(n: float) -> Run[nn.Module | None]:
            tried.append(n)
            yield Progress("tune", 1, 1)
            return RightOn(accurate[n]) if n in accurate else None

        return finish(affordable(recovered, 0.16, images)), tried

    @pytest.fixture
    def images(self) -> ImageSet:
        black = torch.zeros(100, 3, 4, 4, dtype=torch.uint8)
        return ImageSet(black, torch.zeros(100, dtype=torch.int64), ("a", "b"))

    def test_the_upper_bound_where_it_recovers(self, images: ImageSet) -> None:
        assert self.choice(images, {0.0: 0.9, 0.16: 0.86}) == (0.16, [0.0, 0.16])

    def test_a_quarter_of_it_until_it_recovers(self, images: ImageSet) -> None:
        assert self.choice(images, {0.0: 0.9, 0.16: 0.5, 0.04: 0.88}) == (0.04, [0.0, 0.16, 0.04])

    def test_none_at_all(self, images: ImageSet) -> None:
        n, tried = self.choice(images, {0.0: 0.9})
        assert n == 0.0
        assert tried == [0.0, 0.16, 0.04, 0.01]

    def test_nothing_to_compare_with(self, images: ImageSet) -> None:
        assert self.choice(images, {}) == (None, [0.0])


class RightOn(nn.Module):
    """Right on this share of images, all of class 0."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(x), 2)
        logits[round(self.share * len(x)) :, 1] = 1.0
        return logits


class TestWhole:
    def test_channels_that_cannot_be_spared_are_kept(self, trained_net: nn.Module, colours: ImageSet) -> None:
        knobs = dict(neuron_ratio=1.0, weight_ratio=1.0, unlearn_steps=3, steps=5, batch_size=16, lr=1e-4)
        forced = finish(TSBD(selection="fixed", **knobs).run(trained_net, colours)).report
        assert forced["neuron_ratio"] == 1.0
        assert forced["validation/after"] < forced["validation/floor"]
        chosen = finish(TSBD(**knobs).run(trained_net, colours)).report
        assert chosen["neuron_ratio"] < 1.0
        assert chosen["validation/after"] >= chosen["validation/floor"]

    def test_nothing_to_do_is_the_identity(self, trained_net: nn.Module, colours: ImageSet) -> None:
        same = finish(TSBD(neuron_ratio=0.0, steps=0, unlearn_steps=3, selection="fixed").run(trained_net, colours))
        for name, tensor in trained_net.state_dict().items():
            assert torch.equal(tensor, same.state_dict()[name])
        assert same.report["zeroed"] == 0.0

    def test_stage_one_alone_zeroes_what_it_reports(self, trained_net: nn.Module, colours: ImageSet) -> None:
        method = TSBD(neuron_ratio=0.5, steps=0, unlearn_steps=3, selection="fixed", batch_size=16)
        repaired = finish(method.run(trained_net, colours))
        for name in ("conv1", "conv2"):
            mask = repaired.report[f"masks/{name}"]
            before, after = weight_of(trained_net, name), weight_of(repaired, name)
            assert (after[mask] == 0).all()
            assert torch.equal(after[~mask], before[~mask])
            assert len(repaired.report[f"nwc/{name}"]) == len(before)
        assert torch.equal(repaired.linear.weight, trained_net.linear.weight)
        assert repaired.report["activeness/mean"].shape == (16,)

    def test_stages_in_the_papers_order(self, trained_net: nn.Module, colours: ImageSet) -> None:
        method = TSBD(steps=2, unlearn_steps=2, batch_size=16, candidates=1)
        stages = [progress.stage for progress in method.run(trained_net, colours)]
        assert stages == ["unlearn", "unlearn", "reinitialise", "tune", "tune", "select"]

    def test_paper_setting(self) -> None:
        paper = TSBD.paper()
        assert (paper.neuron_ratio, paper.weight_ratio, paper.r, paper.alpha) == (0.15, 0.7, 0.05, 0.7)
        assert (paper.unlearn_lr, paper.lr, paper.batch_size, paper.schedule) == (1e-4, 0.01, 256, "constant")
        assert paper.selection == "fixed"
