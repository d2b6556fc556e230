"""Decodes the resource paths in the `MethodSettings` of a template.

AWS: in a `ResourcePath`, each slash except the first is escaped as `~1` (AWS::ApiGateway::Stage
MethodSetting, AWS CloudFormation User Guide).
MiniStack: does not decode the path and finds no matching route, so each route has the limits of the stage.
Delete this patch when MiniStack decodes the paths.
"""

from __future__ import annotations

from typing import Any

from .replacement import replace


def apply() -> None:
    """Decodes each path before MiniStack stores the settings."""
    from ministack.services.cloudformation import provisioners

    def decoded(setting: dict[str, Any]) -> dict[str, Any]:
        path = setting.get("ResourcePath", "/*")
        return {**setting, "ResourcePath": path.replace("/~1", "/", 1).replace("~1", "/")}

    def with_decoded_paths(store: Any) -> Any:
        def _apigw_method_settings(settings: Any) -> Any:
            if isinstance(settings, list):
                settings = [decoded(setting) for setting in settings]
            return store(settings)

        return _apigw_method_settings

    replace(provisioners, "_apigw_method_settings", with_decoded_paths)
