"""Networks for texts as ONNX: one graph for texts of any length."""

import example
import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from {{ cookiecutter.project_slug }} import networks
from {{ cookiecutter.project_slug }}.networks.building import build_network


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    options = {"_target_": f"{networks.__name__}.{name}"}
    return build_network(options, {"vocabulary_size": 0x110000, "length": 500}, 4).eval()


NAMES = ["ngrams.NGrams", "conv.Conv", "transformer.Transformer"]


@pytest.mark.parametrize("name", NAMES)
def test_an_exported_network_agrees_at_every_length(name, tmp_path):
    if package := example.NEEDS.get(name.partition(".")[0]):
        pytest.importorskip(package)
    network = build(name)
    names = {0: "batch", 1: "length"}
    program = torch.onnx.export(
        network,
        (torch.ones((2, 80), dtype=torch.int32),),
        dynamo=True,
        dynamic_shapes=(names,),
        input_names=["inputs"],
        output_names=["logits"],
        verbose=False,
    )
    program.save(tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    generator = np.random.default_rng(0)
    for count, length in [(1, 1), (3, 1), (1, 2), (5, 7), (64, 33), (1, 500), (2, 80)]:
        inputs = generator.integers(1, 0x10FFFF, (count, length), dtype=np.int32)
        inputs[-1, (length + 1) // 2 :] = 0
        [logits] = session.run(["logits"], {"inputs": inputs})
        expected = network(torch.from_numpy(inputs)).detach().numpy()
        np.testing.assert_allclose(logits, expected, atol=1e-5)
