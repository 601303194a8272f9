"""Links of an operator: buttons that a UI shows beside a task instance."""

from typing import Any, ClassVar


class BaseOperatorLink:
    """A link: its ``name``, and ``get_link(operator, ti_key=...)`` for its address."""

    #: The classes of operators that it is for, where a plugin brings it.
    operators: ClassVar[list[type]] = []

    @property
    def name(self) -> str:
        """What the button says."""
        raise NotImplementedError

    @property
    def xcom_key(self) -> str:
        """The XCom in which the runner keeps the address."""
        return f"_link_{type(self).__name__}"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Returns the address for a task instance."""
        raise NotImplementedError

    def __hash__(self) -> int:
        """Links of one class are one link."""
        return hash(type(self))

    def __eq__(self, other: object) -> bool:
        """Links of one class are one link."""
        return type(self) is type(other)
