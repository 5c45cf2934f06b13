"""HTML as a tree of elements, so that whatever is text stays text."""
import base64
import re
from collections.abc import Iterable, Sequence
from typing import Optional, Union
from xml.etree import ElementTree

import cv2
import numpy as np

Element = ElementTree.Element
#: What an element may contain; None is left out.
Content = Union[str, Element, None]

#: Thin lines on small pictures need all of the colours' resolution.
_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, cv2.IMWRITE_JPEG_OPTIMIZE, 1
]
# What XML, and with it HTML, has no place for.
_CONTROL = re.compile('[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def element(tag: str, *content: Content, **attributes: object) -> Element:
    """An element.

    Args:
        tag: its name.
        content: texts and elements, in order.
        attributes: an underscore stands for a dash, and one at the end keeps
            Python's own words apart (``class_``).
    """
    result = Element(tag, {
        name.rstrip('_').replace('_', '-'): _text(str(value))
        for name, value in attributes.items()
    })
    for part in content:
        if isinstance(part, str):
            if len(result):
                result[-1].tail = (result[-1].tail or '') + _text(part)
            else:
                result.text = (result.text or '') + _text(part)
        elif part is not None:
            result.append(part)
    return result


def _text(text: str) -> str:
    """File names may have bytes that are no text, or control characters."""
    return _CONTROL.sub('\ufffd', text)


def bar_cell(percent: Optional[float], digits: int = 1) -> Element:
    """A table's cell with a number and a bar as long.

    Args:
        percent: 0 to 100; None or not a number is a dash.
        digits: after the point.
    """
    if percent is None or np.isnan(percent):
        return element('td', '–')
    return element(
        'td',
        f'{percent:.{digits}f}',
        class_='bar',
        style=f'--share:{percent:.1f}%')


def table(caption: str, header: Sequence[Content],
          rows: Iterable[Sequence[Content]]) -> Element:
    """A table that scrolls by itself where the screen is too narrow.

    Args:
        caption: what it shows, also for who hears the page.
        header: a cell for each column.
        rows: a cell for each column, the first one the row's name; ``td``
            elements are taken as they are.
    """
    body = element('tbody')
    for first, *cells in rows:
        body.append(
            element(
                'tr', element('th', first, scope='row'), *(cell if isinstance(
                    cell, Element) and cell.tag == 'td' else element(
                        'td', cell) for cell in cells)))
    return element(
        'div',
        element(
            'table', element('caption', caption),
            element(
                'thead',
                element('tr', *(element('th', cell, scope='col')
                                for cell in header))), body),
        class_='scroll',
        role='region',
        aria_label=caption,
        tabindex=0)


def picture(image: np.ndarray, alt: str) -> Element:
    """An image as a part of the page.

    Args:
        image: (H, W, 3) uint8, BGR.
        alt: what it shows, for who does not see it.
    """
    _, data = cv2.imencode('.jpg', image, _JPEG)
    return element(
        'img',
        src='data:image/jpeg;base64,' +
        base64.b64encode(data.tobytes()).decode(),
        alt=alt,
        width=image.shape[1],
        height=image.shape[0])


def chart(svg: str, alt: str, prefix: str) -> Element:
    """An SVG document as a part of the page.

    Args:
        svg: the document.
        alt: what it shows, for who does not see it.
        prefix: of the names in it, which must differ within a page.
    """
    root = ElementTree.fromstring(svg)
    for part in root.iter():
        part.tag = part.tag.rpartition('}')[2]
        part.text = part.text if part.tag == 'text' else None
        part.tail = None
        for name, value in list(part.attrib.items()):
            del part.attrib[name]
            name = name.rpartition('}')[2]  # of XLink, which HTML has not
            if name == 'id':
                value = prefix + value
            part.set(name, re.sub(r'(^|url\()#', rf'\1#{prefix}', value))
    for name in ('width', 'height', 'version'):  # the page's to say
        root.attrib.pop(name, None)
    for parent in list(root.iter()):
        for part in parent.findall('style') + parent.findall('metadata'):
            parent.remove(part)  # the page has its own
    root.set('role', 'img')
    root.set('aria-label', alt)
    return root


def document(title: str, style: str, *content: Content) -> str:
    """A complete page, in UTF-8 whatever carries it."""
    page = element(
        'html',
        element(
            'head', element('meta', charset='utf-8'),
            element(
                'meta',
                name='viewport',
                content='width=device-width, initial-scale=1'),
            element('title', title), element('style', style)),
        element('body', *content),
        lang='en')
    return '<!DOCTYPE html>\n' + ElementTree.tostring(
        page, encoding='unicode', method='html') + '\n'
