"""URLs of the text endpoints."""

from __future__ import annotations

from django.urls import path, re_path

from survey.text import views

urlpatterns = [
    path("hello/", views.hello),
    re_path(r"^hello/(?P<name>(?s:.+))\Z", views.hello_path),
    path("welcome/post", views.welcome_post),
    path("welcome/get", views.welcome_get),
    path("jieba/", views.jieba),
]
