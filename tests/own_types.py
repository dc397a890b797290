"""Types of somebody else: the example's, and packages that are generated for a test."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from codegen.files import write
from codegen.render import Target, render
from codegen.spec import load_spec
from tests.spec_types import ROOT

EXAMPLE = ROOT / "examples" / "own_type"
CREATE_SQL = (EXAMPLE / "create.sql").read_text()
"""Creates the example's type, `tinyvec`, in the first schema of the search path."""


def import_package(spec: Path, folder: Path) -> ModuleType:
    """Generate a package of a spec, with column types, and import it by the folder's name."""
    name = Path(folder.name)
    target = Target(values=name, columns=name / "sqlalchemy")
    write(render(load_spec(spec), spec.name, target, folder.parent), folder.parent, target.folders)
    sys.path.insert(0, str(folder.parent))
    try:
        return import_module(folder.name)
    finally:
        sys.path.remove(str(folder.parent))
