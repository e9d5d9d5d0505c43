"""The steps of a deployment: an error names the step, the version receiving traffic and the next command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from faaskit.scf.api import ApiError, ApiUnreachable, DeployError, Report

AGAIN = "Run the same command again: it continues where it stopped."
PERMISSIONS = (
    "Give the keys' user the policy that 'deploy --policy' prints, or QcloudSCFFullAccess (and QcloudCOSFullAccess for "
    "COS, QcloudCLSFullAccess for the log)."
)
ADVICE = {  # by the beginning of the platform's error code, the longer one first
    "AuthFailure.UnauthorizedOperation": PERMISSIONS,
    "AuthFailure": "Check TENCENT_SECRET_ID, TENCENT_SECRET_KEY (and TENCENT_TOKEN), and this machine's clock.",
    "UnauthorizedOperation": PERMISSIONS,
    "LimitExceeded": "Delete resources of this kind in the console, then run the command again.",
    "FailedOperation.FunctionStatusError": "If another deployment is at work, wait for its end. " + AGAIN,
}


@dataclass
class Steps:
    """The report of a deployment, and the version that receives traffic while it is at work."""

    report: Report
    live: str | None = None  # '' for no version, None until it is read
    of: str = ""  # " of NAME" behind a version, where there is more than one function

    @property
    def traffic(self) -> str:
        """Return a sentence that names the version receiving traffic, '' before that is known."""
        if self.live is None:
            return ""
        return f"Version {self.live}{self.of} receives traffic. " if self.live else "No version receives traffic. "

    @contextmanager
    def step(self, step: str, advice: str = AGAIN) -> Iterator[None]:
        """Add the failed step, the version receiving traffic and the next command to the error."""
        try:
            yield
        except DeployError as error:
            if isinstance(error, ApiUnreachable) and self.live is None:
                raise  # nothing was done yet, so there is nothing to continue
            raise DeployError(f"Could not {step}: {error}\n{self.traffic}{_advice(error) or advice}") from error


def _advice(error: DeployError) -> str:
    """Return the next command for a refusal whose cause lies in the account, or ''."""
    code = error.code if isinstance(error, ApiError) else ""
    return next((advice for prefix, advice in ADVICE.items() if code.startswith(prefix)), "")
