import pytest
import torch

from {{ cookiecutter.project_slug }} import UserError
from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.training.augmentation import Augmentation, move, recolour

SPEC = InputSpec([1, 8, 8])
SHAPES = [(1, 8, 8), (3, 8, 8), (3, 5, 9)]


@pytest.fixture(params=SHAPES, ids=str)
def images(request) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (64, *request.param)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def moved(pixels: torch.Tensor, mirrored=False, degrees=0.0, right=0.0, down=0.0) -> torch.Tensor:
    count = len(pixels)
    numbers = (torch.full((count,), float(value)) for value in (degrees, right, down))
    return move(pixels.float(), torch.full((count,), mirrored), *numbers).round().to(torch.uint8)


def test_without_options_nothing_changes(images):
    assert torch.equal(Augmentation(SPEC)(images), images)


def test_an_image_is_mirrored_from_left_to_right(images):
    assert torch.equal(moved(images, mirrored=True), images.flip(-1))
    assert torch.equal(Augmentation(SPEC, flip=1)(images), images.flip(-1))


def test_half_of_the_images_are_mirrored(images):
    torch.manual_seed(0)
    changed = (Augmentation(SPEC, flip=0.5)(images) != images).flatten(1).any(dim=1)
    assert 16 < changed.sum() < 48


def test_an_image_is_turned_about_its_middle(images):
    assert torch.equal(moved(images, degrees=180), images.flip(-1, -2))
    square = images[..., :5, :5]
    assert torch.equal(moved(square, degrees=90), square.rot90(dims=(2, 3)))


def test_a_small_turn_keeps_the_middle_and_moves_the_rim():
    picture = torch.zeros(1, 1, 9, 15, dtype=torch.uint8)
    picture[..., 4, 7], picture[..., 4, 14] = 200, 100
    turned = moved(picture, degrees=20)[0, 0]
    assert turned[4, 7] > 150
    rim = turned[:, 10:].sum(dim=1)
    assert rim.argmax() < 4  # counter-clockwise: the right goes up


def test_an_image_is_shifted_and_its_edge_repeated(images):
    shifted = moved(images, right=1, down=2)
    assert torch.equal(shifted[..., 2:, 1:], images[..., :-2, :-1])
    assert torch.equal(shifted[..., 0, 1:], images[..., 0, :-1])
    assert torch.equal(shifted[..., 2:, 0], images[..., :-2, 0])


def test_a_crop_stays_in_its_share(images):
    columns = torch.arange(images.shape[-1], dtype=torch.uint8).expand_as(images)
    shifted = Augmentation(SPEC, crop=0.25)(columns)[:, 0, 0].int()
    shifts = (shifted - columns[:, 0, 0]).abs().amax(dim=1)
    assert shifts.max() == round(0.25 * images.shape[-1])
    assert len(set(shifts.tolist())) > 1  # each image has its own


def test_brightness_shifts_all_pixels_and_keeps_the_range(images):
    grey = torch.full_like(images, 128)
    changes = Augmentation(SPEC, brightness=0.2)(grey).int() - 128
    assert changes.abs().max() <= 51
    assert (changes.flatten(1).amax(dim=1) == changes.flatten(1).amin(dim=1)).all()
    assert len(changes[:, 0, 0, 0].unique()) > 10
    bright = recolour(images.float(), torch.full((64,), 40.0), torch.ones(64))
    assert torch.allclose(bright, images + 40.0, atol=1e-3)
    assert Augmentation(SPEC, brightness=1)(images).dtype == torch.uint8


def test_contrast_scales_the_distance_from_the_mean(images):
    halved = recolour(images.float(), torch.zeros(64), torch.full((64,), 0.5))
    mean = images.float().mean(dim=(1, 2, 3), keepdim=True)
    assert torch.allclose(halved, mean + (images - mean) / 2, atol=1e-3)
    grey = torch.full_like(images, 77)
    assert torch.equal(Augmentation(SPEC, contrast=1)(grey), grey)


def test_the_seed_decides(images):
    every = Augmentation(SPEC, flip=0.5, rotate=10, crop=0.2, brightness=0.2, contrast=0.2)
    torch.manual_seed(0)
    first, second = every(images), every(images)
    torch.manual_seed(0)
    assert torch.equal(every(images), first)
    assert not torch.equal(second, first)


@pytest.mark.parametrize("options", [{"flip": 2}, {"rotate": -1}, {"crop": "wide"}])
def test_a_value_out_of_range_is_named(options):
    [name] = options
    with pytest.raises(UserError, match=rf"augmentation\.{name}"):
        Augmentation(SPEC, **options)
