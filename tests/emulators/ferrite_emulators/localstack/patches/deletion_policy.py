"""Accepts a DeletionPolicy that depends on a condition.

AWS: a DeletionPolicy can be an intrinsic function, such as `Fn::If` (AWS CloudFormation User Guide, "Intrinsic
function references in DeletionPolicy and UpdateReplacePolicy attributes").
LocalStack: fails to create the change set. It ignores deletion policies otherwise, so this patch replaces the
function with the default policy.
Delete this patch when LocalStack deploys a stack with such a policy.
"""

from __future__ import annotations

from typing import Any

DEFAULT_POLICY = "Delete"


def apply() -> None:
    """Replaces intrinsic functions before LocalStack reads the policy of a resource."""
    from localstack.services.cloudformation.engine.v2.change_set_model import ChangeSetModel
    from localstack.utils.patch import patch

    def literal(policy: Any) -> Any:
        return DEFAULT_POLICY if isinstance(policy, dict) else policy

    @patch(ChangeSetModel._visit_deletion_policy)
    def _visit_deletion_policy(visit: Any, model: Any, scope: Any, before: Any, after: Any) -> Any:
        return visit(model, scope, literal(before), literal(after))
