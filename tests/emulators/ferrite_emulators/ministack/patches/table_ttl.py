"""Applies `TimeToLiveSpecification` from a template.

AWS: DynamoDB deletes items whose TTL attribute is in the past (AWS::DynamoDB::Table, AWS CloudFormation User
Guide).
MiniStack: deletes expired items once a minute if UpdateTimeToLive was called for the table, but ignores the
property for tables that CloudFormation creates or updates. Unlike on AWS, a deletion writes no stream record,
with or without this patch.
Delete this patch when MiniStack applies the property from a template.
"""

from __future__ import annotations

from .replacement import Properties, after_provisioning, require


def apply() -> None:
    """Sets the TTL of each table that CloudFormation creates or updates."""
    from ministack.services import dynamodb

    def set_time_to_live(name: str, properties: Properties) -> None:
        specification = properties.get("TimeToLiveSpecification")
        if specification:
            dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": specification})

    require(dynamodb, "_update_ttl")
    after_provisioning("AWS::DynamoDB::Table", set_time_to_live)
