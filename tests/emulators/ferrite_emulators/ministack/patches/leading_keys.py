"""Authorises a DynamoDB request on the partitions that it names.

That is the condition key `dynamodb:LeadingKeys`: the partition key of each item, and that of the index where a
query is on one ("Using IAM policy conditions for fine-grained access control", DynamoDB Developer Guide).
MiniStack knows its operators and never sets it, so `ForAllValues` holds for every request.

AWS's documents leave open whether a part of a transaction has its own key alone or those of all parts, and whether
the item counts that a page of a query begins after. Here they all count: a role that may do it here may do it
under either reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .replacement import replace, require

Request = dict[str, Any]

_EQUAL = re.compile(r"([#\w.-]+)\s*=\s*(:\w+)")


def apply() -> None:
    """Adds the key to the context of every request that names a partition."""
    from ministack.core import iam_actions
    from ministack.services import dynamodb

    def with_keys(make: Any) -> Any:
        def dynamodb_service_context(body: bytes) -> dict[str, Any]:
            context: dict[str, Any] = make(body)
            if keys := _leading_keys(body):
                context["dynamodb:LeadingKeys"] = keys
            return context

        return dynamodb_service_context

    require(dynamodb, "_tables", "_normalize_table_name")
    replace(iam_actions, "dynamodb_service_context", with_keys)


def _leading_keys(body: bytes) -> list[str]:
    try:
        request = json.loads(body)
        values = [
            key[attribute]
            for table, index, key in _named(request)
            for attribute in _partition_keys(table, index)
            if attribute in key
        ]
        return sorted({str(text) for value in values for text in value.values()})
    except (AttributeError, KeyError, TypeError, ValueError):
        return []  # It is no request: DynamoDB will say so.


def _named(request: Request) -> Iterator[tuple[str, str | None, Request]]:
    """Each key, or item with its key, in a request, and the table and the index that it is for."""
    parts = [part for item in request.get("TransactItems", []) for part in item.values()]
    for part in parts or [request]:
        table, index = part.get("TableName"), part.get("IndexName")
        for member in ("Key", "Item", "ExclusiveStartKey"):
            if member in part:
                yield table, index, part[member]
        if "KeyConditionExpression" in part:
            yield table, index, _compared(part)
    for table, entries in request.get("RequestItems", {}).items():
        keys = entries["Keys"] if "Keys" in entries else []
        writes = [write for entry in entries if not keys for write in entry.values()]
        for key in keys or [write.get("Key") or write["Item"] for write in writes]:
            yield table, None, key


def _compared(query: Request) -> Request:
    """The attributes that a query's condition says the value of."""
    names = query.get("ExpressionAttributeNames", {})
    values = query.get("ExpressionAttributeValues", {})
    found = _EQUAL.findall(query["KeyConditionExpression"])
    return {names.get(name, name): values[value] for name, value in found}


def _partition_keys(name: str, index: str | None) -> list[str]:
    """The attributes that are the partition key, of the table and of the index."""
    from ministack.services import dynamodb

    table = dynamodb._tables.get(dynamodb._normalize_table_name(name)) or {}
    indexes = [*table.get("GlobalSecondaryIndexes", []), *table.get("LocalSecondaryIndexes", [])]
    keyed = [table, *(each for each in indexes if each["IndexName"] == index)]
    schemas = [part for each in keyed for part in each.get("KeySchema", [])]
    return [part["AttributeName"] for part in schemas if part["KeyType"] == "HASH"]
