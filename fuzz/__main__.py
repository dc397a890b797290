"""The fuzzer's command line, for all targets or one; see `python -m fuzz --help`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "fuzz_cases"
"""The findings, which the tests replay: a folder for each target."""
WORK = ROOT / ".fuzz"
"""The inputs with which libFuzzer found new coverage, from which its next run starts."""
KERNEL = WORK / "kernel.so"
"""The kernel, compiled by `make` so that it counts the code that an input reaches."""

# The most that an input may cost. libFuzzer limits the memory of the whole process, which takes
# 200 MB before the first input, and the time in seconds. tests/test_fuzz_cases.py is stricter.
LIMITS = ["-max_len=20000", "-timeout=5", "-rss_limit_mb=1024"]


def main() -> int:
    """Fuzz, and return the exit status of the process, which is not 0 if there are findings."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", help="fuzzed in this process; default: all targets")
    parser.add_argument("--seconds", type=int, default=60, help="in total (default: %(default)s)")
    arguments, options = parser.parse_known_args()  # libFuzzer takes the other options
    if arguments.target is None:
        return fuzz_all(arguments.seconds)
    fuzz(arguments.target, [f"-max_total_time={arguments.seconds}", *options])
    return 0


def fuzz(target: str, options: list[str]) -> None:
    """Fuzz a target; this ends the process."""
    # atheris is installed for this job only, and has no type hints.
    atheris: Any = import_module("atheris")
    if KERNEL.exists():
        load_kernel()
    with atheris.instrument_imports(include=["asyncpg_vector", "codegen", "tomllib"]):
        from fuzz.checks import TARGETS
        from fuzz.seeds import dictionary, samples
    found, seeded, cases = WORK / target / "found", WORK / target / "seeds", CASES / target
    words = WORK / target / "words"
    for folder in (found, seeded, cases):
        folder.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(samples(target)):
        (seeded / str(number)).write_bytes(sample)
    words.write_text("".join(f'"{_escape(word)}"\n' for word in dictionary(target)))
    atheris.Setup(
        [
            sys.argv[0],
            *LIMITS,
            *options,
            f"-artifact_prefix={cases}/",
            *([f"-dict={words}"] if words.stat().st_size else []),
            "-print_final_stats=1",
            *map(str, (found, seeded, cases)),
        ],
        TARGETS[target],
    )
    atheris.Fuzz()


def load_kernel() -> None:
    """Load the kernel that counts coverage, which the package then takes for its own."""
    name = "asyncpg_vector._kernel"
    loader = ExtensionFileLoader(name, str(KERNEL))
    spec = spec_from_loader(name, loader)
    assert spec
    sys.modules[name] = module_from_spec(spec)
    loader.exec_module(sys.modules[name])


def fuzz_all(seconds: int) -> int:
    """Fuzz every target, one on each processor at a time, and print the results."""
    from fuzz.checks import TARGETS

    processes = os.cpu_count() or 1
    share = max(1, seconds * processes // len(TARGETS))
    with ThreadPoolExecutor(processes) as pool:
        runs = {target: pool.submit(_run, target, share) for target in TARGETS}
        results = [_report(target, run.result()) for target, run in runs.items()]
    inputs, findings = (sum(counts) for counts in zip(*results, strict=True))
    print(f"{inputs:,} inputs, {findings} findings")
    return int(findings > 0)


def _run(target: str, seconds: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fuzz", target, f"--seconds={seconds}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        errors="replace",
        check=False,
    )


def _report(target: str, done: subprocess.CompletedProcess[str]) -> tuple[int, int]:
    """Print the result of a target; return the number of its inputs and of its findings."""
    executed = re.findall(r"number_of_executed_units: (\d+)", done.stdout)
    covered = re.findall(r"cov: (\d+)", done.stdout)
    print(f"{target}: {(executed or '?')[-1]} inputs, {(covered or '?')[-1]} edges covered")
    if done.returncode:
        print(done.stdout[-3000:])
        print(f"{target}: a finding is in {CASES.relative_to(ROOT) / target}")
    return int((executed or "0")[-1]), int(bool(done.returncode))


def _escape(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    sys.exit(main())
