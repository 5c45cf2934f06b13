"""The report of a test: the test's own people, and what cannot be reported."""
import pickle
import re

import pytest
from dumps import torso_distances

from hourglass_plugin.resources import config_path


def test_the_report_has_the_people_of_the_test(call_tool, trained, tmp_path):
    out = tmp_path / 'new' / 'report'
    call_tool('test', trained.config, trained.checkpoint, '--work-dir',
              tmp_path / 'work', '--report', out, '--dump',
              tmp_path / 'people.pkl', '--cfg-options',
              'test_dataloader.sampler.shuffle=True')
    assert [file.name for file in out.iterdir()] == ['index.html']
    page = (out / 'index.html').read_text(encoding='utf-8')
    errors = {
        person['id']: torso_distances(person).mean()
        for person in pickle.loads((tmp_path / 'people.pkl').read_bytes())}
    # The best, the median and the worst of five.
    best = sorted(errors, key=errors.get)
    shown = re.findall(r'<b title="[^"]*">(\d) · val(\d)\.png</b><br>([\d.]+)',
                       page)
    assert [(int(number), int(image)) for number, image, _ in shown] == [
        (number, number) for number in (best[0], best[2], best[4])]
    for number, _, error in shown:
        # Written with two decimals.
        assert float(error) == pytest.approx(errors[int(number)], abs=0.006)
    heatmaps = re.findall(r'<h3>(\d) · val\d\.png: ([a-z ]+)', page)
    assert heatmaps == [(str(best[4]), 'the worst'),
                        (str(best[2]), 'a median person'),
                        (str(best[0]), 'the best')]


def test_runs_without_report_are_refused(error_of, project, trained,
                                         tmp_path):
    """No metric of this package, no annotation, a detector, a file."""
    file = tmp_path / 'unannotated.json'
    file.write_text(re.sub(r'("joints_vis": )\[[1, ]+\]', rf'\1{[0] * 14}', (
        project.folder / 'val.json').read_text()))
    detector = config_path('centernet_hg1-w64_1xb16-4e_synthetic-shapes.py')
    for config, out, option, named in (
        (trained.config, 'report', 'test_evaluator=[]', 'BoxPCKMetric'),
        (trained.config, 'report',
         f'test_dataloader.dataset.ann_file={file}', '5 people'),
        (detector, 'report', 'work_dir=x', 'boxes'),
        (trained.config, file.name, 'work_dir=x', file.name),
    ):
        assert named in error_of(
            'test', config, trained.checkpoint, '--work-dir',
            tmp_path / 'work', '--report', tmp_path / out, '--cfg-options',
            option)
    assert not (tmp_path / 'report').exists()
