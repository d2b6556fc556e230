"""LocalStack plug-ins that forward every DynamoDB and DynamoDB Streams request to `tables`."""

from __future__ import annotations

import os

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.api.dynamodbstreams import DynamodbstreamsApi
from localstack.aws.forwarder import HttpFallbackDispatcher
from localstack.aws.skeleton import DispatchTable
from localstack.services.plugins import Service, ServiceLifecycleHook, aws_provider

from .settings import PLUGIN
from .tables import URL_VARIABLE


class TablesProvider(DynamodbApi, ServiceLifecycleHook):
    """Implements no operation itself, so that the dispatcher forwards all of them."""


class StreamsProvider(DynamodbstreamsApi, ServiceLifecycleHook):
    """Implements no operation itself, so that the dispatcher forwards all of them."""


@aws_provider(api="dynamodb", name=PLUGIN)
def dynamodb() -> Service:
    """Returns the DynamoDB service."""
    return Service.for_provider(TablesProvider(), dispatch_table_factory=_forward_to_tables)


@aws_provider(api="dynamodbstreams", name=PLUGIN)
def dynamodbstreams() -> Service:
    """Returns the DynamoDB Streams service."""
    return Service.for_provider(StreamsProvider(), dispatch_table_factory=_forward_to_tables)


def _forward_to_tables(provider: object) -> DispatchTable:
    return HttpFallbackDispatcher(provider, lambda account, region: os.environ[URL_VARIABLE])
