"""What the models of actions have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, JsonValue, SerializerFunctionWrapHandler, model_serializer

LONGEST_SECONDS = 366 * 86400
SAGA_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class ActionModel(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    def plain(self) -> dict[str, JsonValue]:
        """The action as JSON, defaults filled in; a null that the author wrote stays, others are left out."""
        dumped: dict[str, JsonValue] = self.model_dump(mode="json")
        return {key: value for key, value in dumped.items() if value is not None or key in self.model_fields_set}


class Inside(BaseModel):
    """A mapping inside an action: it has these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """Without the keys that were left out."""
        dumped: dict[str, JsonValue] = handler(self)
        return {key: value for key, value in dumped.items() if value is not None or key in self.model_fields_set}
