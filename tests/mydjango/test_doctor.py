"""`manage.py doctor` prints a line for each check and fails when one fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from mydjango.operations import doctor
from survey.jobs import retention, rollup
from survey.mail import outbox
from survey.models import JobRun, OutgoingMail, Submission
from tests.support import smtp
from tests.support.processes import manage

pytestmark = pytest.mark.django_db


def finding(topic: str) -> doctor.Finding:
    return next(one for one in doctor.examine() if one.topic == topic)


def test_every_check_is_one_line(settings: Any) -> None:
    settings.DEBUG = True  # the test runner turns it off; with it on, mail server and collected files are optional
    JobRun.record(outbox.JOB)
    JobRun.record(rollup.JOB)
    output = StringIO()
    call_command("doctor", stdout=output)
    lines = output.getvalue().splitlines()
    assert len(lines) == len(doctor.CHECKS)
    assert all(line.startswith("ok ") for line in lines)


def test_one_failure_is_an_error_and_the_others_are_still_printed(settings: Any) -> None:
    settings.DEBUG = True
    JobRun.record(rollup.JOB)
    output = StringIO()
    with pytest.raises(CommandError, match="1 of"):
        call_command("doctor", stdout=output)
    assert "FAIL last delivery: never" in output.getvalue()
    assert len(output.getvalue().splitlines()) == len(doctor.CHECKS)


def test_the_database_is_reported_with_version_and_isolation() -> None:
    assert finding("database").is_well
    if connection.vendor == "mysql":
        assert "MariaDB" in finding("database").sentence
        assert finding("isolation").sentence == "READ-COMMITTED, strict mode on"


def test_an_old_mail_and_an_old_delivery_run_fail() -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    JobRun.objects.create(name=outbox.JOB, finished_at=long_ago)
    OutgoingMail.objects.create(kind="account", recipient="a@b.cn", message_id="<1@x>", next_attempt_at=long_ago)
    assert not finding("last delivery").is_well
    assert not finding("mail queue").is_well
    assert finding("mail queue").sentence.startswith("1 queued, the oldest due for 36")


def test_overdue_erasures_fail_and_are_counted(settings: Any) -> None:
    settings.RETENTION_DAYS = 30
    assert finding("last erasure").is_well  # a new installation has nothing to erase
    for days in (33, 33, 32):  # two nights may pass
        old = timezone.localdate() - timedelta(days)
        Submission.objects.create(satisfaction=5, language="en", local_date=old)
    JobRun.record(retention.JOB)
    is_well, sentence = finding("last erasure")[1:]
    assert not is_well
    assert "2 submissions are overdue" in sentence
    call_command("erase_submissions", stdout=StringIO())
    assert finding("last erasure").is_well
    assert "0 submissions are overdue" in finding("last erasure").sentence


def test_comments_that_wait_for_their_keywords_fail(built_lexicon: None) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    Submission.objects.create(satisfaction=5, language="en", comment="good", terms_due=True, created_at=long_ago)
    assert not finding("keywords").is_well
    Submission.objects.update(terms_due=False)
    assert finding("keywords").is_well


def test_a_missing_word_list_fails(tmp_path: Path, built_lexicon: None) -> None:
    process = manage("doctor", JIEBA_USER_DICT=str(tmp_path / "missing.txt"))
    output, _errors = process.communicate(timeout=60)
    assert "FAIL keywords: JIEBA_USER_DICT=" in output


def test_a_mail_server_that_is_away_fails(settings: Any) -> None:
    controller = smtp.start(smtp.Mailbox())
    settings.EMAIL_BACKEND = "mydjango.operations.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_SSL = "127.0.0.1", controller.port, False
    assert finding("mail server").is_well
    controller.stop()
    assert not finding("mail server").is_well


def test_without_a_database_every_line_is_still_printed() -> None:
    process = manage("doctor", MYSQL_HOST="127.0.0.1", MYSQL_PORT="1", MYSQL_CONNECT_SECONDS="0")
    output, _errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len([line for line in output.splitlines() if line.startswith(("ok ", "FAIL"))]) == len(doctor.CHECKS)
    assert "FAIL database: the database does not answer (error 2003)" in output


def test_it_runs_through_the_bridge(tmp_path: Path) -> None:
    """`manage.py invoke --remote --manage doctor` runs it in this way: the exit code and every line come back."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mydjango.settings", "MANAGE_COMMANDS": "migrate; doctor"}
    environment["SQLITE_PATH"] = str(tmp_path / "survey.sqlite3")
    environment.pop("MYSQL_HOST", None)
    script = """
import json, index
index.main_handler({"manage": ["migrate"]}, {})
print(json.dumps(index.main_handler({"manage": ["doctor"]}, {})))
"""
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["exit_code"] == 1
    lines = result["output"].splitlines()
    assert [line for line in lines if line.startswith("FAIL")] == [
        "FAIL last delivery: never: the timer runs `drain_outbox` every minute once it is deployed",
        "FAIL last figures update: never: the timer runs `update_figures` every minute once it is deployed",
    ]
    assert "ok   migrations: all applied" in lines
