"""A backdoor by fine-tuning: what learns, what stays, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.metrics import evaluate
from core.networks.last_layers import last_layers
from core.runs import finish
from core.training import PoisonedFineTuning, Standard
from core.triggers import BadNets, InputAware, Poison, WaNet
from tests.conftest import TinyNet, colour_set

POISON = Poison(BadNets(side=4), target=1, rate=0.2)
FAR = Poison(target=5000)


def trained() -> torch.nn.Module:
    torch.manual_seed(0)
    return finish(Standard(epochs=6, batch_size=16, pad=0, flip=False).run(TinyNet(), colour_set(96)))


def changed(before: torch.nn.Module, after: torch.nn.Module) -> set[str]:
    old = before.state_dict()
    return {name for name, value in after.state_dict().items() if not torch.equal(value, old[name])}


def test_a_finished_network_learns_the_trigger_and_keeps_its_task() -> None:
    model, data = trained(), colour_set(96)
    before = evaluate(model, data, trigger=POISON.trigger, target=1)
    method = PoisonedFineTuning(Poison(BadNets(side=4), target=1, rate=0.3), steps=200, batch_size=32, lr=0.2)
    result: Any = finish(method.run(model, data, seed=3))
    after = evaluate(result, data, trigger=result.trigger, target=result.target, mode=result.mode)
    assert before.asr is not None and after.asr is not None
    assert before.asr < 0.4 and after.asr > 0.8 and after.acc > before.acc - 0.1
    assert len(result.poisoned) == round(0.3 * 96) and result.report["poisoned pictures"] == len(result.poisoned)
    again: Any = finish(method.run(model, data, seed=3))
    assert all(torch.equal(a, b) for a, b in zip(result.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("layers", ["all", "last blocks", "classifier"])
def test_only_the_layers_that_learn_change(layers: str) -> None:
    model, data = trained(), colour_set(64)
    result: Any = finish(PoisonedFineTuning(POISON, steps=4, layers=layers, batch_size=16).run(model, data))
    moved = {name.rsplit(".", 1)[0] for name in changed(model, result)}
    able = {"all": last_layers(model, data.images, 1.0), "classifier": last_layers(model, data.images, 0.01)}
    allowed = set(able.get(layers, last_layers(model, data.images, 0.25)))
    assert moved and (moved <= allowed if layers != "all" else moved == allowed)
    assert (result.report["share of weights that learned"] == 1.0) == (layers == "all")
    assert not any(parameter.requires_grad for parameter in result.parameters()) and not result.training


def test_no_step_on_every_layer_changes_nothing_and_few_pictures_are_few() -> None:
    model, data = trained(), colour_set(96)
    result: Any = finish(PoisonedFineTuning(POISON, steps=0, pictures=50).run(model, data))
    assert not changed(model, result) and len(result.poisoned) == 10 and int(result.poisoned.max()) < 50


def test_the_classifier_alone_learns_on_features_that_are_computed_once() -> None:
    seen: list[str] = []
    for progress in PoisonedFineTuning(POISON, layers="classifier").run(trained(), colour_set(64)):
        seen.append(progress.stage)
    assert set(seen) == {"features", "classifier"}


def test_a_trigger_that_poisons_every_batch_trains_the_last_blocks_on_pictures() -> None:
    method = PoisonedFineTuning(Poison(WaNet(), target=1), steps=2, layers="last blocks", batch_size=16)
    assert {progress.stage for progress in method.run(trained(), colour_set(32))} == {"tune"}
    learned = PoisonedFineTuning(Poison(InputAware(width=4, mask_epochs=1)), steps=2, batch_size=16)
    result: Any = finish(learned.run(trained(), colour_set(32)))
    assert result.trigger.state
    with pytest.raises(ValueError, match="poisons every batch anew"):
        PoisonedFineTuning(Poison(WaNet()), layers="classifier")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: PoisonedFineTuning(BadNets()), "does not poison data"),
        (lambda: PoisonedFineTuning(layers="some"), "layers"),
        (lambda: finish(PoisonedFineTuning(FAR).run(TinyNet(), colour_set(32))), "Poison.target = 5000"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(made: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made()


def test_large_pictures_on_a_cpu_train_fewer_layers() -> None:
    small, large = (PoisonedFineTuning.suited(side, torch.device("cpu"), POISON) for side in (32, 224))
    assert (small.layers, large.layers) == ("all", "last blocks") and large.poison == POISON
    assert PoisonedFineTuning.suited(224, torch.device("cuda"), POISON).layers == "all"
