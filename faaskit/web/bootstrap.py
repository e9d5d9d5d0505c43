"""The files that make a Web function of a package: scf_bootstrap, which the platform starts, and the server.

Tencent 583/56126: the file has this name and mode 0755, its lines end in LF, the interpreter is named by its path, and
the server listens on port 9000.
"""

from __future__ import annotations

import shutil
from pathlib import Path

SERVER = Path(__file__).with_name("web_function.py")
NAME = "scf_bootstrap"
MODE = 0o755
PORT = 9000
WAITRESS = "waitress==3.0.2"  # what web_function.py imports
TEXT = """\
#!/bin/bash
# Start the Web function's server. FUNCTION_PYTHON and FUNCTION_PORT are set on a developer's machine alone.
folder=.
if [[ $0 == */* ]]; then folder="${{0%/*}}"; fi
export WSGI_MULTITHREAD=1  # for applications that prepare for threads when they are imported
export PYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}/opt"
python="${{FUNCTION_PYTHON:-/var/lang/python{digits}/bin/python{version}}}"
exec "$python" -u "$folder/web_function.py" "${{FUNCTION_PORT:-{port}}}" {threads}
"""


def write(folder: Path, python_version: str, threads: int) -> None:
    """Write both files into a folder that holds index.py; a project's own scf_bootstrap stays, and gets its mode."""
    bootstrap = folder / NAME
    if bootstrap.is_file():
        text = bootstrap.read_bytes().replace(b"\r\n", b"\n")
        bootstrap.write_bytes(text if text.endswith(b"\n") else text + b"\n")
    else:
        digits = python_version.replace(".", "")
        text = TEXT.format(digits=digits, version=python_version, port=PORT, threads=threads).encode()
        bootstrap.write_bytes(text)
        shutil.copyfile(SERVER, folder / SERVER.name)
    bootstrap.chmod(MODE)
