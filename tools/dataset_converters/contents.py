"""What is prepared, and what a data set consists of."""
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

from hourglass_plugin.datasets.readers.person import Person

Options = Mapping[str, Union[str, bool, None]]


class Task(NamedTuple):
    """What to prepare, from what, to where.

    Attributes:
        downloads: files and folders that were downloaded.
        out: the data set's folder.
        copy: copy images that lie unpacked somewhere instead of linking them.
        image_check: whether to decode every image.
        allow_other_counts: whether other numbers of people are only warned of.
        force: whether to prepare what is complete already.
    """

    downloads: Sequence[str]
    out: str
    copy: bool = False
    image_check: bool = True
    allow_other_counts: bool = False
    force: bool = False


class Subset(NamedTuple):
    """People who become one annotation file.

    Attributes:
        file: its name.
        purpose: what they are for, after "people to".
        people: in the order in which they are written.
        first_pixel: number of the first pixel in the file, 0 or 1.
    """

    file: str
    purpose: str
    people: list[Person]
    first_pixel: int
    center_drop: float = 0.0


class Count(NamedTuple):
    """How many of something there are and should be."""

    what: str
    found: int
    expected: int


class ImageFolder(NamedTuple):
    """A folder of images that annotations name.

    Attributes:
        target: where it belongs, below the data set's folder.
        prefix: what the image names in the annotations start with.
        given: where the images are, if the user said so.
        near: a folder whose images are meant if several have such names.
        option: the option with which the user can say so.
    """

    target: str
    prefix: str
    given: Optional[str]
    near: Path
    option: str


class Contents(NamedTuple):
    """What a data set consists of, as the downloads have it.

    Attributes:
        subsets: the people.
        counts: what is checked.
        images: the folders of images.
        warnings: what the user should know, a line each.
    """

    subsets: list[Subset]
    counts: list[Count]
    images: list[ImageFolder]
    warnings: list[str]


def scratch_folder(out: Path) -> Path:
    """The folder beside a data set's in which it is made."""
    out = out.resolve()  # a link may lead to another disk
    return out.with_name(out.name + '.unfinished')
