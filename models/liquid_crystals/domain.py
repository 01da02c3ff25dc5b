"""What a domain of the liquid-crystal models is."""

from __future__ import annotations

from typing import Any, ClassVar


class Domain(tuple):
    """A domain is the tuple of its name and its parameters.

    So it can be written into a run file or a landscape file, as ``["rectangle", 1.25]``, and is read back by
    `saddlescape.models.liquid_crystals.domains.as_domain`. A subclass has a ``name`` and takes and checks the parameters in
    ``__new__``.
    """

    name: ClassVar[str]

    def __new__(cls, *parameters: Any) -> Domain:
        return super().__new__(cls, (cls.name, *parameters))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self[1:]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self[1:]))})"
