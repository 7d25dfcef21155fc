"""What Python texts say of themselves: strings, names and imports, read from the syntax tree."""

import ast
import functools
import posixpath
from collections.abc import Iterator

from checks.texts import cells


@functools.lru_cache(maxsize=2000)
def syntax(text: str) -> ast.Module:
    """Parse a text, once."""
    return ast.parse(text)


@functools.lru_cache(maxsize=5000)
def imported_names(path: str, text: str) -> tuple[tuple[int, str], ...]:
    """Return every imported module or name, relative ones spelled out, each with its line."""
    sources = cells(text) if path.endswith(".ipynb") else [text]
    return tuple(
        (node.lineno, name)
        for source in sources
        for node in ast.walk(syntax(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _names(path, node)
    )


@functools.lru_cache(maxsize=2000)
def eager_imports(path: str, text: str) -> tuple[str, ...]:
    """Return what importing a module imports at once: modules or names, relative ones spelled out.

    What functions import comes later, what type checkers alone import never.
    """
    return tuple(name for node in _at_once(syntax(text).body) for name in _names(path, node))


def _at_once(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _at_once(node.orelse)
            continue
        yield node
        for block in ("body", "orelse", "finalbody"):
            yield from _at_once(getattr(node, block, []))
        for handler in getattr(node, "handlers", []):
            yield from _at_once(handler.body)


def _names(path: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = posixpath.dirname(path).removeprefix("src/").split("/")
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def module_files(dotted: str) -> Iterator[str]:
    """Yield the files that may run when a module, or a name in one, is imported.

    Importing `a.b.c` runs `a/__init__.py`, `a/b/__init__.py` and `a/b/c.py`.
    """
    parts = dotted.split(".")
    for length in range(1, len(parts) + 1):
        where = "src/" + "/".join(parts[:length])
        yield f"{where}/__init__.py"
        yield f"{where}.py"


@functools.lru_cache(maxsize=5000)
def imported_packages(path: str, text: str) -> frozenset[str]:
    """Return the top-level packages that a module, or a notebook's cells, import."""
    sources = cells(text) if path.endswith(".ipynb") else [text]
    nodes = [node for source in sources for node in ast.walk(syntax(source))]
    names = [name for node in nodes for name in _absolute_names(node)]
    return frozenset(name.partition(".")[0] for name in names)


def _absolute_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module]
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "importorskip":
        return [str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant)]
    return []


@functools.lru_cache(maxsize=2000)
def defined(text: str) -> frozenset[str]:
    """Return the names that a module defines or imports at its top level."""
    found = set()
    blocks: list[ast.stmt] = list(syntax(text).body)
    while blocks:
        node = blocks.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.If | ast.Try | ast.With):
            blocks += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        else:
            found |= {leaf.id for leaf in ast.walk(node) if isinstance(leaf, ast.Name)}
    return frozenset(found)


@functools.lru_cache(maxsize=2000)
def members(text: str, name: str) -> frozenset[str] | None:
    """Return what a class defines, or None for what has no members to look up."""
    for node in syntax(text).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            found = set().union(*(defined(ast.unparse(child)) for child in node.body))
            stores = (leaf.attr for leaf in ast.walk(node) if isinstance(leaf, ast.Attribute))
            return frozenset(found | set(stores)) if not node.bases else None
    return None
