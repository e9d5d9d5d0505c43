"""The CORS rule of a bucket to which the project's pages upload: `uploads` in [tool.faaskit]."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from faaskit.scf.api import Report
from faaskit.scf.upload import Store

HOST = re.compile(r"([a-z0-9-]+-\d+)\.cos\.([a-z0-9-]+)\.(?:myqcloud\.com|tencentcos\.cn)")


def bucket_of(address: str) -> tuple[str, str] | None:
    """Return name and region of the bucket of COS with this address, None for another storage."""
    match = HOST.fullmatch(urlsplit(address).hostname or "")
    return (match[1], match[2]) if match else None


def allow(address: str, public_url: str, open_bucket: Callable[[str, str], Store], report: Report) -> None:
    """Let pages of the public URL upload to the bucket with this address. Raises DeployError.

    A storage other than COS, and a function without a URL, are reported.
    """
    bucket = bucket_of(address)
    if bucket is None or not public_url:
        reason = "the function has no public URL" if bucket else f"{address} is no bucket of COS"
        report(f"Uploads: {reason}, so its CORS rule is left to you.")
        return
    parts = urlsplit(public_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    open_bucket(*bucket).allow_uploads(origin)
    report(f"Bucket {bucket[0]}: pages of {origin} may upload.")
