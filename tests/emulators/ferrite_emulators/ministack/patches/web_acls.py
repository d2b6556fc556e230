"""Evaluates the web ACL that is associated with an API's stage, before a request is routed.

"Using AWS WAF to protect your REST APIs in API Gateway" (API Gateway Developer Guide): AWS WAF is asked before API keys,
authorizers and everything else that an API has. MiniStack keeps web ACLs without their custom responses, never asks one, and
has neither AWS::WAFv2::WebACLAssociation nor AWS::WAFv2::LoggingConfiguration in templates. What `firewall` does not
evaluate fails the web ACL's creation. Nothing is logged.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..firewall import Firewall, Request
from .replacement import Properties, replace, require

DROPPED = ("AssociationConfig", "CustomResponseBodies")
"""What MiniStack does not keep of a web ACL."""


def apply() -> None:
    """Keeps all of a web ACL, takes the two resources, and asks before each request."""
    from ministack.core.responses import get_region, get_request_client_ip
    from ministack.services import apigateway_v1, waf
    from ministack.services.cloudformation import provisioners

    # By ARN. A changed web ACL has another lock token, and counts anew.
    firewalls: dict[str, tuple[str, Firewall]] = {}

    def keep_all(record: Properties, properties: Properties) -> None:
        record.update({name: properties.get(name) for name in DROPPED})

    def creating(create: Any) -> Any:
        def create_web_acl_record(name: str, scope: str, properties: Properties) -> Any:
            Firewall(properties)
            created = create(name, scope, properties)
            keep_all(created[2], properties)
            return created

        return create_web_acl_record

    def updating(update: Any) -> Any:
        def update_web_acl_record(record: Properties, properties: Properties) -> Any:
            Firewall(properties)
            keep_all(record, properties)
            return update(record, properties)

        return update_web_acl_record

    def firewall_of(stage_arn: str) -> Firewall | None:
        acl, missing = waf._resolve_local_web_acl(waf._associations.get(stage_arn, ""))
        if missing:
            return None
        lock_token, firewall = firewalls.get(acl["ARN"], (None, None))
        if firewall is None or lock_token != acl["LockToken"]:
            firewall = Firewall(acl)
            firewalls[acl["ARN"]] = acl["LockToken"], firewall
        return firewall

    def behind(execute: Any) -> Any:
        async def _execute_in_scope(
            request: dict[str, Any],
            api_id: str,
            stage_name: str,
            method: str,
            path: str,
            headers: dict[str, Any],
            body: bytes,
            *rest: Any,
        ) -> Any:
            stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
            firewall = firewall_of(_stage_arn(get_region(), api_id, stage_name))
            if stage and firewall:
                header = partial(apigateway_v1._header_ci, headers)
                asked = Request(get_request_client_ip(), header, body or b"")
                if refusal := firewall.refusal(asked):
                    if refusal.status is not None:
                        return refusal.status, dict(refusal.headers), refusal.body
                    request["stage"] = stage
                    return apigateway_v1._gw_error("WAF_FILTERED", "Forbidden")
            return await execute(request, api_id, stage_name, method, path, headers, body, *rest)

        return _execute_in_scope

    def associate(_logical_id: str, properties: Properties, *_rest: Any) -> Any:
        stage_arn, acl_arn = properties["ResourceArn"], properties["WebACLArn"]
        _acl, missing = waf._resolve_local_web_acl(acl_arn)
        if missing:
            raise ValueError(f"there is no web ACL {acl_arn}")
        waf._associations[stage_arn] = acl_arn
        return stage_arn, {}

    def dissociate(stage_arn: str, *_rest: Any) -> None:
        waf._associations.pop(stage_arn, None)

    def log(_logical_id: str, properties: Properties, *_rest: Any) -> Any:
        # "Sending web ACL traffic logs to a CloudWatch Logs log group" (AWS WAF Developer Guide) has the name.
        for destination in properties["LogDestinationConfigs"]:
            if ":log-group:aws-waf-logs-" not in destination:
                raise ValueError(f"LOG_DESTINATION: {destination}")
        return properties["ResourceArn"], {}

    require(waf, "_resolve_local_web_acl", "_associations")
    require(apigateway_v1, "_stages_v1", "_header_ci", "_gw_error")
    replace(waf, "create_web_acl_record", creating)
    replace(waf, "update_web_acl_record", updating)
    replace(apigateway_v1, "_execute_in_scope", behind)
    require(provisioners, "_RESOURCE_HANDLERS")
    provisioners._RESOURCE_HANDLERS |= {
        "AWS::WAFv2::WebACLAssociation": {"create": associate, "delete": dissociate},
        "AWS::WAFv2::LoggingConfiguration": {"create": log, "delete": lambda *_: None},
    }


def _stage_arn(region: str, api_id: str, stage_name: str) -> str:
    return f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage_name}"
