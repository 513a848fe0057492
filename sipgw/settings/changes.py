"""What differs between two configurations, by key."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from sipgw.settings.problems import Where


def changes(before: object, after: object, where: Where = ()) -> Iterator[Where]:
    """The keys at which they differ, the innermost; of a list that became longer or shorter only its own."""
    match before, after:
        case BaseModel(), BaseModel() if type(before) is type(after):
            for name, field in type(before).model_fields.items():
                yield from changes(getattr(before, name), getattr(after, name), (*where, field.alias or name))
        case Mapping(), Mapping():
            for name in {**before, **after}:
                if name in before and name in after:
                    yield from changes(before[name], after[name], (*where, name))
                else:
                    yield (*where, name)
        case (list() | tuple(), list() | tuple()) if len(before) == len(after):
            for index, pair in enumerate(zip(before, after, strict=True)):
                yield from changes(*pair, (*where, index))
        case _ if before != after:
            yield where
