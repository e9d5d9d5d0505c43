"""The lexicon's file has exactly jieba's data, and a file that differs is never used."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from survey.text import build, lexicon, tables
from survey.text.lexicon import LexiconError
from survey.text.lexicon_reader import Lexicon, Stale, open_lexicon
from survey.text.tables import DamagedFile
from tests.support.stock_jieba import PROJECT

pytestmark = pytest.mark.slow

SPEC = importlib.util.find_spec("jieba")
assert SPEC is not None
assert SPEC.origin is not None
JIEBA_FOLDER = Path(SPEC.origin).parent


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lexicon") / lexicon.FILE_NAME
    build.build(path)
    return path


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / lexicon.FILE_NAME))


@pytest.fixture(scope="session")
def tables_of_jieba(built: Path) -> Lexicon:
    return open_lexicon(built)


def test_every_word_has_jiebas_frequency_and_tag(tables_of_jieba: Lexicon) -> None:
    total = 0
    last: dict[str, tuple[int, str]] = {}
    for line in (JIEBA_FOLDER / "dict.txt").read_text(encoding="utf-8").splitlines():
        word, frequency, tag = line.split(" ")
        total += int(frequency)
        last[word] = int(frequency), tag
    assert tables_of_jieba.total == total
    for word, (frequency, tag) in last.items():
        assert (tables_of_jieba.frequency(word), tables_of_jieba.tag(word)) == (frequency, tag)
    beginnings = {word[:length] for word in last for length in range(1, len(word))}
    assert set(tables_of_jieba.words.keys()) == beginnings | last.keys()
    for fragment in beginnings - last.keys():
        assert (tables_of_jieba.frequency(fragment), tables_of_jieba.tag(fragment)) == (0, None)


def test_every_word_has_jiebas_idf(tables_of_jieba: Lexicon) -> None:
    for line in (JIEBA_FOLDER / "analyse/idf.txt").read_text(encoding="utf-8").splitlines():
        word, value = line.split(" ")
        assert tables_of_jieba.idf(word) == float(value)
    assert tables_of_jieba.idf("龘龘") is None


def test_the_models_are_jiebas_to_the_last_bit(tables_of_jieba: Lexicon) -> None:
    emit = build.read_table(JIEBA_FOLDER / "finalseg/prob_emit.py")
    for index, state in enumerate("BMES"):
        for character, probability in emit[state].items():
            row = tables_of_jieba.finalseg_emissions(character)
            assert row is not None
            assert row[index] == probability
    assert tables_of_jieba.finalseg_emissions("😀") is None

    states = tables_of_jieba.posseg_states
    transitions = build.read_table(JIEBA_FOLDER / "posseg/prob_trans.py")
    for state, row in zip(states, tables_of_jieba.posseg_transitions, strict=True):
        assert {states[to]: value for to, value in row.items()} == transitions[state]
    emit = build.read_table(JIEBA_FOLDER / "posseg/prob_emit.py")
    possible = build.read_table(JIEBA_FOLDER / "posseg/char_state_tab.py")
    for character in set(possible).union(*emit.values()):
        expected = {state: emit[state][character] for state in emit if character in emit[state]}
        emissions = tables_of_jieba.posseg_emissions(character)
        assert {states[state]: value for state, value in emissions.items()} == expected
        assert {states[state] for state in tables_of_jieba.posseg_possible(character)} == set(
            possible.get(character, ())
        )


def test_the_header_names_the_sources_of_the_file(tables_of_jieba: Lexicon) -> None:
    facts = tables_of_jieba.facts
    assert (facts["jieba"], facts["marisa"], facts["byteorder"]) == ("0.42.1", "1.2.1", sys.byteorder)
    assert facts["sources"]["dict.txt"] == build.fingerprint(JIEBA_FOLDER / "dict.txt")
    assert len(facts["sources"]) == 9


def test_the_same_jieba_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    build.build(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == built.read_bytes()


def section_places(path: Path) -> dict[str, int]:
    """Return the offset of a byte in each part of the file."""
    file = tables.TableFile(path)
    start = path.stat().st_size - max(offset + length for offset, length, _ in file.header["sections"].values())
    places = {name: start + offset + length // 2 for name, (offset, length, _) in file.header["sections"].items()}
    places["the last byte"] = path.stat().st_size - 1
    return {"the magic": 3, "the header": 200, **places}


def use_everything(opened: Lexicon) -> None:
    opened.idf("服务员")
    opened.tag("服务员")
    opened.frequency("服务员")
    opened.finalseg_emissions("好")
    assert opened.posseg_transitions
    opened.posseg_emissions("好")
    opened.posseg_possible("好")


def test_one_wrong_byte_anywhere_is_detected_before_use(built: Path, tmp_path: Path) -> None:
    content = built.read_bytes()
    places = section_places(built)
    assert len(places) > 15
    for name, place in places.items():
        damaged = tmp_path / "damaged"
        damaged.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DamagedFile):
            use_everything(open_lexicon(damaged))
            pytest.fail(f"damage in {name} was not found")
        damaged.unlink()


@pytest.mark.parametrize("length", [0, 5, 16, 300, 100_000, 4_000_000, -1])
def test_a_truncated_file_is_detected(copy: Path, length: int) -> None:
    os.truncate(copy, length if length >= 0 else copy.stat().st_size + length)
    with pytest.raises(DamagedFile):
        use_everything(open_lexicon(copy))


def test_another_byte_order_or_format_is_detected(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "byteorder", "big" if sys.byteorder == "little" else "little")
        with pytest.raises(DamagedFile, match="byte order"):
            open_lexicon(copy)
    monkeypatch.setattr(tables, "FORMAT", tables.FORMAT + 1)
    with pytest.raises(DamagedFile, match="format"):
        open_lexicon(copy)


def rewrite(path: Path, **facts: Any) -> None:
    """Write the same sections under a header with other facts."""
    file = tables.TableFile(path)
    sections = {name: bytes(file.section(name)) for name in file.header["sections"]}
    tables.write(path, {**file.header, **facts}, sections)


@pytest.mark.parametrize(
    "facts",
    [
        {"jieba": "0.42"},
        {"marisa": "1.4.1"},
        {"probes": {"的": 1, "中国": 2}},
        {"sources": {"dict.txt": [5, "another dictionary"]}},
    ],
)
def test_a_file_of_another_jieba_or_marisa_trie_is_rebuilt(copy: Path, facts: dict[str, Any], built: Path) -> None:
    rewrite(copy, **facts)
    with pytest.raises(Stale):
        open_lexicon(copy)
    lexicon.open_or_build(copy)
    assert copy.read_bytes() == built.read_bytes()


def test_a_damaged_file_in_a_cache_is_rebuilt(
    copy: Path, built: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    content = bytearray(copy.read_bytes())
    content[-100_000] ^= 1
    copy.write_bytes(content)
    monkeypatch.setenv("LEXICON_DIR", str(copy.parent))
    use_everything(lexicon.load())
    assert copy.read_bytes() == built.read_bytes()
    assert "lexicon.rebuilding" in caplog.text


def test_a_damaged_shipped_file_is_an_error_and_not_rebuilt(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEXICON_DIR", raising=False)
    monkeypatch.setattr(lexicon, "SHIPPED_FOLDER", copy.parent)
    use_everything(lexicon.load())
    damaged = b"not a lexicon" + copy.read_bytes()[13:]
    copy.write_bytes(damaged)
    with pytest.raises(LexiconError, match=r"damaged header.*manage.py build_lexicon"):
        lexicon.load()
    assert copy.read_bytes() == damaged


FIRST_USE = "from survey.text.analysis import segment; print(*segment('服务员很热情'), sep='/')"


def start(**environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FIRST_USE],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def test_two_processes_that_build_at_once_both_succeed(tmp_path: Path, built: Path) -> None:
    folder = tmp_path / "new" / "folder"
    for process in [start(LEXICON_DIR=str(folder)) for _ in range(2)]:
        output, errors = process.communicate()
        assert (output, errors) == ("服务员/很/热情\n", "")
    assert [file.name for file in folder.iterdir()] == [lexicon.FILE_NAME]
    assert (folder / lexicon.FILE_NAME).read_bytes() == built.read_bytes()


def test_a_killed_builder_leaves_no_file(tmp_path: Path) -> None:
    code = """
