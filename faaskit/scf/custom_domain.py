"""SCF's custom domain of PUBLIC_URL: which function it leads to, and the call that leads it to another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from faaskit.function_config import FunctionConfig
from faaskit.scf import triggers
from faaskit.scf.api import Api, DeployError, find
from faaskit.scf.parameters import DEFAULT_ALIAS, name_and_namespace, web_config

KEPT = ("Domain", "Protocol", "CertConfig", "WafConfig")
PLATFORM_HOST = ".tencentscf.com"


REFUSAL = (
    "{old} serves requests at {url}, and {new} would have another Function URL: links that are printed, such as QR "
    "codes, would end. Set PUBLIC_URL to a custom domain of SCF that leads to {old} (console: Function URL, custom "
    "domain); this command then moves it. Or remove the deployment first."
)


def refusal(old: FunctionConfig, new: FunctionConfig, url: str) -> str:
    """Return why a deployment does not change the type of a function at this address."""
    return REFUSAL.format(old=old.name, new=new.name, url=url or "its Function URL")


@dataclass(frozen=True)
class CustomDomain:
    """A domain of the account, as GetCustomDomain describes it."""

    detail: dict[str, Any]

    @property
    def name(self) -> str:
        """The host name."""
        return str(self.detail["Domain"])

    def leads_to(self, config: FunctionConfig) -> bool:
        """Return whether a path of the domain leads to a function."""
        return any(_is_of(endpoint, config) for endpoint in self.detail.get("EndpointsConfig") or [])


def find_domain(api: Api, public_url: str) -> CustomDomain | None:
    """Return the custom domain of an address, None for a Function URL and for other hosts; raises ApiError."""
    host = urlsplit(public_url).hostname or ""
    if not host or host.endswith(PLATFORM_HOST):
        return None
    detail = find(api, "GetCustomDomain", Domain=host)
    return CustomDomain(detail) if detail and detail.get("Domain") else None


def move(api: Api, domain: CustomDomain, old: FunctionConfig, new: FunctionConfig) -> None:
    """Lead the paths of a domain that lead to one function to another one; raises ApiError."""
    endpoints = [
        {**endpoint, **name_and_namespace(new), "Qualifier": DEFAULT_ALIAS} if _is_of(endpoint, old) else endpoint
        for endpoint in domain.detail.get("EndpointsConfig") or []
    ]
    kept = {
        key: domain.detail[key] for key in ("Domain", "Protocol", "CertConfig", "WafConfig") if domain.detail.get(key)
    }
    api.call("UpdateCustomDomain", **kept, EndpointsConfig=endpoints)


def held_by_web_function(api: Api, config: FunctionConfig) -> CustomDomain | None:
    """Return the custom domain that a Web function has from the time before `type: event`; None for none.

    Raises DeployError where there is such a function and no domain to move.
    """
    web = web_config(config)
    if find(api, "GetFunction", **name_and_namespace(web)) is None:
        return None
    domain = find_domain(api, config.environment.get("PUBLIC_URL", ""))
    if domain is None:
        raise DeployError(refusal(web, config, triggers.function_url(triggers.existing(api, web))))
    return domain if domain.leads_to(web) else None


def _is_of(endpoint: dict[str, Any], config: FunctionConfig) -> bool:
    names = name_and_namespace(config)
    return all(endpoint.get(key) == value for key, value in names.items())
