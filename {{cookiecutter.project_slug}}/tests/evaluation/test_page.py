import base64
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from {{ cookiecutter.project_slug }}.evaluation.page import MOST_ROWS, Drawing, Table, write_page

VOID = {"img", "meta"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'--><style>",
    "</title></td></table>",
    "&lt;{title}",
]
# Right to left, Chinese, and a sign of three characters
SCRIPTS = "\u05d0\u200f \u732b \U0001f468\u200d\U0001f469"


class Page(HTMLParser):
    """A page as a browser reads it; a tag that is closed in the wrong place is an error."""

    def __init__(self, path):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(path.read_text("utf-8"))
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def texts_in(self, *tags):
        return [text for tag, text in self.texts if tag in tags]


def page(title="Title", **sections):
    write_page(Path("page.html"), title, sections)
    return Page(Path("page.html"))


def test_a_page_holds_what_it_is_given():
    table = Table(["class", "f1", "samples"], [["cat", 0.98765, 12345], ["dog", 1.0, 2]])
    shown = page(Metrics=["A paragraph.", table], Empty=[Table(["class"], [])])
    assert shown.texts_in("title", "h1") == ["Title", "Title"]
    assert shown.texts_in("h2") == ["Metrics", "Empty"]
    assert shown.texts_in("p") == ["A paragraph."]
    cells = ["class", "f1", "samples", "cat", "0.9877", "12,345", "dog", "1.0000", "2", "class"]
    assert shown.texts_in("bdi", "td") == cells
    assert [cell["scope"] for cell in shown.all("th")] == [*["col"] * 3, "row", "row", "col"]


def test_a_figure_is_in_the_page_and_has_a_text():
    Figure(figsize=(4, 2)).savefig("figure.png", dpi=100)
    [drawn] = page(Figures=[Drawing(Path("figure.png"), 'a "b" <c>')]).all("img")
    assert drawn["alt"] == 'a "b" <c>'
    assert (drawn["width"], drawn["height"]) == ("400", "200")
    start, _, content = drawn["src"].partition(",")
    assert start == "data:image/png;base64"
    assert base64.b64decode(content) == Path("figure.png").read_bytes()


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_a_text_means_itself_only(text):
    Figure().savefig("figure.png", dpi=10)
    table = Table([text, text], [[text, text]])
    write_page(Path("page.html"), text, {text: [text, table, Drawing(Path("figure.png"), text)]})
    shown = Page(Path("page.html"))
    assert not {"script", "link", "iframe"} & {tag for tag, _ in shown.elements}
    assert len(shown.all("img")) == len(shown.all("style")) == 1
    assert shown.texts_in("title", "h1", "h2", "p", "bdi") == [text] * 8
    assert shown.all("img")[0]["alt"] == text
    assert [region["aria-label"] for region in shown.all("div")] == [text, text]
    used = {name for _, attributes in shown.elements for name in attributes}
    assert not {"href", "srcset", "onerror"} & used


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "(empty)"),
        (" a\r\n b\t", "a b"),
        ("a\x00\x1b", "a\\u0000\\u001b"),
        ("caf\udce9", "caf\\udce9"),
        ("gpj.\u202eexe\u2069", "gpj.\\u202eexe\\u2069"),
        (SCRIPTS, SCRIPTS),
        ("W" * 100_000, "W" * 1000 + "\u2026"),
    ],
)
def test_letters_without_a_shape_are_numbers_and_long_texts_are_cut(text, shown):
    assert page(Cells=[Table(["x"], [[text]])]).texts_in("bdi") == ["x", shown]


def test_of_a_very_long_table_the_first_rows_are_shown():
    shown = page(Classes=[Table(["class", "f1"], [[f"c{k}", 0.5] for k in range(1000)])])
    assert len(shown.all("tr")) == 1 + MOST_ROWS
    assert shown.texts_in("p") == [f"These are the first {MOST_ROWS} of 1,000 rows."]


def test_a_page_fits_a_phone_and_loads_nothing():
    shown = page()
    _, phone, policy = shown.all("meta")
    assert phone == {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    assert policy["content"].startswith("default-src 'none'; img-src data:;")
    assert shown.all("html") == [{"lang": "en"}]
    assert "://" not in Path("page.html").read_text("utf-8")
