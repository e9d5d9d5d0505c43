"""Sessions that are read in SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils import timezone

pytestmark = pytest.mark.django_db


def store(key: str | None = None) -> SessionBase:
    opened: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return opened


@pytest.fixture
def key() -> str:
    session = store()
    session["name"] = "张"
    session.save()
    return str(session.session_key)


def test_a_session_is_loaded_by_one_statement(key: str, django_assert_num_queries: Callable[..., Any]) -> None:
    with django_assert_num_queries(1):
        session = store(key)
        assert session["name"] == "张"
        assert session.session_key == key


@pytest.mark.parametrize("seconds", [1, 3_600])
def test_a_session_that_expired_is_empty_and_loses_its_key(key: str, seconds: int) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=seconds))
    session = store(key)
    assert session.get("name") is None
    assert session.session_key is None


def test_a_session_that_expires_later_counts(key: str) -> None:
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=1))
    assert store(key)["name"] == "张"


def test_a_key_that_was_never_given_is_not_used() -> None:
    session = store("chosenbysomebodyelse0123456789ab")
    assert session.get("name") is None
    session["name"] = "李"
    session.save()
    assert session.session_key not in (None, "chosenbysomebodyelse0123456789ab")


def test_data_that_another_key_signed_is_dropped(key: str) -> None:
    Session.objects.update(session_data="eyJuYW1lIjoi5byg In0:1xVE7U:forged")
    assert store(key).get("name") is None
