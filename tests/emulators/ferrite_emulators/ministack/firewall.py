"""Evaluates requests against a web ACL, with the subset of AWS WAF rules that infra/firewall.yaml uses.

Sources in the AWS WAF Developer Guide: "Setting rule priority", "Rate-based rule high-level settings",
"Rate-based rule aggregation options and keys", "Oversize web request components", "String match rule
statement", "Custom responses for Block actions" and "Custom request header insertions for non-blocking actions".

Two details differ from AWS. AWS counts requests with some delay and applies a rate limit approximately; here
the count is exact and immediate, so that tests are deterministic. AWS's managed rule groups are not public, so
no request matches one here.
"""

from __future__ import annotations

import operator
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Settings = Mapping[str, Any]

COMPARISONS = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "LE": operator.le,
    "LT": operator.lt,
    "GE": operator.ge,
    "GT": operator.gt,
}
OVERSIZE = {"CONTINUE": None, "MATCH": True, "NO_MATCH": False}
"""Whether a body larger than the inspection limit matches. `None`: only the part within the limit is compared."""

INSPECTION_LIMITS = {"KB_16": 16384, "KB_32": 32768, "KB_48": 49152, "KB_64": 65536}
CONTENT_TYPES = {
    "TEXT_PLAIN": "text/plain",
    "TEXT_HTML": "text/html",
    "APPLICATION_JSON": "application/json",
}


class UnsupportedWebAclError(ValueError):
    """The web ACL is invalid on AWS, or contains a setting that this module would otherwise silently ignore."""


@dataclass(frozen=True)
class Request:
    """The parts of a request that rules inspect."""

    address: str
    """The IP address of the client connection."""

    header: Callable[[str], str]
    """Returns the value of a header by its lower-case name, or an empty string."""

    body: bytes


@dataclass(frozen=True)
class BlockResponse:
    """The response to a blocked request. If `status` is `None`, API Gateway returns its WAF_FILTERED response."""

    status: int | None
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Allow:
    """The request is allowed and reaches the API with these additional headers."""

    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Count:
    """The evaluation continues with the next rule. If the request is allowed, it has these additional headers."""

    headers: dict[str, str]


Action = BlockResponse | Allow | Count
Matches = Callable[[Request], bool]


