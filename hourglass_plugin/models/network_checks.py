"""Checks of a network's arguments and images; each error names the setting."""
from collections.abc import Sequence
from typing import Any

from torch import Tensor


def check_network_arguments(num_stacks: int, num_blocks: int | Sequence[int],
                            feat_channels: int | Sequence[int], depth: int,
                            num_keypoints: int | None, inner_heatmaps: int,
                            in_channels: int,
                            stem_channels: Sequence[int] | None
                            ) -> list[list[int]]:
    """Check arguments of ``StackedHourglass``, which explains them.

    Returns:
        ``num_blocks`` and ``feat_channels`` of each resolution.
    """
    for name, value in dict(
            num_stacks=num_stacks, depth=depth, in_channels=in_channels,
            num_keypoints=1 if num_keypoints is None else num_keypoints
            ).items():
        refuse(not _are_counts([value], 1),
               f'{name}={value!r} must be a positive integer')
    blocks, widths = ([given] * (depth + 1) if isinstance(given, int) else
                      given for given in (num_blocks, feat_channels))
    for name, numbers in (('num_blocks', blocks), ('feat_channels', widths)):
        refuse(not _are_counts(numbers, depth + 1),
               f'{name}={numbers!r} must be a positive integer, or one for '
               f'each of the {depth + 1} resolutions')
    refuse(any(width % 4 for width in widths),
           f'feat_channels={feat_channels} must be a multiple of 4')
    refuse(
        not isinstance(inner_heatmaps, int) or not 0 <= inner_heatmaps < depth
        or (inner_heatmaps > 0 and num_keypoints is None),
        f'inner_heatmaps={inner_heatmaps!r} must be a whole number from 0 to '
        f'less than depth={depth}, and needs num_keypoints')
    refuse(stem_channels is not None and not _are_counts(stem_channels, 3),
           f'stem_channels={stem_channels!r} must be three positive '
           'integers, e.g. (64, 128, 128)')
    return [list(blocks), list(widths)]


def refuse(is_wrong: bool, message: str) -> None:
    """Raise ValueError with a message if something is wrong."""
    if is_wrong:
        raise ValueError(message)


def _are_counts(values: Any, number: int) -> bool:
    """Return True for a sequence of that many positive integers."""
    return isinstance(values, (list, tuple)) and len(values) == number and all(
        isinstance(value, int) and value >= 1 for value in values)


def stack_indices(out_stacks: Sequence[int] | None,
                  num_stacks: int) -> tuple[int, ...]:
    """Return the requested stacks, ``None`` for all, as indices from 0.

    Raises:
        ValueError: if they are not different stacks in ascending order,
            counted from 0 or from the end, with the last one.
    """
    if out_stacks is None:
        return tuple(range(num_stacks))
    try:
        indices = tuple(range(num_stacks)[index] for index in out_stacks)
    except (TypeError, IndexError):
        indices = ()
    refuse(
        list(indices) != sorted(set(indices)) or num_stacks - 1 not in indices,
        f'out_stacks={out_stacks!r} must be different stacks in ascending '
        f'order, from 0 to {num_stacks - 1} or negative; the last one among '
        'them, or it would never learn')
    return indices


def check_image(image: Tensor, depth: int) -> None:
    """Check that the sides of images halve evenly down to the bottom.

    Raises:
        ValueError: if it is not a batch (B, C, H, W), or the size does not
            fit an hourglass that halves it ``depth`` times.
    """
    # Not by refuse: texts of sizes would fix them in an exported network.
    if image.ndim != 4:
        raise ValueError(f'the image is {tuple(image.shape)}, and must be a '
                         'batch (B, in_channels, H, W)')
    height, width = image.shape[-2:]
    fit = sides_that_fit((height, width), depth)
    if fit != (height, width):
        raise ValueError(
            f'the image has {height} x {width} pixels (height x width), but '
            f'depth {depth} needs multiples of {4 * 2**depth}, or one less; '
            f'resize or pad it, for example to {fit[0]} x {fit[1]}')


def sides_that_fit(sides: Sequence[int], depth: int) -> tuple[int, ...]:
    """Return sides, or the next multiple where one does not halve evenly."""
    multiple = 4 * 2**depth
    # One pixel less passes because the stem's stride rounds up.
    return tuple(
        side if (side + 1) % multiple in (0, 1) else -(-side // multiple) *
        multiple for side in sides)
