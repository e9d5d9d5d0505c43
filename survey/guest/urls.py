"""URLs of the guests' pages and of the API."""

from __future__ import annotations

from django.urls import path

from survey.guest import brand, openapi, photos, privacy, views

urlpatterns = [
    path("", views.page, name="survey"),
    path("s/<slug:code>", views.page, name="branch-survey"),
    path("s/<slug:code>/", views.page_without_slash),
    path("submitSurvey", views.submit, name="submit"),
    path("photos", photos.upload, name="photos"),
    path("photos/file/<path:key>", photos.stored_file, name="photo-file"),
    path("thanks/<slug:reference>", views.thanks, name="thanks"),
    path("privacy", privacy.notice, name="privacy"),
    path("erase", privacy.erase, name="erase"),
    path("erase/done", privacy.erased, name="erased"),
    path("erase/requested", privacy.requested, name="erasure-requested"),
    path("brand/<slug:name>.css", brand.stylesheet, name="stylesheet"),
    path("openapi.json", openapi.document, name="openapi"),
]
