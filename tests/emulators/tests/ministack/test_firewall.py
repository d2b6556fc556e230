"""What infra/firewall.yaml lets through and what it refuses, by the rules as the template has them."""

from __future__ import annotations

import copy
import json
import unittest
from pathlib import Path
from typing import Any

from ministack.services.cloudformation import engine

from ferrite_emulators.ministack.firewall import Firewall, NotEvaluated, Refusal, Request

LIMIT = 10
WINDOW_SECONDS = 300
LARGEST = 64 * 1024


def web_acl(origin: str = "") -> dict[str, Any]:
    """The template's web ACL, with the smallest `RequestsPerClient` that AWS takes."""
    path = Path(__file__).parents[4] / "infra" / "firewall.yaml"
    template = engine._parse_template(path.read_text())
    given = {"Service": "shop", "RequestsPerClient": str(LIMIT), "Origin": origin}
    parameters = {name: {"Value": value} for name, value in given.items()}
    conditions = engine._evaluate_conditions(template, parameters)
    properties = template["Resources"]["WebAcl"]["Properties"]
    resolved: dict[str, Any] = engine._resolve_refs(
        properties, {}, parameters, conditions, {}, "shop", "shop"
    )
    return resolved


def request(address: str = "192.0.2.1", body: bytes = b"", **headers: str) -> Request:
    return Request(address, lambda name: headers.get(name, ""), body)


class FirewallTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.firewall = Firewall(web_acl(), now=lambda: self.now)

    def refusals(self, *requests: Request) -> list[Refusal | None]:
        return [self.firewall.refusal(each) for each in requests]

    def assert_passes(self, *requests: Request) -> None:
        self.assertEqual(self.refusals(*requests), [None] * len(requests))

    def assert_throttled(self, each: Request) -> None:
        (refusal,) = self.refusals(each)
        assert refusal is not None
        self.assertEqual(refusal.status, 429)
        self.assertEqual(
            refusal.headers,
            {"Retry-After": str(WINDOW_SECONDS), "Content-Type": "application/json"},
        )
        self.assertEqual(
            json.loads(refusal.body),
            {"type": "urn:ferrite:problem:throttled", "title": "Too many requests", "status": 429},
        )


class Rates(FirewallTest):
    def test_an_address_is_refused_past_its_limit_and_no_other(self) -> None:
        self.assert_passes(*[request("192.0.2.1")] * LIMIT)
        self.assert_throttled(request("192.0.2.1"))
        self.assert_passes(request("192.0.2.2"))

    def test_an_address_cannot_pass_for_another(self) -> None:
        self.assert_passes(*[request("192.0.2.1")] * LIMIT)
        self.assert_throttled(request("192.0.2.1", b"", **{"x-forwarded-for": "192.0.2.7"}))

    def test_a_token_is_refused_past_its_limit_whatever_addresses_it_comes_from(self) -> None:
        addresses = [f"192.0.2.{number}" for number in range(LIMIT + 1)]
        *first, last = [request(address, authorization="Bearer ada") for address in addresses]
        self.assert_passes(*first)
        self.assert_throttled(last)
        self.assert_passes(request(addresses[-1], authorization="Bearer bob"))

    def test_requests_without_a_token_are_counted_by_address_alone(self) -> None:
        self.assert_passes(*[request(f"192.0.2.{number}") for number in range(LIMIT * 2)])

    def test_who_is_refused_is_heard_again_once_the_window_has_moved_on(self) -> None:
        self.assert_passes(*[request()] * LIMIT)
        self.now += WINDOW_SECONDS - 1
        self.assert_throttled(request())
        self.now += 1
        self.assert_passes(request())

    def test_what_is_refused_counts_too(self) -> None:
        """Or a client that never stops would get through as often as the limit says."""
        for _ in range(LIMIT * 2):
            self.refusals(request())
        self.now += WINDOW_SECONDS - 1
        self.assert_throttled(request())


class Bodies(FirewallTest):
    def test_a_body_past_what_a_function_reads_is_refused(self) -> None:
        self.assert_passes(request(body=b"x" * LARGEST))
        for size in (LARGEST + 1, LARGEST * 4):
            (refusal,) = self.refusals(request(body=b"x" * size))
            assert refusal is not None
            self.assertEqual(
                (refusal.status, refusal.headers), (413, {"Content-Type": "application/json"})
            )
            self.assertEqual(
                json.loads(refusal.body),
                {
                    "type": "urn:ferrite:problem:body-too-large",
                    "title": "The body is too large",
                    "status": 413,
                },
            )


