"""Transformers: small ones from scratch, and those that were trained before."""

import json
import logging
import shutil

import pytest
import torch
from sources import save_model
from torch import nn

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.datasets.tokens import make_spec
from {{ cookiecutter.project_slug }}.networks.building import build_network

transformers = pytest.importorskip("transformers")

CLASSES = 4
SPEC = InputSpec(40)
TEXTS = ["sun", "a good day with snow, and much later some wind"]
DISTILBERT = {"model_type": "distilbert", "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16}


def build(spec: InputSpec = SPEC, **options: object) -> nn.Module:
    torch.manual_seed(0)
    options["_target_"] = f"{networks.__name__}.transformer.Transformer"
    return build_network(options, spec.network_options(), CLASSES).eval()


def encode(spec: InputSpec) -> torch.Tensor:
    return torch.from_numpy(spec.encode(TEXTS))


@pytest.fixture
def trained_before() -> str:
    torch.manual_seed(1)
    return save_model("model")


@pytest.fixture
def spec(trained_before) -> InputSpec:
    """Texts as the tokens of that model."""
    return make_spec(40, trained_before, 0, [])


def test_the_small_one_has_the_sizes_that_it_is_given():
    weights = build(depth=3, width=32, heads=2, rows=100).state_dict()
    assert weights["layers.model.bert.embeddings.word_embeddings.weight"].shape == (100, 32)
    assert weights["layers.model.bert.embeddings.position_embeddings.weight"].shape == (40, 32)
    assert "layers.model.bert.encoder.layer.2.output.dense.weight" in weights
    assert "layers.model.bert.encoder.layer.3.output.dense.weight" not in weights


@pytest.mark.parametrize("options", [{}, {"config": DISTILBERT}, {"pretrained": "model"}])
def test_padding_changes_no_answer(options, spec):
    network = build(spec, **options)
    inputs = encode(spec)
    short = int((inputs[0] != 0).sum())
    assert 0 < short < int((inputs[1] != 0).sum()) < 40
    torch.testing.assert_close(network(inputs)[:1], network(inputs[:1, :short]))
    # As in an exported graph, which can't cut the padding off
    torch.testing.assert_close(network.layers(inputs.long()), network(inputs))
    assert network(torch.zeros_like(inputs)).isfinite().all()


def test_it_answers_as_the_model_does_for_its_own_tokens(trained_before, spec):
    network = build(spec, pretrained=trained_before)
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained_before)
    original = transformers.AutoModel.from_pretrained(trained_before).eval()
    tokens = tokenizer(TEXTS, return_tensors="pt", padding=True)
    own = encode(spec)[:, : tokens["input_ids"].shape[1]] - 1
    there = tokens["attention_mask"] == 1
    assert torch.equal(own[there], tokens["input_ids"][there].int())
    assert (own[~there] == -1).all()
    with torch.no_grad():
        expected = network.layers.model.classifier(original(**tokens).pooler_output)
    torch.testing.assert_close(network(encode(spec)), expected)


def test_plain_values_and_weights_are_enough_without_the_folder(trained_before, spec, caplog):
    with caplog.at_level(logging.INFO):
        network = build(spec, pretrained=trained_before)
    [line] = [record.getMessage() for record in caplog.records if "weights" in record.getMessage()]
    # Its layer for three classes is not the one for four
    assert line.startswith("39 of 41 weights are from model; new: ['classifier.bias', ")
    shutil.rmtree(trained_before)
    rebuilt = build(spec, **json.loads(json.dumps(network.rebuild)))
    rebuilt.load_state_dict(network.state_dict())
    assert torch.equal(rebuilt(encode(spec)), network(encode(spec)))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"depth": 0}, "depth is 0"),
        ({"width": 30, "heads": 4}, "multiple"),
        ({"config": {"hidden_size": 8}}, "model=transformer can't be read"),
        ({"config": {"model_type": "unheard"}}, "unheard"),
        ({"config": {"model_type": "bert", "max_position_embeddings": 8}}, "a text of 40 tokens"),
        ({"config": {"model_type": "t5", "d_model": 8, "num_layers": 1}}, "config fails on a text"),
        ({"pretrained": "nowhere"}, "'nowhere': there is no such folder"),
        ({"pretrained": "empty"}, "pretrained=empty can't be read"),
        ({"pretrained": "model"}, "tokenizer, data.tokenizer=model"),
    ],
)
def test_what_can_not_work_is_refused_in_one_line(options, named, trained_before, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=named) as error:
        build(**options)
    assert len(str(error.value).splitlines()) == 1


def test_a_model_that_reads_less_than_the_texts_have_is_refused(trained_before):
    with pytest.raises(UserError, match="pretrained=model fails on a text of 80 tokens"):
        build(make_spec(80, trained_before, 0, []), pretrained=trained_before)
