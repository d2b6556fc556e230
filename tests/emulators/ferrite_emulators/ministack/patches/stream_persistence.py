"""Keeps DynamoDB streams over a stop and start of the emulator.

A stream holds its records for 24 hours ("Change data capture for DynamoDB Streams", DynamoDB
Developer Guide). MiniStack saves tables, and how far each mapping has read, but not the records: those
not yet read are lost, and after a start a mapping skips as many new ones as it had read before.
"""

from __future__ import annotations

import copy
from typing import Any

from .replacement import replace, require

STORES = ("_stream_records", "_stream_trimmed")


def apply() -> None:
    """Saves and restores the records together with the tables."""
    from ministack.services import dynamodb

    def with_streams(get_state: Any) -> Any:
        def _get_state() -> dict[str, Any]:
            streams = {store: copy.deepcopy(getattr(dynamodb, store)) for store in STORES}
            return {**get_state(), **streams}

        return _get_state

    def and_streams(load: Any) -> Any:
        def load_persisted_state(state: dict[str, Any]) -> None:
            load(state)
            for store in STORES:
                getattr(dynamodb, store).update(state.get(store, {}))

        return load_persisted_state

    require(dynamodb, *STORES)
    replace(dynamodb, "get_state", with_streams)
    replace(dynamodb, "load_persisted_state", and_streams)
