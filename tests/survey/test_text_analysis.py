"""The analysis returns exactly the results of stock jieba 0.42.1, and loads no more than each needs."""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import json
import random
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.text.analysis import keywords, textrank
from survey.text.views import SAMPLE
from tests.support.stock_jieba import PROJECT, Process, analyse, differences, our_analyses

ALL = list(our_analyses())
MODES = ["words", "full", "search"]
JIEBA = importlib.util.find_spec("jieba")  # not imported: warnings of its escapes are errors here
assert JIEBA is not None
assert JIEBA.origin is not None
DICTIONARY = Path(JIEBA.origin).parent / "dict.txt"


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("stock"))
    yield process
    process.close()


@pytest.fixture(scope="module")
def dictionary_words() -> list[str]:
    return [line.split(" ")[0] for line in DICTIONARY.read_text(encoding="utf-8").splitlines()]


def project_texts() -> list[str]:
    """Return the sample and every line with Chinese in the project's own files."""
    files = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("survey/**/*.po")]
    lines = {line for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    return [SAMPLE, *sorted(line for line in lines if re.search("[一-鿿]", line))]


def test_the_installed_jieba_is_the_documented_one() -> None:
    assert importlib.metadata.version("jieba") == "0.42.1"


def test_the_projects_own_texts(stock: Process) -> None:
    texts = project_texts()
    assert len(texts) > 20
    assert differences(stock, texts, ALL) == []


@pytest.mark.slow
def test_every_word_of_the_dictionary(stock: Process, dictionary_words: list[str]) -> None:
    assert len(dictionary_words) == 349_046
    assert differences(stock, dictionary_words, [*MODES, "tags", "keywords", "textrank"]) == []


@pytest.mark.slow
def test_20_000_random_joins_of_dictionary_words(stock: Process, dictionary_words: list[str]) -> None:
    chance = random.Random(20_000)
    texts = ["".join(chance.choices(dictionary_words, k=chance.randint(2, 6))) for _ in range(20_000)]
    assert differences(stock, texts, ALL) == []


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", " ", "\r\n", "的" * 20_000, "a" * 20_000, "，" * 20_000, "7" * 20_000])
def test_empty_texts_and_one_character_20_000_times(stock: Process, text: str) -> None:
    assert differences(stock, [text], ["words", "search", "full", "keywords", "tags", "textrank"]) == []


KNOWN = st.sampled_from("的了是不我在有人这中大国服务员火锅味道好吃上海银行资源")
ANY_CHARACTER_OF_JIEBA = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FD5)
OTHER = st.sampled_from("azAZ059 .,%-+#&_\r\n\t，。！？、「」·０Ａー가😀👍🏽𠀀𠮷㐀鿖\u3000\x00\u200d")
MIXES = st.text(st.one_of(KNOWN, KNOWN, KNOWN, ANY_CHARACTER_OF_JIEBA, OTHER), max_size=30)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MIXES)
def test_mixes_of_chinese_latin_digits_punctuation_emoji_and_rare_characters(stock: Process, text: str) -> None:
    assert differences(stock, [text], ALL) == []


def test_runs_of_characters_that_the_models_lack(stock: Process) -> None:
    runs = ["龘" * 40, "龘靐齉" * 10, "好" + "龘" * 20 + "吃龘饭" * 5, "龘的" * 20]
    texts = [run[:length] for run in runs for length in (1, 2, 3, 7, len(run))]
    assert differences(stock, texts, ["words", "tags"]) == []


@pytest.mark.slow
def test_different_characters_answer_as_in_jieba(stock: Process) -> None:
    """Rare, odd and frequent characters in turn: those that the tagger has no, some or all states for."""
    chance = random.Random(14)
    han = [chr(code) for code in range(0x4E00, 0x9FD6)]
    frequent = "的了是不我在有人这中大国一方天公明"
    pools = [(han,), (han, frequent), (han, frequent, frequent, "，a1")]
    texts = ["".join(chance.choice(chance.choice(pool)) for _ in range(40)) for pool in pools for _ in range(10)]
    texts += ["".join(han[start : start + 20]) for start in range(0, len(han), 1_000)]
    assert differences(stock, texts, ["words", "tags", "textrank"]) == []


def lines_executed(function: Callable[[str], object], text: str) -> int:
    """How many lines of this project's text analysis run: its work, whatever else the machine does."""
    lines = 0
    folder = f"{PROJECT / 'survey' / 'text'}/"

    def trace(frame: FrameType, event: str, _argument: object) -> Callable[..., Any] | None:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(folder):
            return None
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(text)
    finally:
        sys.settrace(before)
    return lines


def test_different_characters_take_about_the_work_of_an_ordinary_text() -> None:
    """Without groups of states, 75 and 200 times as much."""
    sentence = "服务员很热情,火锅味道好,就是排队时间太长了。希望下次能提前预约,菜品新鲜,环境干净,价格合理。"
    ordinary = (sentence * 50)[:1_000]
    textrank(ordinary)
    ordinary_work = lines_executed(textrank, ordinary)
    for first in (0x4E00, 0x8E00):
        different = "".join(map(chr, range(first, first + len(ordinary))))
        assert lines_executed(textrank, different) < 15 * ordinary_work


