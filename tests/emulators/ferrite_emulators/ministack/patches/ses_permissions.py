"""Authorises an e-mail on what it is sent with.

A role needs `ses:SendEmail` on the sender's identity, and on the configuration set if the request names
one, and may have it from one sender alone by the condition key `ses:FromAddress` ("Actions, resources, and
condition keys for Amazon SES", Service Authorization Reference). In the sandbox, where every account begins,
SES asks for the recipients' identities too, and so does this. MiniStack authorises every v1 request on `*`
and without that key, so a role with exactly these is refused and one with too much is not noticed. A raw
e-mail that names its sender only in its headers stays on `*`.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any
from urllib.parse import quote

from .replacement import replace, require


def apply() -> None:
    """Names the resources of a v1 request, and checks each of them."""
    from ministack.core import iam_actions, iam_evaluator
    from ministack.services import ses

    def with_senders(extract: Any) -> Any:
        def extract_resource_arn(service: str, *request: Any) -> str:
            if service == "ses" and (resources := _resources(*request)):
                # One string is all that the callers pass on; no ARN has a space.
                return " ".join(resources)
            named: str = extract(service, *request)
            return named

        return extract_resource_arn

    def of_each(enforce: Any) -> Any:
        def _enforce(
            key: str, action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
        ) -> Any:
            for each in resource_arn.split() if service == "ses" else [resource_arn]:
                if denied := enforce(key, action, service, region, resource_arn=each, **rest):
                    return denied
            return None

        return _enforce

    def with_sender(make: Any) -> Any:
        def request_tag_context(
            service: str, action: str, body: bytes, params: dict[str, Any]
        ) -> dict[str, Any]:
            context: dict[str, Any] = make(service, action, body, params)
            if service == "ses" and (source := ses._p(params, "Source")):
                context["ses:FromAddress"] = parseaddr(source)[1]
            return context

        return request_tag_context

    require(ses, "_p", "_collect_list", "_notification_identity")
    replace(iam_actions, "extract_resource_arn", with_senders)
    # The one context that is made of a request to any service.
    replace(iam_actions, "request_tag_context", with_sender)
    replace(iam_evaluator, "enforce", of_each)


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
