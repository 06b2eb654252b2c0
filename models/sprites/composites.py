"""Heads of nobody: means over people whose hair and outline are alike, in one common shape."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from capture.drawn_faces import HEIGHT, WIDTH
from models.sprites.first_names import MEN, WOMEN
from models.sprites.geometry import (
    ACROSS,
    DOWN,
    MIDDLE,
    OVAL,
    Points,
    Spline,
    angles,
    covered,
    decoded,
    every_pixel,
    frontal_mean,
    moved,
    on_canvas,
    smoothstep,
    straightened,
    turned,
)

MEMBERS: Final = 24
SIDE_YAW: Final = 32.0
CLUSTERS: Final = {"women": 64, "men": 72}
CHOSEN: Final = {
    "women": (1, 4, 5, 9, 11, 12, 14, 15, 18, 22, 26, 28, 30, 33, 34, 43, 48, 51, 53, 62),
    "men": (3, 5, 9, 10, 16, 19, 23, 25, 29, 30, 31, 34, 36, 37, 46, 47, 53, 57, 59, 63),
}
"""Clusters whose composites are clean and unlike each other, chosen by eye from `contact_sheet`; other data, seeds or
versions number them otherwise."""
LONG_HAIR: Final = {"women": set(CHOSEN["women"]) - {15, 18, 28, 53}, "men": {37}}


@dataclass(frozen=True, slots=True)
class Portraits:
    """The portraits that have a face, with what was measured on them.

    Attributes:
        files: JPEG bytes; masks: PNG bytes.
        people: whose they are.
        landmarks: float64 (N, 468, 3) in pixels of the picture.
        poses: (N, 3) yaw, pitch, roll in degrees.
        readings: (N, 7) of the labeller, in the order of `engagement.emotion.EXPRESSIONS`.
        mean: (468, 3) neutral mean shape on the canvas; mirror: (468,) index of each point's mirror image.
    """

    files: list[bytes]
    masks: list[bytes]
    people: NDArray[Any]
    landmarks: Points
    poses: Points
    readings: NDArray[np.float32]
    mean: Points
    mirror: NDArray[np.intp]

    @property
    def heights(self) -> Points:
        """Pixels from the top of the forehead to the chin."""
        return np.asarray(self.landmarks[:, 152, 1] - self.landmarks[:, 10, 1])

    def picture(self, index: int | np.intp) -> list[NDArray[np.uint8]]:
        """BGR, mask of the person and mask of the picture without the black corners of its making."""
        picture = decoded(self.files[index], cv2.IMREAD_COLOR)
        mask = decoded(self.masks[index], cv2.IMREAD_GRAYSCALE)
        _, parts = cv2.connectedComponents((picture.max(axis=2) < 6).astype(np.uint8))
        rim = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
        black = np.isin(parts, rim[rim > 0])
        valid = cv2.erode(np.where(black, 0, 255).astype(np.uint8), np.ones((5, 5), np.uint8))
        valid[:2] = valid[-2:] = 0
        valid[:, :2] = valid[:, -2:] = 0
        return [np.asarray(part, np.uint8) for part in (picture, mask, valid)]


def read_portraits(data: Path, work: Path, labeller: Path) -> Portraits:
    """Portraits with landmarks, their pose, and what the labeller reads on them."""
    table = pd.read_parquet(data / "faces/portraits.parquet")
    with (work / "lfw.pkl").open("rb") as stored:
        found, masks = pickle.load(stored)  # noqa: S301 -- written by the first step
    rows = sorted(found)
    whole = np.array([found[row] for row in rows], np.float64)
    mean, mirror = frontal_mean(np.array([found[row] for row in rows[::10]], np.float64))
    landmarks = whole[:, :468]
    poses = np.array([angles(mean, face) for face in landmarks])
    files = [table["image"].iloc[row] for row in rows]
    readings = _labelled(files, landmarks, labeller)
    gap = np.linalg.norm(landmarks[:, 13, :2] - landmarks[:, 14, :2], axis=1)
    gap /= landmarks[:, 152, 1] - landmarks[:, 10, 1]
    calm = (gap < 0.02) & (readings[:, 6] > 0.5) & (np.abs(poses[:, 0]) < 8) & _is_frontal(poses, landmarks)
    neutral = np.mean([moved(face, mean) for face in landmarks[calm]], axis=0)
    neutral = (neutral + neutral[mirror] * [-1, 1, 1]) / 2
    return Portraits(
        files,
        [masks[row] for row in rows],
        table["person"].to_numpy()[rows],
        landmarks,
        poses,
        readings,
        on_canvas(neutral),
        mirror,
    )


def _is_frontal(poses: Points, landmarks: Points) -> NDArray[np.bool_]:
    tall = landmarks[:, 152, 1] - landmarks[:, 10, 1]
    yaw, pitch, roll = poses.T
    near = (np.abs(yaw + 2) < 13) & (np.abs(pitch - 3) < 11) & (np.abs(roll) < 10)
    return np.asarray(near & (tall > 90))


def _labelled(files: list[bytes], landmarks: Points, labeller: Path) -> NDArray[np.float32]:
    import keras

    crops = []
    for file, points in zip(files, landmarks, strict=True):
        grey = decoded(file, cv2.IMREAD_GRAYSCALE)
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        side, centre = float((high - low).max()) * 1.12, (low + high) / 2
        place = np.array(
            [[64 / side, 0, 32 - centre[0] * 64 / side], [0, 64 / side, 32 - centre[1] * 64 / side]]
        )
        crops.append(
            cv2.warpAffine(grey, place, (64, 64), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )
    batch = np.array(crops, np.float32)[..., None] / 127.5 - 1
    model = keras.models.load_model(labeller, compile=False)
    return np.concatenate([np.asarray(model(batch[i : i + 256])) for i in range(0, len(batch), 256)])


@dataclass(frozen=True, slots=True)
class Straight:
    """Portraits of about one pose in the common shape.

    Attributes:
        layers: uint8 (N, HEIGHT, WIDTH, 5), BGR, mask of the person, mask of the picture.
        people: (N,) whose they are.
        own_shape: (N, 468, 3) landmarks brought to the common pose, in pixels of the canvas.
        female: (N,) probability of a woman.
    """

    layers: NDArray[np.uint8]
    people: NDArray[Any]
    own_shape: Points
    female: NDArray[np.float64]

    def picture(self, index: int | np.intp, *, flip: bool) -> NDArray[np.uint8]:
        """One portrait's layers, mirrored if asked."""
        return np.asarray(self.layers[index][:, ::-1] if flip else self.layers[index])