def test_what_clients_send_leaves_next_to_nothing_behind() -> None:
    """An instance may have 64 MB, and every text may bring other characters and words of any length."""
    han = "".join(map(chr, range(0x4E00, 0x9FD6, 2)))
    textrank("服务员很热情")
    keywords("服务员很热情")
    tracemalloc.start()
    try:
        textrank(han)
        gc.collect()
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 6_000_000  # bytes; of all 20,950 characters 30 MB would stay
    keywords("a" * 20_000)
    from survey.text.tagger import analyse

    assert max(map(len, analyse.default_tfidf.idf_freq)) < 20


@pytest.mark.slow
def test_user_dictionaries_work_as_in_jieba(tmp_path: Path, stock: Process) -> None:
    """Entries with and without frequency and tag, frequency 0 to split a word, and a changed word."""
    dictionary = tmp_path / "dishes.txt"
    entries = [
        "毛血旺 1000 n",
        "藤椒烤鱼",
        "芒果班戟 nz",
        "海鲜大咖锅 50",
        "服务员 0",
        "味道 1 v",
        "C罗套餐 20 nz",
        "龘龘锅",
    ]
    dictionary.write_text("\ufeff" + "\n".join(entries) + "\n\n", encoding="utf-8")
    dishes = [entry.split(" ")[0] for entry in entries]
    sentences = ["{}和{}都很好吃", "我们点了{}，{}味道一般", "服务员推荐{}{}", "{}{}"]
    chance = random.Random(1)
    texts = [*dishes, *(chance.choice(sentences).format(*chance.choices(dishes, k=2)) for _ in range(300))]
    results = []
    for which in ("stock", "ours"):
        process = Process(tmp_path, which, JIEBA_USER_DICT=str(dictionary))
        process.send([(text, ALL) for text in texts])
        results.append(process.receive())
        process.close()
    assert results[0] == results[1]
    assert results[0] != analyse(our_analyses(), [(text, ALL) for text in texts]), "the dictionary made no difference"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), **environment},
        capture_output=True,
        text=True,
    )


def test_an_unusable_user_dictionary_is_a_clear_error(tmp_path: Path) -> None:
    gbk = tmp_path / "gbk.txt"
    gbk.write_bytes("毛血旺".encode("gbk"))
    for path, complaint in ((tmp_path / "missing.txt", "No such file"), (gbk, "must be utf-8")):
        result = run("from survey.text.analysis import segment; segment('好')", JIEBA_USER_DICT=str(path))
        assert "LexiconError: JIEBA_USER_DICT=" in result.stderr
        assert complaint in result.stderr


def loaded_after(code: str) -> set[str]:
    """Return the modules of jieba and the tables that are in memory after the code."""
    report = """
import json, sys
names = {name for name in sys.modules if name.split(".")[0] in ("jieba", "marisa_trie", "pkg_resources", "setuptools")}
if "survey.text.segmenter" in sys.modules:
    names |= {"table " + name for name in vars(sys.modules["survey.text.segmenter"].tokenizer.tables)}
print(json.dumps(sorted(names)))
"""
    result = run(code + report)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def test_importing_the_analysis_loads_nothing() -> None:
    assert loaded_after("import survey.text.analysis") == set()


def test_a_greeting_loads_nothing() -> None:
    greeting = "import index; assert index.main_handler({'httpMethod': 'GET', 'path': '/hello/Tom'}, {})['body']"
    assert loaded_after(greeting) == set()


def test_an_analysis_does_not_load_the_models() -> None:
    code = "import index, sys; assert index.main_handler({'httpMethod': 'GET', 'path': '/jieba/'}, {})['body']"
    result = run(code + "; sys.exit('django.db.models' in sys.modules)")
    assert result.returncode == 0, result.stderr


def test_words_load_neither_tags_nor_idf() -> None:
    loaded = loaded_after("from survey.text.analysis import segment; segment('服务员很热情,龘龘')")
    assert loaded == {
        "jieba",
        "jieba._compat",
        "jieba.finalseg",
        "marisa_trie",
        "table _finalseg",
        "table _frequencies",
        "table _logarithms",
        "table _word_frequencies",
        "table facts",
        "table file",
        "table total",
        "table words",
    }


def test_keywords_load_no_tags_and_nothing_loads_setuptools() -> None:
    loaded = loaded_after("from survey.text.analysis import keywords; keywords('服务员很热情')")
    assert "table _idf" in loaded
    assert "table _word_tags" not in loaded
    loaded = loaded_after("from survey.text.analysis import textrank; textrank('服务员很热情')")
    assert "table _word_tags" in loaded
    assert not {name for name in loaded if name.startswith(("pkg_resources", "setuptools", "jieba.posseg.prob"))}


def test_other_code_that_uses_jieba_shares_the_tables() -> None:
    code = """
from survey.text.analysis import segment, textrank
segment("好"), textrank("好")
import jieba, jieba.analyse, jieba.posseg
assert jieba.lcut("服务员很热情") == segment("服务员很热情")
assert [tuple(pair) for pair in jieba.posseg.lcut("火锅好吃")] == [("火锅", "n"), ("好吃", "v")]
assert jieba.analyse.extract_tags("服务员很热情") == ["服务员", "热情"]
jieba.add_word("很热情")
assert segment("服务员很热情") == ["服务员", "很热情"]
assert jieba.dt.FREQ.user_words["很热情"] > 0
"""
    result = run(code)
    assert result.returncode == 0, result.stderr
