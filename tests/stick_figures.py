"""Drawn people as MPII-style JSON and pictures, for tests of tools."""
import json

import cv2
import numpy as np

# A person of 80 pixels who fills a picture of 100: joints in LSP's order.
STANDING = np.array([[38, 88], [39, 68], [41, 50], [55, 50], [57, 68],
                     [58, 88], [28, 50], [30, 38], [38, 26], [58, 26],
                     [66, 38], [68, 50], [48, 22], [48, 10]])


def draw_person(path, rng):
    """Write a picture of a stick figure; its joints, (14, 2)."""
    image = rng.randint(60, 100, (100, 100, 3)).astype(np.uint8)
    joints = STANDING + rng.randint(-4, 5, STANDING.shape)
    for joint in joints:
        cv2.circle(image, joint.tolist(), 3, (80, 220, 250), -1)
    cv2.imwrite(str(path), image)
    return joints


def write_people(folder, name, count, rng):
    """Write ``count`` pictures of stick figures and their annotations."""
    people = []
    for index in range(count):
        file = f'{name}{index}.png'
        joints = draw_person(folder / 'images' / file, rng)
        people.append(dict(
            image=file, center=[48.0, 49.0], scale=0.4,
            joints=joints.tolist(), joints_vis=[1] * len(joints)))
    (folder / f'{name}.json').write_text(json.dumps(people))
