"""Checks a request against the types that the provider itself publishes for it, member by member."""

from __future__ import annotations

import collections.abc
import functools
import types
import typing
from typing import Any, get_args, get_origin

import typing_extensions

from script import Unfit

_LISTS = (list, collections.abc.Iterable, collections.abc.Sequence)
_OBJECTS = (dict, collections.abc.Mapping)


def must_fit(value: Any, shape: Any) -> None:
    """Refuses a value that is not of the shape: a type of `typing` made of typed dictionaries."""
    if wrong := _wrong(value, shape, ""):
        raise Unfit("; ".join(wrong[:3]))


def _wrong(value: Any, shape: Any, at: str) -> list[str]:
    """What is wrong with the value."""
    origin = get_origin(shape)
    if shape in (Any, object):
        return []
    if origin in (typing.Required, typing_extensions.Required, typing.NotRequired, typing.Annotated):
        return _wrong(value, get_args(shape)[0], at)
    if origin in (typing.Union, types.UnionType):
        return _none_fits(value, get_args(shape), at)
    if origin is typing.Literal or origin is typing_extensions.Literal:
        return [] if value in get_args(shape) else [f"{at} is {value!r}, not one of {get_args(shape)}"]
    if typing_extensions.is_typeddict(shape):
        return _wrong_members(value, shape, at)
    if _is_list(origin or shape):
        if not isinstance(value, list):
            return [f"{at} is no list"]
        inner = (*get_args(shape), Any)[0]
        return [one for index, item in enumerate(value) for one in _wrong(item, inner, f"{at}[{index}]")]
    if (origin or shape) in _OBJECTS:
        if not isinstance(value, dict):
            return [f"{at} is no object"]
        inner = (*get_args(shape), Any, Any)[1]
        return [one for name, item in value.items() for one in _wrong(item, inner, f"{at}.{name}")]
    return [] if _is_scalar(value, shape) else [f"{at} is {str(value)[:60]!r}, not {shape}"]


def _is_list(shape: Any) -> bool:
    return shape in _LISTS or getattr(shape, "__name__", "") == "SequenceNotStr"


def _is_scalar(value: Any, shape: Any) -> bool:
    if shape is type(None) or shape is None:
        return value is None
    if shape is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if shape is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return shape in (str, bool) and isinstance(value, shape)


def _none_fits(value: Any, shapes: tuple[Any, ...], at: str) -> list[str]:
    """What is wrong by the shape that comes nearest: the one that the value names by its type or role."""
    found = [_wrong(value, shape, at) for shape in shapes]
    if [] in found:
        return []
    named = [wrong for shape, wrong in zip(shapes, found, strict=True) if _names(value, shape)]
    return min(named or found, key=len)


def _names(value: Any, shape: Any) -> bool:
    if isinstance(value, list):
        return _is_list(get_origin(shape) or shape)
    if not isinstance(value, dict) or not typing_extensions.is_typeddict(shape):
        return False
    members = _members(shape)
    named = [name for name in ("type", "role") if name in members and name in value]
    return bool(named) and all(not _wrong(value[name], members[name], "") for name in named)


def _wrong_members(value: Any, shape: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at} is no object"]
    members = _members(shape)
    required = [name for name, inner in members.items() if get_origin(inner) in _REQUIRED]
    return [f"{at}.{name} is missing" for name in required if name not in value] + [
        one for name, item in value.items()
        for one in (_wrong(item, members[name], f"{at}.{name}") if name in members else [f"{at}.{name} is unknown"])]


_REQUIRED = (typing.Required, typing_extensions.Required)


@functools.cache
def _members(shape: Any) -> dict[str, Any]:
    return typing_extensions.get_type_hints(shape, include_extras=True)
