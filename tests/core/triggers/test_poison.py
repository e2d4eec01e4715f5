"""Poisoning: who is stamped, and with which label."""

import pytest
import torch

from core.data.modes import MODES, goal, keeps_labels, single_target, trigger_per_class
from core.training import Standard
from core.triggers import SIG, TRIGGERS, BadNets, Flareon, Poison, WaNet
from tests.conftest import colour_set


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_dirty_label_poison_stamps_the_share_and_relabels() -> None:
    data = colour_set(100)
    made, chosen = Poison(BadNets(), target=2, rate=0.1).stamp(data, generator())
    assert len(chosen) == len(chosen.unique()) == 10
    assert (made.labels[chosen] == 2).all()
    assert (made.images[chosen][..., -3:, -3:] == 255).all()
    rest = torch.ones(100, dtype=torch.bool)
    rest[chosen] = False
    assert torch.equal(made.images[rest], data.images[rest])
    assert torch.equal(made.labels[rest], data.labels[rest])


def test_clean_label_poison_touches_only_the_target_class_and_no_label() -> None:
    data = colour_set(100)
    made, chosen = Poison(SIG(), target=1, rate=0.1, clean_label=True).stamp(data, generator())
    assert torch.equal(made.labels, data.labels)
    assert len(chosen) == 10
    assert (data.labels[chosen] == 1).all()


def test_clean_label_poison_stops_at_the_end_of_the_class() -> None:
    _, chosen = Poison(SIG(), target=1, rate=0.9, clean_label=True).stamp(colour_set(100), generator())
    assert len(chosen) == 25


def test_all_to_all_shifts_labels() -> None:
    data = colour_set(100)
    made, chosen = Poison(BadNets(), mode="all-to-all", rate=0.2).stamp(data, generator())
    assert torch.equal(made.labels[chosen], (data.labels[chosen] + 1) % 4)


def test_zero_rate_changes_nothing() -> None:
    data = colour_set(20)
    made, chosen = Poison(BadNets(), rate=0.0).stamp(data, generator())
    assert torch.equal(made.images, data.images) and len(chosen) == 0


def test_wanet_controls_the_batch() -> None:
    data = colour_set(40)
    poison = Poison(WaNet(strength=2.0), target=3, rate=0.1)
    assert poison.controls_training
    images, labels = poison.batch(data.pixels, data.labels, 4, generator())
    assert (labels[:4] == 3).all()
    assert torch.equal(labels[4:], data.labels[4:])
    assert torch.allclose(images[:4], poison.trigger(data.pixels[:4]), atol=1e-6)
    moved = (images - data.pixels).abs().flatten(1).max(1).values > 1e-4
    assert moved[:12].all() and not moved[12:].any()


def test_impossible_poison_is_refused() -> None:
    with pytest.raises(ValueError, match="not a class"):
        Poison(BadNets(), target=9).stamp(colour_set(20), generator())
    with pytest.raises(ValueError, match="must be all-to-one"):
        Poison(SIG(), mode="all-to-all", clean_label=True)
    with pytest.raises(ValueError, match="not a trigger"):
        Poison(Poison())


def test_the_papers_poisoning_knows_its_trigger() -> None:
    assert Poison.paper_for(BadNets.paper()) == Poison(BadNets.paper(), rate=0.1)
    assert Poison.paper_for(SIG(), target=3) == Poison(SIG(), target=3, rate=0.1, clean_label=True)
    assert Poison.paper_for(Flareon.paper()) == Poison(Flareon.paper(), rate=0.6, mode="any-to-any")
    for trigger in TRIGGERS:
        assert Standard(poison=Poison.paper_for(trigger.paper())).poison.mode in trigger.modes


def test_flareon_moves_the_papers_share_of_a_batch() -> None:
    data, poison = colour_set(40), Poison.paper_for(Flareon(amplify=4.0))
    images, labels = poison.batch(data.pixels, data.labels, 4, generator())
    moved = (images - data.pixels).abs().flatten(1).max(1).values > 1e-4
    assert moved[:24].all() and not moved[24:].any() and torch.equal(labels, data.labels)


def test_what_the_modes_say() -> None:
    said = {mode: (single_target(mode), trigger_per_class(mode), keeps_labels(mode)) for mode in MODES}
    assert said == {
        "all-to-one": (True, False, False),
        "all-to-all": (False, False, False),
        "any-to-one": (True, False, True),
        "any-to-any": (False, True, True),
    }
    with pytest.raises(ValueError, match="another label with each trigger"):
        goal(torch.zeros(2, dtype=torch.int64), "any-to-any", 0, 4)
