"""From a table of labels to a training and a validation set on the disk."""
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from hourglass_plugin.inference.input_files import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
)
from hourglass_plugin.visualization.image_files import save_image

from .table import KeypointNames, LabeledImage

#: Share of the images to validate on.
VALIDATION = 0.2
#: A box around keypoints is larger than these by this share on each side.
MARGIN = 0.1


class ImageFinder:
    """Finds the images that labels name in a folder, by the ends of paths.

    Args:
        folder: searched with all folders in it; or a video.
    """

    def __init__(self, folder: Path) -> None:
        self.by_name: dict[str, list[Path]] = defaultdict(list)
        self.takes_only_video = True  #: whatever its name is
        self.videos: list[Path] = []
        files = sorted(folder.rglob('*')) if folder.is_dir() else [folder]
        for file in files:
            if file.suffix.lower() in IMAGE_SUFFIXES:
                self.by_name[file.name].append(file)
                self.by_name[file.stem].append(file)
            elif file.suffix.lower() in VIDEO_SUFFIXES:
                self.videos.append(file)

    def image(self, name: str) -> Path | None:
        """Return the file whose path ends most like a name.

        Raises:
            ValueError: if several do.
        """
        path = Path(name)
        # Label Studio puts eight letters before the names of uploads.
        bare = re.sub(r'^[0-9a-f]{8}-', '', path.name)
        found = next((self.by_name[each] for each in (
            path.name, bare, path.stem, Path(bare).stem)
                      if each in self.by_name), [])
        ends = [sum(1 for _ in takewhile(
            lambda pair: pair[0] == pair[1],
            zip(file.parts[-2::-1], path.parts[-2::-1]))) for file in found]
        best = [file for file, end in zip(found, ends) if end == max(ends)]
        if len(best) > 1:
            raise ValueError(f'{name} may be {best[0]} or {best[1]}: give the '
                             'folder above, or one of them')
        return best[0] if best else None

    def video(self, name: str) -> Path | None:
        """Return the video of a name, or the only one."""
        found = [file for file in self.videos if file.name == Path(name).name]
        if not found and len(self.videos) == 1 and self.takes_only_video:
            found = self.videos
        return found[0] if found else None


def collect_images(images: Sequence[LabeledImage], folder: Path,
                   unpacked: Path) -> tuple[list[LabeledImage], Path,
                                            list[str]]:
    """Find each labelled image; write frames of videos and embedded images.

    Args:
        images: of a table; ``file`` becomes the path.
        folder: of the images, or a video.
        unpacked: folder for images that are written.

    Returns:
        The images that are there, the folder of all of them, to which
        ``file`` is relative then, and remarks.

    Raises:
        FileNotFoundError: if none is there.
        ValueError: if two names are of one file, or an image has another
            size than the labels say.
    """
    finder = ImageFinder(folder)
    finder.takes_only_video = len({
        image.file for image in images if image.frame is not None}) < 2
    kept, missing, repeated = [], [], []
    of_file: dict[str, tuple[str, LabeledImage]] = {}
    for image in images:
        name, frame = image.file, image.frame
        file = finder.image(name if frame is None else
                            f'{Path(name).stem}/frame_{frame:06d}.png')
        if file is None and Path(name).is_file() and frame is None:
            file = Path(name)
        if file is None:
            file = _write_pixels(image, finder, unpacked)
        if file is None:
            missing.append(name if frame is None else
                           f'frame {frame} of the video {name}')
            continue
        other, first = of_file.setdefault(str(file.absolute()), (name, image))
        if first is not image:
            if other != name and not all(
                    a == b for a, b in zip(Path(name).parts[::-1],
                                           Path(other).parts[::-1])):
                raise ValueError(f'the labels have {other} and {name}, but '
                                 f'for both {folder} has only {file}: give '
                                 'the folder that has both')
            repeated.append(name)
            first_points = [person.points for person in first.people]
            first.people += [person for person in image.people
                             if person.points not in first_points]
            continue
        with Image.open(file) as header:
            size = header.size
            if header.getexif().get(0x0112, 1) >= 5:  # turned by 90 degrees
                size = size[::-1]
        if image.is_relative and all(image.size):
            _rescale(image, size)
        if all(image.size) and sorted(image.size) != sorted(size):
            raise ValueError(
                f'{file} has {size[0]} x {size[1]} pixels, but the labels say '
                f'{image.size[0]} x {image.size[1]}: give the images that '
                'were labelled, not resized ones')
        image.size = size
        image.group = name if frame is not None else str(Path(name).parent)
        image.file = str(file.absolute())
        kept.append(image)
    if not kept:
        raise FileNotFoundError(f'{folder} has none of the {len(missing)} '
                                f'labelled images, such as {missing[0]}')
    remarks = [] if not missing else [
        f'{len(missing)} labelled images are not in {folder} and are left '
        f'out, such as {missing[0]}']
    if repeated:
        remarks.append(f'{len(repeated)} images are in the labels again, such '
                       f'as {repeated[0]}: what they have is put together')
    outside = [f'{name} in {Path(image.file).name}' for image in kept
               for person in image.people
               for name, (x, y, _) in person.points.items()
               if not (-1 <= x <= image.size[0] and -1 <= y <= image.size[1])
               or x == y == -1]
    if outside:
        remarks.append(f'{len(outside)} keypoints are outside their images, '
                       f'such as {outside[0]}: correct or remove them')
    root = Path(os.path.commonpath([Path(each.file).parent for each in kept]))
    for image in kept:
        image.file = Path(image.file).relative_to(root).as_posix()
    return kept, root, remarks


