"""Builds the native kernel, asyncpg_vector._kernel, for wheels and for editable installations.

The package works without the kernel. Where the kernel cannot be built, one line says so, and the
wheel is pure. The variable ASYNCPG_VECTOR_BUILD changes this: `native` makes a failed build an
error, and `python` skips the build.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

VARIABLE = "ASYNCPG_VECTOR_BUILD"
MODULE = "asyncpg_vector._kernel"
MSVC = ["/std:c11", "/O2"]
# Loops over halves are vectorised only if no operation traps. Debugging information names folders;
# without it, the same sources are the same bytes in every folder.
OTHERS = [
    "-std=c11",
    "-O3",
    "-g0",
    "-fno-trapping-math",
    "-fno-math-errno",
    "-fvisibility=hidden",
]


class BuildKernel(build_ext):
    """Compiles with the flags of whichever compiler setuptools finds."""

    def build_extensions(self) -> None:
        """Compile the kernel."""
        for extension in self.extensions:
            is_msvc = self.compiler.compiler_type == "msvc"
            extension.extra_compile_args = MSVC if is_msvc else OTHERS
        super().build_extensions()


class KernelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the kernel to a wheel, or puts it beside the sources for an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the kernel, if it is wanted."""
        wanted = os.environ.get(VARIABLE, "")
        if wanted not in ("", "native", "python"):
            raise ValueError(f"expected {VARIABLE} to be native or python, got {wanted!r}")
        self.folder = TemporaryDirectory()
        output = Path(self.root if version == "editable" else self.folder.name)
        command = self.prepare(output)
        kernel = Path(command.get_ext_fullpath(MODULE))
        kernel.unlink(
            missing_ok=True
        )  # a process that runs the kernel of an earlier build keeps it
        if wanted == "python":
            return
        try:
            command.run()
        except (BaseError, CCompilerError) as error:
            if wanted == "native":
                raise
            self.app.display_warning(f"asyncpg_vector is built without its native kernel: {error}")
            return
        if version != "editable":
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"][str(kernel)] = str(kernel.relative_to(output))

    def prepare(self, output: Path) -> BuildKernel:
        """Return the command that writes the kernel below a folder."""
        sources = sorted(map(str, Path(self.root, "native").glob("*.c")))
        distribution = Distribution({"ext_modules": [Extension(MODULE, sources)]})
        command = BuildKernel(distribution)
        command.build_lib, command.build_temp = str(output), self.folder.name
        command.ensure_finalized()
        return command

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel has a copy of."""
        del version, build_data, artifact_path
        self.folder.cleanup()
