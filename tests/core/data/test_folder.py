"""A folder of pictures: read in order, brought to one size, and refused in a sentence."""

import pytest
from PIL import Image

from core.data.folder import folder


def test_pictures_of_any_size_in_the_order_of_their_names(tmp_path):
    Image.new("RGB", (40, 20), (255, 0, 0)).save(tmp_path / "b.png")
    Image.new("L", (8, 8), 0).save(tmp_path / "a.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    found = folder(tmp_path, 16)
    assert found.images.shape == (2, 3, 16, 16)
    assert found.images[0].max() < 10 and found.images[1, 0].min() > 250 and len(found.labels) == 2


def test_what_is_no_folder_of_pictures_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="There is no folder"):
        folder(tmp_path / "none", 16)
    with pytest.raises(ValueError, match="holds no PNG"):
        folder(tmp_path, 16)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken\.png: The file is not a PNG"):
        folder(tmp_path, 16)
