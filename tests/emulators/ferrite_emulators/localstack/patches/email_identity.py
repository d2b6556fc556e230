"""Creates and deletes the identity of an AWS::SES::EmailIdentity resource.

AWS: CloudFormation creates the identity, and the owner of the address verifies it by following a link (AWS
CloudFormation User Guide).
LocalStack: its handlers for the resource type fail, and the stack is rolled back. With this patch, the
identity is verified immediately.
Delete this patch when LocalStack deploys a stack with an AWS::SES::EmailIdentity.
"""

from __future__ import annotations

from typing import Any


def apply() -> None:
    """Replaces the create, update and delete handlers of the resource type."""
    from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
    from localstack.services.ses.resource_providers.aws_ses_emailidentity import (
        SESEmailIdentityProvider,
    )
    from localstack.utils.patch import patch

    def success(model: dict[str, Any]) -> ProgressEvent:
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)

    @patch(SESEmailIdentityProvider.create)
    def create(_: Any, provider: Any, request: Any) -> ProgressEvent:
        identity = request.desired_state["EmailIdentity"]
        if "@" in identity:
            request.aws_client_factory.ses.verify_email_identity(EmailAddress=identity)
        else:
            request.aws_client_factory.ses.verify_domain_identity(Domain=identity)
        return success(request.desired_state)

    @patch(SESEmailIdentityProvider.update)
    def update(_: Any, provider: Any, request: Any) -> ProgressEvent:
        return success(request.desired_state)

    @patch(SESEmailIdentityProvider.delete)
    def delete(_: Any, provider: Any, request: Any) -> ProgressEvent:
        identity = request.previous_state["EmailIdentity"]
        request.aws_client_factory.ses.delete_identity(Identity=identity)
        return success({})
