"""Requests with images, and uploads of pictures: each wrong one is refused by name."""

import json
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from random import Random
from zlib import crc32

import example
import numpy as np
import pytest
from PIL import ExifTags, Image
from service import LARGEST, running, upload

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.inference.predictor import Predictor
from {{ cookiecutter.project_slug }}.inference.sources import predict_files
from {{ cookiecutter.project_slug }}.serving.requests import largest_json, read_file, request_type
from {{ cookiecutter.project_slug }}.serving.settings import Settings

INFER = "/v2/models/{{ cookiecutter.project_slug }}/infer"


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB")])
def test_an_upload_is_answered_like_the_file(client, model, sample, tmp_path, kind, mode):
    path = tmp_path / f"picture.{kind.lower()}"
    Image.open(BytesIO(sample)).resize((64, 64)).convert(mode).save(path)
    answer = upload(client, path.read_bytes(), path.name)
    assert answer.status_code == 200
    [expected] = predict_files(Predictor(model), [path])
    [row] = answer.json()["predictions"]
    assert row["label"] == expected.predictions[0].label == example.LABEL


@pytest.mark.parametrize("fit", ["pad", "crop"])
def test_an_upload_of_another_shape_is_fitted_like_the_file(model, sample, tmp_path, fit):
    predictor = Predictor(model)
    predictor.input_spec = replace(predictor.input_spec, fit=fit)
    picture = Image.open(BytesIO(sample)).convert("L")
    wide = Image.new("L", (3 * picture.width, picture.height), 90)
    wide.paste(picture, (picture.width, 0))
    wide.save(tmp_path / "wide.png")
    with running(predictor) as client:
        answer = upload(client, (tmp_path / "wide.png").read_bytes()).json()["predictions"][0]
        assert client.get("/model").json()["inputs"]["fit"] == fit
    [fitted] = predict_files(predictor, [tmp_path / "wide.png"])
    [stretched] = predict_files(Predictor(model), [tmp_path / "wide.png"])
    assert answer["probability"] == pytest.approx(fitted.predictions[0].probability, rel=1e-4)
    assert answer["probability"] != pytest.approx(stretched.predictions[0].probability, rel=1e-4)


def changed(value, position=(0, 0, 3, 2)):
    image = np.zeros((1, 1, 8, 8), int).tolist()
    inner = image
    for index in position[:-1]:
        inner = inner[index]
    inner[position[-1]] = value
    return {"images": image}


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (changed(256), ["images", 0, 0, 3, 2], "less than or equal to 255"),
        (changed(-1), ["images", 0, 0, 3, 2], "greater than or equal to 0"),
        (changed(1.5), ["images", 0, 0, 3, 2], "multiple of 1"),
        (changed(float("nan")), ["images", 0, 0, 3, 2], "finite"),
        (changed(float("inf")), ["images", 0, 0, 3, 2], "finite"),
        (changed(True), ["images", 0, 0, 3, 2], "number"),
        (changed("7"), ["images", 0, 0, 3, 2], "number"),
        (changed(None), ["images", 0, 0, 3, 2], "number"),
        (changed([1, 2, 3], (0, 0, 5)), ["images", 0, 0, 5], "at least 8 items"),
        (changed([0] * 9, (0, 0, 5)), ["images", 0, 0, 5], "at most 8 items"),
        ({"images": []}, ["images"], "at least 1 item"),
        (example.request(np.zeros((65, 1, 8, 8), int)), ["images"], "at most 64 items"),
        ({"images": [0]}, ["images", 0], "array"),
        ({"pictures": []}, ["images"], "required"),
    ],
)
def test_a_wrong_element_is_named(client, content, place, reason):
    body = json.dumps(content)
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place
    assert reason in answer.json()["detail"][0]["msg"]


@pytest.mark.parametrize("value", [256, -1, 1.5, float("nan"), True, "7", None, [0]])
def test_a_wrong_value_of_a_tensor_is_refused_at_its_place(client, value):
    (tensor,) = example.tensors(np.zeros((2, 1, 8, 8), int))
    tensor["data"][64 + 3 * 8 + 2] = value
    answer = client.post(INFER, content=json.dumps({"inputs": [tensor]}))
    assert answer.status_code == 400
    assert "['images'][1][0][3][2]" in answer.json()["error"]


