"""What every asset-like object can do, and the conditions that ``|`` and ``&`` make of them."""

from typing import Any, Self


class BaseAsset:
    """What can be an inlet, an outlet or a schedule, or be combined with ``&`` and ``|``."""

    def __and__(self, other: object) -> "AssetAll":
        """Returns the condition that both were written."""
        return AssetAll(self, other) if isinstance(other, BaseAsset) else NotImplemented

    def __or__(self, other: object) -> "AssetAny":
        """Returns the condition that one of both was written."""
        return AssetAny(self, other) if isinstance(other, BaseAsset) else NotImplemented

    def _key(self) -> tuple[str, ...]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Tells whether both are of one kind and have the same name and URI."""
        return type(self) is type(other) and isinstance(other, BaseAsset) and self._key() == other._key()

    def __hash__(self) -> int:
        """Returns a hash of the kind, the name and the URI."""
        return hash((type(self).__name__, self._key()))

    def __repr__(self) -> str:
        """Returns the kind with its names."""
        return f"{type(self).__name__}({', '.join(map(repr, self._key()))})"


class PlainAsset(BaseAsset):
    """A kind whose serialized fields are the arguments that make it, and have not changed since Airflow has them."""

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:
        """Returns the object of these fields; raises TypeError for those of a newer version."""
        if version:
            raise TypeError(f"{cls.__name__} of version {version} is newer than version 0")
        return cls(**data)


class AssetBooleanCondition(BaseAsset):
    """A condition about several assets, which are its ``objects``."""

    def __init__(self, *objects: BaseAsset) -> None:
        """Raises TypeError for an object that is not an asset, a reference, an alias or a condition."""
        for each in objects:
            if not isinstance(each, BaseAsset):
                raise TypeError(f"{type(self).__name__} takes assets, not {type(each).__name__}: {each!r}")
        self.objects = objects

    def __eq__(self, other: object) -> bool:
        """Tells whether both are of one kind and about equal objects, in the same order."""
        return type(self) is type(other) and isinstance(other, AssetBooleanCondition) and self.objects == other.objects

    def __hash__(self) -> int:
        """Returns a hash of the kind and the objects."""
        return hash((type(self).__name__, self.objects))

    def __repr__(self) -> str:
        """Returns the kind with its objects."""
        return f"{type(self).__name__}({', '.join(map(repr, self.objects))})"


class AssetAny(AssetBooleanCondition):
    """The condition that one of several assets was written: ``a | b``. As inlets or outlets it is all of them."""

    def __or__(self, other: object) -> "AssetAny":
        """Returns this condition with one more object: ``a | b | c`` is one condition of three."""
        return AssetAny(*self.objects, other) if isinstance(other, BaseAsset) else NotImplemented


class AssetAll(AssetBooleanCondition):
    """The condition that each of several assets was written: ``a & b``. As inlets or outlets it is all of them."""

    def __and__(self, other: object) -> "AssetAll":
        """Returns this condition with one more object: ``a & b & c`` is one condition of three."""
        return AssetAll(*self.objects, other) if isinstance(other, BaseAsset) else NotImplemented
