"""Pictures that are several are known, whatever they come as; those that are one are not taken for them."""

from __future__ import annotations

import base64
import io

import pytest

Image = pytest.importorskip("PIL.Image")

from lamella.data.media.frames import frames, several  # noqa: E402


def animation(kind: str) -> bytes:
    out, pages = io.BytesIO(), [Image.new("RGB", (8, 8), (60 * n, 10, 0)) for n in range(3)]
    pages[0].save(out, kind, save_all=True, append_images=pages[1:])
    return out.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_frames_of_files_uris_and_bytes(tmp_path, kind):
    raw = animation(kind)
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(raw)
    uri = f"data:image/{kind.lower()};base64,{base64.b64encode(raw).decode()}"
    assert [frames(value) for value in (path, str(path), raw, uri)] == [3] * 4


def test_what_is_one_or_none(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "one.png")
    (tmp_path / "no.gif").write_bytes(b"GIF89a nothing")
    names = ["one.png", "no.gif", "nowhere.tif", "text.txt"]
    assert several([tmp_path / name for name in names]) == [] and frames("data:image/png;base64,#") == 1


def test_what_is_said_beside_the_answer_to_an_animation():
    from lamella import registry

    uri = f"data:image/gif;base64,{base64.b64encode(animation('GIF')).decode()}"
    names = ("image-classification", "object-detection", "image-segmentation", "image-generation")
    for job in (registry.find(name)() for name in names):
        assert job.output.noted(job, {"image": uri}) == "has 3 frames or pages, of which the first is read."
        assert job.output.noted(job, {"image": "one.jpg"}) == job.output.noted(job, {}) == ""
