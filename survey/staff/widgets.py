"""The fields of the filters, rendered without templates, which took half the CPU of a page."""

from __future__ import annotations

import html
from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.safestring import SafeString, mark_safe


class Select(forms.Select):
    """A list of choices; a chain has many branches."""

    def render(
        self, name: str, value: object, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        chosen = self.format_value(value)
        options = []
        for key, label in self.choices:
            selected = " selected" if str(key) in chosen else ""
            options.append(f'<option value="{html.escape(str(key))}"{selected}>{html.escape(str(label))}</option>')
        start = f"<select{flatatt({'name': name, **self.build_attrs(self.attrs, attrs)})}>"
        return mark_safe(f"{start}{''.join(options)}</select>")  # noqa: S308


class DateInput(forms.DateInput):
    """A date, as browsers send it."""

    def render(
        self, name: str, value: object, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        given = {"value": shown} if (shown := self.format_value(value)) else {}
        attributes = {"type": "date", "name": name, **given, **self.build_attrs(self.attrs, attrs)}
        return mark_safe(f"<input{flatatt(attributes)}>")  # noqa: S308
