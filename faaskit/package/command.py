"""`faaskit package`: build the archives of function and layer."""

from __future__ import annotations

import argparse
from pathlib import Path

from faaskit.package import build, verify
from faaskit.package.target import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `package`."""
    parser.add_argument("--python", default="3.10", help="the platform's CPython (default: 3.10)")
    parser.add_argument("--platform", default="manylinux2014_x86_64", help="default: manylinux2014_x86_64")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the project (default: here)")
    parser.add_argument("--output", type=Path, help="default: build/ of the project")
    parser.add_argument(
        "--verify", action="store_true", help="run the archives as on the platform and replay events in them"
    )


def run(options: argparse.Namespace) -> int:
    """Build and, with --verify, try the archives; raises PackageError."""
    target = Target.parse(options.python, options.platform)
    built = build.build(options.folder, options.output or options.folder / "build", target, print)
    print(built.table)
    if options.verify:
        verify.verify(built, options.folder / "tests" / "events", target, print)
    return 0
