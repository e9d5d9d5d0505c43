"""Object storage for the tests: moto's server of the S3 API, and a server that refuses.

moto stores, lists, returns ranges and deletes. It accepts any signature, any length and type, and expired URLs:
tests/mydjango/test_signing.py holds signatures against the official SDKs instead, and the refusals
are those that COS and S3 document.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUCKET = "survey-photos"


def _cos_error(code: str, message: str) -> str:
    text = f"<Code>{code}</Code>\n\t<Message>{message}</Message>"
    return f"<?xml version='1.0' encoding='utf-8' ?>\n<Error>\n\t{text}\n\t<TraceId>OGVm</TraceId>\n</Error>\n"


# As the platforms document them: COS 436/7730, S3's ErrorResponses.
REFUSALS = {
    "COS: signature": (403, _cos_error("SignatureDoesNotMatch", "The Signature you specified is invalid.")),
    "COS: expired": (403, _cos_error("AccessDenied", "Request has expired")),
    "COS: key": (403, _cos_error("InvalidAccessKeyId", "The Access Key Id does not exist in our records")),
    "COS: bucket": (404, _cos_error("NoSuchBucket", "The specified bucket does not exist.")),
    "S3: busy": (
        503,
        '<?xml version="1.0"?>\n<Error><Code>SlowDown</Code><Message>Slow down.</Message></Error>',
    ),
}


@contextmanager
def s3_server() -> Iterator[tuple[str, Any]]:
    """Run moto's server with an empty bucket. Yield the bucket's URL and boto3's client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages for other services
        import boto3
        from moto.server import ThreadedMotoServer
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, aws_access_key_id="id", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client.create_bucket(Bucket=BUCKET)
    try:
        yield f"{address}/{BUCKET}", client
    finally:
        client.close()
        server.stop()


@contextmanager
def refusing_server(status: int, body: str) -> Iterator[str]:
    """Run a server that refuses every request with this status and body. Yield the URL of its bucket."""

    class Refusing(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_DELETE = do_PUT = refuse

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{BUCKET}"
        server.shutdown()
