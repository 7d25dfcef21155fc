import json

import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.training.classifier import Classifier


def spec(name: str, **options) -> dict:
    options["_target_"] = f"{networks.__name__}.{name}"
    return options


def make_classifier(**changes) -> Classifier:
    settings = {
        "network": spec("cnn.CNN", channels=[8, 16]),
        "optimizer": {"name": "Adam", "lr": 0.01},
        "scheduler": None,
        "image_shape": [1, 8, 8],
        "classes": ["a", "b", "c"],
    }
    return Classifier(**settings | changes)


@pytest.mark.parametrize("name", ["cnn.CNN", "mlp.MLP"])
def test_networks_learn_one_batch_by_heart(name):
    torch.manual_seed(0)
    model = make_classifier(network=spec(name, dropout=0.0))
    images = torch.randint(256, (32, 1, 8, 8), dtype=torch.uint8)
    batch = images, torch.randint(3, (32,))
    optimizer = model.configure_optimizers()["optimizer"]
    losses = []
    for step in range(60):
        optimizer.zero_grad()
        loss = model.training_step(batch, step)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 0.9  # three classes by chance: log(3) = 1.1
    assert losses[-1] < 0.01


def test_optimizer_and_scheduler_come_from_the_configuration():
    made = make_classifier(
        optimizer={"name": "SGD", "lr": 0.5, "momentum": 0.9},
        scheduler={"name": "StepLR", "step_size": 7},
    ).configure_optimizers()
    assert isinstance(made["optimizer"], torch.optim.SGD)
    assert made["optimizer"].param_groups[0]["momentum"] == 0.9
    assert isinstance(made["lr_scheduler"], torch.optim.lr_scheduler.StepLR)
    assert made["lr_scheduler"].step_size == 7


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"network": spec("vit.Transformer")}, "vit"),
        ({"network": spec("cnn.CNN", kernel=5)}, "kernel"),
        ({"network": spec("cnn.CNN", channels=[8, 8, 8, 8])}, "too small"),
        ({"optimizer": {"name": "Adamm"}}, "Adamm"),
        ({"optimizer": {"name": "Adam", "speed": 1}}, "speed"),
        ({"optimizer": {"name": "lr_scheduler"}}, "lr_scheduler"),
        ({"optimizer": {"lr": 0.1}}, "optimizer.name"),
        ({"scheduler": {"name": "Cosine"}}, "Cosine"),
        ({"scheduler": {"name": "StepLR"}}, "step_size"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(changes, named):
    with pytest.raises(UserError, match=named) as error:
        make_classifier(**changes).configure_optimizers()
    assert len(str(error.value).splitlines()) == 1


def test_compiling_does_not_rename_the_weights():
    plain, compiled = make_classifier(), make_classifier(compile_network=True)
    assert compiled.network._compiled_call_impl is not None
    assert plain.state_dict().keys() == compiled.state_dict().keys()


def test_a_checkpoint_holds_plain_values_only(trained):
    saved = torch.load(trained / "models/model.ckpt", weights_only=True)
    assert json.loads(json.dumps(saved["hyper_parameters"])) == saved["hyper_parameters"]
    model = Classifier.load_from_checkpoint(trained / "models/model.ckpt", weights_only=True)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, saved["state_dict"][name])
