"""Python values to and from the reference engine's protocol, by GoogleSQL type.

Belongs here: one type at a time. Python sides: INT64 int, FLOAT64 float, STRING str, BOOL bool, NUMERIC Decimal,
DATE date, TIMESTAMP aware datetime, ARRAY<...> list; NULL is None. Does not belong here: comparing two engines' values.
"""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from typing import Any

from zetasql.wasi._pb2.zetasql.public import type_pb2, value_pb2

Rows = list[tuple[Any, ...]]

_KINDS = {
    "INT64": type_pb2.TYPE_INT64,
    "FLOAT64": type_pb2.TYPE_DOUBLE,
    "STRING": type_pb2.TYPE_STRING,
    "BOOL": type_pb2.TYPE_BOOL,
    "NUMERIC": type_pb2.TYPE_NUMERIC,
    "DATE": type_pb2.TYPE_DATE,
    "TIMESTAMP": type_pb2.TYPE_TIMESTAMP,
    "BYTES": type_pb2.TYPE_BYTES,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

_EPOCH = dt.date(1970, 1, 1)
_NUMERIC_SCALE = 9
_EXACT = Context(prec=60)  # the default of 28 digits would round the largest NUMERICs


def column_type(name: str) -> type_pb2.TypeProto:
    """The protocol's type of a GoogleSQL type name; nested are ARRAY<...> and STRUCT<name KIND, ...>."""
    if name.startswith("ARRAY<"):
        made = type_pb2.TypeProto(type_kind=type_pb2.TYPE_ARRAY)
        made.array_type.element_type.CopyFrom(column_type(name[len("ARRAY<") : -1]))
        return made
    if name.startswith("STRUCT<"):
        made = type_pb2.TypeProto(type_kind=type_pb2.TYPE_STRUCT)
        for part in name[len("STRUCT<") : -1].split(", "):
            field, kind = part.split(" ")
            made.struct_type.field.add(field_name=field).field_type.CopyFrom(column_type(kind))
        return made
    return type_pb2.TypeProto(type_kind=_KINDS[name])


def type_name(kind: type_pb2.TypeProto) -> str:
    """GoogleSQL name of a protocol type; a type that no table of this project has is shown by its number."""
    if kind.type_kind == type_pb2.TYPE_ARRAY:
        return f"ARRAY<{type_name(kind.array_type.element_type)}>"
    return _NAMES.get(kind.type_kind, f"KIND_{kind.type_kind}")


def to_proto(kind: str, value: Any) -> value_pb2.ValueProto:
    """One value for the reference engine."""
    made = value_pb2.ValueProto()
    if value is None:
        return made
    if kind.startswith("ARRAY<"):
        made.array_value.SetInParent()
        made.array_value.element.extend(to_proto(kind[len("ARRAY<") : -1], each) for each in value)
    elif kind == "INT64":
        made.int64_value = value
    elif kind == "FLOAT64":
        made.double_value = value
    elif kind == "STRING":
        made.string_value = value
    elif kind == "BOOL":
        made.bool_value = value
    elif kind == "DATE":
        made.date_value = (value - _EPOCH).days
    elif kind == "TIMESTAMP":
        made.timestamp_value.FromDatetime(value.astimezone(dt.UTC))
    elif kind == "NUMERIC":
        scaled = int(_EXACT.scaleb(Decimal(value), _NUMERIC_SCALE))
        made.numeric_value = scaled.to_bytes((scaled.bit_length() + 8) // 8, "little", signed=True)
    else:
        raise ValueError(f"no value of type {kind} is known here")
    return made


def from_proto(kind: str, value: value_pb2.ValueProto) -> Any:
    """One value from the reference engine."""
    field = value.WhichOneof("value")
    if field is None:
        return None
    if kind.startswith("ARRAY<"):
        return [from_proto(kind[len("ARRAY<") : -1], each) for each in value.array_value.element]
    if kind == "DATE":
        return _EPOCH + dt.timedelta(days=value.date_value)
    if kind == "TIMESTAMP":
        return value.timestamp_value.ToDatetime(tzinfo=dt.UTC)
    if kind == "NUMERIC":
        return _EXACT.scaleb(Decimal(int.from_bytes(value.numeric_value, "little", signed=True)), -_NUMERIC_SCALE)
    if kind in _KINDS:
        return getattr(value, field)
    raise ValueError(f"no value of type {kind} is known here")
