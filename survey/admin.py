"""Django's admin: branches, and submissions, mails and erasures read-only."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from survey.mail import delivery
from survey.models import Branch, ErasureLog, OutgoingMail, Submission

NEWEST = 1_000  # records in the pages of a list


class NewestPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the newest records: to count millions takes seconds."""

    object_list: QuerySet[Model]

    @cached_property
    def count(self) -> int:
        """Return the number of records, at most NEWEST."""
        return self.object_list.order_by()[:NEWEST].count()


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Base of the admins of records that nobody adds, changes or deletes, and of which there are millions.

    Every list comes from an index: it has the newest records, in one order, and finds whole values of the indexed
    columns in `search_fields`.
    """

    paginator = NewestPaginator
    show_full_result_count = False
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Return the records of which a field has the value; one query each, since MariaDB scans for an OR of joins."""
        if not search_term:
            return queryset, False
        found = [self.model.objects.filter(**{field: search_term.strip()}) for field in self.search_fields]
        keys = {key for records in found for key in records.order_by("-pk").values_list("pk", flat=True)[:NEWEST]}
        return queryset.filter(pk__in=keys), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Branch)
class BranchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Branches. A code is printed on cards, so it never changes."""

    list_display = ("code", "name")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Branch | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """Submissions. Deleting one would make the daily figures wrong; personal data is erased instead."""

    former_model_name = "response"  # see mydjango/admin_urls.py
    list_display = ("reference", "created_at", "branch", "satisfaction", "name", "phone")
    list_filter = ("satisfaction", "branch", "local_date")
    list_select_related = ("branch",)
    ordering = ("-local_date", "-id")
    search_fields = ("reference", "name", "phone", "email")
    search_help_text = _(
        "A whole reference, name, phone number or e-mail address; words of comments: /dashboard/comments/"
    )


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """The mail queue, sent mails included. Mails can be deleted and queued again."""

    list_display = ("message_id", "kind", "status", "recipient", "attempts", "next_attempt_at", "last_error", "sent_at")
    list_filter = ("status", "kind", "created_at")
    search_fields = ("message_id", "recipient", "submission__reference")
    search_help_text = _("A whole Message-ID, e-mail address or reference")
    list_select_related = ("submission",)
    actions = ("requeue",)
    has_delete_permission = admin.ModelAdmin.has_delete_permission

    def get_exclude(self, request: HttpRequest, obj: OutgoingMail | None = None) -> tuple[str, ...]:
        """Hide the body of an account's mail: queued by the release before, it holds the link to the account."""
        return ("body",) if obj is not None and obj.kind == OutgoingMail.Kind.ACCOUNT else ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse `?body__contains=`, which would reveal a body letter by letter."""
        return lookup.partition("__")[0] != "body" and super().lookup_allowed(lookup, value, request)

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Return whether the user has the permission to change mails, which nothing else asks for."""
        return request.user.has_perm("survey.change_outgoingmail")

    @admin.action(description=_("Send again with the next drain"), permissions=("requeue",))
    def requeue(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        """Queue the chosen mails again, unless they were sent."""
        count = delivery.requeue(queryset)
        message = ngettext("%(count)d mail is queued.", "%(count)d mails are queued.", count) % {"count": count}
        self.message_user(request, message, messages.SUCCESS if count else messages.WARNING)


@admin.register(ErasureLog)
class ErasureLogAdmin(ReadOnlyAdmin):
    """Who had which submission erased, and when."""

    list_display = ("created_at", "submission", "event", "user")
    list_filter = ("event", "created_at")
    list_select_related = ("submission", "user")
    search_fields = ("submission__reference", "user__username")
