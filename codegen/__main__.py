"""The generator's command line; see `python -m codegen --help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codegen.files import compare, write
from codegen.render import RenderError, render
from codegen.spec import SpecError, load_spec

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Generate or check, and return the process's exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen",
        description="Generate the codecs and README's table of types from specs/types.toml.",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; print a diff and fail if a file is changed, missing or orphan",
    )
    check = parser.parse_args().check
    try:
        files = render(load_spec(ROOT / "specs" / "types.toml"), ROOT)
    except (SpecError, RenderError) as error:
        print(error, file=sys.stderr)
        return 1
    if check:
        diff = compare(files, ROOT)
        sys.stdout.write(diff)
        if diff:
            print(
                "generated files differ from specs/types.toml: run make generate", file=sys.stderr
            )
        return int(bool(diff))
    for path in write(files, ROOT):
        print(f"{'wrote' if path in files else 'removed'} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
