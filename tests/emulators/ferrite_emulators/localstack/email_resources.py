"""LocalStack's plug-ins for the resources of a stack that sends e-mail, of which it has the API alone.

AWS::SES::ConfigurationSet and AWS::SES::ConfigurationSetEventDestination (AWS CloudFormation User Guide).
SES's v1 API has no event destination of type EventBridge, so what the template says of those is kept here,
for `patches.ses_events`.
"""

from __future__ import annotations

from typing import Any

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

Owner = tuple[str, str, str]
"""Account, region and name of a configuration set."""

event_destinations: dict[Owner, dict[str, dict[str, Any]]] = {}
"""Each configuration set's event destinations by their names."""


def _schema(resource_type: str) -> dict[str, Any]:
    """What LocalStack reads of a resource type's schema: what names it, and what has to be replaced."""
    identifier = ["/properties/Id"]
    return {
        "typeName": resource_type,
        "primaryIdentifier": identifier,
        "readOnlyProperties": identifier,
        "createOnlyProperties": ["/properties/Name", "/properties/ConfigurationSetName"],
    }


def _before(request: ResourceRequest) -> dict[str, Any]:
    return request.previous_state or {}


def _done(model: dict[str, Any]) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


class ConfigurationSet(ResourceProvider):
    """A configuration set; its reference is its name."""

    TYPE = "AWS::SES::ConfigurationSet"
    SCHEMA = _schema(TYPE)

    def create(self, request: ResourceRequest) -> ProgressEvent:
        model = request.desired_state
        name = model.get("Name") or generate_default_name(
            request.stack_name, request.logical_resource_id
        )
        request.aws_client_factory.ses.create_configuration_set(ConfigurationSet={"Name": name})
        return _done({**model, "Name": name, "Id": name})

    def update(self, request: ResourceRequest) -> ProgressEvent:
        return _done({**_before(request), **request.desired_state})

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        name = _before(request)["Id"]
        request.aws_client_factory.ses.delete_configuration_set(ConfigurationSetName=name)
        event_destinations.pop((request.account_id, request.region_name, name), None)
        return _done({})


class EventDestination(ResourceProvider):
    """One of a configuration set's event destinations."""

    TYPE = "AWS::SES::ConfigurationSetEventDestination"
    SCHEMA = _schema(TYPE)

    def create(self, request: ResourceRequest) -> ProgressEvent:
        model = request.desired_state
        destination = model["EventDestination"]
        name = destination.get("Name") or generate_default_name(
            request.stack_name, request.logical_resource_id
        )
        return self._keep(request, {**model, "Id": name})

    def update(self, request: ResourceRequest) -> ProgressEvent:
        return self._keep(request, {**_before(request), **request.desired_state})

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        model = _before(request)
        event_destinations.get(self._owner(request, model), {}).pop(model["Id"], None)
        return _done({})

    def _keep(self, request: ResourceRequest, model: dict[str, Any]) -> ProgressEvent:
        kept = event_destinations.setdefault(self._owner(request, model), {})
        kept[model["Id"]] = model["EventDestination"]
        return _done(model)

    def _owner(self, request: ResourceRequest, model: dict[str, Any]) -> Owner:
        return request.account_id, request.region_name, model["ConfigurationSetName"]


class ConfigurationSetPlugin(CloudFormationResourceProviderPlugin):
    """How LocalStack finds `ConfigurationSet`."""

    name = ConfigurationSet.TYPE

    def load(self) -> None:
        self.factory = ConfigurationSet


class EventDestinationPlugin(CloudFormationResourceProviderPlugin):
    """How LocalStack finds `EventDestination`."""

    name = EventDestination.TYPE

    def load(self) -> None:
        self.factory = EventDestination
