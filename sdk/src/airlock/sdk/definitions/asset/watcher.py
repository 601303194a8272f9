"""Watchers: triggers whose events become events of an asset."""

from airlock.sdk.bases.trigger import BaseEventTrigger


class AssetWatcher:
    """A trigger that watches for changes of an asset. The name tells the watchers of one asset apart."""

    def __init__(self, name: str, trigger: BaseEventTrigger) -> None:
        """Raises ValueError for a trigger that is not a BaseEventTrigger: only such a trigger may fire many times."""
        if not isinstance(trigger, BaseEventTrigger):
            raise ValueError(
                f"AssetWatcher {name!r}: the trigger must be a BaseEventTrigger, not {type(trigger).__name__}; derive "
                "its class from airlock.sdk.bases.trigger.BaseEventTrigger"
            )
        self.name = name
        self.trigger = trigger

    def __repr__(self) -> str:
        """Returns the name and the trigger."""
        return f"AssetWatcher(name={self.name!r}, trigger={self.trigger!r})"
