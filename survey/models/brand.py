"""The brand of the chain, which head office sets."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

COLOR = r"#[0-9a-f]{6}\Z"  # as in survey/palette.py, which guests' first requests do without


class Brand(models.Model):
    """The one row of the chain's brand; every column may be empty. Pages read it through survey/chain.py."""

    ONLY = 1  # its primary key

    name = models.CharField(_("chain"), max_length=40, blank=True)
    name_en = models.CharField(_("English name of the chain"), max_length=40, blank=True)
    color = models.CharField(_("colour"), max_length=7, blank=True, validators=[RegexValidator(COLOR)])
    # A data URI that survey/logo.py made and checked.
    logo = models.TextField(_("logo"), blank=True)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")

    def __str__(self) -> str:
        return self.name