def test_a_tensor_may_be_written_as_nested_lists(client, inputs):
    (tensor,) = example.tensors(inputs[:2])
    nested = tensor | {"data": inputs[:2].tolist()}
    answers = [client.post(INFER, json={"inputs": [one]}).json() for one in (tensor, nested)]
    assert answers[0]["outputs"] == answers[1]["outputs"]
    uneven = {"inputs": [tensor | {"data": inputs[:2, :, :7].tolist()}]}
    assert "other lengths" in client.post(INFER, json=uneven).json()["error"]


def test_only_the_first_wrong_element_is_named(client):
    answer = client.post("/predict", json=example.request(np.full((64, 1, 8, 8), 256)))
    assert [error["loc"] for error in answer.json()["detail"]] == [["images", 0, 0, 0, 0]]


def test_the_numbers_of_a_request_are_limited():
    largest = type("Spec", (), {"image_shape": [3, 224, 224], "zeros": example.SPEC.zeros})()
    asked = request_type(largest, Settings())
    assert asked.model_json_schema()["properties"]["images"]["maxItems"] == 2
    assert largest_json(largest, Settings()) < 20_000_000


def test_the_largest_request_may_be_written_with_line_breaks(client):
    asked = example.request(np.full((64, 1, 8, 8), 255.0))
    body = json.dumps(asked, indent=4)
    assert len(body) > len(json.dumps(asked)) * 4
    headers = {"content-type": "application/json"}
    assert client.post("/predict", content=body, headers=headers).status_code == 200


def test_a_file_that_is_no_picture_is_refused(client, sample):
    gif = BytesIO()
    Image.new("L", (8, 8)).save(gif, "GIF")
    for content in (b"", b"not a picture", gif.getvalue()):
        assert upload(client, content).status_code == 415
    answer = upload(client, sample[:-30])
    assert answer.status_code == 400
    assert "picture" in answer.json()["detail"]


def test_a_small_file_that_holds_a_huge_picture_is_refused(client):
    for size in ((5_000, 5_000), (20_000, 20_000), (1, 5_000_000)):  # Pillow stops the second
        bomb = BytesIO()
        Image.new("1", size).save(bomb, "PNG")
        assert len(bomb.getvalue()) < LARGEST
        assert upload(client, bomb.getvalue()).status_code == 400


def test_a_file_of_many_parts_is_refused(client, sample):
    part = b"\0\0\0\0tEXt" + crc32(b"tEXt").to_bytes(4)
    assert upload(client, sample[:33] + 100 * part + sample[33:]).status_code == 200
    answer = upload(client, sample[:33] + 10_000 * part + sample[33:])
    assert (answer.status_code, "parts" in answer.json()["detail"]) == (400, True)


def test_a_file_that_ends_early_is_refused(client, sample):
    jpeg = BytesIO()
    Image.open(BytesIO(sample)).resize((64, 64)).save(jpeg, "JPEG")
    for content in (sample[:-12], sample[:-1], jpeg.getvalue()[:-50]):
        assert upload(client, content).status_code == 400


@pytest.mark.filterwarnings("ignore::UserWarning")  # from Pillow, of broken notes
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_broken_files_are_answered_or_refused(sample, kind):
    """Any other exception than these would be status 500."""
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = 6
    notes[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2026:01:01 00:00:00"}
    written = BytesIO()
    Image.open(BytesIO(sample)).convert("RGB").resize((32, 32)).save(written, kind, exif=notes)
    dice, answered, settings = Random(0), 0, Settings()  # noqa: S311 - no secret
    for _ in range(1000):
        content = bytearray(written.getvalue())
        for _ in range(dice.randint(1, 5)):
            place = dice.randrange(min(400, len(content)))
            content[place : place + dice.randint(0, 2)] = dice.randbytes(dice.randint(0, 2))
        with suppress(UserError):
            answered += len(read_file(bytes(content), example.SPEC, settings))
    assert 0 < answered < 1000


@pytest.mark.parametrize("orientation", [b"\x00\x07", b"\x00\x00", b"\xff\xff"])
def test_notes_that_can_not_be_read_are_ignored(client, sample, orientation):
    """The type of the note is broken: Pillow raises while it reads it."""
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = 1
    written = BytesIO()
    picture = Image.open(BytesIO(sample)).convert("L")
    picture.save(written, "JPEG", quality=100, exif=notes)
    content = written.getvalue()
    tag = content.index(b"\x01\x12\x00\x03")
    answer = upload(client, content[: tag + 2] + orientation + content[tag + 4 :])
    assert answer.status_code == 200
    assert answer.json()["predictions"][0]["label"] == example.LABEL
