"""URLs for staff, imported with the first request below /dashboard/, so that guests never wait for them."""

from __future__ import annotations

from django.urls import path

from survey.staff.views import (
    account,
    branches,
    brand,
    compare,
    erasures,
    export,
    members,
    overview,
    questions,
    robots,
    submissions,
    today,
)

app_name = "dashboard"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("today/", today.page, name="today"),
    path("compare/", compare.compare, name="compare"),
    path("news/", overview.news, name="news"),
    path("comments/", submissions.comments, name="comments"),
    path("follow-up/", submissions.follow_up_list, name="follow_up"),
    path("responses/<slug:reference>/", submissions.detail, name="submission"),
    path("responses/<slug:reference>/owner/", submissions.owner, name="owner"),
    path("responses/<slug:reference>/erase/", erasures.erase, name="erase"),
    path("erasures/", erasures.requests, name="erasures"),
    path("export/", export.page, name="export"),
    path("export.csv", export.download, name="export_csv"),
    path("export.xlsx", export.download_workbook, name="export_xlsx"),
    path("branches/", branches.branches, name="branches"),
    path("branches/add/", branches.edit, name="branch_add"),
    path("branches/<slug:code>/", branches.edit, name="branch"),
    path("branches/<slug:code>/card/", branches.card, name="card"),
    path("branches/<slug:code>/card.png", branches.card_image, name="card_image"),
    path("branches/<slug:code>/tables/", branches.tables, name="tables"),
    path("cards/", branches.cards, name="cards"),
    path("questions/", questions.page, name="questions"),
    path("questions/<slug:kind>/add/", questions.edit, name="question_add"),
    path("questions/<slug:kind>/<slug:key>/", questions.edit, name="question"),
    path("questions/<slug:kind>/<slug:key>/change/", questions.change, name="question_change"),
    path("robots/", robots.robots, name="robots"),
    path("robots/add/", robots.edit, name="robot_add"),
    path("robots/<int:pk>/", robots.edit, name="robot"),
    path("robots/<int:pk>/test/", robots.test, name="robot_test"),
    path("robots/<int:pk>/again/", robots.send_again, name="robot_again"),
    path("brand/", brand.edit, name="brand"),
    path("staff/", members.staff, name="staff"),
    path("staff/add/", members.edit, name="staff_add"),
    path("staff/<int:pk>/", members.edit, name="staff_member"),
    path("staff/<int:pk>/invitation/", members.invite_again, name="invitation"),
    path("login/", account.login, name="login"),
    path("logout/", account.logout, name="logout"),
    path("account/", account.account, name="account"),
    path("language/", account.language, name="language"),
    path("password/", account.password_change, name="password_change"),
    path("password/forgotten/", account.password_forgotten, name="password_forgotten"),
    path("password/sent/", account.password_sent, name="password_sent"),
    path("password/<uidb64>/<token>/", account.password_choose, name="password_choose"),
]
