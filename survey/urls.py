"""URLs of the survey."""

from __future__ import annotations

from django.urls import path

from survey.views import answer, openapi

urlpatterns = [
    path("", answer.page, name="survey"),
    path("submitSurvey", answer.submit, name="submit"),
    path("thanks/<slug:reference>", answer.thanks, name="thanks"),
    path("openapi.json", openapi.document, name="openapi"),
]
