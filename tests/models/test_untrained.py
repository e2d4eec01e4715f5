"""Fresh networks by name: first weights by seed, normalisation by data, one sentence for what cannot be built."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import models
from models.untrained import parse_architecture

NAMES = ("a", "b", "c")
REF = "arch:preact_resnet18?width=4"


def test_a_name_and_its_arguments() -> None:
    assert parse_architecture("arch:cifar_resnet20") == ("cifar_resnet20", {})
    found = parse_architecture("arch:vit?width=16&drop_rate=0.5&act_layer=gelu")
    assert found == ("vit", {"width": 16, "drop_rate": 0.5, "act_layer": "gelu"})


def test_a_fresh_network_is_drawn_by_its_seed_alone() -> None:
    state = torch.get_rng_state()
    first, again, other = (models.fresh(REF, NAMES, (3, 32, 32), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in first.state_dict().items())
    assert not torch.equal(first.net.conv1.weight, other.net.conv1.weight)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = models.create("preact_resnet18", NAMES, width=4)
    assert torch.equal(first.net.conv1.weight, made.net.conv1.weight)


def test_it_knows_its_data() -> None:
    model = models.fresh(REF, NAMES, (3, 24, 24), "cifar10", seed=0)
    assert model.class_names == NAMES and model.input_size == (3, 24, 24) and not model.training
    assert (model.card.ref, model.card.data, model.card.num_classes) == (REF, "cifar10", 3)
    assert torch.allclose(model.mean.flatten(), torch.tensor([0.4914, 0.4822, 0.4465]))
    assert torch.allclose(model.std.flatten(), torch.tensor([0.247, 0.243, 0.261]))
    assert model(torch.rand(2, 3, 24, 24)).shape == (2, 3)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert (models.fresh(REF, NAMES, (3, 24, 24)).mean == 0.5).all()


@pytest.mark.parametrize(
    "ref, said",
    [
        ("zoo:scenes-clean", "a training starts from a fresh net such as arch:preact_resnet18"),
        ("arch:no_such_net", "no_such_net"),
        ("arch:preact_resnet18?width=wide", "preact_resnet18"),
        ("arch:preact_resnet18?colour=3", "colour"),
        ("arch:preact_resnet18?width=8000", "million parameters"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(ref: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        models.fresh(ref, NAMES, (3, 32, 32))
    assert "\n" not in str(caught.value)


def test_importing_models_does_not_import_torch_for_it() -> None:
    script = "import sys, models; assert 'torch' not in sys.modules; from models import fresh; fresh.__name__"
    subprocess.run([sys.executable, "-c", script], check=True)
