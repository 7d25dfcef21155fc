from {{ cookiecutter.project_slug }}.datasets.inputs import InputSpec
from {{ cookiecutter.project_slug }}.evaluation.samples import (
    draw_samples,
    features,
    profile,
    show,
)

SPEC = InputSpec(20)


def test_texts_are_drawn_beside_their_titles(tmp_path):
    texts = ["a text", "$x^2$ is no formula", "\u7b11\u3046" * 9]
    titles = ["de/1\ntrue en\nguess de (90%)", "two", "$"]
    figure = draw_samples(SPEC.encode(texts), SPEC, titles, "Some $ texts")
    drawn = [text.get_text() for text in figure.axes[0].texts]
    assert "a text" in drawn
    assert "de/1   true en   guess de (90%)" in drawn
    figure.savefig(tmp_path / "texts.png")


def test_no_texts_are_drawn_as_an_empty_figure(tmp_path):
    draw_samples(SPEC.encode([]), SPEC, [], "None").savefig(tmp_path / "none.png")


def test_the_lengths_of_each_split_are_described():
    inputs = {"train": SPEC.encode(["a", "abc", "x" * 30]), "val": SPEC.encode(["ab"])}
    lines = profile(inputs, SPEC)
    assert "| train | 1 | 3 | 18 | 20 | 1 |" in lines
    assert "| val | 2 | 2 | 2 | 2 | 0 |" in lines
    counted = [line.split(" | ")[1] for line in lines if line[2:3].isdigit()]
    assert sum(map(int, counted)) == 3


def test_texts_can_be_sliced_by_their_length():
    assert features(SPEC.encode(["a", "abc"]), SPEC)["length"].tolist() == [1, 3]
    assert show(SPEC.encode(["abc"])[0], SPEC) == "abc"
