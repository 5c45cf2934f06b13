"""Text of the page for known numbers."""
import csv
import re
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pytest

from hourglass_plugin.evaluation.scores import (
    PCKH,
    TORSO_PCK,
    People,
    score_people,
)
from hourglass_plugin.evaluation.table import skeleton_columns
from hourglass_plugin.report.analysis import best_median_worst
from hourglass_plugin.report.content import count_numbers
from hourglass_plugin.report.page import write_page
from hourglass_plugin.skeletons import LSP, MPII

PICTURE = np.zeros((8, 8, 3), np.uint8)
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


def people_of(skeleton, errors, sizes=None):
    """People of size 10 whose joints are ``errors`` (N) pixels off."""
    truth = np.zeros((len(errors), skeleton.num_keypoints, 2))
    # Far apart, so that no left joint is near a right one.
    truth[..., 0] = 1000 * np.arange(skeleton.num_keypoints)
    predicted = truth.copy()
    predicted[..., 1] = np.array(errors, float)[:, None]
    return People(predicted, truth, np.ones(truth.shape[:2], bool),
                  np.full(len(errors), 10.) if sizes is None else sizes)


def page_of(people, skeleton, measure, image='photo.jpg', heatmaps=None):
    scores = score_people(people, skeleton_columns(skeleton), measure)
    numbers = count_numbers(people, scores, measure.thresholds,
                            skeleton.flip_indices)
    shown = [
        dict(index=position, image=image, path=image,
             error=numbers.errors[position], correct=1, joints=2,
             worst_joint='left knee', worst_distance=0.9, picture=PICTURE)
        for position in range(len(numbers.errors))]
    ranked = {
        kind: [shown[position] for position in positions]
        for kind, positions in best_median_worst(numbers.errors, 2).items()}
    return write_page({'Config': f'{image}.py'}, skeleton.joints, numbers,
                      ranked, heatmaps or [])


def rows_of(page, caption):
    """The rows of the table with a caption, as lists of text."""
    table = re.search(
        rf'<caption>{re.escape(caption)}.*?</table>', page, re.DOTALL)[0]
    return {
        cells[0]: cells[1:]
        for row in re.findall(r'<tr>(.*?)</tr>', table, re.DOTALL)
        for cells in [re.findall(r'<t[hd][^>]*>(.*?)</t[hd]>', row)]}


def section_of(page, name):
    return re.search(
        rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)[1]


@pytest.fixture(scope='module')
def mpii_page():
    """Four people with two stacks; wrists are occluded, one not annotated.

    In head sizes 0.1, 0.3, 0.7 and 0.9 off, in the first stack 0.2 further.
    """
    people = people_of(MPII, [1, 3, 7, 9])
    wrists = MPII.indices(['left_wrist', 'right_wrist'])
    visible = np.ones((4, 16), bool)
    visible[:, wrists] = False
    people.annotated[0, wrists[0]] = False
    people.predicted[0, wrists] += 100
    stacks = np.stack([people.predicted, people.predicted], axis=1)
    stacks[:, 0, :, 1] += 2
    people = people._replace(visible=visible, stacks=stacks)
    heatmaps = [
        dict(why='the best', index=0, image=ATTACK, errors=[0.3, 0.1],
             crop=PICTURE, stacks=[PICTURE] * 2)]
    return page_of(people, MPII, PCKH, ATTACK, heatmaps)


