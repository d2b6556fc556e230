"""Evaluates a web ACL's rules on a request, as far as infra/firewall.yaml needs it.

Sources, of the AWS WAF Developer Guide: "Setting rule priority", "Rate-based rule high-level settings", "Rate-based rule
aggregation options and keys", "Oversize web request components" and "Custom responses for Block actions".

Two things are not as on AWS. AWS counts with some delay and near the limit; here it is exact, so that tests can be. And
AWS's managed rule groups are AWS's own: no request ever matches one here.
"""

from __future__ import annotations

import operator
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

Given = Mapping[str, Any]

COMPARISONS = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "LE": operator.le,
    "LT": operator.lt,
    "GE": operator.ge,
    "GT": operator.gt,
}
OVERSIZE = {"CONTINUE": None, "MATCH": True, "NO_MATCH": False}
"""Whether a body that is larger than what is inspected matches; `None` where its beginning decides."""

INSPECTED = {"KB_16": 16384, "KB_32": 32768, "KB_48": 49152, "KB_64": 65536}
CONTENT_TYPES = {
    "TEXT_PLAIN": "text/plain",
    "TEXT_HTML": "text/html",
    "APPLICATION_JSON": "application/json",
}


class NotEvaluated(ValueError):
    """The web ACL has something that AWS refuses, or that is not evaluated here and would pass in silence."""


@dataclass(frozen=True)
class Request:
    """What the rules look at."""

    address: str
    """Who opened the connection."""

    header: Callable[[str], str]
    """A header's value by its name in lower case; empty where there is none."""

    body: bytes


@dataclass(frozen=True)
class Refusal:
    """What the client is answered. Without a status, that is API Gateway's to say (its WAF_FILTERED)."""

    status: int | None
    headers: dict[str, str]
    body: bytes


class Passing(Enum):
    """The actions that refuse nothing: one ends the evaluation, the other goes on."""

    ALLOW = auto()
    COUNT = auto()


Action = Refusal | Passing
Matches = Callable[[Request], bool]


