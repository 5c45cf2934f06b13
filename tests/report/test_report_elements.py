"""Text stays text, pictures are in the page, names differ."""
from html.parser import HTMLParser

import numpy as np
from curves import pck_curves_svg

from hourglass_plugin.report.elements import (
    bar_cell,
    chart,
    document,
    element,
    picture,
    table,
)

ATTACK = '</title></style><script>alert("1")</script>&amp;\'\x00\udc80'


class Tags(HTMLParser):
    """Tags with attributes, and all text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ''
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_what_comes_from_files_is_text():
    page = document(
        ATTACK, 'p {}', element('p', ATTACK, element('b', 'x'), ATTACK),
        table(ATTACK, ['', ATTACK], [[ATTACK, ATTACK]]),
        picture(np.zeros((4, 4, 3), np.uint8), ATTACK),
        element('i', title=ATTACK))
    found = Tags(page)
    assert 'script' not in dict(found.tags)
    # Title, two in the paragraph, caption, heading, row and cell. What is no
    # text is shown as what it is.
    assert found.text.count(
        '</title></style><script>alert("1")</script>&amp;\'\ufffd\ufffd') == 7
    page.encode()


def test_empty_elements_are_not_closed_and_others_are():
    assert document('t', '', element('br'), element('td')).endswith(
        '<body><br><td></td></body></html>\n')


def test_nothing_is_left_out_but_none():
    result = element('p', 'a', None, element('b', 'c'), 'd', 'e')
    assert (result.text, result[0].text, result[0].tail) == ('a', 'c', 'de')


def test_bars_are_as_long_as_their_number():
    assert bar_cell(12.34).attrib['style'] == '--share:12.3%'
    assert bar_cell(12.34).text == '12.3'
    for nothing in (None, float('nan')):
        assert bar_cell(nothing).text == '–' and not bar_cell(nothing).attrib


def test_charts_have_names_of_their_own():
    svg = pck_curves_svg({'a & <b>': np.array([0, 50, 100.])}, [0, 0.1, 0.2],
                         'title', 'x', 'y')
    page = document('t', '', chart(svg, 'first', 'one-'),
                    chart(svg, 'second', 'two-'))
    found = Tags(page)
    names = [attributes['id'] for _, attributes in found.tags
             if 'id' in attributes]
    assert len(names) == len(set(names))
    used = [
        value.strip('url()#') for _, attributes in found.tags
        for key, value in attributes.items()
        if key in ('href', 'clip-path')
    ]
    assert used and set(used) <= set(names)
    # As text, which readers can search and enlarge.
    assert '100.00  a & <b>' in found.text
    charts = [attributes for tag, attributes in found.tags if tag == 'svg']
    assert [chart['aria-label'] for chart in charts] == ['first', 'second']
    assert all('width' not in chart for chart in charts)
