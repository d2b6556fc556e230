"""LocalStack plug-ins for AWS::SES::ConfigurationSet and AWS::SES::ConfigurationSetEventDestination.

LocalStack implements the SES v1 API but not these CloudFormation resource types (AWS CloudFormation User
Guide). The v1 API has no EventBridge event destinations, so this module stores the template's event
destinations for `patches.ses_events`.
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

ConfigurationSetKey = tuple[str, str, str]
"""Account id, region and name of a configuration set."""

event_destinations: dict[ConfigurationSetKey, dict[str, dict[str, Any]]] = {}
"""The event destinations of each configuration set, by name."""


def _schema(resource_type: str) -> dict[str, Any]:
    """The parts of a resource type schema that LocalStack reads: identifier and create-only properties."""
    identifier = ["/properties/Id"]
    return {
        "typeName": resource_type,
        "primaryIdentifier": identifier,
        "readOnlyProperties": identifier,
        "createOnlyProperties": ["/properties/Name", "/properties/ConfigurationSetName"],
    }


def _previous_state(request: ResourceRequest) -> dict[str, Any]:
    return request.previous_state or {}


def _success(model: dict[str, Any]) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


class ConfigurationSet(ResourceProvider):
    """Creates and deletes a configuration set. `Ref` returns its name."""

    TYPE = "AWS::SES::ConfigurationSet"
    SCHEMA = _schema(TYPE)

    def create(self, request: ResourceRequest) -> ProgressEvent:
        model = request.desired_state
        name = model.get("Name") or generate_default_name(
            request.stack_name, request.logical_resource_id
        )
        request.aws_client_factory.ses.create_configuration_set(ConfigurationSet={"Name": name})
        return _success({**model, "Name": name, "Id": name})

    def update(self, request: ResourceRequest) -> ProgressEvent:
        return _success({**_previous_state(request), **request.desired_state})

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        name = _previous_state(request)["Id"]
        request.aws_client_factory.ses.delete_configuration_set(ConfigurationSetName=name)
        event_destinations.pop((request.account_id, request.region_name, name), None)
        return _success({})


class EventDestination(ResourceProvider):
    """Stores and removes an event destination of a configuration set."""

    TYPE = "AWS::SES::ConfigurationSetEventDestination"
    SCHEMA = _schema(TYPE)

    def create(self, request: ResourceRequest) -> ProgressEvent:
        model = request.desired_state
        destination = model["EventDestination"]
        name = destination.get("Name") or generate_default_name(
            request.stack_name, request.logical_resource_id
        )
        return self._store(request, {**model, "Id": name})

    def update(self, request: ResourceRequest) -> ProgressEvent:
        return self._store(request, {**_previous_state(request), **request.desired_state})

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        model = _previous_state(request)
        event_destinations.get(self._configuration_set(request, model), {}).pop(model["Id"], None)
        return _success({})

    def _store(self, request: ResourceRequest, model: dict[str, Any]) -> ProgressEvent:
        destinations = event_destinations.setdefault(self._configuration_set(request, model), {})
        destinations[model["Id"]] = model["EventDestination"]
        return _success(model)

    def _configuration_set(
        self, request: ResourceRequest, model: dict[str, Any]
    ) -> ConfigurationSetKey:
        return request.account_id, request.region_name, model["ConfigurationSetName"]


class ConfigurationSetPlugin(CloudFormationResourceProviderPlugin):
    """Registers `ConfigurationSet` with LocalStack."""

    name = ConfigurationSet.TYPE

    def load(self) -> None:
        self.factory = ConfigurationSet


class EventDestinationPlugin(CloudFormationResourceProviderPlugin):
    """Registers `EventDestination` with LocalStack."""

    name = EventDestination.TYPE

    def load(self) -> None:
        self.factory = EventDestination