def test_tables_of_the_page(mpii_page):
    rows = rows_of(mpii_page, 'Correct joints by joint, in percent')
    columns = rows['']
    assert columns[0] == 'Head' and columns[-3:] == ['Mean', 'All', 'AKEW']
    # Two of four people are within half a head size, of the wrists that are
    # annotated one of three and one of four; 4 x 14 joints in the mean but
    # one: 26 of 55.
    row = dict(zip(columns, rows['PCKh@0.5']))
    assert [row[name] for name in ('Head', 'Wrist', 'Mean')
            ] == ['50.0', '29.2', '47.3']
    assert rows['PCKh@0.2'][0] == '25.0' and 'AUC' in rows
    rows = rows_of(mpii_page, 'PCKh@0.5 by stack, in percent')
    # 0.3, 0.5, 0.9 and 1.1 head sizes.
    assert rows['stack 1'][0] == rows['stack 2'][0] == '50.0'
    assert 'At 0.5 head sizes: stack 1 47.3, stack 2 47.3' in mpii_page
    # Two wrists of four people, one of them not annotated.
    assert '56 can be seen and 7 are hidden' in section_of(
        mpii_page, 'visible')
    rows = rows_of(mpii_page, 'PCKh@0.5 of visible and of occluded')
    assert rows['visible'][0] == '50.0' and rows['occluded'][0] == '–'
    assert rows['occluded'][rows[''].index('Wrist')] == '29.2'
    # All are of one size: by distance 12 x 1 px, 14 x 3, 14 x 7, 14 x 9 and
    # one of 100 px and more.
    assert rows_of(mpii_page, 'Errors by size')['10 to 10 px'] == [
        '4', '47.3', '7.0']


def test_advice_and_numbers_to_download():
    people = people_of(LSP, [0, 0])
    knees = LSP.indices(['left_knee', 'right_knee'])
    people.predicted[:, knees] = people.truth[:, knees[::-1]]
    page = page_of(people, LSP, TORSO_PCK)
    # 4 of 24 joints with a side are on the other side's; all others hit.
    (line, ) = re.findall('<p class="advice">(.*?)</p>',
                          section_of(page, 'sides'))
    assert '16.7 %' in line and 'swap' in line
    assert 'Knee' in section_of(page, 'scores').partition('advice')[2]
    files = {
        attributes['download']: b64decode(
            attributes['href'].partition('base64,')[2]).decode()
        for tag, attributes in Tags(page).tags if 'download' in attributes}
    score, *_ = csv.DictReader(files['scores.csv'].splitlines())
    assert score['score'] == 'PCK@0.2'
    assert float(score['Knee']) == 0 and float(score['Hip']) == 100
    _, *rows = csv.reader(files['people.csv'].splitlines())
    # Both knees are 1,000 pixels, 100 sizes, off, or more; 14 joints.
    assert [row[0] for row in rows] == ['0', '1']
    assert all(float(row[1]) > 2 * 100 / 14 - 1e-9 for row in rows)


def test_no_person_can_be_scored():
    page = page_of(
        people_of(LSP, [0, 1], sizes=np.full(2, np.nan)), LSP, TORSO_PCK)
    rows = rows_of(page, 'Correct joints by joint')
    assert set(rows['PCK@0.2']) == {'–'}
    assert '<figure' not in section_of(page, 'curves')
    assert '<img' not in section_of(page, 'people')


def test_the_page_needs_no_other_file_and_escapes_names(mpii_page):
    found = Tags(mpii_page)
    tags = {tag for tag, _ in found.tags}
    assert not tags & {'script', 'link', 'iframe', 'object', 'base'}
    targets = [
        value for _, attributes in found.tags
        for name, value in attributes.items()
        if name in ('src', 'srcset', 'href', 'data', 'action', 'poster')]
    # Two files of numbers, two charts; the best, a median one and the worst;
    # then a crop and two stacks.
    data = [target for target in targets if target[0] != '#']
    assert len(data) == 2 + 2 + 3 + 1 + 2
    assert all(re.match('data:(text/csv|image/(jpeg|svg.xml));base64,', each)
               for each in data)
    assert not re.search(r'url\((?!#)|@import', mpii_page)
    places = {attributes.get('id') for _, attributes in found.tags}
    assert {target[1:] for target in targets if target[0] == '#'} <= places
    # The config, three people and the heatmaps' heading; characters that are
    # not allowed are replaced.
    assert found.text.count('<script>alert("1")</script>&amp;\'\ufffd\ufffd'
                            ) == 5
    mpii_page.encode()
