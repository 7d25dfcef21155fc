"""Names of classes and samples in figures, Markdown and HTML, where they must not act as markup."""

import re
from functools import cache
from html import escape
from typing import Any
from unicodedata import category, east_asian_width

from matplotlib import font_manager

# Installed fonts that have the letters of many scripts: where one lacks a letter, the next is used
FONTS = ["DejaVu Sans"] + [
    name
    for name in (
        "Noto Sans CJK JP",
        "Noto Sans CJK SC",
        "WenQuanYi Micro Hei",
        "WenQuanYi Zen Hei",
        "Droid Sans Fallback",
        "Arial Unicode MS",
        "Hiragino Sans",
        "Apple SD Gothic Neo",
        "Microsoft YaHei",
        "Yu Gothic",
        "Malgun Gothic",
        "Nirmala UI",
        "Leelawadee UI",
        "Noto Sans Devanagari",
        "Noto Sans Thai",
    )
    if name in font_manager.get_font_names()
]
# Options of Matplotlib for a text of the user's: $ starts no formula
TEXT: dict[str, Any] = {"parse_math": False, "fontfamily": FONTS}
# Letters that turn the direction of what follows them, so that a name can look like another
TURNS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def drawable(text: str) -> str:
    """Make a text of one line that the installed fonts can draw: a box stands for other letters."""
    text = " ".join(text.split()) or "(empty)"
    return "".join(letter if has_glyph(letter) else "\N{WHITE SQUARE}" for letter in text)


@cache
def has_glyph(letter: str) -> bool:
    """Say whether one of the installed fonts can draw a letter."""
    fonts = (font_manager.get_font(font_manager.findfont(name)) for name in FONTS)
    return any(font.get_char_index(ord(letter)) for font in fonts)


def shorten(text: str, width: int = 24) -> str:
    """Make a text `drawable`, without its middle if it is wider than `width` Latin letters."""
    text = drawable(text)
    kept = letters(text, width) // 2
    return text if len(text) <= 2 * kept else f"{text[:kept]}\N{HORIZONTAL ELLIPSIS}{text[-kept:]}"


def shorten_path(path: str, width: int = 24) -> str:
    """Make the name of a file `drawable`, without its start if it is too wide."""
    path = drawable(path)
    kept = letters(path, width)
    return path if len(path) <= kept else f"\N{HORIZONTAL ELLIPSIS}{path[-kept:]}"


def letters(text: str, width: int) -> int:
    """Count the letters of a text that fit into the width of `width` Latin letters."""
    return width // 2 if any(east_asian_width(letter) in "FW" for letter in text) else width


def visible(text: str, most: int) -> str:
    """Make a text of one line for a terminal or a browser, which have the letters of all scripts.

    Control characters and letters that turn the direction are shown as their numbers, and of a
    text of more than `most` letters, the start is shown.
    """
    text = " ".join(text.split()) or "(empty)"
    if len(text) > most:
        text = f"{text[:most]}\N{HORIZONTAL ELLIPSIS}"
    return "".join(
        f"\\u{ord(letter):04x}" if letter in TURNS or category(letter) in {"Cc", "Cs"} else letter
        for letter in text
    )


def to_html(text: str) -> str:
    """Escape the start of a text for HTML, where it means itself only."""
    return escape(visible(text, 1000))


def to_markdown(text: str) -> str:
    """Escape a text for a line or a table cell of Markdown, where it means itself only."""
    special = r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])"  # in a_b, the _ is no markup
    return re.sub(special, r"\\\g<0>", " ".join(text.split()))


def to_mermaid(text: str) -> str:
    """Write a text as a string of a Mermaid chart, in which `#35;` stands for a #."""
    special = r'["#%&;<>`\\]'
    inner = re.sub(special, lambda found: f"#{ord(found[0])};", " ".join(text.split()))
    return f'"{inner or " "}"'
