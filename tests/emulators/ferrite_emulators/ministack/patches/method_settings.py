"""Reads the paths of a template's `MethodSettings` as AWS does.

AWS::ApiGateway::Stage MethodSetting (AWS CloudFormation User Guide): the slashes of a `ResourcePath` are
written `~1`, after a first one that is not. MiniStack looks such a path up as it is written and finds no
route, so every route has the limits of the stage.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace


def apply() -> None:
    """Decodes each path before MiniStack keeps the settings."""
    from ministack.services.cloudformation import provisioners

    def decoded(setting: dict[str, Any]) -> dict[str, Any]:
        path = setting.get("ResourcePath", "/*")
        return {**setting, "ResourcePath": path.replace("/~1", "/", 1).replace("~1", "/")}

    def with_paths(keep: Any) -> Any:
        def _apigw_method_settings(given: Any) -> Any:
            return keep([decoded(each) for each in given] if isinstance(given, list) else given)

        return _apigw_method_settings

    replace(provisioners, "_apigw_method_settings", with_paths)
