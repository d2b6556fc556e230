"""Authorizes SES v1 requests on the identities and the configuration set that they use.

AWS: a role needs `ses:SendEmail` on the sender's identity and, if the request names a configuration set, on
that. The condition key `ses:FromAddress` can limit the sender address ("Actions, resources, and condition
keys for Amazon SES", Service Authorization Reference). In the SES sandbox, where every account starts, SES
also requires the permission on the recipients' identities. This patch does the same.
MiniStack: authorizes every v1 request on `*` and does not set `ses:FromAddress`. It therefore denies a role
with exactly these permissions, and tests do not detect a role with too many. This patch does not change the
authorization of a raw e-mail that has its sender only in the headers.
Delete this patch when MiniStack authorizes SES v1 requests on these resources and sets `ses:FromAddress`.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any
from urllib.parse import quote

from .replacement import replace, require


def apply() -> None:
    """Determines the resources of a v1 request and authorizes the request on each of them."""
    from ministack.core import iam_actions, iam_evaluator
    from ministack.services import ses

    def with_resources(extract: Any) -> Any:
        def extract_resource_arn(service: str, *request: Any) -> str:
            if service == "ses" and (resources := _resources(*request)):
                # The callers expect one string. ARNs contain no spaces, so join them with spaces.
                return " ".join(resources)
            resource: str = extract(service, *request)
            return resource

        return extract_resource_arn

    def for_each_resource(enforce: Any) -> Any:
        def _enforce(
            key: str, action: str, service: str, region: str, resource_arn: str = "*", **kwargs: Any
        ) -> Any:
            for each in resource_arn.split() if service == "ses" else [resource_arn]:
                if denied := enforce(key, action, service, region, resource_arn=each, **kwargs):
                    return denied
            return None

        return _enforce

    def with_from_address(make: Any) -> Any:
        def request_tag_context(
            service: str, action: str, body: bytes, params: dict[str, Any]
        ) -> dict[str, Any]:
            context: dict[str, Any] = make(service, action, body, params)
            if service == "ses" and (source := ses._p(params, "Source")):
                context["ses:FromAddress"] = parseaddr(source)[1]
            return context

        return request_tag_context

    require(ses, "_p", "_collect_list", "_notification_identity")
    replace(iam_actions, "extract_resource_arn", with_resources)
    # MiniStack builds this context for requests to every service.
    replace(iam_actions, "request_tag_context", with_from_address)
    replace(iam_evaluator, "enforce", for_each_resource)


def _resources(
    _method: str,
    _path: str,
    _headers: dict[str, str],
    _body: bytes,
    params: dict[str, Any],
    region: str,
    account: str,
) -> list[str]:
    from ministack.services import ses

    source = ses._p(params, "Source")
    if not source:
        return []
    verified = ses._notification_identity(source)
    resources = [f"identity/{verified[0] if verified else parseaddr(source)[1]}"]
    for kind in ("To", "Cc", "Bcc"):
        recipients = ses._collect_list(params, f"Destination.{kind}Addresses.member")
        resources += [f"identity/{quote(parseaddr(each)[1], safe='@')}" for each in recipients]
    if configuration_set := ses._p(params, "ConfigurationSetName"):
        resources.append(f"configuration-set/{configuration_set}")
    return [f"arn:aws:ses:{region}:{account}:{resource}" for resource in resources]