class Origins(unittest.TestCase):
    def test_a_page_of_the_origin_may_read_what_is_refused(self) -> None:
        requests = [request(body=b"x" * (LARGEST + 1))] + [request()] * LIMIT
        for origin in ("", "https://shop.example"):
            firewall = Firewall(web_acl(origin))
            refusals = [refusal for each in requests if (refusal := firewall.refusal(each))]
            self.assertEqual([refusal.status for refusal in refusals], [413, 429])
            for refusal in refusals:
                allowed = refusal.headers.get("Access-Control-Allow-Origin", "")
                self.assertEqual(allowed, origin, refusal)


class Others(unittest.TestCase):
    """What the template does not use today, or must never use."""

    def acl_with(self, rule: dict[str, Any], **rest: Any) -> dict[str, Any]:
        named = {"Name": "rule", "Priority": 0, "VisibilityConfig": {}, **rule}
        return {"DefaultAction": {"Allow": {}}, "Rules": [named], **rest}

    def large(self, size: int, oversize: str, action: dict[str, Any]) -> dict[str, Any]:
        statement = {
            "FieldToMatch": {"Body": {"OversizeHandling": oversize}},
            "ComparisonOperator": "GT",
            "Size": size,
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        }
        return {"Statement": {"SizeConstraintStatement": statement}, "Action": action}

    def test_a_body_is_seen_as_far_as_it_is_inspected(self) -> None:
        body = request(body=b"x" * 20_000)
        for size, oversize, is_refused in (
            (15_000, "CONTINUE", True),
            (17_000, "CONTINUE", False),
            (17_000, "MATCH", True),
            (15_000, "NO_MATCH", False),
        ):
            firewall = Firewall(self.acl_with(self.large(size, oversize, {"Block": {}})))
            self.assertEqual(firewall.refusal(body) is not None, is_refused, (size, oversize))

    def test_rules_are_asked_by_priority_until_one_allows_or_blocks(self) -> None:
        def rule(priority: int, action: dict[str, Any]) -> dict[str, Any]:
            return {**self.large(0, "MATCH", action), "Priority": priority}

        blocking, some = rule(5, {"Block": {}}), request(body=b"x")
        for first, refusal in (
            (rule(1, {"Count": {}}), Refusal(None, {}, b"")),
            (rule(1, {"Allow": {}}), None),
            (rule(9, {"Allow": {}}), Refusal(None, {}, b"")),
        ):
            acl = {"DefaultAction": {"Allow": {}}, "Rules": [blocking, first]}
            self.assertEqual(Firewall(acl).refusal(some), refusal, first)
        acl = {"DefaultAction": {"Block": {}}, "Rules": [rule(1, {"Count": {}})]}
        self.assertEqual(Firewall(acl).refusal(request()), Refusal(None, {}, b""))

    def test_what_would_pass_in_silence_is_refused(self) -> None:
        def changed(rule: int, *path: str | int, to: object) -> dict[str, Any]:
            acl = copy.deepcopy(web_acl())
            target = acl["Rules"][rule]
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = to
            return acl

        Firewall(changed(0, "Name", to="another"))
        rate, body = ("Statement", "RateBasedStatement"), ("Statement", "SizeConstraintStatement")
        custom = ("Action", "Block", "CustomResponse")
        for acl in (
            changed(0, "Statement", to={"GeoMatchStatement": {"CountryCodes": ["NZ"]}}),
            changed(0, "Action", to={"Captcha": {}}),
            changed(0, "RuleLabels", to=[{"Name": "label"}]),
            changed(0, "Priority", to=1),
            changed(0, "OverrideAction", to={"None": {}}),
            changed(0, *rate, "ScopeDownStatement", to={}),
            changed(0, *rate, "AggregateKeyType", to="FORWARDED_IP"),
            changed(0, *rate, "Limit", to=9),
            changed(0, *rate, "EvaluationWindowSec", to=301),
            changed(0, *custom, "CustomResponseBodyKey", to="absent"),
            changed(1, *rate, "CustomKeys", to=[{"Cookie": {"Name": "session"}}]),
            changed(1, *rate, "CustomKeys", to=[]),
            changed(2, *body, "FieldToMatch", to={"JsonBody": {}}),
            changed(2, *body, "TextTransformations", to=[{"Priority": 0, "Type": "LOWERCASE"}]),
            changed(2, *body, "FieldToMatch", "Body", "OversizeHandling", to="REFUSE"),
            changed(3, "Statement", "ManagedRuleGroupStatement", "VendorName", to="somebody"),
        ):
            with self.assertRaises(NotEvaluated, msg=acl):
                Firewall(acl)