def straighten_frontal(portraits: Portraits) -> tuple[Straight, NDArray[np.intp]]:
    """Frontal portraits in the mean shape, and their rows."""
    rows = np.flatnonzero(_is_frontal(portraits.poses, portraits.landmarks))
    target = portraits.mean[:, :2]
    spline = Spline(target)
    layers = np.zeros((len(rows), HEIGHT, WIDTH, 5), np.uint8)
    for place, row in enumerate(rows):
        parts = straightened(portraits.picture(row), portraits.landmarks[row, :, :2], spline, target)
        layers[place] = np.dstack(parts)
    shapes = np.array([moved(face, portraits.mean) for face in portraits.landmarks[rows]])
    people = portraits.people[rows]
    return Straight(layers, people, shapes, _female(layers, people, (60, 220, 60, 196), 0.02)), rows


def straighten_sideways(portraits: Portraits) -> Straight:
    """Portraits seen from three quarters, all brought to look to the right of the picture."""
    poses = np.array([angles(portraits.mean, face) for face in portraits.landmarks])
    yaw, pitch, roll = np.abs(poses).T
    rows = np.flatnonzero((yaw > 21) & (yaw < 42) & (pitch < 16) & (roll < 14) & (portraits.heights > 88))
    target = turned(portraits.mean, SIDE_YAW)
    spline = Spline(target, stiffness=300.0)
    layers = np.zeros((len(rows), HEIGHT, WIDTH, 5), np.uint8)
    for place, row in enumerate(rows):
        parts, points = portraits.picture(row), portraits.landmarks[row, :, :2]
        if poses[row, 0] > 0:  # MediaPipe's yaw grows to the left of the picture
            width = parts[0].shape[1]
            parts = [np.ascontiguousarray(part[:, ::-1]) for part in parts]
            points = points[portraits.mirror] * [-1, 1] + [width - 1, 0]
        layers[place] = np.dstack(straightened(parts, points, spline, target, rigid=list(range(468))))
    people = portraits.people[rows]
    shapes = np.array([moved(face, portraits.mean) for face in portraits.landmarks[rows]])
    return Straight(layers, people, shapes, _female(layers, people, (60, 220, 50, 206), 0.01))


