"""Robots of group chats, for head office."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mydjango.http.problems import allow
from survey.mail import delivery
from survey.models import Robot, RobotMessage
from survey.robots import alerts
from survey.staff.access import head_office_view
from survey.staff.robots import RobotForm, rows
from survey.staff.views.page import filter_form, page_context


@allow("GET")
@head_office_view
def robots(request: HttpRequest) -> HttpResponse:
    """List the robots, and how their messages fare."""
    return render(request, "staff/robots.html", page_context(request, filter_form(request)) | {"rows": rows()})


@head_office_view
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a robot."""
    robot = get_object_or_404(Robot, pk=pk) if pk else None
    form = RobotForm(request.POST or None, instance=robot)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("%(robot)s is saved. Send a test message to see it work.") % {"robot": saved.name})
        return redirect("dashboard:robots")
    title = robot.name if robot else _("Add a robot")
    context = page_context(request, filter_form(request)) | {"robot_form": form, "title": title}
    return render(request, "staff/robot.html", context, status=400 if form.errors else 200)


@head_office_view
@allow("POST")
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test message now, and tell what the service replied."""
    from survey.robots.delivery import send_test  # an HTTP client, which no other page needs

    robot = get_object_or_404(Robot, pk=pk)
    message = send_test(robot)
    if message.status == RobotMessage.Status.SENT:
        messages.success(
            request,
            _("The service accepted the test message: look into the group of %(robot)s.") % {"robot": robot.name},
        )
    else:
        text = _("The test message of %(robot)s did not arrive. %(error)s")
        messages.error(request, text % {"robot": robot.name, "error": message.last_error})
    return redirect("dashboard:robots")


@head_office_view
@allow("POST")
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue the messages of a robot again that were given up."""
    count = delivery.requeue(alerts.given_up().filter(robot=get_object_or_404(Robot, pk=pk)))
    text = ngettext("%(count)d message is queued again.", "%(count)d messages are queued again.", count)
    messages.success(request, text % {"count": count})
    return redirect("dashboard:robots")
