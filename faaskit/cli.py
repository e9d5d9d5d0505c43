"""The console script `faaskit`: one verb for each thing that is done with a project."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from faaskit.errors import FaaskitError


@dataclass(frozen=True)
class Verb:
    """A verb: a module with `add_arguments(parser)` and `run(options)`, which returns the exit code."""

    module: str
    extra: str  # the extra of this distribution that installs what the module imports
    help: str

    def load(self) -> ModuleType:
        """Import the module. Raises ModuleNotFoundError where the extra is not installed."""
        return import_module(self.module)


VERBS = {
    "init": Verb("faaskit.init.command", "local", "write index.py, serverless.yml and [tool.faaskit] for a project"),
    "check": Verb("faaskit.check", "local", "say what a deployment of the project still needs"),
    "serve": Verb("faaskit.local.serve", "local", "serve the function behind a local gateway"),
    "invoke": Verb("faaskit.local.invoke", "local", "send one event to a fresh instance, or to the deployed function"),
    "package": Verb("faaskit.package.command", "package", "build the archives of function and layer"),
    "deploy": Verb("faaskit.scf.deploy", "deploy", "deploy the archives to Tencent Cloud SCF"),
    "status": Verb(
        "faaskit.scf.status",
        "deploy",
        "show the deployed function: versions, traffic, triggers, URL, last errors, what its doctor says",
    ),
    "logs": Verb("faaskit.scf.logs", "deploy", "follow the log of the deployed function"),
    "rollback": Verb("faaskit.scf.rollback", "deploy", "move traffic back to an earlier version"),
    "remove": Verb("faaskit.scf.remove", "deploy", "delete function, versions, triggers and layer"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the verb that the arguments name; return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="faaskit", description="From a Python web project to a URL.")
    commands = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    try:
        for name, verb in VERBS.items():
            command = commands.add_parser(name, help=verb.help, description=verb.help)
            if name in arguments[:1]:  # the modules of other verbs may need packages that are not installed
                verb.load().add_arguments(command)
                command.add_argument("-v", "--verbosity", type=int, default=1, metavar="N", help="2: print more")
        options = parser.parse_args(arguments)
        code: int = VERBS[options.verb].load().run(options)
    except FaaskitError as error:
        print(error, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        package, name = str(error.name).partition(".")[0], arguments[0]
        print(f"{package} is not installed here: run pip install 'faaskit[{VERBS[name].extra}]'.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code
