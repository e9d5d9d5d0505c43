"""URLs of the staff. Imported for the first path below /dashboard/: guests never wait for it."""

from __future__ import annotations

from django.urls import path

from survey.views import (
    account,
    dashboard,
    dashboard_branches,
    dashboard_erasures,
    dashboard_export,
    dashboard_responses,
    dashboard_staff,
)

app_name = "dashboard"

urlpatterns = [
    path("", dashboard.overview, name="overview"),
    path("comments/", dashboard_responses.comments, name="comments"),
    path("follow-up/", dashboard_responses.follow_up_list, name="follow_up"),
    path("responses/<slug:reference>/", dashboard_responses.detail, name="response"),
    path("responses/<slug:reference>/erase/", dashboard_erasures.erase, name="erase"),
    path("erasures/", dashboard_erasures.requests, name="erasures"),
    path("export/", dashboard_export.page, name="export"),
    path("export.csv", dashboard_export.download, name="export_csv"),
    path("branches/", dashboard_branches.branches, name="branches"),
    path("branches/add/", dashboard_branches.edit, name="branch_add"),
    path("branches/<slug:code>/", dashboard_branches.edit, name="branch"),
    path("branches/<slug:code>/card/", dashboard_branches.card, name="card"),
    path("cards/", dashboard_branches.cards, name="cards"),
    path("staff/", dashboard_staff.staff, name="staff"),
    path("staff/add/", dashboard_staff.edit, name="staff_add"),
    path("staff/<int:pk>/", dashboard_staff.edit, name="staff_member"),
    path("staff/<int:pk>/invitation/", dashboard_staff.invite_again, name="invitation"),
    path("login/", account.login, name="login"),
    path("logout/", account.logout, name="logout"),
    path("language/", account.language, name="language"),
    path("password/", account.password_change, name="password_change"),
    path("password/forgotten/", account.password_forgotten, name="password_forgotten"),
    path("password/sent/", account.password_sent, name="password_sent"),
    path("password/<uidb64>/<token>/", account.password_choose, name="password_choose"),
]
