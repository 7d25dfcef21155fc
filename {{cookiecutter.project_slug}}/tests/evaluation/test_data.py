from pathlib import Path

import example
import pytest
from PIL import Image

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.evaluation.report import evaluate


def test_other_data_than_the_model_was_trained_on_is_refused(configure, options):
    for name in ("cat", "dog"):
        Path("pictures", name).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (8, 8), number).save(f"pictures/{name}/{number}.png")
    pictures = ["data=image_folder", "data.source=pictures", "data.folder=prepared"]
    with pytest.raises(UserError, match="was trained on other classes"):
        evaluate(configure(*pictures, options[1], config="evaluate"))


def test_another_split_than_the_trained_one_is_refused(configure, options):
    with pytest.raises(UserError, match="made with other settings"):
        evaluate(configure(*options, example.OTHER_SPLIT, config="evaluate"))
