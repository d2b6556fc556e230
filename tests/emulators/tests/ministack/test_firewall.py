"""Tests which requests the rules in infra/firewall.yaml allow and block."""

from __future__ import annotations

import copy
import json
import unittest
from pathlib import Path
from typing import Any

from ministack.services.cloudformation import engine

from ferrite_emulators.ministack.firewall import (
    Allow,
    BlockResponse,
    Firewall,
    Request,
    UnsupportedWebAclError,
)
from ferrite_emulators.ministack.patches import condition_functions

LIMIT = 10
WINDOW_SECONDS = 300
MAX_BODY_BYTES = 64 * 1024


def setUpModule() -> None:
    condition_functions.apply()


def web_acl(origins: str = "") -> dict[str, Any]:
    """Returns the template's web ACL, with the smallest `RequestsPerClient` that AWS accepts."""
    path = Path(__file__).parents[4] / "infra" / "firewall.yaml"
    template = engine._parse_template(path.read_text())
    values = {"Service": "test", "RequestsPerClient": str(LIMIT), "AllowedOrigins": origins}
    parameters = {name: {"Value": value} for name, value in values.items()}
    conditions = engine._evaluate_conditions(template, parameters)
    properties = template["Resources"]["WebAcl"]["Properties"]
    resolved: dict[str, Any] = engine._resolve_refs(
        properties, {}, parameters, conditions, {}, "test", "test"
    )
    return resolved


def request(address: str = "192.0.2.1", body: bytes = b"", **headers: str) -> Request:
    return Request(address, lambda name: headers.get(name, ""), body)


class FirewallTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.firewall = Firewall(web_acl(), now=lambda: self.now)

    def evaluate(self, *requests: Request) -> list[BlockResponse | Allow]:
        return [self.firewall.evaluate(each) for each in requests]

    def assert_allowed(self, *requests: Request) -> None:
        self.assertEqual(self.evaluate(*requests), [Allow()] * len(requests))

    def assert_throttled(self, each: Request) -> None:
        (response,) = self.evaluate(each)
        assert isinstance(response, BlockResponse)
        self.assertEqual(response.status, 429)
        self.assertEqual(
            response.headers,
            {"Retry-After": str(WINDOW_SECONDS), "Content-Type": "application/json"},
        )
        self.assertEqual(
            json.loads(response.body),
            {"type": "urn:ferrite:problem:throttled", "title": "Too many requests", "status": 429},
        )


class Rates(FirewallTest):
    def test_throttles_only_the_address_that_exceeds_its_limit(self) -> None:
        self.assert_allowed(*[request("192.0.2.1")] * LIMIT)
        self.assert_throttled(request("192.0.2.1"))
        self.assert_allowed(request("192.0.2.2"))

    def test_ignores_the_forwarded_for_header(self) -> None:
        self.assert_allowed(*[request("192.0.2.1")] * LIMIT)
        self.assert_throttled(request("192.0.2.1", b"", **{"x-forwarded-for": "192.0.2.7"}))

    def test_throttles_a_token_across_addresses(self) -> None:
        addresses = [f"192.0.2.{number}" for number in range(LIMIT + 1)]
        *first, last = [request(address, authorization="Bearer ada") for address in addresses]
        self.assert_allowed(*first)
        self.assert_throttled(last)
        self.assert_allowed(request(addresses[-1], authorization="Bearer bob"))

    def test_counts_requests_without_a_token_by_address_only(self) -> None:
        self.assert_allowed(*[request(f"192.0.2.{number}") for number in range(LIMIT * 2)])

    def test_allows_requests_again_after_the_window(self) -> None:
        self.assert_allowed(*[request()] * LIMIT)
        self.now += WINDOW_SECONDS - 1
        self.assert_throttled(request())
        self.now += 1
        self.assert_allowed(request())

    def test_counts_blocked_requests(self) -> None:
        """A client that never pauses stays blocked."""
        for _ in range(LIMIT * 2):
            self.evaluate(request())
        self.now += WINDOW_SECONDS - 1
        self.assert_throttled(request())


class Bodies(FirewallTest):
    def test_blocks_a_body_above_the_size_limit(self) -> None:
        self.assert_allowed(request(body=b"x" * MAX_BODY_BYTES))
        for size in (MAX_BODY_BYTES + 1, MAX_BODY_BYTES * 4):
            (response,) = self.evaluate(request(body=b"x" * size))
            assert isinstance(response, BlockResponse)
            self.assertEqual(
                (response.status, response.headers), (413, {"Content-Type": "application/json"})
            )
            self.assertEqual(
                json.loads(response.body),
                {
                    "type": "urn:ferrite:problem:body-too-large",
                    "title": "The request body is too large",
                    "status": 413,
                },
            )


