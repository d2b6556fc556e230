"""Sets the IAM condition key `dynamodb:LeadingKeys`.

AWS: the key contains the partition key values of the items in a request. For a query on an index, it contains
the partition key value of the index ("Using IAM policy conditions for fine-grained access control", DynamoDB
Developer Guide).
MiniStack: evaluates the condition operators but never sets the key, so a `ForAllValues` condition is true for
every request.
Delete this patch when MiniStack sets the key.

The AWS documentation does not state two details: whether each operation of a transaction is authorized with
its own keys or with those of all operations, and whether the `ExclusiveStartKey` of a query counts. This patch
includes all of them. A request that is allowed here is therefore allowed under either interpretation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .replacement import replace, require

Request = dict[str, Any]

_EQUALITY = re.compile(r"([#\w.-]+)\s*=\s*(:\w+)")


def apply() -> None:
    """Adds the condition key to the context of each request that contains partition keys."""
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
            for table, index, key in _keys(request)
            for attribute in _partition_keys(table, index)
            if attribute in key
        ]
        return sorted({str(text) for value in values for text in value.values()})
    except (AttributeError, KeyError, TypeError, ValueError):
        return []  # The request is malformed. DynamoDB rejects it later.


def _keys(request: Request) -> Iterator[tuple[str, str | None, Request]]:
    """Yields the table, the index (if any) and the key or item for each key in a request."""
    parts = [part for item in request.get("TransactItems", []) for part in item.values()]
    for part in parts or [request]:
        table = part.get("TableName")
        index = part.get("IndexName")
        for member in ("Key", "Item", "ExclusiveStartKey"):
            if member in part:
                yield table, index, part[member]
        if "KeyConditionExpression" in part:
            yield table, index, _equality_conditions(part)
    for table, entries in request.get("RequestItems", {}).items():
        keys = entries["Keys"] if "Keys" in entries else []
        writes = [write for entry in entries if not keys for write in entry.values()]
        for key in keys or [write.get("Key") or write["Item"] for write in writes]:
            yield table, None, key


def _equality_conditions(query: Request) -> Request:
    """Returns the attributes that the key condition of a query compares for equality, with their values."""
    names = query.get("ExpressionAttributeNames", {})
    values = query.get("ExpressionAttributeValues", {})
    comparisons = _EQUALITY.findall(query["KeyConditionExpression"])
    return {names.get(name, name): values[value] for name, value in comparisons}


def _partition_keys(name: str, index: str | None) -> list[str]:
    """Returns the names of the partition key attributes of the table and, if given, of the index."""
    from ministack.services import dynamodb

    table = dynamodb._tables.get(dynamodb._normalize_table_name(name)) or {}
    indexes = [*table.get("GlobalSecondaryIndexes", []), *table.get("LocalSecondaryIndexes", [])]
    owners = [table, *(each for each in indexes if each["IndexName"] == index)]
    schemas = [part for each in owners for part in each.get("KeySchema", [])]
    return [part["AttributeName"] for part in schemas if part["KeyType"] == "HASH"]
