"""Evaluates the web ACL that is associated with an API stage.

AWS: AWS WAF evaluates a request before all other access control features, such as API keys and authorizers
("Using AWS WAF to protect your REST APIs in API Gateway", API Gateway Developer Guide).
MiniStack: stores web ACLs without their custom responses and never evaluates them. It rejects templates with
AWS::WAFv2::WebACLAssociation or AWS::WAFv2::LoggingConfiguration. With this patch, creating a web ACL fails
if `firewall` does not support one of its rules. No request is logged.
Delete this patch when MiniStack evaluates web ACLs and supports both resource types.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..firewall import BlockResponse, Firewall, Request
from .replacement import Properties, replace, require

DROPPED_PROPERTIES = ("AssociationConfig", "CustomResponseBodies")
"""The properties of a web ACL that MiniStack does not store."""


def apply() -> None:
    """Stores complete web ACLs, adds both resource types, and evaluates web ACLs before routing."""
    from ministack.core.responses import get_region, get_request_client_ip
    from ministack.services import apigateway_v1, waf
    from ministack.services.cloudformation import provisioners

    # By web ACL ARN, with the lock token. An update changes the lock token and resets the counts.
    firewalls: dict[str, tuple[str, Firewall]] = {}

    def add_dropped_properties(record: Properties, properties: Properties) -> None:
        record.update({name: properties.get(name) for name in DROPPED_PROPERTIES})

    def with_create_check(create: Any) -> Any:
        def create_web_acl_record(name: str, scope: str, properties: Properties) -> Any:
            Firewall(properties)
            created = create(name, scope, properties)
            add_dropped_properties(created[2], properties)
            return created

        return create_web_acl_record

    def with_update_check(update: Any) -> Any:
        def update_web_acl_record(record: Properties, properties: Properties) -> Any:
            Firewall(properties)
            add_dropped_properties(record, properties)
            return update(record, properties)

        return update_web_acl_record

    def firewall_of(stage_arn: str) -> Firewall | None:
        acl, missing = waf._resolve_local_web_acl(waf._associations.get(stage_arn, ""))
        if missing:
            return None
        lock_token, firewall = firewalls.get(acl["ARN"], (None, None))
        if firewall is None or lock_token != acl["LockToken"]:
            firewall = Firewall(acl)
            firewalls[acl["ARN"]] = (acl["LockToken"], firewall)
        return firewall

    def with_firewall(execute: Any) -> Any:
        async def _execute_in_scope(
            request: dict[str, Any],
            api_id: str,
            stage_name: str,
            method: str,
            path: str,
            headers: dict[str, Any],
            body: bytes,
            *args: Any,
        ) -> Any:
            stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
            firewall = firewall_of(_stage_arn(get_region(), api_id, stage_name))
            if stage and firewall:
                header = partial(apigateway_v1._header_ci, headers)
                result = firewall.evaluate(
                    Request(get_request_client_ip(), header, body or b"")
                )
                if isinstance(result, BlockResponse):
                    if result.status is not None:
                        return result.status, dict(result.headers), result.body
                    request["stage"] = stage
                    return apigateway_v1._gw_error("WAF_FILTERED", "Forbidden")
                # An inserted header replaces the client's header with the same name.
                headers = {
                    name: value
                    for name, value in headers.items()
                    if name.lower() not in result.headers
                } | result.headers
                # The headers from which gateway responses are mapped.
                request["headers"] = headers
            return await execute(request, api_id, stage_name, method, path, headers, body, *args)

        return _execute_in_scope

    def create_association(_logical_id: str, properties: Properties, *_args: Any) -> Any:
        stage_arn = properties["ResourceArn"]
        acl_arn = properties["WebACLArn"]
        _acl, missing = waf._resolve_local_web_acl(acl_arn)
        if missing:
            raise ValueError(f"web ACL {acl_arn} does not exist")
        waf._associations[stage_arn] = acl_arn
        return stage_arn, {}

    def delete_association(stage_arn: str, *_args: Any) -> None:
        waf._associations.pop(stage_arn, None)

    def create_logging(_logical_id: str, properties: Properties, *_args: Any) -> Any:
        # AWS WAF requires this name prefix for log groups (AWS WAF Developer Guide, "Amazon CloudWatch Logs").
        for destination in properties["LogDestinationConfigs"]:
            if ":log-group:aws-waf-logs-" not in destination:
                raise ValueError(f"LOG_DESTINATION: {destination}")
        return properties["ResourceArn"], {}

    require(waf, "_resolve_local_web_acl", "_associations")
    require(apigateway_v1, "_stages_v1", "_header_ci", "_gw_error")
    replace(waf, "create_web_acl_record", with_create_check)
    replace(waf, "update_web_acl_record", with_update_check)
    replace(apigateway_v1, "_execute_in_scope", with_firewall)
    require(provisioners, "_RESOURCE_HANDLERS")
    provisioners._RESOURCE_HANDLERS |= {
        "AWS::WAFv2::WebACLAssociation": {"create": create_association, "delete": delete_association},
        "AWS::WAFv2::LoggingConfiguration": {"create": create_logging, "delete": lambda *_: None},
    }


def _stage_arn(region: str, api_id: str, stage_name: str) -> str:
    return f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage_name}"
