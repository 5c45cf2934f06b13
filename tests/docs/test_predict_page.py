"""docs/predict.md, followed with a drawn photograph."""
import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from page import ROOT, commands, follow, page_text, python_examples
from stick_figures import write_people

from hourglass_plugin.visualization import read_image, save_image
from hourglass_plugin.weights import shipped_weights

PAGE = page_text('docs/predict.md')
COMMANDS = [line for line in commands(PAGE) if line.startswith('python ')]


@pytest.fixture
def folder(clone, monkeypatch):
    """A clone with two photographs and people to test on."""
    monkeypatch.chdir(clone)
    data = clone / 'data' / 'lspet'
    (data / 'images').mkdir(parents=True, exist_ok=True)
    write_people(data, 'val', 3, np.random.RandomState(0))
    (data / 'val.json').rename(data / 'lspet_val.json')
    photograph = read_image(data / 'images' / 'val0.png')
    save_image('photo.jpg', photograph)
    save_image('team.jpg', np.tile(photograph, (5, 8, 1)))
    return clone


def test_first_command_and_python_give_the_same(folder, capsys):
    assert COMMANDS[0] == 'python tools/predict.py photo.jpg'
    follow(COMMANDS[0], folder)
    assert (folder / 'predictions' / 'photo.jpg').is_file()
    answer = json.loads((folder / 'predictions/predictions.json').read_text())
    (person, ) = answer['predictions'][0]['people']
    capsys.readouterr()
    (example, ) = python_examples(PAGE)
    used = {}
    exec(compile(example, 'predict.md', 'exec'), used)
    np.testing.assert_allclose(
        used['pose'].keypoints,
        np.array(person['keypoints'])[:, :2],
        atol=0.0051)  # written with two decimals
    assert str(used['pose'].keypoints) in capsys.readouterr().out


def test_each_box_is_a_person(folder):
    command, = (line for line in COMMANDS if 'team.jpg' in line)
    follow(command, folder)
    answer = json.loads((folder / 'predictions/predictions.json').read_text())
    assert [person['bbox'] for person in answer['predictions'][0]['people']
            ] == [[100, 50, 400, 450], [420, 60, 700, 460]]


def test_search_is_scored(folder, monkeypatch, capsys):
    command, = (line for line in COMMANDS if 'score_search' in line)
    _, script, *arguments = command.split()
    assert [ROOT / path for path in arguments] == [
        *map(Path, shipped_weights())
    ]
    monkeypatch.setattr(sys, 'argv', [script, *shipped_weights()])
    runpy.run_path(str(ROOT / script), run_name='__main__')
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(',')[0] for line in lines] == [
        '3 people in their photographs', '3 people pasted into others'
    ]
    for line in lines:
        scores = re.findall(r' ([\d.]+)(?:,|$)', line)
        assert len(scores) == 3
        # Of three people's 14 joints, some number is right.
        for score in scores:
            assert float(score) * 42 / 100 == pytest.approx(
                round(float(score) * 42 / 100), abs=0.03)
