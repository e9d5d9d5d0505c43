"""URLs of the text endpoints."""

from __future__ import annotations

from django.urls import path

from survey.text import views

urlpatterns = [
    path("hello/", views.hello),
    path("hello/<path:name>", views.hello_path),
    path("welcome/post", views.welcome_post),
    path("welcome/get", views.welcome_get),
]
