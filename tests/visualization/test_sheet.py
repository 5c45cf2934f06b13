"""Positions of images on a sheet, and of pixels in a region."""
import numpy as np
import pytest

from hourglass_plugin.visualization import contact_sheet, crop_region


def picture(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_cells_are_eight_pixels_apart():
    images = [picture(10, 20, 10), picture(10, 20, 20), picture(4, 6, 30)]
    sheet = contact_sheet(images, columns=2)
    assert sheet.shape == (8 + 2 * (10 + 8), 8 + 2 * (20 + 8), 3)
    # The last in the middle: (10 - 4) / 2 lower, (20 - 6) / 2 to the right.
    for image, top, left in zip(images, (8, 8, 26 + 3), (8, 36, 8 + 7)):
        height, width, _ = image.shape
        cell = sheet[top:top + height, left:left + width]
        assert (cell == image).all()
        cell[:] = 255
    assert (sheet == 255).all()
    assert contact_sheet(images[2:], columns=9).shape == (4 + 16, 6 + 16, 3)


@pytest.mark.parametrize('height', [30, 60, 240])  # zoom 1/2, 1, 4
def test_a_bright_spot_is_where_the_matrix_says(height):
    image = picture(200, 160, 0)
    image[80:84, 96:100] = 255  # its middle is at x 97.5, y 81.5
    cut, matrix = crop_region(image, (90, 85), (80, 60), height)
    assert cut.shape == (height, height * 80 // 60, 3)
    light = cut[..., 0].astype(float)
    rows, columns = np.indices(light.shape)
    middle = [(light * axis).sum() / light.sum() for axis in (columns, rows)]
    # warpAffine interpolates at multiples of 1/32 of a pixel.
    np.testing.assert_allclose(middle, matrix @ [97.5, 81.5, 1], atol=0.05)


def test_outside_of_the_image_a_region_is_grey():
    cut, _ = crop_region(picture(50, 50, 255), (0, 25), (40, 40), 40)
    assert (cut[:, :19] == 96).all() and (cut[:, 21:] == 255).all()
