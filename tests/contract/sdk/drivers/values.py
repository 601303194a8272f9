"""Classes of an author, whose objects both sides serialize."""

import enum
from collections import namedtuple
from dataclasses import dataclass, field

import attrs
import pydantic

Point = namedtuple("Point", "x y")  # noqa: PYI024 - a named tuple without types is one too


@dataclass
class Plain:
    name: str
    numbers: list = field(default_factory=list)


@dataclass
class Versioned:
    __version__ = 2
    name: str


@attrs.define
class Attributes:
    name: str
    inner: object = None


class Model(pydantic.BaseModel):
    name: str
    number: int = 3


class Own:
    __version__ = 1

    def __init__(self, x):
        self.x = x

    def serialize(self):
        return {"x": self.x}

    @staticmethod
    def deserialize(data, version):
        return Own((data["x"], version))

    def __repr__(self):
        return f"Own({self.x!r})"


class Bare:
    pass


class Colour(str, enum.Enum):  # noqa: UP042 - this kind is what is tried
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1
