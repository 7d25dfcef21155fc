"""A page of tables and figures, for people: one HTML file that needs no script and no network."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

from .text import to_html

MOST_ROWS = 200  # of a table
# Colours are the browser's own, which suit a light and a dark screen
STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1, h2, p { overflow-wrap: anywhere; }
bdi { display: inline-block; max-width: 24rem; overflow-wrap: break-word; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid #8888; padding: 0.25rem 0.75rem; text-align: left; }
th, td { vertical-align: top; }
.number { text-align: right; }
img { background: white; display: block; height: auto; max-width: 100%; }
@media print {
  .wide { overflow: visible; }
  img { min-width: 0 !important; }
  img, tr { break-inside: avoid; }
}
"""
# The policy stops whatever a name might load, should it ever get past the escaping
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{sections}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Table:
    """A table, of which a page shows the first 200 rows.

    Attributes:
        header: The names of the columns.
        rows: The cells, as many as columns; the first cell of a row names the row.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes:
        file: A PNG file, which the page takes in.
        text: What it shows, for those who can't see it.
    """

    file: Path
    text: str


Block = str | Table | Drawing


def write_page(path: Path, title: str, sections: Mapping[str, Sequence[Block]]) -> None:
    """Write a page.

    Args:
        path: The file to write.
        title: The heading of the page.
        sections: Paragraphs (plain texts), tables and figures, by the heading of their section.
    """
    parts = []
    for heading, blocks in sections.items():
        drawn = "\n".join(draw_block(block, heading) for block in blocks)
        parts.append(f"<section>\n<h2>{to_html(heading)}</h2>\n{drawn}\n</section>")
    page = PAGE.format(title=to_html(title), style=STYLE, sections="\n".join(parts))
    path.write_text(page, encoding="utf-8")


def draw_block(block: Block, heading: str) -> str:
    """Write a paragraph, a table or a figure of a section in HTML."""
    if isinstance(block, str):
        return f"<p>{to_html(block)}</p>"
    inner = draw_table(block) if isinstance(block, Table) else draw_figure(block)
    # What is wider than a phone scrolls, with the keys of the arrows too
    label = to_html(heading)
    wide = f'<div class="wide" role="region" aria-label="{label}" tabindex="0">\n{inner}\n</div>'
    if isinstance(block, Table) and len(block.rows) > MOST_ROWS:
        wide += f"\n<p>These are the first {MOST_ROWS} of {len(block.rows):,} rows.</p>"
    return wide


def draw_table(table: Table) -> str:
    """Write a table in HTML."""
    example = table.rows[0] if table.rows else table.header
    header = "".join(
        f'<th scope="col"{align(cell)}>{bdi(name)}</th>'
        for name, cell in zip(table.header, example, strict=True)
    )
    lines = [f"<table>\n<thead><tr>{header}</tr></thead>\n<tbody>"]
    for first, *others in table.rows[:MOST_ROWS]:
        cells = "".join(f"<td{align(cell)}>{write_cell(cell)}</td>" for cell in others)
        lines.append(f'<tr><th scope="row">{write_cell(first)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody>\n</table>"])


def align(cell: object) -> str:
    """Write the attribute of a cell that puts numbers to the right."""
    return ' class="number"' if isinstance(cell, Real) else ""


def write_cell(cell: object) -> str:
    """Write what a cell holds in HTML: fractions with four digits, thousands with a comma."""
    if isinstance(cell, Integral):
        return f"{cell:,}"
    if not isinstance(cell, Real):
        return bdi(cell)
    value = float(cell)
    return f"{value:.1e}" if 0 < abs(value) < 0.00005 else f"{value:,.4f}"


def bdi(value: object) -> str:
    """Write a text in HTML whose direction, left or right, is its own."""
    return f"<bdi>{to_html(str(value))}</bdi>"


def draw_figure(drawing: Drawing) -> str:
    """Write a figure in HTML, which holds the whole file."""
    png = drawing.file.read_bytes()
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    # Smaller than half, the letters in a figure can't be read: then a phone scrolls
    size = f'width="{width}" height="{height}" style="min-width: {0.55 * width:.0f}px"'
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f'<img alt="{to_html(drawing.text)}" {size} src="{source}">'
