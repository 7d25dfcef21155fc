import json
from dataclasses import asdict
from types import SimpleNamespace

import example
import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_class_weight

from {{ cookiecutter.project_slug }} import UserError, networks
from {{ cookiecutter.project_slug }}.training.classification import accuracy_and_f1
from {{ cookiecutter.project_slug }}.training.learner import Learner


def settings(network: dict, **changes) -> dict:
    """Return the settings of a network of the example, with its class's whole name."""
    changed = network | changes
    changed["_target_"] = f"{networks.__name__}.{changed['_target_']}"
    return changed


def make_learner(**changes) -> Learner:
    given = {
        "network": settings(example.NETWORK),
        "optimizer": {"name": "Adam", "lr": 0.01},
        "scheduler": None,
        "input_spec": asdict(example.SPEC),
        "classes": ["a", "b", "c"],
    }
    return Learner(**given | changes)


@pytest.mark.parametrize("network", [example.NETWORK, example.OTHER_NETWORK])
def test_networks_learn_one_batch_by_heart(network):
    torch.manual_seed(0)
    model = make_learner(network=settings(network))
    inputs = torch.from_numpy(example.random_inputs(32))
    batch = inputs, torch.randint(3, (32,))
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
    made = make_learner(
        optimizer={"name": "SGD", "lr": 0.5, "momentum": 0.9},
        scheduler={"name": "StepLR", "step_size": 7},
    ).configure_optimizers()
    assert isinstance(made["optimizer"], torch.optim.SGD)
    assert made["optimizer"].param_groups[0]["momentum"] == 0.9
    assert isinstance(made["lr_scheduler"]["scheduler"], torch.optim.lr_scheduler.StepLR)
    assert made["lr_scheduler"]["scheduler"].step_size == 7


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"network": settings(example.NETWORK, _target_="vit.Transformer")}, "vit"),
        ({"network": settings(example.NETWORK, size=5)}, "size"),
        ({"optimizer": {"name": "Adamm"}}, "Adamm"),
        ({"optimizer": {"name": "Adam", "speed": 1}}, "speed"),
        ({"optimizer": {"name": "lr_scheduler"}}, "lr_scheduler"),
        ({"optimizer": {"lr": 0.1}}, "optimizer.name"),
        ({"scheduler": {"name": "Cosine"}}, "Cosine"),
        ({"scheduler": {"name": "StepLR"}}, "step_size"),
        ({"loss": {"class_weights": [1, 2]}}, "class_weights"),
        ({"loss": {"class_weights": "equal"}}, "class_weights"),
        ({"loss": {"label_smoothing": 2}}, "label_smoothing"),
        ({"augmentation": {"blur": 1}}, "blur"),
        ({"init_from": "nowhere.pt"}, "nowhere.pt"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(changes, named):
    with pytest.raises(UserError, match=named) as error:
        make_learner(**changes).configure_optimizers()
    assert len(str(error.value).splitlines()) == 1


LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 2])


def losses(**loss) -> tuple[float, float, np.ndarray]:
    """Return the loss of a batch in training and in validation, and its log probabilities."""
    torch.manual_seed(0)
    model = make_learner(loss=loss).eval()
    arrays = {"train": (None, LABELS.numpy())}
    model._trainer = SimpleNamespace(datamodule=SimpleNamespace(arrays=arrays.get))
    model.setup("fit")
    batch = torch.from_numpy(example.random_inputs(7)), LABELS
    trained = model.training_step(batch, 0).item()
    model.validation_step(batch, 0)
    [(validated, _, _)] = model._steps["val"]
    log_probabilities = model(batch[0]).log_softmax(dim=1).detach().numpy()
    return trained, validated.item(), log_probabilities


def test_balanced_weights_count_every_class_alike():
    trained, validated, log_probabilities = losses(class_weights="balanced")
    by_class = [-log_probabilities[label == LABELS, label].mean() for label in range(3)]
    assert trained == pytest.approx(sum(by_class) / 3, rel=1e-5)
    assert validated == pytest.approx(-log_probabilities[range(7), LABELS].mean(), rel=1e-5)
    counts = compute_class_weight("balanced", classes=np.arange(3), y=LABELS.numpy())
    assert losses(class_weights=counts.tolist())[0] == pytest.approx(trained, rel=1e-5)


def test_smoothing_gives_each_class_a_share_of_the_label():
    trained, validated, log_probabilities = losses(label_smoothing=0.3)
    plain = -log_probabilities[range(7), LABELS].mean()
    assert trained == pytest.approx(0.7 * plain - 0.3 * log_probabilities.mean(), rel=1e-5)
    assert validated == pytest.approx(plain, rel=1e-5)


def test_only_training_samples_are_augmented(monkeypatch):
    model = make_learner(augmentation=example.AUGMENTATION)
    seen = []
    monkeypatch.setattr(model.network, "forward", lambda x: seen.append(x) or torch.zeros(2, 3))
    inputs, labels = torch.from_numpy(example.random_inputs(2)), torch.tensor([0, 1])
    model.training_step((inputs, labels), 0)
    model.validation_step((inputs, labels), 0)
    model.test_step((inputs, labels), 0)
    assert not torch.equal(seen[0], inputs)
    assert torch.equal(seen[1], inputs)
    assert torch.equal(seen[2], inputs)


def test_accuracy_and_f1_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    for classes in (2, 5):
        true, predicted = generator.integers(classes, size=(2, 40))
        true[true == 1], predicted[predicted == 1] = 0, 0  # a class that does not occur
        confusion = torch.zeros(classes, classes, dtype=torch.int64)
        for pair in zip(true, predicted, strict=True):
            confusion[pair] += 1
        accuracy, f1 = accuracy_and_f1(confusion)
        assert accuracy.item() == pytest.approx((true == predicted).mean())
        assert f1.item() == pytest.approx(f1_score(true, predicted, average="macro"))


def test_a_network_starts_from_a_checkpoint_and_forgets_where_it_was():
    given = make_learner()
    torch.save({"state_dict": given.state_dict()}, "given.ckpt")
    model = make_learner(init_from="given.ckpt")
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, given.state_dict()[name])
    assert "init_from" not in model.hparams


def test_compiling_does_not_rename_the_weights():
    plain, compiled = make_learner(), make_learner(compile_network=True)
    assert compiled.network._compiled_call_impl is not None
    assert plain.state_dict().keys() == compiled.state_dict().keys()


def test_a_checkpoint_holds_plain_values_only(trained):
    saved = torch.load(trained / "models/model.ckpt", weights_only=True)
    assert json.loads(json.dumps(saved["hyper_parameters"])) == saved["hyper_parameters"]
    model = Learner.load_from_checkpoint(trained / "models/model.ckpt", weights_only=True)
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, saved["state_dict"][name])
