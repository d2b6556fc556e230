"""LocalStack's plug-ins for DynamoDB and DynamoDB Streams: every request goes on to `tables`."""

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
    """Answers nothing itself."""


class StreamsProvider(DynamodbstreamsApi, ServiceLifecycleHook):
    """Answers nothing itself."""


@aws_provider(api="dynamodb", name=PLUGIN)
def dynamodb() -> Service:
    """DynamoDB."""
    return Service.for_provider(TablesProvider(), dispatch_table_factory=_handing_on)


@aws_provider(api="dynamodbstreams", name=PLUGIN)
def dynamodbstreams() -> Service:
    """DynamoDB Streams."""
    return Service.for_provider(StreamsProvider(), dispatch_table_factory=_handing_on)


def _handing_on(provider: object) -> DispatchTable:
    return HttpFallbackDispatcher(provider, lambda account, region: os.environ[URL_VARIABLE])
