"""A fake of CLS, Tencent's log service: logsets, topics, indexes, and a search with CQL's `field:"value" AND …`."""

from __future__ import annotations

import json
import re
from typing import Any


class Refused(Exception):
    """An error of the API, with its code and message."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)
        self.code, self.message = code, message or f"The fake refused: {code}"


class FakeCls:
    """The actions of one account in one region."""

    def __init__(self) -> None:
        self.logsets: dict[str, str] = {}  # id: name
        self.topics: dict[str, dict[str, Any]] = {}  # id: the topic
        self.indexes: dict[str, dict[str, Any]] = {}  # id of the topic: the rule
        self.entries: list[dict[str, Any]] = []  # of every topic
        self.contexts: dict[str, tuple[dict[str, Any], int]] = {}  # Context: its search, and how many it has returned

    def write(self, milliseconds: int, fields: dict[str, Any], topic: str = "topic-1") -> None:
        """Add an entry, as the platform delivers it."""
        number = str(len(self.entries))
        log = json.dumps(fields, ensure_ascii=False)
        self.entries.append(
            {"Time": milliseconds, "TopicId": topic, "PkgId": "p", "PkgLogId": number, "LogJson": log, "RawLog": ""}
        )

    def DescribeLogsets(self, Filters: list[dict], Limit: int) -> dict:
        [part] = Filters[0]["Values"]
        return {
            "Logsets": [{"LogsetId": key, "LogsetName": name} for key, name in self.logsets.items() if part in name]
        }

    def CreateLogset(self, LogsetName: str) -> dict:
        if LogsetName in self.logsets.values():
            raise Refused("FailedOperation.LogsetConflict")
        self.logsets[f"logset-{len(self.logsets) + 1}"] = LogsetName
        return {"LogsetId": f"logset-{len(self.logsets)}"}

    def DescribeTopics(self, Filters: list[dict], Limit: int) -> dict:
        wanted = {entry["Key"]: entry["Values"][0] for entry in Filters}
        found = [
            topic
            for topic in self.topics.values()
            if topic["LogsetId"] == wanted["logsetId"] and wanted["topicName"] in topic["TopicName"]
        ]
        return {"Topics": found}

    def CreateTopic(self, LogsetId: str, TopicName: str, Period: int) -> dict:
        if LogsetId not in self.logsets:
            raise Refused("ResourceNotFound.LogsetNotExist")
        key = f"topic-{len(self.topics) + 1}"
        self.topics[key] = {"TopicId": key, "LogsetId": LogsetId, "TopicName": TopicName, "Period": Period}
        return {"TopicId": key}

    def DescribeIndex(self, TopicId: str) -> dict:
        return {"TopicId": TopicId, "Rule": self.indexes.get(TopicId)}

    def CreateIndex(self, TopicId: str, Rule: dict, **rest: Any) -> None:
        if TopicId in self.indexes:
            raise Refused("FailedOperation.IndexConflict")
        self.indexes[TopicId] = Rule

    def ModifyIndex(self, TopicId: str, Rule: dict, **rest: Any) -> None:
        if TopicId not in self.indexes:
            raise Refused("ResourceNotFound.IndexNotExist")
        self.indexes[TopicId] = Rule

    def SearchLog(
        self,
        TopicId: str,
        From: int,
        To: int,
        QueryString: str,
        QuerySyntax: int,
        Sort: str,
        Limit: int,
        Context: str = "",
    ) -> dict:
        if QuerySyntax != 1 or not 1 <= Limit <= 1000:
            raise Refused("InvalidParameter")
        search = {"TopicId": TopicId, "From": From, "To": To, "QueryString": QueryString, "Sort": Sort, "Limit": Limit}
        before, done = self.contexts[Context] if Context else (search, 0)
        if before != search or done >= 10_000:
            raise Refused("InvalidParameter", "the Context is of another search, or at its end")
        terms = [re.findall(r'(\w+):"([^"]*)"', term) for term in QueryString.split(" AND ")]  # "(a OR b) AND c"
        found = [
            entry
            for entry in sorted(self.entries, key=lambda entry: entry["Time"], reverse=Sort != "asc")
            if entry["TopicId"] == TopicId and From <= entry["Time"] < To
            if all(any(str(json.loads(entry["LogJson"]).get(name)) == value for name, value in term) for term in terms)
        ]
        page = found[done : done + Limit]
        following = f"context-{len(self.contexts) + 1}"
        self.contexts[following] = (search, done + len(page))
        return {"Results": page, "Context": following, "ListOver": done + len(page) >= len(found)}
