"""Metadata as XML text."""

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def node(tag: str, content: object = None, **attributes: object) -> Element:
    """An element: `content` is a list of elements, or a value."""
    element = Element(tag, {name: str(value) for name, value in attributes.items()})
    if isinstance(content, Sequence) and not isinstance(content, str):
        element.extend(content)
    elif content is not None:
        element.text = str(content)
    return element


def text_of(root: Element) -> str:
    """Text of a document, indented by two spaces."""
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'
