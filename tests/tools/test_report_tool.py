"""The report of a test: the test's own people, and what cannot be reported."""
import json
import pickle
import re

import numpy as np
import pytest
from pose_files import write_dogs

from hourglass_plugin.resources import config_path
from hourglass_plugin.skeletons import LSP


def test_the_report_has_the_people_of_the_test(call_tool, trained, tmp_path):
    out = tmp_path / 'new' / 'report'
    call_tool('test', trained.config, trained.checkpoint, '--work-dir',
              tmp_path / 'work', '--report', out, '--dump',
              tmp_path / 'people.pkl', '--cfg-options',
              'test_dataloader.sampler.shuffle=True')
    assert [file.name for file in out.iterdir()] == ['index.html']
    page = (out / 'index.html').read_text(encoding='utf-8')
    shoulder, hip = LSP.indices(['right_shoulder', 'left_hip'])
    errors = {}
    for person in pickle.loads((tmp_path / 'people.pkl').read_bytes()):
        truth = person['gt_instances']['keypoints'][0]
        predicted = person['pred_instances']['keypoints'][0]
        torso = np.linalg.norm(truth[shoulder] - truth[hip])
        errors[person['id']] = np.linalg.norm(
            predicted - truth, axis=1).mean() / torso
    # The best, the median and the worst of five.
    best = sorted(errors, key=errors.get)
    shown = re.findall(r'<b title="[^"]*">(\d) · val(\d)\.png</b><br>([\d.]+)',
                       page)
    assert [(int(number), int(image)) for number, image, _ in shown] == [
        (number, number) for number in (best[0], best[2], best[4])
    ]
    for number, _, error in shown:
        # Written with two decimals.
        assert float(error) == pytest.approx(errors[int(number)], abs=0.006)
    heatmaps = re.findall(r'<h3>(\d) · val\d\.png: ([a-z ]+)', page)
    assert heatmaps == [(str(best[4]), 'the worst'),
                        (str(best[2]), 'a median person'),
                        (str(best[0]), 'the best')]


def test_own_keypoints_with_two_stacks(call_tool, save_untrained, project,
                                       tmp_path):
    write_dogs(project, tmp_path, marks=(2, 1, 2, 2))
    config, checkpoint = tmp_path / 'dogs.py', tmp_path / 'dogs.pth'
    config.write_text(f"""
_base_ = [{config_path('td-hm_hg2_1xb16-100e_custom-256x256.py')!r}]
model = dict(
    backbone=dict(feat_channels=16), test_cfg=dict(flip_test=False))
test_dataloader = dict(
    batch_size=3, num_workers=0, persistent_workers=False,
    dataset=dict(data_root={str(tmp_path)!r}))
# So large that random keypoints are sometimes correct.
test_evaluator = dict(type='BoxPCKMetric', thresholds=[0.6, 0.4])
""")
    save_untrained(config, checkpoint)
    call_tool('test', config, checkpoint, '--work-dir', tmp_path / 'work',
              '--report', tmp_path / 'report', '--out',
              tmp_path / 'scores.json')
    page = (tmp_path / 'report' / 'index.html').read_text(encoding='utf-8')
    scores = json.loads((tmp_path / 'scores.json').read_text())
    for row in ('BoxPCK@0.6', 'BoxPCK@0.6/occluded',
                'stack_1/BoxPCK@0.6'):
        assert f'custom_dataset/{row}' in scores
    mean = scores['custom_dataset/BoxPCK@0.6']
    assert f'<b>{mean:.1f}</b><span>BoxPCK@0.6</span>' in page
    # Four keypoints of four dogs; the left ears are hidden.
    assert '12 can be seen and 4 are hidden' in page
    assert 'correct joints by stack' in page
    # The worst, the best, a median one, and whom the second stack helped.
    for row in ('stack 1', 'stack 2'):
        assert page.count(f'alt="{row}, all joints"') >= 3
        assert page.count(f'alt="{row}, tail"') >= 3


def test_runs_without_report_are_refused(error_of, project, trained,
                                         tmp_path):
    """No metric of this package, no annotation, a detector, a file."""
    people = json.loads((project.folder / 'val.json').read_text())
    for person in people:
        person['joints_vis'] = [0] * 14
    file = tmp_path / 'unannotated.json'
    file.write_text(json.dumps(people))
    detector = config_path('centernet_hg1-w64_1xb16-4e_synthetic-shapes.py')
    for config, out, options, named in (
        (trained.config, 'report', ['test_evaluator=[]'], 'BoxPCKMetric'),
        (trained.config, 'report',
         [f'test_dataloader.dataset.ann_file={file}'], '5 people'),
        (detector, 'report', [], 'boxes'),
        (trained.config, 'unannotated.json', [], 'unannotated.json'),
    ):
        error = error_of(
            'test', config, trained.checkpoint, '--work-dir',
            tmp_path / 'work', '--report', tmp_path / out,
            *(['--cfg-options', *options] if options else []))
        assert named in error
    assert not (tmp_path / 'report').exists()