import os
from pathlib import Path
from survey.text import tables
tables.Path.replace = lambda *_: os.kill(os.getpid(), 9)  # the last moment before the file exists
from survey.text.build import build
build(Path(os.environ["LEXICON_DIR"], "jieba.lexicon"))
"""
    environment = {"PATH": "/usr/bin:/bin", "LEXICON_DIR": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=environment)
    assert killed.returncode == -9
    assert not (tmp_path / lexicon.FILE_NAME).exists()
    assert start(LEXICON_DIR=str(tmp_path)).communicate() == ("服务员/很/热情\n", "")


def test_without_a_writable_home_the_file_goes_to_a_private_temporary_folder(tmp_path: Path) -> None:
    process = start(XDG_CACHE_HOME="/proc/no/such/place", TMPDIR=str(tmp_path))
    assert process.communicate() == ("服务员/很/热情\n", "")
    (folder,) = tmp_path.iterdir()
    assert (folder / lexicon.FILE_NAME).exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_temporary_folder_of_someone_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"survey-serverless-{os.getuid()}").symlink_to(elsewhere)
    with pytest.raises(LexiconError, match="someone else"):
        lexicon.temporary_folder()


def test_a_read_only_folder_is_an_error_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("LEXICON_DIR", str(file / "below"))
    with pytest.raises(LexiconError, match="Set LEXICON_DIR to a writable folder"):
        lexicon.load()


def test_the_command_builds_the_file_and_detects_other_data(
    tmp_path: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("build_lexicon", str(tmp_path / "here"))
    path = tmp_path / "here" / lexicon.FILE_NAME
    assert path.read_bytes() == built.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    call_command("build_lexicon", str(tmp_path / "here"), check=True)
    assert str(path) in capsys.readouterr().out
    sources = json.loads(json.dumps(tables.TableFile(path).header["sources"]))
    sources["dict.txt"][1] = "0" * 64
    rewrite(path, sources=sources)
    with pytest.raises(CommandError, match=r"another dict.txt"):
        call_command("build_lexicon", str(tmp_path / "here"), check=True)


def test_jieba_is_imported_without_its_tables() -> None:
    code = (
        "import sys; from survey.text.substitution import import_jieba;"
        "print(import_jieba().__version__, 'jieba.finalseg.prob_emit' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.42.1", "False"]