class Firewall:
    """A web ACL with its counts.

    Raises `NotEvaluated` where it is not what AWS takes and this evaluates.
    """

    def __init__(self, acl: Given, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._bodies: Given = acl.get("CustomResponseBodies") or {}
        request_body = (acl.get("AssociationConfig") or {}).get("RequestBody") or {}
        limit = request_body.get("API_GATEWAY", {}).get("DefaultSizeInspectionLimit", "KB_16")
        self._inspected = _one_of(INSPECTED, limit)
        self._default = self._action(acl["DefaultAction"])
        rules = sorted(acl.get("Rules") or [], key=lambda rule: int(rule["Priority"]))
        if len({int(rule["Priority"]) for rule in rules}) < len(rules):
            raise NotEvaluated("two rules of one priority")
        self._rules = [rule for given in rules if (rule := self._rule(given)) is not None]

    def refusal(self, request: Request) -> Refusal | None:
        """What the request is refused with, or `None` where it goes on to the API."""
        for matches, action in self._rules:
            if matches(request) and action is not Passing.COUNT:
                return action if isinstance(action, Refusal) else None
        return self._default if isinstance(self._default, Refusal) else None

    def _rule(self, given: Given) -> tuple[Matches, Action] | None:
        _name, _priority, statement, action, override, _visibility = _fields(
            given, "Name", "Priority", "Statement", "Action", "OverrideAction", "VisibilityConfig"
        )
        kind, settings = _only_entry(statement)
        if (action is None) != (override is not None):
            raise NotEvaluated("a rule with both an action and an override, or neither")
        if kind == "ManagedRuleGroupStatement" and settings.get("VendorName") == "AWS":
            return None
        if kind == "RateBasedStatement":
            return self._rate(settings), self._action(action)
        if kind == "SizeConstraintStatement":
            return self._size(settings), self._action(action)
        raise NotEvaluated(kind)

    def _rate(self, given: Given) -> Matches:
        aggregate, keys, seconds, requests = _fields(
            given, "AggregateKeyType", "CustomKeys", "EvaluationWindowSec", "Limit"
        )
        window, limit = int(seconds or 300), int(requests)
        if window not in (60, 120, 300, 600) or limit < 10:
            raise NotEvaluated(f"{limit} requests in {window} seconds")
        if aggregate not in ("IP", "CUSTOM_KEYS") or (aggregate == "CUSTOM_KEYS") != bool(keys):
            raise NotEvaluated(f"AggregateKeyType {aggregate}")
        headers = [_header_key(key) for key in keys or []]
        counted: dict[tuple[str, ...], deque[float]] = {}

        def is_exceeded(request: Request) -> bool:
            key = tuple(request.header(name) for name in headers) or (request.address,)
            if not all(key):
                return False
            times = counted.setdefault(key, deque(maxlen=limit + 1))
            times.append(self._now())
            return len(times) > limit and times[-1] - times[0] < window

        return is_exceeded

    def _size(self, given: Given) -> Matches:
        field, comparison, size, transformations = _fields(
            given, "FieldToMatch", "ComparisonOperator", "Size", "TextTransformations"
        )
        kind, body = _only_entry(field)
        if kind != "Body":
            raise NotEvaluated(f"FieldToMatch {kind}")
        (handling,) = _fields(body, "OversizeHandling")
        _check_untransformed(transformations)
        oversize = _one_of(OVERSIZE, handling or "CONTINUE")
        compare, bound = _one_of(COMPARISONS, comparison), int(size)

        def compares(request: Request) -> bool:
            length = len(request.body)
            if length > self._inspected and oversize is not None:
                return oversize
            return bool(compare(min(length, self._inspected), bound))

        return compares

    def _action(self, given: Given) -> Action:
        kind, settings = _only_entry(given)
        if kind == "Block":
            (response,) = _fields(settings, "CustomResponse")
            return Refusal(None, {}, b"") if response is None else self._custom(response)
        if kind in ("Allow", "Count") and not settings:
            return Passing[kind.upper()]
        raise NotEvaluated(f"the action {kind} {settings}")

    def _custom(self, given: Given) -> Refusal:
        code, key, entries = _fields(
            given, "ResponseCode", "CustomResponseBodyKey", "ResponseHeaders"
        )
        headers = {entry["Name"]: str(entry["Value"]) for entry in entries or []}
        if "content-type" in map(str.lower, headers):
            raise NotEvaluated("a content type in a custom response")
        if key is None:
            return Refusal(int(code), headers, b"")
        body = _one_of(self._bodies, key)
        headers["Content-Type"] = _one_of(CONTENT_TYPES, body["ContentType"])
        return Refusal(int(code), headers, body["Content"].encode())


def _fields(given: Given, *known: str) -> list[Any]:
    """The values of `known`, in order, `None` for those that are not given."""
    if unknown := given.keys() - set(known):
        raise NotEvaluated(", ".join(sorted(unknown)))
    return [given.get(name) for name in known]


def _only_entry(given: Given) -> tuple[str, Given]:
    if len(given) != 1:
        raise NotEvaluated(f"one is needed of {sorted(given)}")
    ((kind, settings),) = given.items()
    return kind, settings


def _one_of(choices: Mapping[str, Any], given: str) -> Any:
    if given not in choices:
        raise NotEvaluated(f"{given} is none of {', '.join(choices)}")
    return choices[given]


def _header_key(given: Given) -> str:
    kind, settings = _only_entry(given)
    if kind != "Header":
        raise NotEvaluated(f"the key {kind}")
    name, transformations = _fields(settings, "Name", "TextTransformations")
    _check_untransformed(transformations)
    return str(name).lower()


def _check_untransformed(transformations: list[Given]) -> None:
    kinds = [transformation["Type"] for transformation in transformations]
    if kinds != ["NONE"]:
        raise NotEvaluated(f"TextTransformations {kinds}")
