"""The README's examples run as printed, and its figures and those of docs/results.md are those that are stored."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
import torch
from torch import nn

import models
from bench import headline, report
from core.runs import finish
from lab import claims
from tests.conftest import TinyNet
from tests.support.local_hub import serve
from tests.support.project import ROOT, example, python


def test_the_library_example_removes_a_backdoor():
    code = example("README.md", "library")
    assert len([line for line in code.splitlines() if line.strip()]) == 10
    if not (ROOT / "models" / "zoo" / "scenes-badnets" / "model.safetensors").exists():
        pytest.skip("needs zoo:scenes-badnets (make zoo trains it)")
    before, after = (float(asr) for asr in re.findall(r"\basr=([\d.e-]+)", python("-c", code)))
    assert before >= 0.9
    assert after <= 0.2


def test_the_own_model_example_leaves_a_folder_that_can_be_loaded(shared_hub, tmp_path, monkeypatch):
    code = example("README.md", "own model").replace("owner/name", "akamaster/cifar_resnet20").replace("10_000", "256")
    code = code.replace("target=3)", "target=3), steps=4, batch_size=32")
    code = code.replace('"my-model"', repr(str(tmp_path / "m")))
    code = code.replace('"cifar10", "test"', '"cifar10", "test", limit=100')
    with serve(shared_hub) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("PERTURB_CACHE", str(tmp_path / "cache"))
        assert "asr=" in python("-c", code)
    poisoned = models.load(str(tmp_path / "m"))
    assert (type(poisoned.trigger).__name__, poisoned.target) == ("Blended", 3)


@pytest.fixture
def module(tmp_path):
    """Imports an example of the README under a name, as if it were a file of the project."""
    named = []

    def imported(name: str, called: str):
        file = tmp_path / f"{called}.py"
        file.write_text(example("README.md", name))
        spec = importlib.util.spec_from_file_location(called, file)
        assert spec and spec.loader
        sys.modules[called] = importlib.util.module_from_spec(spec)
        named.append(called)
        spec.loader.exec_module(sys.modules[called])
        return sys.modules[called]

    yield imported
    for called in named:
        del sys.modules[called]


def test_the_method_example_is_a_trigger(module):
    stripe = module("method", "stripe").Stripe
    images = torch.rand(2, 3, 8, 8)
    striped = stripe(rows=3, alpha=1.0)(images)
    assert torch.equal(striped[:, :, :3], torch.ones(2, 3, 3, 8))
    assert torch.equal(striped[:, :, 3:], images[:, :, 3:])
    with pytest.raises(ValueError, match=r"rows.*99"):
        stripe(rows=99)


def test_the_defense_example_is_a_repair(module, trained_net, colours):
    rounding = module("defense", "rounding").Rounding
    before = {name: value.clone() for name, value in trained_net.state_dict().items()}
    rounded = finish(rounding(bits=3).run(trained_net, colours))
    assert isinstance(rounded, TinyNet) and rounded.report == {"layers": 3.0}
    assert all(torch.equal(value, before[name]) for name, value in trained_net.state_dict().items())
    for layer in (layer for layer in rounded.modules() if isinstance(layer, nn.Conv2d | nn.Linear)):
        assert 2 < len(layer.weight.unique()) <= 2**3 - 1
    fine = finish(rounding(bits=8).run(trained_net, colours))
    assert (fine.conv1.weight - trained_net.conv1.weight).abs().max() <= trained_net.conv1.weight.abs().max() / 254
    with pytest.raises(ValueError, match=r"bits.*99"):
        rounding(bits=99)


def test_the_mixing_example_is_a_collate_function():
    dataset = [(torch.rand(3, 8, 8), place % 10) for place in range(256)]
    names = {"dataset": dataset}
    exec(compile(example("docs/mixing.md", "mixing"), "mixing.md", "exec"), names)
    images, labels = next(iter(names["loader"]))
    assert images.shape == (128, 3, 8, 8) and labels.shape == (128, 10)
    torch.testing.assert_close(labels.sum(1), torch.ones(128))


def test_the_figures_are_those_that_are_stored():
    old = [page.name for page, text in report.pages().items() if page.read_text(encoding="utf-8") != text]
    assert not old, "out of date; python -m bench.report writes them"


def test_the_headline_counts_every_claim_of_every_system_once():
    found = claims.all_judged(claims.shipped())
    rows = headline.rows(found)
    assert [row["claims of"] for row in rows] == list(claims.PAPERS.values())
    for word in claims.VERDICTS:
        assert sum(row[word] for row in rows) == sum(one.word == word for one in found), word
    assert sum(row["three seeds or more"] for row in rows) == sum(one.seeds >= 3 for one in found)
