"""The deployed function's log, which the platform delivers to a topic of CLS, its log service.

An entry is a line that the function wrote or one of the platform's own. Lines that are JSON are delivered as the fields
of the entry, beside those that begin with SCF_ (SCF 60336, 40705).
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, DeployError
from faaskit.scf.parameters import name_and_namespace, web_config
from faaskit.timers import PLATFORM_TIME
from faaskit.units import MEBIBYTE

CQL = 1  # the query language, beside Lucene's
PAGE = 1000  # entries, the most that SearchLog returns at once
CONTEXT_LIMIT = 10_000  # entries, the most that its Context leads to
LATENCY = timedelta(seconds=90)  # entries arrive late and out of order
POLL_EVERY = 3.0  # seconds
# START and END say nothing; Response has the returned value, which may be a guest's personal data.
UNPRINTED = ("START ", "END ", "Response ")
SHOWN_FIRST = {"time", "level", "logger", "event", "request_id", "exception"}
NO_TOPIC = (
    "Function {} has no log topic: write 'cls: auto' below inputs in serverless.yml and deploy, or choose a topic in "
    "the console, under the function's configuration."
)


@dataclass(frozen=True)
class Line:
    """One line of the log; `text` may have further lines, which are indented."""

    moment: datetime  # UTC+8
    level: str
    request_id: str
    text: str

    def __str__(self) -> str:
        moment = self.moment.isoformat(" ", "milliseconds").partition("+")[0]
        return f"{moment} {self.level:<7} {self.request_id} {self.text}"

    @property
    def severity(self) -> int:
        """Return the level as a number of `logging`; INFO for one that logging does not know."""
        number = logging.getLevelName(self.level.upper())
        return number if isinstance(number, int) else logging.INFO


def lines(
    api: Api,
    config: FunctionConfig,
    start: datetime,
    end: datetime | None,
    request_id: str = "",
    level: int = logging.NOTSET,
) -> Iterator[Line]:
    """Yield the lines between two times, each once and earliest first; without an end, new ones as they arrive.

    Raises DeployError.
    """
    if not re.fullmatch(r"[\w-]*", request_id):
        raise DeployError(f"{request_id!r} is no request id: it has letters, digits and dashes.")
    topic = topic_of(api.call("GetFunction", **name_and_namespace(config)), config)
    terms = query(config) + (f' AND SCF_RequestId:"{request_id}"' if request_id else "")
    seen: dict[tuple[Any, ...], int] = {}
    while True:
        until = end or datetime.now(PLATFORM_TIME)
        for entry in search(api, topic, terms, start, until):
            key = tuple(entry.get(name) for name in ("Time", "PkgId", "PkgLogId", "LogJson"))
            if key not in seen:
                seen[key] = int(entry["Time"])
                yield from (line for line in _lines(entry) if line.severity >= level)
        if end:
            return
        start = max(start, until - LATENCY)
        seen = {key: moment for key, moment in seen.items() if moment >= _milliseconds(start)}
        time.sleep(POLL_EVERY)


def topic_of(function: Mapping[str, Any], config: FunctionConfig) -> str:
    """Return the topic of a function as the API describes it; raises DeployError for none."""
    topic = str(function.get("ClsTopicId") or "")
    if not topic:
        raise DeployError(NO_TOPIC.format(config.name))
    return topic


def query(config: FunctionConfig) -> str:
    """Return the search for all entries of a function, or of a Web function and the one beside it."""
    names = name_and_namespace(config)
    functions = [config, web_config(config)] if config.is_web else [config]
    wanted = " OR ".join(f'SCF_FunctionName:"{each.name}"' for each in functions)
    return f'{f"({wanted})" if config.is_web else wanted} AND SCF_Namespace:"{names["Namespace"]}"'


def search(api: Api, topic: str, query: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """Yield the entries of every page; after the 10,000 of one Context, search again from the last one."""
    first, context, count = _milliseconds(start), "", 0
    while True:
        page = api.call(
            "SearchLog",
            **{"TopicId": topic, "QueryString": query, "QuerySyntax": CQL, "Sort": "asc", "Limit": PAGE},
            **{"From": first, "To": _milliseconds(end)},
            **({"Context": context} if context else {}),
        )
        entries = page.get("Results") or []
        yield from entries
        if page.get("ListOver") or not entries:
            return
        context, count = str(page.get("Context") or ""), count + len(entries)
        if count >= CONTEXT_LIMIT or not context:
            first, context, count = int(entries[-1]["Time"]), "", 0


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def fields_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an entry of CLS; the text alone where the topic's index is broken."""
    try:
        fields: dict[str, Any] = json.loads(entry.get("LogJson") or "")
    except ValueError:
        return {"SCF_Message": entry.get("RawLog") or ""}
    return fields


def _lines(entry: Mapping[str, Any]) -> list[Line]:
    """Return the lines of one entry of CLS, [] for one that is not printed."""
    fields = fields_of(entry)
    message = str(fields.get("SCF_Message") or "")
    moment = datetime.fromtimestamp(int(entry["Time"]) / 1000, PLATFORM_TIME)
    request_id = str(fields.get("SCF_RequestId") or "-")
    if fields.get("SCF_Type") == "Platform":
        if message.startswith(UNPRINTED):
            return []
        failed = int(fields.get("SCF_StatusCode") or 200) not in (200, 202) or message.startswith("ERROR")
        text = _outcome(fields, failed) if message.startswith("Report ") else message
        return [Line(moment, "ERROR" if failed else "INFO", request_id, text)]
    own = {name: value for name, value in fields.items() if not name.startswith(("SCF_", "__"))}
    records = [own] if own else [record(line) for line in message.splitlines() if line.strip()]
    default = str(fields.get("SCF_Level") or "INFO")
    return [Line(moment, str(record.get("level") or default), request_id, _text(record)) for record in records]


def _outcome(fields: Mapping[str, Any], failed: bool) -> str:
    """Return the result and cost of an invocation, from the platform's report."""
    result = f"FAILED with {fields['SCF_StatusCode']}" if failed else "ok"
    memory = float(fields.get("SCF_MemUsage") or 0) / MEBIBYTE
    retry = f", retry {fields['SCF_RetryNum']}" if int(fields.get("SCF_RetryNum") or 0) else ""
    return f"{result}: {float(fields.get('SCF_Duration') or 0):.0f} ms, {memory:.0f} MB{retry}"


def record(line: str) -> dict[str, Any]:
    """Return a line of JSON as its fields, another one as its text."""
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    return record if isinstance(record, dict) else {"event": line}


def _text(record: Mapping[str, Any]) -> str:
    """Return logger, event and the other fields; an exception's type and lines of code follow, indented."""
    head = [str(record[name]) for name in ("logger", "event") if record.get(name)]
    rest = [f"{name}={value}" for name, value in record.items() if name not in SHOWN_FIRST]
    return "\n    ".join([" ".join([*head, *rest]), *_exception(record.get("exception"))])


def _exception(chain: Any) -> Iterator[str]:  # noqa: ANN401  (any JSON; CLS delivers nested values as text)
    if isinstance(chain, str):
        try:
            chain = json.loads(chain)
        except ValueError:
            yield from chain.splitlines()
            return
    for error in chain if isinstance(chain, list) else []:
        yield " ".join(str(error[name]) for name in ("type", "number") if name in error)
        yield from (f"  {frame}" for frame in error.get("frames") or [])