def _female(
    layers: NDArray[np.uint8], people: NDArray[Any], face: tuple[int, int, int, int], strength: float
) -> NDArray[np.float64]:
    """Probability of a woman by a linear classifier of pictures, labelled by first names; these overrule it."""
    top, bottom, left, right = face
    small = [
        cv2.resize(
            cv2.cvtColor(np.ascontiguousarray(layer[top:bottom, left:right, :3]), cv2.COLOR_BGR2GRAY),
            (34, 40),
            interpolation=cv2.INTER_AREA,
        )
        for layer in layers
    ]
    grey = np.array(small, np.float32).reshape(len(layers), -1)
    grey = (grey - grey.mean(1, keepdims=True)) / grey.std(1, keepdims=True)
    hair = np.array([outline(layer) for layer in layers]).reshape(len(layers), -1)
    parts = np.c_[
        PCA(80, random_state=0).fit_transform(grey), PCA(60, random_state=0).fit_transform(hair) * 3
    ]
    first = [str(person).split("_")[0] for person in people]
    label = np.array([1 if name in WOMEN else 0 if name in MEN else -1 for name in first])
    model = LogisticRegression(C=strength, max_iter=3000, class_weight="balanced")
    model.fit(parts[label >= 0], label[label >= 0])
    chance = model.predict_proba(parts)[:, 1]
    chance[label == 1] = np.maximum(chance[label == 1], 0.6)
    chance[label == 0] = np.minimum(chance[label == 0], 0.4)
    return np.asarray(chance)


