"""Honours `TimeToLiveSpecification` of a template.

AWS::DynamoDB::Table (AWS CloudFormation User Guide): items whose attribute names a time in the past
are deleted. MiniStack does so once a minute for a table that UpdateTimeToLive was called on, but
leaves it out of the tables that CloudFormation creates and updates. Such a deletion writes no stream
record, which on AWS it does.
"""

from __future__ import annotations

from .replacement import Properties, after_provisioning, require


def apply() -> None:
    """Sets each table's time to live from its resource's properties."""
    from ministack.services import dynamodb

    def settle(name: str, properties: Properties) -> None:
        specification = properties.get("TimeToLiveSpecification")
        if specification:
            dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": specification})

    require(dynamodb, "_update_ttl")
    after_provisioning("AWS::DynamoDB::Table", settle)
