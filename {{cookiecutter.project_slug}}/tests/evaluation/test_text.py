import pytest

from {{ cookiecutter.project_slug }}.evaluation.text import (
    drawable,
    shorten,
    shorten_path,
    to_html,
    to_markdown,
    to_mermaid,
    visible,
)


def test_common_names_stay_as_they_are():
    for name in ("7", "oak_leaf", "Cr\u00eape", "a-b (c)"):
        for change in (drawable, shorten, shorten_path, to_markdown):
            assert change(name) == name
        assert to_mermaid(name) == f'"{name}"'


def test_names_are_of_one_line_and_never_empty():
    assert drawable(" a\n b\t") == "a b"
    assert drawable("") == "(empty)"
    assert to_markdown("a\r\nb") == "a b"
    assert to_mermaid("") == '" "'


def test_a_letter_without_a_font_is_a_box():
    assert drawable("a\x07\udce9\U0010ffff") == "a" + 3 * "\N{WHITE SQUARE}"


def test_a_terminal_and_a_browser_get_every_letter_that_has_a_shape():
    assert visible("\u732b\u05d0\U0010ffff caf\u00e9\n", 50) == "\u732b\u05d0\U0010ffff caf\u00e9"
    assert visible("a\x1b\udce9\u202e", 50) == "a\\u001b\\udce9\\u202e"
    assert visible("", 9) == "(empty)"
    assert visible("abc", 2) == "ab\N{HORIZONTAL ELLIPSIS}"
    assert to_html('<a b="\'">&') == "&lt;a b=&quot;&#x27;&quot;&gt;&amp;"


def test_long_names_keep_both_ends_and_long_paths_their_end():
    assert shorten("abcdefgh", 4) == "ab\N{HORIZONTAL ELLIPSIS}gh"
    assert shorten_path("folder/file.png", 8) == "\N{HORIZONTAL ELLIPSIS}file.png"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", "a\\|b"),
        ("`a`", "\\`a\\`"),
        ("<b>", "\\<b\\>"),
        ("*a* _b_", "\\*a\\* \\_b\\_"),
        ("[a](b)", "\\[a\\](b)"),
        ("$x$ &amp;", "\\$x\\$ \\&amp;"),
        ("\\|", "\\\\\\|"),
    ],
)
def test_markdown_reads_no_markup_in_names(text, escaped):
    assert to_markdown(text) == escaped


def test_mermaid_reads_no_markup_in_names():
    assert to_mermaid('"a"#1 <b> `c` %%{d}%% &e; \\') == (
        '"#34;a#34;#35;1 #60;b#62; #96;c#96; #37;#37;{d}#37;#37; #38;e#59; #92;"'
    )
