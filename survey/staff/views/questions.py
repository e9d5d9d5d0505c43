"""The questions of the survey, for head office."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from mydjango.http.problems import allow
from survey.chain import ASPECT, PROBLEM, current
from survey.staff import questions
from survey.staff.access import head_office_view
from survey.staff.questions import MOST_ASKED, QuestionForm, TooMany
from survey.staff.views.page import filter_form, page_context


@allow("GET")
@head_office_view
def page(request: HttpRequest) -> HttpResponse:
    """List the questions that guests are asked, in their order, and the retired ones."""
    kinds = [
        {
            "kind": kind,
            "title": title,
            "hint": hint,
            "add": add,
            "asked": current().asked(kind),
            "retired": [question for question in current().all(kind) if question.is_retired],
            "most": MOST_ASKED[kind],
        }
        for kind, title, hint, add in (
            (ASPECT, _("Aspects"), _("Guests rate each from 1 to 5."), _("Add an aspect")),
            (PROBLEM, _("What went wrong"), _("Guests with a low score tick them."), _("Add a problem")),
        )
    ]
    return render(request, "staff/questions.html", page_context(request, filter_form(request)) | {"kinds": kinds})


@head_office_view
def edit(request: HttpRequest, kind: str, key: str = "") -> HttpResponse:
    """Add a question, or change the labels of one."""
    if kind not in MOST_ASKED:
        raise Http404
    question = questions.find(kind, key) if key else None
    form = QuestionForm(kind, question, request.POST or None)
    if request.method == "POST" and form.is_valid():
        labels = (form.cleaned_data["label"], form.cleaned_data["label_en"])
        try:
            if question:
                questions.rename(kind, key, *labels, request.user)
            else:
                questions.add(kind, *labels, request.user)
        except TooMany as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. Guests see it within a minute."))
            return redirect("dashboard:questions")
    context = page_context(request, filter_form(request)) | {"question_form": form, "kind": kind, "question": question}
    return render(request, "staff/question.html", context, status=400 if form.errors else 200)


@head_office_view
@allow("POST")
def change(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Move a question to the posted `place`, or retire it, or ask it again."""
    question = questions.find(kind, key)
    action = request.POST.get("action")
    place = request.POST.get("place", "")
    try:
        if action == "retire":
            questions.retire(kind, key, request.user)
        elif action == "ask":
            questions.ask_again(kind, key, request.user)
        elif len(place) <= 2 and place.isdecimal():
            questions.move(kind, key, int(place), request.user)
        else:
            raise Http404
    except TooMany as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("%(question)s: saved. Guests see it within a minute.") % {"question": question.local_label}
        )
    return redirect(f"{reverse('dashboard:questions')}#{kind}")