class Origins(unittest.TestCase):
    ORIGINS = ("https://app.example", "http://localhost:5173", "https://admin.app.example:8443")

    def test_block_responses_allow_the_first_origin_to_read_them(self) -> None:
        requests = [request(body=b"x" * (MAX_BODY_BYTES + 1))] + [request()] * LIMIT
        for origins in ("", self.ORIGINS[0], ",".join(self.ORIGINS)):
            firewall = Firewall(web_acl(origins))
            results = [firewall.evaluate(each) for each in requests]
            responses = [each for each in results if isinstance(each, BlockResponse)]
            self.assertEqual([response.status for response in responses], [413, 429])
            for response in responses:
                allowed = response.headers.get("Access-Control-Allow-Origin", "")
                self.assertEqual(allowed, origins.split(",")[0], response)

    def test_marks_requests_of_each_allowed_origin(self) -> None:
        for count in range(2, len(self.ORIGINS) + 1):
            allowed = self.ORIGINS[:count]
            for origin in self.ORIGINS:
                firewall = Firewall(web_acl(",".join(allowed)))
                marks = {"x-amzn-waf-allowed-origin": origin} if origin in allowed else {}
                self.assertEqual(firewall.evaluate(request(origin=origin)), Allow(marks))

    def test_marks_no_request_of_another_origin(self) -> None:
        firewall = Firewall(web_acl(",".join(self.ORIGINS[:2])), now=lambda: 0.0)
        for origin in (
            "",
            "null",
            "https://app.example/",
            "https://APP.example",
            "https://app.example.evil.test",
            "https://app.example,http://localhost:5173",
        ):
            self.assertEqual(firewall.evaluate(request(origin=origin)), Allow(), origin)

    def test_needs_no_rule_for_a_single_origin(self) -> None:
        self.assertEqual(len(web_acl(self.ORIGINS[0])["Rules"]), len(web_acl()["Rules"]))


class OtherWebAcls(unittest.TestCase):
    """Web ACL settings that the template does not use."""

    def acl_with(self, rule: dict[str, Any], **properties: Any) -> dict[str, Any]:
        complete_rule = {"Name": "rule", "Priority": 0, "VisibilityConfig": {}, **rule}
        return {"DefaultAction": {"Allow": {}}, "Rules": [complete_rule], **properties}

    def size_rule(self, size: int, oversize: str, action: dict[str, Any]) -> dict[str, Any]:
        statement = {
            "FieldToMatch": {"Body": {"OversizeHandling": oversize}},
            "ComparisonOperator": "GT",
            "Size": size,
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        }
        return {"Statement": {"SizeConstraintStatement": statement}, "Action": action}

    def test_compares_the_body_up_to_the_inspection_limit(self) -> None:
        body = request(body=b"x" * 20_000)
        for size, oversize, is_blocked in (
            (15_000, "CONTINUE", True),
            (17_000, "CONTINUE", False),
            (17_000, "MATCH", True),
            (15_000, "NO_MATCH", False),
        ):
            firewall = Firewall(self.acl_with(self.size_rule(size, oversize, {"Block": {}})))
            result = firewall.evaluate(body)
            self.assertEqual(isinstance(result, BlockResponse), is_blocked, (size, oversize))

    def test_evaluates_rules_by_priority_until_one_allows_or_blocks(self) -> None:
        def rule(priority: int, action: dict[str, Any]) -> dict[str, Any]:
            return {**self.size_rule(0, "MATCH", action), "Priority": priority}

        block_rule = rule(5, {"Block": {}})
        large_request = request(body=b"x")
        blocked = BlockResponse(None, {}, b"")
        for other_rule, expected in (
            (rule(1, {"Count": {}}), blocked),
            (rule(1, {"Allow": {}}), Allow()),
            (rule(9, {"Allow": {}}), blocked),
        ):
            acl = {"DefaultAction": {"Allow": {}}, "Rules": [block_rule, other_rule]}
            self.assertEqual(Firewall(acl).evaluate(large_request), expected, other_rule)
        acl = {"DefaultAction": {"Block": {}}, "Rules": [rule(1, {"Count": {}})]}
        self.assertEqual(Firewall(acl).evaluate(request()), blocked)

    def test_rejects_unsupported_settings(self) -> None:
        def changed(rule: int, *path: str | int, to: object) -> dict[str, Any]:
            acl = copy.deepcopy(web_acl(",".join(Origins.ORIGINS)))
            target = acl["Rules"][rule]
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = to
            return acl

        Firewall(changed(0, "Name", to="another"))
        rate = ("Statement", "RateBasedStatement")
        body = ("Statement", "SizeConstraintStatement")
        custom = ("Action", "Block", "CustomResponse")
        header = ("Statement", "ByteMatchStatement")
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
            changed(2, *body, "FieldToMatch", "Body", "OversizeHandling", to="INVALID"),
            changed(3, "Statement", "ManagedRuleGroupStatement", "VendorName", to="somebody"),
            changed(5, *header, "FieldToMatch", to={"UriPath": {}}),
            changed(5, *header, "PositionalConstraint", to="CONTAINS"),
            changed(5, *header, "TextTransformations", to=[{"Priority": 0, "Type": "LOWERCASE"}]),
            {**web_acl(), "DefaultAction": {"Count": {}}},
        ):
            with self.assertRaises(UnsupportedWebAclError, msg=acl):
                Firewall(acl)
