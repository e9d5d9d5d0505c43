"""The function's log topic in CLS, the log service: made by `cls: auto` in serverless.yml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf.api import Api, Report, find
from faaskit.scf.parameters import AUTO

RETENTION = 7  # days
# The fields of each entry (SCF 60336). The console's own pages about the log need all of them indexed.
FIELDS = {
    **dict.fromkeys(("SCF_FunctionName", "SCF_Namespace", "SCF_RequestId", "SCF_Alias", "SCF_Qualifier"), "text"),
    **dict.fromkeys(("SCF_Level", "SCF_Message", "SCF_Type"), "text"),
    **dict.fromkeys(("SCF_StartTime", "SCF_LogTime", "SCF_Duration", "SCF_StatusCode", "SCF_RetryNum"), "long"),
    "SCF_MemUsage": "double",
}
SEPARATORS = "@&?|#()='\",;:<>[]{}/ \n\t\r\\"


def ensure(api: Api, config: FunctionConfig, own_fields: Mapping[str, str], report: Report) -> dict[str, str]:
    """Return ClsLogsetId and ClsTopicId of `cls: auto`, made where missing; {} without that. Raises ApiError.

    `own_fields`: the fields of the project's lines, and their types in the index. Those that an index lacks are added;
    the log service indexes what arrives from then on.
    """
    if config.inputs.get("cls") != AUTO:
        return {}
    logset = _named(api, "DescribeLogsets", "Logset", config.name, {"logsetName": config.name})
    if not logset:
        logset = str(api.call("CreateLogset", LogsetName=config.name)["LogsetId"])
    topic = _named(api, "DescribeTopics", "Topic", config.name, {"topicName": config.name, "logsetId": logset})
    if not topic:
        topic = str(api.call("CreateTopic", LogsetId=logset, TopicName=config.name, Period=RETENTION)["TopicId"])
        report(f"Log topic {config.name}: created, keeps {RETENTION} days.")
    index = find(api, "DescribeIndex", TopicId=topic) or {}
    whole = {"TopicId": topic, "Status": True, "IncludeInternalFields": True, "MetadataFlag": 1}
    if not index.get("Rule"):  # also where the last deployment ended between the two calls
        api.call("CreateIndex", **whole, Rule=_rule({**FIELDS, **own_fields}))
        return {"ClsLogsetId": logset, "ClsTopicId": topic}
    keys = (index["Rule"].get("KeyValue") or {}).get("KeyValues") or []
    missing = {name: kind for name, kind in own_fields.items() if name not in {key["Key"] for key in keys}}
    if missing:
        rule = {**index["Rule"], "KeyValue": {"CaseSensitive": False, "KeyValues": [*keys, *_keys(missing)]}}
        api.call("ModifyIndex", **whole, Rule=rule)
        report(f"Log topic {config.name}: indexes {', '.join(missing)} too.")
    return {"ClsLogsetId": logset, "ClsTopicId": topic}


def _named(api: Api, action: str, kind: str, name: str, filters: dict[str, str]) -> str:
    """Return the id of the logset or topic with exactly this name, '' for none: the filters match parts of names."""
    wanted = [{"Key": key, "Values": [value]} for key, value in filters.items()]
    for entry in api.call(action, Filters=wanted, Limit=100).get(f"{kind}s") or []:
        if entry.get(f"{kind}Name") == name:
            return str(entry[f"{kind}Id"])
    return ""


def _rule(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the index: full text, and each field of an entry."""
    return {
        "FullText": {"CaseSensitive": False, "Tokenizer": SEPARATORS, "ContainZH": True},
        "KeyValue": {"CaseSensitive": False, "KeyValues": _keys(fields)},
    }


def _keys(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "Key": name,
            "Value": {"Type": kind, "SqlFlag": True, "Tokenizer": SEPARATORS if name == "SCF_Message" else ""},
        }
        for name, kind in fields.items()
    ]
