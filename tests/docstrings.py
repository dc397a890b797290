"""Runs the examples of a class's docstring."""

from __future__ import annotations

import doctest


def run_examples(class_: type) -> None:
    """Run what a docstring shows at a prompt; there has to be something."""
    (found,) = doctest.DocTestFinder(recurse=False).find(class_, globs={class_.__name__: class_})
    done = doctest.DocTestRunner(verbose=False).run(found)
    assert done.attempted > 0
    assert done.failed == 0
