"""Miniature downloads of FLIC and Leeds Sports Pose, two people in each."""
import cv2
import numpy as np
from scipy.io import savemat


def write_images(folder, names):
    """Grey pictures of 60x40 pixels."""
    folder.mkdir(parents=True)
    for name in names:
        cv2.imwrite(str(folder / name), np.full((40, 60, 3), 90, np.uint8))


def write_lsp_downloads(folder):
    """LSP and its extension, unpacked."""
    kinds = (('lsp', (3, 14, 2), 4), ('lspet', (14, 3, 2), 5))
    for name, shape, digits in kinds:
        write_images(folder / f'my {name}/images',
                     [f'im{n:0{digits}d}.jpg' for n in (1, 2)])
        savemat(folder / f'my {name}/joints.mat', dict(joints=np.ones(shape)))


def write_flic_downloads(folder):
    """FLIC unpacked, one person to train on and one to test on."""
    people = np.zeros((1, 2), [(name, object)
                               for name in ('filepath', 'coords', 'torsobox',
                                            'imgdims', 'istrain', 'istest')])
    for index in range(2):
        values = (f'film-{index}.jpg', np.arange(58.0).reshape(2, 29),
                  [[10., 10., 30., 30.]], [[40., 60., 3.]], 1 - index, index)
        people[0, index] = values
    savemat(folder / 'examples.mat', dict(examples=people))
    write_images(folder / 'images', ['film-0.jpg', 'film-1.jpg'])
