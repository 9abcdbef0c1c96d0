"""Which mask belongs to which picture: by the folders they are in and by their names.

two_folders(place)                  the folder of pictures and that of masks
pairs(images, masks, account)       pictures and masks of the same name in these
side_by_side(place, account)        `a.jpg` and `a_mask.png` in one folder
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lamella.data.media.images import SUFFIXES
from lamella.data.readers.masked import Account
from lamella.data.text.encoding import show_path

IMAGES = (
    *("images", "image", "imgs", "img", "jpegimages", "inputs", "input", "pictures", "rgb", "photos", "raw", "x"),
    *("img_dir", "image_dir", "images_dir", "leftimg8bit", "png_images", "original_images", "sat"),
)
MASKS = (
    *("masks", "mask", "segmentationclass", "labels", "label", "annotations", "gt", "groundtruth", "ground_truth"),
    *(
        "targets",
        "target",
        "segmentations",
        "annotation",
        "annots",
        "y",
        "ann_dir",
        "mask_dir",
        "masks_dir",
        "label_dir",
    ),
    *("gtfine", "png_masks", "label_images_semantic", "map", "segmentation", "seg"),
)
ENDINGS = (
    *("_mask", "_masks", "_label", "_labels", "_seg", "_segmentation", "_gt", "_l", "-mask", "-label", ".mask"),
    *("_groundtruth", "_annotation", "_instances", "_gtfine_labelids", "_labelids"),
)
OF_IMAGES = ("_leftimg8bit", "_image", "_img", "_sat", "_rgb", "_raw")
BESIDE = ("annot", "_labels", "_masks", "_mask")  # train_masks/ beside train/
SHARED = "pictures of one name with a single mask, which may be any one's and are left out"


def two_folders(place: Path) -> tuple[Path, Path] | None:
    """The folder of pictures and that of masks, inside a folder or beside it."""
    inside = {p.name.lower(): p for p in sorted(place.iterdir()) if p.is_dir() and not p.name.startswith(".")}
    beside = {p.name.lower(): p for p in sorted(place.resolve().parent.iterdir()) if p.is_dir()}
    masks = next((inside[name] for name in MASKS if name in inside), None)
    images = next((inside[name] for name in IMAGES if name in inside), None)
    if masks and images:
        return images, masks
    if masks and pictures(place, deep=False):
        return place, masks
    if place.name.lower() in IMAGES:
        other = next((beside[name] for name in MASKS if name in beside), None)
        return (place, other) if other else None
    both = [(path, inside[name + end]) for name, path in inside.items() for end in BESIDE if name + end in inside]
    if len(both) == 1:
        return both[0]
    other = next((beside[place.name.lower() + end] for end in BESIDE if place.name.lower() + end in beside), None)
    if other is None and place.resolve().parent.name.lower() in IMAGES:  # images/train beside labels/train
        above = place.resolve().parent.parent
        named = {p.name.lower(): p / place.name for p in above.iterdir() if (p / place.name).is_dir()}
        other = next((named[name] for name in MASKS if name in named), None)
    return (place, other) if other else None


def pictures(place: Path, deep: bool = True) -> list[Path]:
    files = place.rglob("*") if deep else place.iterdir()
    return sorted(p for p in files if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file())


def pairs(images: Path, masks: Path, account: Account) -> list[tuple[Path, Path]]:
    """Pictures and the masks of the same name, in one folder each, whatever their suffixes."""

    def key(path: Path, root: Path, endings: Sequence[str]) -> str:
        stem = _stem(path.relative_to(root))
        return next((stem.removesuffix(end) for end in endings if stem.endswith(end)), stem)

    by_name: dict[str, list[Path]] = {}
    for mask in pictures(masks):
        exact, short = key(mask, masks, ()), key(mask, masks, ENDINGS)
        for name in dict.fromkeys((exact, short)):
            by_name.setdefault(name, []).append(mask)
    matched, used = [], set[Path]()
    deep = not masks.is_relative_to(images)
    for image in pictures(images, deep):
        named = by_name.get(key(image, images, ())) or by_name.get(key(image, images, OF_IMAGES), [])
        used.update(named)
        if len(named) != 1:
            why = "several masks" if named else "no mask"
            account.leave(f"pictures with {why}, which are left out", show_path(image))
            continue
        matched.append((image, named[0]))
    for mask in pictures(masks):
        if mask not in used:
            account.leave("masks without a picture, which are left out", show_path(mask))
    return _not_shared(matched, account)


def _stem(path: Path) -> str:
    """A path without its suffix, as names are compared: systems write accents in two ways."""
    return unicodedata.normalize("NFC", str(path.with_suffix(""))).lower()


def _not_shared(matched: list[tuple[Path, Path]], account: Account) -> list[tuple[Path, Path]]:
    """Without the pictures of one name, 3.png and 3.jpg: their one mask shows one of them, and nobody knows which."""
    users = Counter(mask for _, mask in matched)
    for image, mask in matched:
        if users[mask] > 1:
            account.leave(SHARED, show_path(image))
    return [(image, mask) for image, mask in matched if users[mask] == 1]


def side_by_side(place: Path, account: Account) -> list[tuple[Path, Path]]:
    """`a.jpg` and `a_mask.png`, or `mask_a.png`, in one folder or below it."""
    files = pictures(place)
    masks = {}
    for file in files:
        stem = _stem(Path(file.name))
        if end := next((end for end in ENDINGS if stem.endswith(end)), ""):
            masks[file.parent, stem[: -len(end)]] = file
        elif begin := next((b for b in (f"{end[1:]}_" for end in ENDINGS) if stem.startswith(b)), ""):
            masks[file.parent, stem.removeprefix(begin)] = file
    matched = []
    for file in files:
        stems = [_stem(Path(file.name))]
        stems += [stems[0].removesuffix(end) for end in OF_IMAGES if stems[0].endswith(end)]
        if mask := next((masks[file.parent, stem] for stem in stems if (file.parent, stem) in masks), None):
            matched.append((file, mask))
    taken = {f for pair in matched for f in pair}
    for file in files if matched else ():
        if file not in taken:
            account.leave("pictures with no mask, which are left out", show_path(file))
    return _not_shared(matched, account)