class Firewall:
    """A web ACL with the request counts of its rate-based rules.

    Raises `UnsupportedWebAclError` if the web ACL is invalid or not supported.
    """

    def __init__(self, acl: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._bodies: Settings = acl.get("CustomResponseBodies") or {}
        request_body = (acl.get("AssociationConfig") or {}).get("RequestBody") or {}
        limit = request_body.get("API_GATEWAY", {}).get("DefaultSizeInspectionLimit", "KB_16")
        self._inspection_limit = _one_of(INSPECTION_LIMITS, limit)
        default = self._action(acl["DefaultAction"])
        if isinstance(default, Count):
            raise UnsupportedWebAclError("the default action must be to allow or to block")
        self._default = default
        rules = sorted(acl.get("Rules") or [], key=lambda rule: int(rule["Priority"]))
        if len({int(rule["Priority"]) for rule in rules}) < len(rules):
            raise UnsupportedWebAclError("two rules have the same priority")
        self._rules = [parsed for rule in rules if (parsed := self._rule(rule)) is not None]

    def evaluate(self, request: Request) -> BlockResponse | Allow:
        """Returns the response if the request is blocked, or the headers to insert if it is allowed."""
        inserted: dict[str, str] = {}
        for action in (action for matches, action in self._rules if matches(request)):
            if isinstance(action, BlockResponse):
                return action
            inserted |= action.headers
            if isinstance(action, Allow):
                return Allow(inserted)
        if isinstance(self._default, BlockResponse):
            return self._default
        return Allow(inserted | self._default.headers)

    def _rule(self, rule: Settings) -> tuple[Matches, Action] | None:
        _name, _priority, statement, action, override, _visibility = _fields(
            rule, "Name", "Priority", "Statement", "Action", "OverrideAction", "VisibilityConfig"
        )
        kind, settings = _only_entry(statement)
        if (action is None) != (override is not None):
            raise UnsupportedWebAclError("a rule must have either an action or an override action")
        if kind == "ManagedRuleGroupStatement" and settings.get("VendorName") == "AWS":
            return None
        if kind == "RateBasedStatement":
            return self._rate(settings), self._action(action)
        if kind == "SizeConstraintStatement":
            return self._size(settings), self._action(action)
        if kind == "ByteMatchStatement":
            return _header_equals(settings), self._action(action)
        raise UnsupportedWebAclError(f"statement {kind} is not supported")

    def _rate(self, settings: Settings) -> Matches:
        aggregate, keys, seconds, requests = _fields(
            settings, "AggregateKeyType", "CustomKeys", "EvaluationWindowSec", "Limit"
        )
        window = int(seconds or 300)
        limit = int(requests)
        if window not in (60, 120, 300, 600) or limit < 10:
            raise UnsupportedWebAclError(f"invalid rate: {limit} requests in {window} seconds")
        if aggregate not in ("IP", "CUSTOM_KEYS") or (aggregate == "CUSTOM_KEYS") != bool(keys):
            raise UnsupportedWebAclError(
                f"AggregateKeyType {aggregate} with CustomKeys {keys} is not supported"
            )
        headers = [_header_key(key) for key in keys or []]
        request_times: dict[tuple[str, ...], deque[float]] = {}

        def is_exceeded(request: Request) -> bool:
            key = tuple(request.header(name) for name in headers) or (request.address,)
            if not all(key):
                return False
            times = request_times.setdefault(key, deque(maxlen=limit + 1))
            times.append(self._now())
            return len(times) > limit and times[-1] - times[0] < window

        return is_exceeded

    def _size(self, settings: Settings) -> Matches:
        field, comparison, size, transformations = _fields(
            settings, "FieldToMatch", "ComparisonOperator", "Size", "TextTransformations"
        )
        kind, body = _only_entry(field)
        if kind != "Body":
            raise UnsupportedWebAclError(f"FieldToMatch {kind} is not supported")
        (handling,) = _fields(body, "OversizeHandling")
        _check_untransformed(transformations)
        oversize = _one_of(OVERSIZE, handling or "CONTINUE")
        compare = _one_of(COMPARISONS, comparison)
        bound = int(size)

        def matches_size(request: Request) -> bool:
            length = len(request.body)
            if length > self._inspection_limit and oversize is not None:
                return oversize
            return bool(compare(min(length, self._inspection_limit), bound))

        return matches_size

    def _action(self, action: Settings) -> Action:
        kind, settings = _only_entry(action)
        if kind == "Block":
            (response,) = _fields(settings, "CustomResponse")
            if response is None:
                return BlockResponse(None, {}, b"")
            return self._custom_response(response)
        if kind in ("Allow", "Count"):
            (handling,) = _fields(settings, "CustomRequestHandling")
            headers = _inserted_headers(handling) if handling else {}
            return Allow(headers) if kind == "Allow" else Count(headers)
        raise UnsupportedWebAclError(f"action {kind} with {settings} is not supported")

    def _custom_response(self, settings: Settings) -> BlockResponse:
        code, key, entries = _fields(
            settings, "ResponseCode", "CustomResponseBodyKey", "ResponseHeaders"
        )
        headers = {entry["Name"]: str(entry["Value"]) for entry in entries or []}
        if "content-type" in map(str.lower, headers):
            raise UnsupportedWebAclError("a custom response must not set the Content-Type header")
        if key is None:
            return BlockResponse(int(code), headers, b"")
        body = _one_of(self._bodies, key)
        headers["Content-Type"] = _one_of(CONTENT_TYPES, body["ContentType"])
        return BlockResponse(int(code), headers, body["Content"].encode())


def _fields(settings: Settings, *known: str) -> list[Any]:
    """Returns the values of the `known` fields in order, with `None` for a missing field. Rejects other fields."""
    if unknown := settings.keys() - set(known):
        raise UnsupportedWebAclError(f"not supported: {', '.join(sorted(unknown))}")
    return [settings.get(name) for name in known]


def _only_entry(entries: Settings) -> tuple[str, Settings]:
    if len(entries) != 1:
        raise UnsupportedWebAclError(f"expected exactly one entry, not {sorted(entries)}")
    ((kind, settings),) = entries.items()
    return kind, settings


def _one_of(choices: Mapping[str, Any], choice: str) -> Any:
    if choice not in choices:
        raise UnsupportedWebAclError(f"{choice} is not one of {', '.join(choices)}")
    return choices[choice]


def _header_equals(settings: Settings) -> Matches:
    field_to_match, constraint, text, transformations = _fields(
        settings, "FieldToMatch", "PositionalConstraint", "SearchString", "TextTransformations"
    )
    kind, header = _only_entry(field_to_match)
    if kind != "SingleHeader" or constraint != "EXACTLY" or not text:
        raise UnsupportedWebAclError(f"{constraint} match of {text} in {kind} is not supported")
    (name,) = _fields(header, "Name")
    _check_untransformed(transformations)
    return lambda request: request.header(name.lower()) == text


def _inserted_headers(handling: Settings) -> dict[str, str]:
    (headers,) = _fields(handling, "InsertHeaders")
    # AWS WAF adds this prefix.
    return {f"x-amzn-waf-{header['Name'].lower()}": str(header["Value"]) for header in headers}


def _header_key(key: Settings) -> str:
    kind, settings = _only_entry(key)
    if kind != "Header":
        raise UnsupportedWebAclError(f"custom key {kind} is not supported")
    name, transformations = _fields(settings, "Name", "TextTransformations")
    _check_untransformed(transformations)
    return str(name).lower()


def _check_untransformed(transformations: list[Settings]) -> None:
    kinds = [transformation["Type"] for transformation in transformations]
    if kinds != ["NONE"]:
        raise UnsupportedWebAclError(f"TextTransformations {kinds} are not supported")