def _rescale(image: LabeledImage, size: tuple[int, int]) -> None:
    """Apply relative coordinates to the image as it is displayed."""
    x_factor, y_factor = np.divide(size, image.size)
    for person in image.people:
        person.points = {name: (x * x_factor, y * y_factor, v)
                         for name, (x, y, v) in person.points.items()}
        if person.box is not None:
            person.box = tuple(np.multiply(
                person.box, [x_factor, y_factor] * 2).tolist())
    image.size = size


def _write_pixels(image: LabeledImage, finder: ImageFinder,
                  out: Path) -> Path | None:
    """Write an image that labels contain, or the frame of a video."""
    stem = re.sub(r'[^\w.-]', '_', Path(image.file).stem)
    if image.frame is not None:
        stem = f'{stem}/frame_{image.frame:06d}'
    target = out / f'{stem}.png'
    if isinstance(image.pixels, bytes):
        image.pixels = cv2.imdecode(
            np.frombuffer(image.pixels, np.uint8), cv2.IMREAD_COLOR)
    elif image.pixels is None and image.frame is not None:
        video = finder.video(image.file)
        if video is None:
            return None
        capture = cv2.VideoCapture(str(video))
        capture.set(cv2.CAP_PROP_POS_FRAMES, image.frame)
        image.pixels = capture.read()[1]
    if image.pixels is None:
        return None
    save_image(target, image.pixels)
    image.pixels = None
    return target


class Split(NamedTuple):
    """Images to train and to validate on."""

    train: list[LabeledImage]
    val: list[LabeledImage]
    reason: str  #: a sentence on how they were told apart


def split_images(images: Sequence[LabeledImage]) -> Split:
    """Split by video, folder or beginning of the name.

    The parts that the labels name are kept. Where all images are of one
    video, the last of them validate, and those next to them are left out:
    neighbouring frames are nearly the same image.

    Raises:
        ValueError: if there are less than four images.
    """
    if len(images) < 4:
        raise ValueError(f'{len(images)} labelled images are too few: a '
                         'training needs four at least, and some fifty to '
                         'learn anything')
    if {image.part for image in images} == {'train', 'val'}:
        train, val = ([image for image in images if image.part == part]
                      for part in ('train', 'val'))
        return Split(train, val, 'The labels name both parts.')
    groups: dict[str, list[LabeledImage]] = defaultdict(list)
    for image in images:
        groups[image.group or ''].append(image)
    if len(groups) == 1:
        by_name = defaultdict(list)
        for image in images:
            # Roboflow's copies of an image, and the frames of a video.
            stem = re.sub(r'(_(jpe?g|png))?\.rf\..*', '',
                          Path(image.file).stem)
            by_name[re.sub(r'\d+$', '', stem)].append(image)
        if len(by_name) <= len(images) / 3:
            groups = by_name
    largest = max(map(len, groups.values()))
    if len(groups) > 1 and len(images) - largest >= 0.04 * len(images):
        chosen: list[str] = []
        count = 0
        for name in sorted(groups, key=lambda name: len(groups[name]))[:-1]:
            added = count + len(groups[name])
            if count >= VALIDATION / 2 * len(images) and (
                    added > VALIDATION * len(images)):
                break
            chosen.append(name)
            count = added
        train = [image for name, group in groups.items()
                 if name not in chosen for image in group]
        val = [image for name in chosen for image in groups[name]]
        return Split(train, val, f'{len(chosen)} of {len(groups)} videos, '
                     'folders or kinds of names validate: '
                     f'{", ".join(chosen[:5])}.')
    ordered = sorted(images, key=lambda image: [
        (0, int(part), '') if part.isdigit() else (1, 0, part)
        for part in re.findall(r'\d+|\D+', image.file)] + [image.frame or 0])
    count = max(round(VALIDATION * len(ordered)), 1)
    return Split(ordered[:-count - 1], ordered[-count:],
                 'All images are in one folder with names of one kind, as of '
                 'one video: the last of them validate, and the one before '
                 'is left out.')