def outline(layer: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What two people have to share to be mixed: colours and outline of head and hair, coarsely."""
    values = layer.astype(np.float32)
    mask = values[..., 3:4] / 255
    features = np.dstack([values[..., :3] / 255 * mask, mask * 0.8])
    return np.asarray(cv2.resize(features[20:225], (26, 26), interpolation=cv2.INTER_AREA))


def mixed(pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of pictures (n, HEIGHT, WIDTH, 5): BGR and cover.

    Brought to one exposure first, then moved by optical flow onto their own mean, which keeps hair and eyes sharp.
    """
    stack = pictures.astype(np.float32)
    colour, mask, valid = stack[..., :3], stack[..., 3:4] / 255, stack[..., 4:5] / 255
    skin = np.array([picture[118:200, 100:156].reshape(-1, 3).mean(0) for picture in colour])
    gain = (np.exp(np.log(skin).mean(0)) / skin) ** 0.8
    colour = np.clip(colour * gain[:, None, None], 0, 255)
    weight = valid * (mask * 0.98 + 0.02)
    mean = (colour * weight).sum(0) / weight.sum(0).clip(0.2)
    cover = (mask * valid).sum(0) / valid.sum(0).clip(1)
    goal = _flat(mean, cover)
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    total = np.zeros_like(mean)
    covers, weights = np.zeros_like(cover), np.zeros_like(cover)
    for picture, own, sound, share in zip(colour, mask, valid, weight, strict=True):
        flow = cv2.GaussianBlur(flow_of.calc(goal, _flat(picture, own), None), (0, 0), 5)
        flow *= np.minimum(1, 8 / (np.linalg.norm(flow, axis=2, keepdims=True) + 1e-6))
        x, y = ACROSS + flow[..., 0], DOWN + flow[..., 1]
        weight_here = cv2.remap(share, x, y, cv2.INTER_LINEAR)[..., None]
        total += np.clip(cv2.remap(picture, x, y, cv2.INTER_CUBIC), 0, 255) * weight_here
        weights += weight_here
        covers += cv2.remap(own * sound, x, y, cv2.INTER_LINEAR)[..., None]
    return np.clip(total / weights.clip(0.2), 0, 255), covers / valid.sum(0).clip(1)


def _flat(colour: NDArray[np.float32], cover: NDArray[np.float32]) -> NDArray[np.uint8]:
    on_grey = np.clip(colour * cover + 128 * (1 - cover), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(on_grey, cv2.COLOR_BGR2GRAY), np.uint8)


@dataclass(frozen=True, slots=True)
class Head:
    """One composite.

    Attributes:
        picture: uint8 (HEIGHT, WIDTH, 4), BGR and alpha.
        offset: (468, 2) its own proportions against the mean, in pixels.
        woman, long_hair: of its members.
        members: how many people are in it.
    """

    picture: NDArray[np.uint8]
    offset: Points
    woman: bool
    long_hair: bool
    members: int


def compose(
    straight: Straight, readings: NDArray[np.float32], portraits: Portraits, sheet: Path | None = None
) -> list[Head]:
    """The chosen composites: hair and outline from one cluster, the face from its nearest neutral people."""
    count = len(straight.people)
    source = np.r_[np.arange(count), np.arange(count)]
    flip = np.r_[np.zeros(count, bool), np.ones(count, bool)]
    features = np.array([outline(layer) for layer in straight.layers])
    features = np.concatenate([features, features[:, :, ::-1]])
    features[:, 8:24, 7:19] *= 0.7  # hair tells more than the face
    space = PCA(40, random_state=0).fit_transform(features.reshape(2 * count, -1))
    corners = straight.layers[:, 20:110, :, 3].astype(np.float32)
    others = (corners[:, :, :40].mean((1, 2)) + corners[:, :, -40:].mean((1, 2))) / 255
    gap = straight.own_shape[:, 14, 1] - straight.own_shape[:, 13, 1]
    neutral = (readings[:, 6] + readings[:, 4] * 0.5 > 0.45) & (readings[:, 3] < 0.2) & (gap < 3.2)
    heads = []
    for sort, sign in (("women", 1), ("men", -1)):
        own = (straight.female > 0.6) if sign > 0 else (straight.female < 0.4)
        pool = np.flatnonzero(np.tile(own & (others < 0.5), 2))
        calm = np.flatnonzero(np.tile(own & neutral, 2))
        clusters = KMeans(CLUSTERS[sort], n_init=2, random_state=1).fit(space[pool])
        groups = [
            _nearest(space, pool, centre, straight.people[source]) for centre in clusters.cluster_centers_
        ]
        if sheet is not None:
            contact_sheet(straight, [(source[group], flip[group]) for group in groups], sheet / f"{sort}.png")
        for number in CHOSEN[sort]:
            group = groups[number]
            faces = _nearest(space, calm, space[group].mean(0), straight.people[source])
            hair, cover = mixed(np.array([straight.picture(source[q], flip=flip[q]) for q in group]))
            face, _ = mixed(np.array([straight.picture(source[q], flip=flip[q]) for q in faces]))
            long_hair = number in LONG_HAIR[sort]
            shapes = [
                _mirrored(straight.own_shape[source[q]], portraits.mirror)
                if flip[q]
                else straight.own_shape[source[q]]
                for q in faces
            ]
            heads.append(
                Head(
                    finish(
                        _face_into(hair, face, portraits.mean),
                        cover[..., 0],
                        portraits.mean[:, :2],
                        long_hair=long_hair,
                    ),
                    1.7 * (np.mean(shapes, axis=0) - portraits.mean)[:, :2],
                    sign > 0,
                    long_hair,
                    len(set(straight.people[source[group]]) | set(straight.people[source[faces]])),
                )
            )
    return heads


def _nearest(space: Points, pool: NDArray[np.intp], centre: Points, people: NDArray[Any]) -> NDArray[np.intp]:
    """The nearest `MEMBERS` of the pool, one picture of a person at most."""
    seen: dict[str, int] = {}
    for index in pool[np.argsort(((space[pool] - centre) ** 2).sum(1))]:
        seen.setdefault(str(people[index]), int(index))
        if len(seen) == MEMBERS:
            break
    return np.array(list(seen.values()))


def _mirrored(shape: Points, mirror: NDArray[np.intp]) -> Points:
    return shape[mirror] * [-1, 1, 1] + [2 * MIDDLE, 0, 0]


def _face_into(hair: NDArray[np.float32], face: NDArray[np.float32], mean: Points) -> NDArray[np.float32]:
    """The neutral face laid into the head, in the head's own light."""
    oval = covered(mean[OVAL, :2], 6.0, 0.86)[..., None]
    light = cv2.GaussianBlur(oval, (0, 0), 16)[..., None].clip(0.02)
    ratio = (cv2.GaussianBlur(hair * oval + 1, (0, 0), 16) / light) / (
        cv2.GaussianBlur(face * oval + 1, (0, 0), 16) / light
    )
    return np.asarray(hair * (1 - oval) + face * ratio.clip(0.6, 1.6) * oval)


def finish(
    colour: NDArray[np.float32],
    cover: NDArray[np.float32],
    mesh: Points,
    *,
    long_hair: bool,
    sideways: bool = False,
) -> NDArray[np.uint8]:
    """Sharpen what the mean has softened, cut out head and hair, and paint a neck. BGR and alpha."""
    picture = colour + 0.8 * (colour - cv2.GaussianBlur(colour, (0, 0), 1.3))
    picture = np.clip(picture + 0.35 * (colour - cv2.GaussianBlur(colour, (0, 0), 4)), 0, 255)
    alpha = smoothstep(cover, 0.3, 0.78)
    face = covered(mesh[OVAL], 1.0, 0.985)
    inside = picture[covered(mesh[OVAL], 1.0, 0.8) > 0.5]
    light = inside.sum(1)
    low, high = np.percentile(light, (35, 80))
    skin = np.median(inside[(light > low) & (light < high)], axis=0)
    beside = np.abs(ACROSS - MIDDLE)
    soft = long_hair or sideways
    half = (
        (36 if long_hair else 40)
        - 2 * np.exp(-(((DOWN - 234) / 16) ** 2))
        + np.clip((DOWN - 246) / 12, 0, 3) ** 2
    )
    edge = np.clip((beside - (half - 7 if soft else half)) / (5.0 if soft else 1.6), -30, 30)
    neck = (1 / (1 + np.exp(edge))) * (DOWN > 186) * (1 - face) * smoothstep(DOWN, 186, 200)
    shadow = 1 - smoothstep(DOWN - (mesh[152, 1] - 2), 0, 34)
    shade = 0.93 - 0.36 * shadow - 0.16 * np.clip(beside / 40, 0, 1) ** 3
    painted = skin * shade[..., None] * [0.97, 0.985, 1.0]
    picture = picture * (1 - neck[..., None]) + painted * neck[..., None]
    if not long_hair:
        if sideways:
            alpha = alpha * (1 - smoothstep(DOWN, 206, 224) * smoothstep(beside, 38, 48))
        else:
            alpha = alpha * np.maximum.reduce(
                [1 - smoothstep(DOWN, 174, 188), covered(mesh[OVAL], 2.0, 1.025), neck]
            )
    alpha = np.maximum(alpha, neck) * (1 - smoothstep(DOWN, 268, 286))
    if long_hair:
        alpha = alpha * np.where(beside > 32, 1 - smoothstep(DOWN, 236, 268), 1)
    alpha = alpha * smoothstep(ACROSS, 1, 26) * smoothstep(WIDTH - 1 - ACROSS, 1, 26)
    weight = alpha[..., None] ** 2 + 1e-3  # let colour run out over the edge, so that it has no dark rim
    around = cv2.GaussianBlur(picture * weight, (0, 0), 4) / cv2.GaussianBlur(weight, (0, 0), 4)[..., None]
    picture = picture * alpha[..., None] + around * (1 - alpha[..., None])
    return np.dstack([np.clip(picture, 0, 255), alpha * 255]).astype(np.uint8)


def compose_sideways(sideways: Straight, heads: list[Head], mean: Points) -> list[NDArray[np.uint8]]:
    """For each head a three-quarter view from the people whose own view is nearest to the head, turned."""
    features = np.array([outline(layer) for layer in sideways.layers])
    field = every_pixel(turn_field(mean, 30.0))
    views = []
    for head in heads:
        guess = cv2.remap(head.picture, ACROSS + field[..., 0], DOWN + field[..., 1], cv2.INTER_LINEAR)
        far = ((features - outline(guess)) ** 2).sum((1, 2, 3))
        far += np.where(sideways.female > 0.6 if head.woman else sideways.female < 0.4, 0, 1e6)
        chosen: dict[str, int] = {}
        for index in np.argsort(far):
            chosen.setdefault(str(sideways.people[index]), int(index))
            if len(chosen) == MEMBERS:
                break
        colour, cover = mixed(sideways.layers[list(chosen.values())])
        view = finish(colour, cover[..., 0], turned(mean, SIDE_YAW), long_hair=head.long_hair, sideways=True)
        views.append(_recoloured(view, head.picture, covered(turned(mean, SIDE_YAW)[OVAL], 7.0, 0.95)))
    return views


def _recoloured(
    view: NDArray[np.uint8], front: NDArray[np.uint8], face: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The view with the skin and the hair of the frontal picture."""
    skin = np.maximum(face, smoothstep(DOWN, 188, 200))[..., None]
    places = (
        (slice(150, 185), slice(88, 168), slice(100, 150)),
        (slice(42, 72), slice(100, 156), slice(95, 145)),
    )
    on_skin, on_hair = (
        (_median(front[rows, own]) / _median(view[rows, side]).clip(1)).clip(0.45, 1.7)
        for rows, own, side in places
    )
    view[..., :3] = np.clip(view[..., :3] * (on_skin * skin + on_hair * (1 - skin)), 0, 255).astype(np.uint8)
    return view


def _median(part: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(np.median(part[..., :3].reshape(-1, 3), axis=0), np.float64)


def turn_field(mean: Points, yaw: float, pitch: float = 0.0) -> NDArray[np.float32]:
    """Backward field that turns a head picture; hair turns with an egg around the face."""
    angle = np.linspace(np.radians(-205), np.radians(25), 28)
    hair = np.stack([MIDDLE + 80 * np.cos(angle), 132 + 100 * np.sin(angle), np.full(28, 48.0)], 1)
    inner = angle[4:-4]
    brow = np.stack([MIDDLE + 66 * np.cos(inner), 125 + 72 * np.sin(inner), np.full(20, 10.0)], 1)
    points = np.concatenate([mean, hair, brow[brow[:, 1] < 84]])
    target = turned(points, yaw, pitch)
    return Spline(target).field(points[:, :2] - target)


def contact_sheet(
    straight: Straight, groups: list[tuple[NDArray[np.intp], NDArray[np.bool_]]], path: Path
) -> None:
    """All composites of one sort with their numbers, to choose from."""
    shown = []
    for number, (rows, flips) in enumerate(groups):
        colour, cover = mixed(
            np.array([straight.picture(row, flip=flip) for row, flip in zip(rows, flips, strict=True)])
        )
        tile = np.ascontiguousarray((colour * cover + 140 * (1 - cover)).astype(np.uint8)[10:250])
        cv2.putText(tile, str(number), (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
        shown.append(tile)
    cv2.imwrite(str(path), np.vstack([np.hstack(shown[row : row + 8]) for row in range(0, len(shown), 8)]))
