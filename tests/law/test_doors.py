"""What a room gives to others is described."""

import importlib
import inspect
import re

import pytest

from tests.law.tree import ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_class_and_function_says_what_it_is(room: str) -> None:
    module = importlib.import_module(room)
    silent = []
    for name in getattr(module, "__all__", []):
        thing = getattr(module, name)
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        text = thing.__doc__ or ""
        # A dataclass without a docstring is given its signature as one.
        if not text.strip() or re.match(rf"{name}\(", text):
            silent.append(name)
    assert not silent


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_there_and_named_once(room: str) -> None:
    module = importlib.import_module(room)
    names = list(getattr(module, "__all__", []))
    assert len(names) == len(set(names))
    assert not [name for name in names if not hasattr(module, name)]
