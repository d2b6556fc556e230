"""LocalStack's plug-in for what it supports: what is installed here, told without asking anybody.

LocalStack fetches a list of what its latest version supports from its maker, before it creates the first
stack. Where that fails it knows nothing, and takes every type of resource for one that it does not have.
"""

from __future__ import annotations

from localstack.utils.catalog.catalog import CatalogPlugin, CfnResourceSupportStatus
from localstack.utils.catalog.common import (
    CloudFormationResourcesSupportAtRuntime,
    CloudFormationResourcesSupportInLatest,
)


class InstalledCatalog(CatalogPlugin):
    """Goes by the name of the one that LocalStack prefers to its own."""

    name = "aws-catalog-remote-state-with-license"

    def __init__(self) -> None:
        self._resources = self._get_cfn_resources_available_at_runtime()

    def get_aws_service_status(self, service_name: str, operation_name: str | None = None) -> None:
        """Nothing to add to a request that LocalStack cannot answer."""

    def get_cloudformation_resource_status(
        self, resource_name: str, service_name: str, is_pro_resource: bool = False
    ) -> CfnResourceSupportStatus:
        """Whether a stack may have such a resource."""
        if resource_name in self._resources:
            return CloudFormationResourcesSupportAtRuntime.AVAILABLE
        return CloudFormationResourcesSupportInLatest.NOT_SUPPORTED
