"""Saves and restores the records of DynamoDB streams.

AWS: a stream stores its records for 24 hours ("Change data capture for DynamoDB Streams", DynamoDB Developer
Guide).
MiniStack: saves tables and the position of each event source mapping, but not the stream records. Unread
records are lost. After a restart, a mapping skips as many new records as it had read before.
Delete this patch when MiniStack saves stream records.
"""

from __future__ import annotations

import copy
from typing import Any

from .replacement import replace, require

STORES = ("_stream_records", "_stream_trimmed")


def apply() -> None:
    """Adds the stream records to the saved state of the tables."""
    from ministack.services import dynamodb

    def with_saved_streams(get_state: Any) -> Any:
        def _get_state() -> dict[str, Any]:
            streams = {store: copy.deepcopy(getattr(dynamodb, store)) for store in STORES}
            return {**get_state(), **streams}

        return _get_state

    def with_loaded_streams(load: Any) -> Any:
        def load_persisted_state(state: dict[str, Any]) -> None:
            load(state)
            for store in STORES:
                getattr(dynamodb, store).update(state.get(store, {}))

        return load_persisted_state

    require(dynamodb, *STORES)
    replace(dynamodb, "get_state", with_saved_streams)
    replace(dynamodb, "load_persisted_state", with_loaded_streams)
