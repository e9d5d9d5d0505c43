"""URLs of the survey."""

from __future__ import annotations

from django.urls import path

from survey.views import answer, openapi, privacy

urlpatterns = [
    path("", answer.page, name="survey"),
    path("s/<slug:code>", answer.page, name="branch-survey"),
    path("s/<slug:code>/", answer.page_without_slash),
    path("submitSurvey", answer.submit, name="submit"),
    path("thanks/<slug:reference>", answer.thanks, name="thanks"),
    path("privacy", privacy.notice, name="privacy"),
    path("erase", privacy.erase, name="erase"),
    path("erase/done", privacy.erased, name="erased"),
    path("erase/requested", privacy.requested, name="erasure-requested"),
    path("openapi.json", openapi.document, name="openapi"),
]
