"""LocalStack plug-in that lists the supported CloudFormation resource types from the installed code.

Before LocalStack creates the first stack, it downloads the list of supported resource types from its
vendor's server. If the download fails, LocalStack treats every resource type as unsupported.
"""

from __future__ import annotations

from localstack.utils.catalog.catalog import CatalogPlugin, CfnResourceSupportStatus
from localstack.utils.catalog.common import (
    CloudFormationResourcesSupportAtRuntime,
    CloudFormationResourcesSupportInLatest,
)


class InstalledCatalog(CatalogPlugin):
    """Replaces the remote catalog. It has the plug-in name that LocalStack prefers to its built-in catalog."""

    name = "aws-catalog-remote-state-with-license"

    def __init__(self) -> None:
        self._resources = self._get_cfn_resources_available_at_runtime()

    def get_aws_service_status(self, service_name: str, operation_name: str | None = None) -> None:
        """Returns no status: LocalStack then uses its default message for unsupported operations."""

    def get_cloudformation_resource_status(
        self, resource_name: str, service_name: str, is_pro_resource: bool = False
    ) -> CfnResourceSupportStatus:
        """Returns whether the installed LocalStack supports the resource type."""
        if resource_name in self._resources:
            return CloudFormationResourcesSupportAtRuntime.AVAILABLE
        return CloudFormationResourcesSupportInLatest.NOT_SUPPORTED
