"""Checks of the files and folders that texts name."""

import ast
import functools
import posixpath
import re
from collections.abc import Iterator, Set

from forest import Forest, Found, Where, union

from checks.recipes import with_recipes
from checks.syntax import syntax
from checks.tree import Tree

# Made by commands, or by people who need them, so named but not baked. Each is precise:
# `data/batches.py` is no output.
OUTPUTS = re.compile(
    r"data|data/(raw|processed)(/.*)?|models|models/[\w.-]+\.(ckpt|onnx|csv)"
    r"|reports|reports/[\w-]+\.(csv|html|json|md|png|xml)|outputs(/.*)?|(site|htmlcov|dist)(/.*)?"
    r"|\.(venv|env|netrc|git|cache|mypy_cache|ruff_cache|pytest_cache|ipynb_checkpoints)(/.*)?"
    r"|data\.md|comparison\.md|hydra/config\.yaml|infra/\w+/(terraform\.tf(vars|state)|staging\.tfvars)"
    r"|\.grype\.yaml|uv\.lock|dvc\.lock|\.dvc/(tmp|cache|config\.local)(/.*)?"
)
NAMED_FILE = re.compile(r"[\w.-]*\w\.(py|ya?ml|toml|md|ipynb|lock|cfg|ini|sh|tf|dockerfile)")
TOKEN = re.compile(r"(?<![\w@:/$}{<>*~+-])(?:\.{1,2}/)*[\w.-]+(?:/[\w.*<>{}$-]+)*/?(?![\w({])")
URL = re.compile(r"\b[\w+]+://[^\s)>\"'`]+")
# They name what may come to be, not what is there
IGNORE_FILES = (".gitignore", ".gcloudignore", ".dvcignore", ".dockerignore", ".gitattributes")
RUBBISH = (".pyc", ".DS_Store", ".orig", ".rej", "~")


def files(tree: Tree, wanted: Set[str]) -> list[str]:
    """Compare the files of one project to the paths that the marks in the template leave."""
    found = [f"{path}: should not be there" for path in sorted(tree.files.keys() - wanted)]
    found += [f"{path}: is missing" for path in sorted(wanted - tree.files.keys())]
    found += [f"{path}: is an empty folder" for path in tree.empty]
    found += [
        f"{path}: is rubbish"
        for path in sorted(tree.files)
        if "__pycache__" in path or path.endswith(RUBBISH)
    ]
    return found


@with_recipes
def dangling_paths(forest: Forest) -> Found:
    """Find the names of files and folders that are not in the project and no command makes."""
    found = Found()
    places = _Places(forest)
    for path, texts in forest.variants.items():
        folder = posixpath.dirname(path)
        for line, token, where in _named(forest, path):
            lacking = where & places.lacking(folder, token)
            problem = f"names {token}, which is not there; if a command makes it, add it to"
            found.note(f"{path}:{line}: {problem} OUTPUTS in tests/checks/paths.py", lacking)
        for text, where in texts.items() if path.endswith(".md") else ():
            for link in _links(text):
                target = posixpath.normpath(posixpath.join(folder, link))
                lacking = where & ~forest.is_path(target)
                found.note(f"{path}: links to {link}, which is not there", lacking)
    return found


def _named(forest: Forest, path: str) -> Iterator[tuple[int, str, Where]]:
    """Yield the words of a file that may be paths: line, word and where."""
    if path.endswith(IGNORE_FILES):
        return
    if path.endswith(".py"):
        names = {posixpath.basename(one) for one in forest.possible}
        for text, where in forest.texts(path).items():
            for line, token, is_string in _python_tokens(text):
                # A test may make any file, but not one of a name that the template has
                is_made = is_string and path.startswith("tests/") and "/" not in token
                if not (is_made and token not in names):
                    yield line, token, where
        return
    for (line, said), where in forest.numbered[path].items():
        yield from ((line, token, where) for token in _tokens(said))


@functools.lru_cache(maxsize=20_000)
def _tokens(line: str) -> tuple[str, ...]:
    # `$/` stands for the project itself, as a folder of which a workflow names an action
    line = URL.sub(" ", line.replace("uses: $/", "uses: ./"))
    return tuple(match.group().rstrip(".,") for match in TOKEN.finditer(line))


@functools.lru_cache(maxsize=5000)
def _python_tokens(text: str) -> tuple[tuple[int, str, bool], ...]:
    """Return the words of strings and comments: the line, the word, if it is a whole string."""
    chunks = [
        (node.lineno, node.value)
        for node in ast.walk(_without_fstrings(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    chunks += [
        (number, line.partition("# ")[2])
        for number, line in enumerate(text.splitlines(), 1)
        if "# " in line
    ]
    return tuple(
        (first + offset, token, token == chunk)
        for first, chunk in chunks
        for offset, line in enumerate(chunk.splitlines())
        for token in _tokens(line)
    )


def _without_fstrings(text: str) -> ast.AST:
    class Drop(ast.NodeTransformer):
        def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
            return ast.copy_location(ast.Constant(0), node)

    return Drop().visit(syntax(text))


def _links(text: str) -> list[str]:
    return re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", re.sub(r"(?ms)^```.*?^```", "", text))


class _Places:
    """Says of each word that may be a path where it names nothing."""

    def __init__(self, forest: Forest) -> None:
        self.forest = forest
        self.possible_names = {posixpath.basename(path) for path in forest.possible}
        self.possible_tops = {path.partition("/")[0] for path in forest.possible if "/" in path}
        self.by_name: dict[str, list[str]] = {}
        for path in forest.present:
            self.by_name.setdefault(posixpath.basename(path), []).append(path)
        self.lacking = functools.cache(self._lacking)

    def _lacking(self, folder: str, token: str) -> Where:
        """Return where a word in a file of `folder` looks like a path and there is none."""
        # Up to the first part that stands for several names, or for a name to fill in
        literal = re.split(r"/[^/]*[*<{$]", token)[0].rstrip("/")
        suspect = self._looks_like_a_file(token) if "/" not in token else self.forest.all
        if not suspect:
            return 0
        inside = posixpath.normpath(posixpath.join(folder, literal))
        for candidate in (posixpath.normpath(literal), inside):
            if candidate == "." or OUTPUTS.fullmatch(candidate):
                return 0
            suspect &= ~self.forest.is_path(candidate)
        if "/" not in literal:
            known = self.forest.names.get(literal, 0)
            return suspect & self._looks_like_a_file(literal) & ~known
        ends = self.by_name.get(posixpath.basename(literal), [])
        suspect &= ~union(self.forest.has(path) for path in ends if path.endswith(f"/{literal}"))
        if literal in self.forest.possible or NAMED_FILE.search(literal):
            return suspect
        return suspect & self._has_top(literal.partition("/")[0])

    def _looks_like_a_file(self, name: str) -> Where:
        """Return where a bare name has a file's ending, or is that of a file left out there."""
        if NAMED_FILE.fullmatch(name):
            return self.forest.all
        if name in self.possible_names:
            return self.forest.all & ~self.forest.names.get(name, 0)
        return 0

    def _has_top(self, name: str) -> Where:
        # `src/x` is a path, `and/or` is none
        return self.forest.all if name in self.possible_tops else self.forest.folders.get(name, 0)
