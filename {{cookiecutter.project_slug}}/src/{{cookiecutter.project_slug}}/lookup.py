"""Finding the class that a configuration, or the file of a model, names."""

from importlib import import_module
from typing import Any

from . import UserError


def find_class(target: object, package: str, parent: type, setting: str) -> type[Any]:
    """Import the class that `target` names.

    A model's file is data, and may come from elsewhere: it must not choose any module to import or
    any function to call, so only classes that one package defines or imports are looked for.

    Args:
        target: Dotted name of a class, such as `<package>.mlp.MLP`.
        package: Dotted name of the package that its module must be in.
        parent: The class that it must be derived from.
        setting: Name of the setting that holds `target`, for messages.

    Raises:
        UserError: `target` names something else, or its module can't be imported.
    """
    module, _, name = str(target).rpartition(".")
    wrong = f"{setting}._target_ is {target!r}"
    if not module.startswith(f"{package}."):
        folder = package.rpartition(".")[2]
        raise UserError(f"{wrong}: name a class of a module in {folder}/, as {package}.module.Name")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError) as error:
        raise UserError(f"{wrong}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, parent)):
        raise UserError(f"{wrong}, but {module} has no {parent.__name__} of this name")
    return found