def fills_images(images: Sequence[LabeledImage]) -> bool:
    """Return whether a whole image is a good crop of its only animal.

    As in recordings by a fixed camera close to the animal: there is one in
    each image, and in half of the images it spans half of the longer side.
    """
    if any(len(image.people) != 1 for image in images):
        return False
    return float(np.median([
        max(box_of(image, image.people[0].points)[2:]) / max(image.size)
        for image in images])) > 0.5


def never_flipped(images: Sequence[LabeledImage],
                  keypoints: KeypointNames) -> bool:
    """Return whether the flipped pose would be out of place in its image.

    A fixed camera sees some keypoints always on the same side of the image.
    """
    xs: dict[str, list[float]] = defaultdict(list)
    for image in images:
        for name, (x, _, _) in image.people[0].points.items():
            xs[name].append(x / image.size[0])
    means = {name: np.mean(each) for name, each in xs.items()}
    shifts = [
        abs(mean - 1 + means.get(keypoints.flips.get(name, name), mean)) /
        max(np.std(xs[name]), 0.05) for name, mean in means.items()
    ]
    return float(np.median(shifts)) > 1


def box_of(image: LabeledImage, points: dict) -> tuple[float, ...]:
    """Return left, top, width, height around keypoints, cut to the image."""
    places = np.array([each[:2] for each in points.values()])
    low, high = places.min(0), places.max(0)
    span = high - low
    # A flat box, and one around a single keypoint, have an area, too.
    margin = np.maximum(MARGIN * np.maximum(span, span.max() / 2), 2)
    low = np.clip(low - margin, 0, np.subtract(image.size, 2))
    high = np.clip(high + margin, low + 1, np.subtract(image.size, 1))
    return *low.tolist(), *(high - low).tolist()


def coco_content(images: Sequence[LabeledImage], keypoints: KeypointNames,
                 category: str, whole_image: bool) -> dict:
    """Return labels as the JSON that ``CustomKeypointDataset`` reads.

    Args:
        images: with sizes.
        keypoints: of the category.
        category: its name.
        whole_image: boxes are those of the images.
    """
    entries: list[dict] = []
    annotations: list[dict] = []
    for number, image in enumerate(images, start=1):
        width, height = image.size
        entries.append(
            dict(id=number, file_name=image.file, width=width, height=height))
        for person in image.people:
            box = (0, 0, width, height) if whole_image else (
                person.box or box_of(image, person.points))
            numbers = [value for name in keypoints.names
                       for value in person.points.get(name, (0, 0, 0))]
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=number,
                    category_id=1,
                    bbox=list(box),
                    area=box[2] * box[3],
                    iscrowd=0,
                    num_keypoints=len(person.points),
                    keypoints=numbers))
    index = {name: place + 1 for place, name in enumerate(keypoints.names)}
    return dict(
        images=entries,
        annotations=annotations,
        categories=[dict(
            id=1,
            name=category,
            keypoints=keypoints.names,
            skeleton=[[index[a], index[b]] for a, b in keypoints.links])])
