"""Shaded solids on an image: ellipsoids, limbs and flared tubes.

Everything is in image space: x right, y down, z towards the viewer, in
pixels, seen without perspective. A depth per pixel decides what is in front.
A *paint* is a function from places on the solid to BGR colours (N, 3).
"""
from typing import Callable, Optional

import numpy as np
from numpy.typing import ArrayLike

Paint = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


class Canvas:
    """A BGR image that solids are drawn into.

    Args:
        image: (H, W, 3) float32, 0 to 255; it is drawn into.
        light: (3,) direction towards the light, unit length, image space.
        ambient: share of light (0 to 1) that reaches the dark side.
    """

    def __init__(self, image: np.ndarray, light: np.ndarray,
                 ambient: float) -> None:
        self.image = image
        self.light = light.astype(np.float32)
        self.ambient = ambient
        height, width = image.shape[:2]
        self.depth = np.full((height, width), -np.inf, np.float32)
        places = np.indices((height, width), np.float32)
        self._y, self._x = places[0], places[1]

    def start_person(self) -> None:
        """What is drawn from now on hides all that is there."""
        self.depth.fill(-np.inf)

    def _window(
        self, low: np.ndarray, high: np.ndarray
    ) -> Optional[tuple[tuple[slice, slice], np.ndarray, np.ndarray]]:
        """Part of the image between two corners, with its pixels' x and y."""
        height, width = self.depth.shape
        x0, y0 = np.maximum(np.floor(low).astype(int), 0)
        x1, y1 = np.ceil(high).astype(int) + 1
        x1, y1 = min(x1, width), min(y1, height)
        if x0 >= x1 or y0 >= y1:
            return None
        window = slice(y0, y1), slice(x0, x1)
        return window, self._x[window], self._y[window]

    def _blend(self, window: tuple[slice, slice], chosen: np.ndarray,
               alpha: np.ndarray, depth: np.ndarray, normal: np.ndarray,
               color: np.ndarray, gloss: float) -> None:
        """Shade the chosen pixels (N) and lay them over the window."""
        lit = np.clip(normal @ self.light, 0, 1)
        shade = self.ambient + (1 - self.ambient) * lit
        # Surfaces that turn away from the viewer darken: it parts limbs.
        shade *= 0.72 + 0.28 * np.clip(normal[:, 2], 0, 1)
        color = color * shade[:, None]
        if gloss:
            color = color + gloss * 90 * lit[:, None]**12
        image, buffer = self.image[window], self.depth[window]
        image[chosen] += alpha[:, None] * (color - image[chosen])
        buffer[chosen] = np.where(alpha > 0.5, depth, buffer[chosen])

    def ellipsoid(self,
                  center: np.ndarray,
                  axes: np.ndarray,
                  paint: Paint,
                  gloss: float = 0.0,
                  flatten: float = 1.0) -> None:
        """Draw an ellipsoid.

        Args:
            center: (3,).
            axes: (3, 3), half axes as columns; the paint is given the place
                in units of them (each -1 to 1 along its axis).
            paint: colours.
            gloss: strength of the highlight.
            flatten: how much of the slope along the second axis is shaded;
                less hides the seams of a stack of ellipsoids.
        """
        reach = np.sqrt((axes**2).sum(1))[:2] + 1
        found = self._window(center[:2] - reach, center[:2] + reach)
        if found is None:
            return
        window, x, y = found
        inverse = np.linalg.inv(axes).astype(np.float32)
        x, y = x - np.float32(center[0]), y - np.float32(center[1])
        # In every pixel |inverse (x, y, z)| = 1 is a z^2 + 2 b z + c = 0.
        planes = [row[0] * x + row[1] * y for row in inverse]
        toward = inverse[:, 2]
        a = toward @ toward
        b = sum(plane * part for plane, part in zip(planes, toward))
        radius2 = sum(plane * plane for plane in planes) - b * b / a
        radius = np.sqrt(np.maximum(radius2, 0))
        alpha = np.clip(0.5 + (1 - radius) * (reach.min() - 1), 0, 1)
        z = (-b + np.sqrt(np.maximum(1 - radius2, 0) * a)) / a
        depth = z + np.float32(center[2])
        chosen = (alpha > 0) & (depth >= self.depth[window])
        if not chosen.any():
            return
        local = np.stack([
            plane[chosen] + z[chosen] * part
            for plane, part in zip(planes, toward)
        ], 1)
        slope = local * np.array([1, flatten, 1], np.float32)
        normal = slope @ inverse
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
        self._blend(window, chosen, alpha[chosen], depth[chosen], normal,
                    paint(*local.T), gloss)

    def limb(self,
             start: np.ndarray,
             end: np.ndarray,
             radii: ArrayLike,
             paint: Paint,
             gloss: float = 0.0) -> None:
        """Draw a round limb with a profile.

        Args:
            start: (3,).
            end: (3,).
            radii: (N,) px, at even steps from start to end.
            paint: colours; given the share of the length (0 to 1; beyond
                it in the round ends), the place across (-1 to 1) and zeros.
            gloss: strength of the highlight.
        """
        profile = np.asarray(radii, np.float32)
        reach = profile.max() + 1
        found = self._window(
            np.minimum(start, end)[:2] - reach,
            np.maximum(start, end)[:2] + reach)
        if found is None:
            return
        window, x, y = found
        along = (end - start).astype(np.float32)
        length2 = max(float(along[:2] @ along[:2]), 1e-3)
        x, y = x - np.float32(start[0]), y - np.float32(start[1])
        share = (x * along[0] + y * along[1]) / length2
        inside = np.clip(share, 0, 1)
        away_x, away_y = x - inside * along[0], y - inside * along[1]
        radius = np.interp(inside, np.linspace(0, 1, len(profile)),
                           profile).astype(np.float32)
        distance = np.hypot(away_x, away_y)
        alpha = np.clip(0.5 + radius - distance, 0, 1)
        rise = np.sqrt(np.maximum(1 - (distance / radius)**2, 0))
        depth = np.float32(start[2]) + inside * along[2] + radius * rise
        chosen = (alpha > 0) & (depth >= self.depth[window])
        if not chosen.any():
            return
        radius = radius[chosen]
        normal = np.stack(
            [away_x[chosen] / radius, away_y[chosen] / radius, rise[chosen]],
            1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
        across = (normal[:, 0] * along[1] -
                  normal[:, 1] * along[0]) / np.sqrt(length2)
        self._blend(window, chosen, alpha[chosen], depth[chosen], normal,
                    paint(share[chosen], across, np.zeros_like(across)), gloss)

    def tube(self,
             start: np.ndarray,
             axes: np.ndarray,
             flare: float,
             paint: Paint,
             gloss: float = 0.0) -> None:
        """Draw an open tube of elliptical section that widens (a skirt).

        Args:
            start: (3,) centre of the narrow end.
            axes: (3, 3), columns: half width, the whole length, half depth.
            flare: width at the far end over that at the start, less 1.
            paint: colours; given the place in units of the axes.
            gloss: strength of the highlight.
        """
        reach = (
            np.sqrt(axes[:2, 0]**2 + axes[:2, 2]**2) * (1 + abs(flare)) + 1)
        end = start + axes[:, 1]
        found = self._window(
            np.minimum(start, end)[:2] - reach,
            np.maximum(start, end)[:2] + reach)
        if found is None:
            return
        window, x, y = found
        inverse = np.linalg.inv(axes).astype(np.float32)
        o = ((x - np.float32(start[0]))[..., None] * inverse[:, 0] +
             (y - np.float32(start[1]))[..., None] * inverse[:, 1])
        d = inverse[:, 2]
        # x^2 + z^2 = (1 + flare y)^2 along the ray o + t d.
        a = d[0]**2 + d[2]**2 - (flare * d[1])**2
        wide = 1 + flare * o[..., 1]
        b = o[..., 0] * d[0] + o[..., 2] * d[2] - flare * d[1] * wide
        c = o[..., 0]**2 + o[..., 2]**2 - wide**2
        if a < 1e-7:
            return  # seen along its axis: nothing of its side is seen
        root = b * b - a * c
        z = (-b + np.sqrt(np.maximum(root, 0))) / a
        height = o[..., 1] + z * d[1]
        depth = z + np.float32(start[2])
        chosen = ((root > 0) & (height >= 0) & (height <= 1)
                  & (depth >= self.depth[window]))
        if not chosen.any():
            return
        local = o[chosen] + z[chosen][:, None] * d
        slope = np.stack(
            [local[:, 0], -flare * (1 + flare * local[:, 1]), local[:, 2]], 1)
        normal = slope @ inverse
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
        # 1 at the outline, 0 in its middle.
        radius = np.sqrt(
            np.maximum(1 - root[chosen] / (a * wide[chosen]**2), 0))
        alpha = np.clip(0.5 + (1 - radius) * (reach[0] - 1), 0, 1)
        self._blend(window, chosen, alpha, depth[chosen], normal,
                    paint(*local.T), gloss)
