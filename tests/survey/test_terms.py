"""Terms of comments: written with the submission or by a job, found by the search, ranked in the lists."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from survey import term_index
from survey.models import Submission, SubmissionTerm
from survey.staff import search
from survey.staff.filters import Filters
from survey.staff.statements import run
from survey.text import lexicon, terms
from tests.support.chain import make_submission


def lately(**fields):
    today = timezone.localdate()
    return Filters(start=today - timedelta(29), end=today, branch_ids=None, **fields)


def found(words):
    filters = lately(words=words)
    return set(search.find(Submission.objects.all(), filters, search.rarest_first(filters)))


def test_a_comment_is_found_by_its_words_and_parts_of_them(chain):
    submission = make_submission(chain.north, 2, comment="服务员态度很好，但是排队太久。汤太咸, the noodles were cold")
    for words in ("排队", "服务员", "员态", "咸", "太咸", "排队 服务员", "服务员态度很好", "cold", "Noodles 汤"):
        assert found(words) == {submission}, words
    for words in ("排队 冰淇淋", "好但", "咸太", "col", "久汤"):
        assert found(words) == set(), words


def test_a_phrase_is_found_as_it_is_and_not_by_its_parts(chain):
    scattered = make_submission(chain.north, 2, comment="服务不好，但是好吃")
    phrase = make_submission(chain.north, 2, comment="太咸，真的不好吃！下次不来")
    assert found("不好吃") == {phrase}
    assert found("不好") == {scattered, phrase}
    assert found("好吃 不好") == {scattered, phrase}
    assert found("不好吃 下次") == {phrase}
    assert found("不好吃 服务") == set()


def test_a_phrase_within_the_words_of_other_scripts_is_found(chain):
    submission = make_submission(chain.north, 5, comment="ＷＩＦＩ速度很快100%_")
    assert found("wifi速度很快") == {submission}
    assert found("快度速") == set()


def test_another_comment_does_not_change_what_a_search_finds(chain):
    first = make_submission(chain.north, 2, comment="等了很久")
    second = make_submission(chain.south, 5, comment="很久没来了，味道还是一样好")
    assert found("很久") == {first, second}


def test_full_width_and_capital_letters_are_the_same_word(chain):
    submission = make_submission(chain.north, 5, comment="ＷＩＦＩ很快")
    assert found("wifi") == found("WiFi") == {submission}


def test_punctuation_alone_finds_nothing(chain):
    make_submission(chain.north, 5, comment="很好！！！")
    assert found("！！！") == set()


def test_writing_twice_changes_nothing(chain):
    submission = make_submission(chain.north, 5, comment="味道很好，味道真的很好")
    term_index.index_comments(10)
    rows = list(SubmissionTerm.objects.order_by("id").values_list("term", "weight"))
    Submission.objects.filter(pk=submission.pk).update(terms_due=True)
    term_index.index_comments(10)
    assert list(SubmissionTerm.objects.order_by("id").values_list("term", "weight")) == rows


@pytest.mark.parametrize("most", [1, 2, 1_000])
def test_terms_beyond_one_statement_are_written_by_others(chain, monkeypatch, most):
    monkeypatch.setattr(term_index, "MOST_ROWS", most)
    submissions = [
        make_submission(branch, 2, comment=comment, due=True)
        for branch, comment in ((chain.north, "服务员态度很好"), (None, "排队太久，汤太咸"))
    ]
    term_index.index_comments(10)
    for submission in submissions:
        rows = SubmissionTerm.objects.filter(submission=submission)
        assert dict(rows.values_list("term", "weight")) == pytest.approx(terms.weighted_terms(submission.comment))
        copied = (submission.branch_id, submission.local_date, submission.satisfaction)
        assert set(rows.values_list("branch", "local_date", "satisfaction")) == {copied}


def test_an_erased_submission_gets_no_terms(chain):
    submission = make_submission(chain.north, 5, comment="味道很好", due=True)
    Submission.objects.filter(pk=submission.pk).update(comment="")
    term_index.index_comments(10)
    assert not SubmissionTerm.objects.exists()


def test_a_negated_word_is_no_praise(chain):
    for _number in range(2):
        make_submission(chain.north, 1, comment="椅子坐得不舒服，桌子没有擦干净，菜不新鲜")
        make_submission(chain.north, 5, comment="座位舒服，环境干净，味道不错")
    bad = {keyword.term for keyword in run(search.keyword_lists(lately(), (1, 2)))[0]}
    good = {keyword.term for keyword in run(search.keyword_lists(lately(), (4, 5)))[0]}
    assert {"不舒服", "不新鲜", "椅子", "桌子"} <= bad
    assert not {"舒服", "干净", "新鲜"} & bad
    assert {"舒服", "干净", "不错"} <= good


def test_a_negation_turns_its_own_word_and_no_other(chain):
    comment = make_submission(chain.north, 3, comment="桌子干净，碗也干净，地面不干净，厕所没有打扫干净")
    weights = dict(comment.terms.filter(weight__gt=0).values_list("term", "weight"))
    plain = make_submission(chain.north, 3, comment="桌子干净，碗也干净，地面很干净，厕所也打扫干净")
    total = plain.terms.get(term="干净").weight
    assert weights["干净"] == pytest.approx(total / 2, rel=0.2)  # of about as many words
    assert weights["不干净"] == pytest.approx(weights["干净"] / 2)


def test_a_search_for_too_many_words_is_a_form_error(client, chain):
    make_submission(chain.north, 1, comment="服务员态度差，等位太久")
    client.force_login(chain.head)
    form = client.get("/dashboard/comments/", {"q": "服务员 态度 叫了 三次 过来 蟑螂 老鼠 桌子 油渍 汤咸"}).context[
        "form"
    ]
    assert "q" in form.errors


def test_a_comment_that_fails_does_not_stop_the_others(chain, monkeypatch, caplog):
    submissions = [make_submission(chain.north, 5, comment=f"味道很好{number}", due=True) for number in range(3)]
    weighted_terms = terms.weighted_terms

    def fail_once(comment):
        if comment.endswith("0"):
            raise ValueError(comment)
        return weighted_terms(comment)

    monkeypatch.setattr(term_index, "BATCH", 2)
    monkeypatch.setattr(term_index, "weighted_terms", fail_once)
    with pytest.raises(ValueError, match="0"):
        term_index.index_comments(10)
    assert list(Submission.objects.filter(terms_due=True)) == submissions[:1]
    assert caplog.messages.count("terms.failed") == 1


def test_keywords_tell_good_comments_from_bad_ones(chain):
    for _number in range(3):
        make_submission(chain.north, 5, comment="红烧肉很入味")
        make_submission(chain.north, 1, comment="排队太久")
    good = {keyword.term: keyword for keyword in run(search.keyword_lists(lately(), (4, 5)))[0]}
    bad = {keyword.term for keyword in run(search.keyword_lists(lately(), (1, 2)))[0]}
    assert good["红烧肉"].comments == 3
    assert "排队" in bad
    assert not bad & set(good)
    assert run(search.keyword_lists(lately(scores=(1,)), (4, 5))) == [[]]


def test_function_words_are_found_but_are_no_keywords(chain):
    for _number in range(2):
        make_submission(chain.north, 1, comment="补菜太慢，烤鸭一直是空的，排队半个小时，轮到的时候没有了")
        make_submission(chain.north, 1, comment="小笼包太咸，吃了两口就放下了，收银还多算了钱")
        make_submission(chain.north, 1, comment="The soup was cold and nobody came to help us")
    keywords = {keyword.term for keyword in run(search.keyword_lists(lately(), (1, 2)))[0]}
    assert {"补菜", "烤鸭", "排队", "太咸", "小笼包", "收银", "soup", "cold", "help"} <= keywords
    function_words = {"was", "and", "nobody", "us", "一直", "放下", "半个", "时候", "两口", "算了", "没有"}
    assert not keywords & function_words
    for words in ("一直", "was", "半个"):
        assert len(found(words)) == 2, words


def test_function_words_take_no_keywords_place(chain):
    make_submission(
        chain.north,
        5,
        comment="我们和他们今天都觉得非常好，所以一起过来，" * 3 + "红烧肉烤鸭寿司甜品水果汤面条米饭饺子青菜豆腐蛋糕",
    )
    assert SubmissionTerm.objects.filter(weight__gt=0).count() == terms.KEYWORDS


def test_a_long_word_and_rare_characters_do_no_harm(chain):
    make_submission(chain.north, 5, comment="a" * 2_000, due=True)
    make_submission(chain.north, 5, comment="😀\U00020000\u0000" + "好" * 500, due=True)
    assert term_index.index_comments(10) == 2


VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 1}
ROW = ("term", "weight", "branch", "local_date", "satisfaction")


def submit(client: Client, **fields):
    response = client.post("/submitSurvey", {**VALID, **fields}, content_type="application/json")
    assert response.status_code == 201, response.content
    return Submission.objects.get(pk=response.json()["id"])


def test_a_submission_writes_the_same_terms_as_the_job(client, chain, built_lexicon):
    comment = "服务员态度很好，但是排队太久"
    submitted = submit(client, comment=comment)
    assert not submitted.terms_due
    assert found("排队") == {submitted}
    timed = make_submission(None, 1, comment=comment)
    term_index.index_comments(10)
    first, second = (
        set(SubmissionTerm.objects.filter(submission=pk).values_list(*ROW)) for pk in (submitted.pk, timed.pk)
    )
    assert first == second
    assert any(weight for _term, weight, *_rest in first)


SUBMISSION = """
import django; django.setup()
from django.core.management import call_command; call_command('migrate', verbosity=0)
import sys, json
from django.test import Client
body = {'name': 'Tom', 'phone': '1234567890', 'satisfaction': 1, 'comment': sys.argv[1]}
r = Client().post('/submitSurvey', json.dumps(body), content_type='application/json')
assert r.status_code == 201, r.content
from survey.models import Submission
row = Submission.objects.get()
print(json.dumps({'due': row.terms_due, 'follow-up': row.follow_up_status, 'modules': list(sys.modules)}))
"""


def submit_in_a_process(
    folder: Path, comment: str, script: str = SUBMISSION, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Submit a comment in a process with a database of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MYSQL_")}
    kept.update(SQLITE_PATH=str(folder / "db"), DJANGO_SETTINGS_MODULE="mydjango.settings", **variables)
    command = [sys.executable, "-c", script, comment]
    done = subprocess.run(command, capture_output=True, text=True, env=kept, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("comment", ["", "排队太久"])
def test_a_submission_loads_the_dictionary_for_a_comment_and_nothing_of_the_staff(tmp_path, built_lexicon, comment):
    result = json.loads(submit_in_a_process(tmp_path, comment).stdout)
    assert (result["due"], result["follow-up"]) == (False, "open")
    assert ("jieba" in result["modules"]) is bool(comment)
    heavy = {
        "segno",
        "survey.staff.figures",
        "survey.staff.filters",
        "survey.staff.exports",
        "survey.staff.accounts",
        "csv",
    }
    assert not (heavy | {"survey.staff.views.overview"}) & set(result["modules"])


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_a_submission_does_not_build_the_lexicon(tmp_path, content):
    folder = tmp_path / "lexicon"
    folder.mkdir()
    if content:
        (folder / lexicon.FILE_NAME).write_bytes(content)
    done = submit_in_a_process(tmp_path, "排队太久", LEXICON_DIR=str(folder))
    assert json.loads(done.stdout)["due"]
    assert "terms.no_keywords" not in done.stderr
    assert [file.read_bytes() for file in folder.iterdir()] == ([content] if content else [])


SEARCH = """
from django.contrib.auth.models import User
client = Client()
client.force_login(User.objects.create_superuser('head'))
page = client.get('/dashboard/comments/', {'q': sys.argv[1]})
assert page.status_code == 200 and page.content.decode().count(sys.argv[1]) > 1, page.content
export = client.get('/dashboard/export.csv', {'q': sys.argv[1]})
assert len(export.getvalue().splitlines()) == 2, export.getvalue()
"""


def test_a_broken_dictionary_loses_no_submission_nor_its_search(tmp_path, built_lexicon):
    broken = str(tmp_path / "missing.txt")
    done = submit_in_a_process(tmp_path, "排队太久", SUBMISSION + SEARCH, JIEBA_USER_DICT=broken)
    assert json.loads(done.stdout)["due"]
    assert "terms.no_keywords" in done.stderr
    assert "排队" not in done.stderr
