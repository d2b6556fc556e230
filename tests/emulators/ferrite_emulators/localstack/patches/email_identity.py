"""Creates and deletes the AWS::SES::EmailIdentity of a template.

LocalStack has the resource type as a sketch that fails, and a stack with it is rolled back. The address is
verified at once; on AWS whoever it belongs to has to follow a link first.
"""

from __future__ import annotations

from typing import Any


def apply() -> None:
    """Verifies the identity, and forgets it."""
    from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
    from localstack.services.ses.resource_providers.aws_ses_emailidentity import (
        SESEmailIdentityProvider,
    )
    from localstack.utils.patch import patch

    def done(model: dict[str, Any]) -> ProgressEvent:
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)

    @patch(SESEmailIdentityProvider.create)
    def create(_: Any, provider: Any, request: Any) -> ProgressEvent:
        identity = request.desired_state["EmailIdentity"]
        if "@" in identity:
            request.aws_client_factory.ses.verify_email_identity(EmailAddress=identity)
        else:
            request.aws_client_factory.ses.verify_domain_identity(Domain=identity)
        return done(request.desired_state)

    @patch(SESEmailIdentityProvider.update)
    def update(_: Any, provider: Any, request: Any) -> ProgressEvent:
        return done(request.desired_state)

    @patch(SESEmailIdentityProvider.delete)
    def delete(_: Any, provider: Any, request: Any) -> ProgressEvent:
        identity = request.previous_state["EmailIdentity"]
        request.aws_client_factory.ses.delete_identity(Identity=identity)
        return done({})
