"""`faaskit package`: build the archives of function and layer."""

from __future__ import annotations

import argparse
from pathlib import Path

from faaskit import project
from faaskit.package import build, verify
from faaskit.package.target import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `package`."""
    parser.add_argument("--python", default="3.10", help="the platform's CPython (default: 3.10)")
    parser.add_argument(
        "--platform",
        default="manylinux2014_x86_64",
        help="the newest wheels that fit, such as manylinux_2_28_x86_64 (default: manylinux2014_x86_64)",
    )
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="the project (default: here)")
    parser.add_argument("--output", type=Path, help="default: build/ of the project")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions than those of the last build")
    parser.add_argument(
        "--verify", action="store_true", help="run the archives as on the platform and send requests to them"
    )


def run(options: argparse.Namespace) -> int:
    """Build and, with --verify, try the archives; raises PackageError and ProjectError."""
    target = Target.parse(options.python, options.platform)
    output = (options.output or options.folder / "build").resolve()
    if options.upgrade:
        (output / build.LOCK).unlink(missing_ok=True)
    built = build.build(project.read(options.folder.resolve()), output, target, print)
    print(built.table)
    if options.verify:
        verify.verify(built, target, print)
    return 0
