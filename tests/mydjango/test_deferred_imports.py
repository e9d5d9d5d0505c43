"""Deferred modules run their code once, at their first use, and are then ordinary modules."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mydjango.cold_start import deferred_imports
from mydjango.cold_start.deferred_imports import Deferred


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `parcel` with modules to defer; the module `ran` lists those whose code ran."""
    folder = tmp_path / "parcel"
    folder.mkdir()
    (tmp_path / "ran.py").write_text("names = []\n")
    for name, code in {
        "__init__": "from parcel.inner import Thing\nvalue = 5",
        "inner": "class Thing:\n    number = 7\n",
        "light": "size = 1",
        "failing": "if ran.names.count(__name__) < 2: raise OSError('not yet')\nok = True",
        "slow": "import threading, ran\nran.started.set()\nran.go.wait(30)\ndone = True",
    }.items():
        (folder / f"{name}.py").write_text(f"import ran\nran.names.append(__name__)\n{code}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name in ("ran", "parcel") or name.startswith("parcel.")]:
        del sys.modules[name]
        deferred_imports._pending.pop(name, None)
        deferred_imports._lazy_modules.pop(name, None)


def ran() -> list[str]:
    return list(importlib.import_module("ran").names)


def test_the_code_runs_once_at_the_first_access(package: Path) -> None:
    deferred_imports.install({"parcel": Deferred()})
    import parcel

    assert ran() == []
    assert parcel.value == 5
    assert parcel.value == 5
    assert ran() == ["parcel", "parcel.inner"]
    assert type(parcel).__name__ == "module"
    assert sys.modules["parcel"] is parcel


def test_a_submodule_is_not_imported_twice_when_its_package_imports_it(package: Path) -> None:
    deferred_imports.install({"parcel": Deferred()})
    import parcel
    from parcel.inner import Thing

    assert parcel.Thing is Thing is sys.modules["parcel.inner"].Thing
    assert ran() == ["parcel", "parcel.inner"]
    assert importlib.reload(sys.modules["parcel.inner"]).Thing.number == 7


def test_listed_submodules_and_exports_do_not_run_the_package(package: Path) -> None:
    deferred_imports.install({"parcel": Deferred(submodules=("light", "inner"), exports={"Thing": "inner"})})
    from parcel import Thing, light

    assert (light.size, Thing.number) == (1, 7)
    assert ran() == ["parcel.inner", "parcel.light"]


def test_a_stand_in_behaves_as_its_class(package: Path) -> None:
    deferred_imports.install(
        {"parcel.inner": Deferred(stand_ins=("Thing",)), "parcel": Deferred(submodules=("inner",))}
    )
    from parcel.inner import Thing

    assert ran() == []
    assert Thing.number == 7

    class Special(Thing):
        pass

    real = sys.modules["parcel.inner"].Thing
    assert isinstance(Special(), Thing)
    assert issubclass(Special, Thing)
    assert Special.__mro__[1] is real
    assert type(Thing()) is real


def test_a_value_set_from_outside_is_kept(package: Path) -> None:
    deferred_imports.install({"parcel": Deferred()})
    import parcel

    parcel.value = 6
    assert parcel.value == 6


def test_code_that_fails_runs_again_at_the_next_use(package: Path) -> None:
    deferred_imports.install({"parcel.failing": Deferred()})
    from parcel import failing

    with pytest.raises(OSError, match="not yet"):
        _ = failing.ok
    assert failing.ok is True


def test_threads_wait_for_the_thread_that_runs_the_code(package: Path) -> None:
    counted = importlib.import_module("ran")
    counted.started, counted.go = threading.Event(), threading.Event()
    deferred_imports.install({"parcel.slow": Deferred()})
    from parcel import slow

    seen: list[bool] = []
    threads = [threading.Thread(target=lambda: seen.append(slow.done)) for _number in range(8)]
    for thread in threads:
        thread.start()
    assert counted.started.wait(30)
    counted.go.set()
    for thread in threads:
        thread.join(30)
    assert seen == [True] * 8
    assert ran().count("parcel.slow") == 1


def test_get_running_loop_does_not_import_asyncio_and_works_afterwards() -> None:
    code = """
import sys
from mydjango.cold_start import deferred_imports, deferred_modules
deferred_imports.install(deferred_modules.MODULES)
import asyncio
from asyncio import get_running_loop
try:
    get_running_loop()
except RuntimeError as error:
    assert str(error) == "no running event loop", error
assert "asyncio.events" not in sys.modules
async def main():
    return get_running_loop() is asyncio.get_running_loop()
assert asyncio.run(main())
assert type(asyncio).__name__ == "module"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_every_listed_name_is_the_one_of_the_module() -> None:
    """Names available before the code runs must exist, and be the same, after it has run."""
    code = """
import importlib, os
os.environ["DJANGO_SETTINGS_MODULE"] = "mydjango.settings"
import django; django.setup()
from mydjango.cold_start.deferred_modules import MODULES
for name, deferred in MODULES.items():
    module = importlib.import_module(name)
    for submodule in deferred.submodules:
        importlib.import_module(f"{name}.{submodule}")
    for export, submodule in deferred.exports.items():
        assert getattr(module, export) is getattr(importlib.import_module(f"{name}.{submodule}"), export), export
    for stand_in in deferred.stand_ins:
        assert hasattr(module, stand_in), (name, stand_in)
    for value in deferred.values:
        if name == "http.client":  # others stand in for the module's own function or object
            assert getattr(module, value) == deferred.values[value], (name, value)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_every_name_that_stands_in_for_one_of_the_survey_exists() -> None:
    code = """
import importlib, mydjango.wsgi
from mydjango.cold_start import deferred_imports
import django; django.setup()
for name, deferred in mydjango.wsgi.SURVEY_MODULES.items():
    importlib.import_module(name)
    module = deferred_imports.load(name)
    assert type(module).__name__ == "module", name
    for stand_in in deferred.stand_ins:
        assert type(getattr(module, stand_in)).__name__ == "function", (name, stand_in)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
