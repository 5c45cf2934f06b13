"""Positions of images on a sheet, and of pixels in a region."""
import numpy as np
import pytest

from hourglass_plugin.visualization import contact_sheet, crop_region


def picture(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_cells_are_eight_pixels_apart():
    images = [picture(10, 20, value) for value in (10, 20, 30)]
    sheet = contact_sheet(images, columns=2)
    assert sheet.shape == (8 + 2 * (10 + 8), 8 + 2 * (20 + 8), 3)
    for value, top, left in ((10, 8, 8), (20, 8, 36), (30, 26, 8)):
        cell = sheet[top:top + 10, left:left + 20]
        assert (cell == value).all()
        cell[:] = 255
    assert (sheet == 255).all()


def test_smaller_images_are_in_the_middle_of_their_cells():
    sheet = contact_sheet([picture(10, 20, 0), picture(4, 6, 50)], columns=2)
    rows, columns = np.nonzero((sheet == 50).all(axis=2))
    # 3 of 10 - 4 rows above; 7 of 20 - 6 columns left of it.
    assert (rows.min(), rows.max()) == (8 + 3, 8 + 3 + 3)
    assert (columns.min(), columns.max()) == (36 + 7, 36 + 7 + 5)


def test_fewer_images_than_columns_leave_no_empty_cells():
    assert contact_sheet([picture(5, 5, 0)], columns=9).shape == (21, 21, 3)


def test_captions_are_under_their_image_and_no_wider():
    images = [picture(10, 60, 255), picture(10, 60, 255)]
    sheet = contact_sheet(images, 2, ['much too long for sixty pixels', ''])
    rows, columns = np.nonzero(sheet.min(axis=2) < 200)
    assert rows.size and rows.min() >= 8 + 10
    assert columns.min() >= 8 and columns.max() < 8 + 60


def test_title_is_above_the_images():
    sheet = contact_sheet([picture(10, 200, 255)], 1, title='People')
    rows, _ = np.nonzero(sheet.min(axis=2) < 200)
    assert rows.size and rows.max() < sheet.shape[0] - 8 - 10 - 1


@pytest.mark.parametrize('images, columns, captions', [
    ([], 2, None),
    ([picture(2, 2, 0)], 0, None),
    ([picture(2, 2, 0)], 1, ['a', 'b']),
])
def test_wrong_arguments_are_refused(images, columns, captions):
    with pytest.raises(ValueError):
        contact_sheet(images, columns, captions)


@pytest.mark.parametrize('height', [30, 60, 240])  # zoom 1/2, 1, 4
def test_a_bright_spot_is_where_the_matrix_says(height):
    image = picture(200, 160, 0)
    image[80:84, 96:100] = 255  # its middle is at x 97.5, y 81.5
    cut, matrix = crop_region(image, np.array([90., 85.]),
                              np.array([80., 60.]), height)
    assert cut.shape == (height, height * 80 // 60, 3)
    light = cut[..., 0].astype(float)
    rows, columns = np.indices(light.shape)
    middle = [(light * axis).sum() / light.sum() for axis in (columns, rows)]
    # warpAffine interpolates at multiples of 1/32 of a pixel.
    np.testing.assert_allclose(middle, matrix @ [97.5, 81.5, 1], atol=0.05)


def test_outside_of_the_image_a_cut_out_is_grey():
    cut, _ = crop_region(
        picture(50, 50, 255), np.array([0, 25]), np.array([40, 40]), 40)
    assert (cut[:, :19] == 96).all() and (cut[:, 21:] == 255).all()


@pytest.mark.parametrize('center, scale', [((np.nan, 0), (5, 5)),
                                           ((0, 0), (5, 0))])
def test_an_empty_region_is_named(center, scale):
    with pytest.raises(ValueError):
        crop_region(picture(9, 9, 0), np.array(center), np.array(scale), 32)
