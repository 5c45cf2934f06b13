"""Both generators: random numbers, processes, folders, the tool."""
from dataclasses import replace

import cv2
import numpy as np
import pytest
import synthetic_people
import synthetic_shapes
from synthetic import Settings

SETTINGS = Settings(num_train=5, num_val=3, seed=7)
both = pytest.mark.parametrize('generator',
                               [synthetic_people, synthetic_shapes])


def contents(folder):
    """Bytes of the files; MATLAB's contain the time."""
    return {path.relative_to(folder): path.read_bytes()
            for path in folder.rglob('*')
            if path.is_file() and path.suffix != '.mat'}


def write(folder, settings=SETTINGS, dataset=synthetic_people.DATASET, **how):
    return list(dataset.write(folder, settings, **how))


@both
def test_a_sample_depends_on_its_numbers_only(generator):
    image, annotation = generator.make_sample(5, 'train', 11)
    np.random.seed(1)
    cv2.setRNGSeed(123)
    generator.make_sample(5, 'train', 3)
    expected = np.random.RandomState(1).rand()
    assert np.random.rand() == expected  # global randomness is left alone
    again, same = generator.make_sample(5, 'train', 11)
    np.testing.assert_array_equal(image, again)
    for name, value in annotation.items():
        np.testing.assert_array_equal(value, same[name])
    for other in ((6, 'train', 11), (5, 'val', 11), (5, 'train', 12)):
        assert not np.array_equal(generator.make_sample(*other)[0], image)
    for wrong in ((0, 'test', 0), (-1, 'val', 0), (0, 'val', -2)):
        with pytest.raises(ValueError):
            generator.make_sample(*wrong)
    for numbers in ((0, 1), (1, 0), (1, 1, -1)):
        with pytest.raises(ValueError):
            Settings(*numbers)


@both
def test_two_processes_write_the_same_bytes(generator, tmp_path):
    dataset = generator.DATASET
    assert write(tmp_path / '1', dataset=dataset) == [1, 2, 3, 4, 5, 6, 7, 8]
    write(tmp_path / '2', dataset=dataset, num_workers=2)
    assert contents(tmp_path / '1') == contents(tmp_path / '2')
    assert len(contents(tmp_path / '1')) == 8 + 2 + 1


def test_interrupted_runs_and_damage_are_noticed_and_made_up_for(tmp_path):
    folder, dataset = tmp_path / 'people', synthetic_people.DATASET
    running = dataset.write(folder, SETTINGS)
    for _ in range(4):
        next(running)
    running.close()
    assert not folder.exists()
    write(folder)
    assert dataset.is_complete(folder, SETTINGS)
    for other in (dict(seed=8), dict(num_val=2)):
        assert not dataset.is_complete(folder, replace(SETTINGS, **other))
    # The rest of the first run is gone.
    assert [path.name for path in tmp_path.iterdir()] == ['people']
    for damaged in ('images/val_000001.jpg', 'annotations/mpii_train.json'):
        (folder / damaged).unlink()
        assert not dataset.is_complete(folder, SETTINGS)
        write(folder)
        assert dataset.is_complete(folder, SETTINGS)


def test_only_force_replaces_other_settings_and_never_other_files(tmp_path):
    small, folder = Settings(1, 1), tmp_path / 'people'
    write(folder, small)
    with pytest.raises(FileExistsError):
        write(folder)
    assert synthetic_people.DATASET.is_complete(folder, small)
    (tmp_path / 'mine.txt').write_text('precious')
    for place, generator in ((tmp_path, synthetic_people),
                             (tmp_path, synthetic_shapes),
                             (folder, synthetic_shapes)):
        with pytest.raises(FileExistsError):
            write(place, dataset=generator.DATASET, force=True)
    assert {path.name for path in tmp_path.iterdir()} == {'mine.txt', 'people'}
    write(folder, force=True)
    assert synthetic_people.DATASET.is_complete(folder, SETTINGS)


@pytest.mark.parametrize('kind', ['people', 'shapes'])
def test_the_tool_writes_once(kind, tmp_path, call_tool, error_of, capsys):
    arguments = ('generate', kind, '--out', tmp_path / kind, '--num-train', 2,
                 '--num-val', 1, '--workers', 1)
    call_tool(*arguments)
    assert '3/3' in capsys.readouterr().err  # the progress bar
    settings = tmp_path / kind / 'settings.json'
    before = settings.stat().st_mtime_ns
    call_tool(*arguments)
    assert settings.stat().st_mtime_ns == before
    assert str(tmp_path / kind) in error_of(*arguments, '--seed', 1)
