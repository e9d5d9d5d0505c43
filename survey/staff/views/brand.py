"""The page on which head office edits the brand."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from survey.models import Brand
from survey.palette import palettes
from survey.staff.access import head_office_view
from survey.staff.brand import DEFAULT_COLOR, BrandForm
from survey.staff.views.page import filter_form, page_context


@head_office_view
def edit(request: HttpRequest) -> HttpResponse:
    """Show the brand with a preview in light and dark; show posted values in the preview, or store them."""
    brand = Brand.objects.filter(pk=Brand.ONLY).first() or Brand()
    shown = brand
    form = BrandForm(request.POST or None, request.FILES or None, instance=brand)
    if request.method == "POST" and form.is_valid():
        if "preview" not in request.POST:
            form.store()
            messages.success(request, _("Saved."))
            return redirect("dashboard:brand")
        shown = form.instance
        form = BrandForm(initial={name: getattr(shown, name) for name in ("name", "name_en", "color", "logo")})
    light, dark = palettes(shown.color or DEFAULT_COLOR)
    context = page_context(request, filter_form(request)) | {
        "brand_form": form,
        "logo": shown.logo,
        "name": shown.name or shown.name_en,
        "is_preview": request.method == "POST" and not form.errors,
        "previews": [
            {"title": _("Light"), "ground": "#f6f3ee", "paper": "#ffffff", "ink": "#1f2328", "colors": light},
            {"title": _("Dark"), "ground": "#16181b", "paper": "#22262b", "ink": "#f0f0f0", "colors": dark},
        ],
    }
    return render(request, "staff/brand.html", context, status=400 if form.errors else 200)
