"""Django's admin: answers and mails to look at, not to change."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from survey.mail import outbox
from survey.models import Branch, ErasureLog, OutgoingMail, Submission


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What guests wrote and what was sent to them is a record: nobody edits it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(Branch)
class BranchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Branches. A code stands on printed cards, so it never changes."""

    list_display = ("code", "name")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Branch | None = None) -> tuple[str, ...]:
        """The code, of a branch that there is."""
        return ("code",) if obj else ()


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """Guests' answers. Not to be deleted: they are counted in the daily figures. What names a guest is erased."""

    list_display = ("reference", "created_at", "branch", "satisfaction", "name", "phone")
    list_filter = ("satisfaction", "branch", "language", "local_date")
    list_select_related = ("branch",)
    search_fields = ("reference", "name", "phone", "email", "comment")
    date_hierarchy = "local_date"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """The queue of mails and what was sent."""

    list_display = ("message_id", "kind", "status", "recipient", "attempts", "next_attempt_at", "last_error", "sent_at")
    list_filter = ("status", "kind", "created_at")
    search_fields = ("message_id", "recipient", "submission__reference", "last_error")
    list_select_related = ("submission",)
    actions = ("requeue",)

    def get_exclude(self, request: HttpRequest, obj: OutgoingMail | None = None) -> tuple[str, ...]:
        """Hide the body of an account's mail: one that the release before queued holds the link to the account."""
        return ("body",) if obj is not None and obj.kind == OutgoingMail.Kind.ACCOUNT else ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse `?body__contains=`, which would tell a body letter by letter."""
        return lookup.partition("__")[0] != "body" and super().lookup_allowed(lookup, value, request)

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Whoever may change mails, if they could be changed."""
        return request.user.has_perm("survey.change_outgoingmail")

    @admin.action(description=_("Send again with the next drain"), permissions=("requeue",))
    def requeue(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        """Queue mails again that were given up or put off."""
        count = outbox.requeue(queryset)
        message = ngettext("%(count)d mail is queued.", "%(count)d mails are queued.", count) % {"count": count}
        self.message_user(request, message, messages.SUCCESS if count else messages.WARNING)


@admin.register(ErasureLog)
class ErasureLogAdmin(ReadOnlyAdmin):
    """Who had which submission erased, and when."""

    list_display = ("created_at", "submission", "event", "user")
    list_filter = ("event", "created_at")
    list_select_related = ("submission", "user")
    search_fields = ("submission__reference", "user__username")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False
