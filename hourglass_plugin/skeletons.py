"""Joints, limbs, flip pairs and evaluated joints of MPII, FLIC and LSP.

Everything that needs to know a joint's number looks it up here by name;
MMPose's ``metainfo`` is derived from these tables. "Left" and "right" are the
person's own, except in FLIC's default labels, where they are the image's.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Color = tuple[int, int, int]

#: Colours (RGB) of limbs and joints by body side, apart for colour-blind eyes.
LEFT_COLOR: Color = (0, 114, 178)
RIGHT_COLOR: Color = (230, 97, 0)
CENTER_COLOR: Color = (0, 158, 115)


@dataclass(frozen=True)
class Skeleton:
    """The joints of one dataset, in the order of its annotation files.

    Args:
        name: short lower-case name of the dataset.
        joints: joint names, unique, in the files' order. A joint of a flip
            pair starts with ``left_`` or ``right_``.
        limbs: pairs of joint names that are drawn as lines.
        evaluated: printed column name -> joint names, in the order of the
            benchmark's table.
        mean_excludes: joints that the benchmark's mean leaves out.
        torso: the two joints whose distance is the torso size, where the
            benchmark measures in torso sizes.
        upper_body: joints above the waist, for MMPose's half-body transform.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...]
    evaluated: dict[str, tuple[str, ...]]
    mean_excludes: tuple[str, ...] = ()
    torso: tuple[str, ...] = ()
    upper_body: tuple[str, ...] = ()

    @staticmethod
    def flipped_name(joint: str) -> str:
        """Return the name of a joint in the flipped image."""
        side, _, part = joint.partition('_')
        other = dict(left='right', right='left').get(side)
        return joint if other is None else f'{other}_{part}'

    @property
    def num_keypoints(self) -> int:
        """Number of joints (K)."""
        return len(self.joints)

    def indices(self, names: Sequence[str]) -> list[int]:
        """Positions of joints in the files' order.

        Raises:
            ValueError: if a joint is unknown.
        """
        if unknown := sorted(set(names) - set(self.joints)):
            raise ValueError(f'{self.name} has no joints {unknown}; it has '
                             f'{list(self.joints)}')
        return [self.joints.index(name) for name in names]

    @property
    def flip_indices(self) -> list[int]:
        """Index of each joint's flip partner, or its own without one."""
        places = {joint: index for index, joint in enumerate(self.joints)}
        return [places.get(self.flipped_name(joint), index)
                for joint, index in places.items()]

    @property
    def mean_indices(self) -> list[int]:
        """Joints that count in the benchmark's mean."""
        return [index for index, joint in enumerate(self.joints)
                if joint not in self.mean_excludes]

    @property
    def limb_indices(self) -> list[tuple[int, int]]:
        """Limbs as pairs of positions."""
        return [(self.joints.index(a), self.joints.index(b))
                for a, b in self.limbs]

    def torso_size(self, keypoints: np.ndarray,
                   annotated: np.ndarray) -> float:
        """Distance between the two joints of ``torso``.

        Args:
            keypoints: (K, 2) in pixels.
            annotated: (K,) bool.

        Returns:
            Pixels; NaN if one of the two is not annotated or they are at the
            same place.

        Raises:
            ValueError: if the dataset does not measure in torso sizes.
        """
        if not self.torso:
            raise ValueError(f'{self.name} is not measured in torso sizes')
        joints = self.indices(self.torso)
        if not np.asarray(annotated)[joints].all():
            return float('nan')
        start, end = np.asarray(keypoints, np.float64)[joints]
        return float(np.linalg.norm(start - end)) or float('nan')

    def joint_color(self, joint: str) -> Color:
        """RGB colour of a joint, by body side."""
        if joint.startswith('left_'):
            return LEFT_COLOR
        return RIGHT_COLOR if joint.startswith('right_') else CENTER_COLOR

    def limb_color(self, limb: tuple[str, str]) -> Color:
        """RGB colour of a limb: its side's, or the centre's across sides."""
        colors = {self.joint_color(joint) for joint in limb} - {CENTER_COLOR}
        return colors.pop() if len(colors) == 1 else CENTER_COLOR

    def metainfo(self) -> dict:
        """The same as MMPose's ``METAINFO``, complete in itself (no file)."""
        keypoint_info = {
            index: dict(
                name=joint, id=index, color=list(self.joint_color(joint)),
                type='upper' if joint in self.upper_body else 'lower',
                swap='' if flipped == joint else flipped)
            for index, joint in enumerate(self.joints)
            for flipped in [self.flipped_name(joint)]}
        skeleton_info = {
            index: dict(link=limb, id=index, color=list(self.limb_color(limb)))
            for index, limb in enumerate(self.limbs)}
        return dict(
            dataset_name=self.name,
            keypoint_info=keypoint_info,
            skeleton_info=skeleton_info,
            joint_weights=[1.0] * self.num_keypoints,
            # Object keypoint similarity is COCO's measure; none of these
            # datasets publishes the constants that it needs.
            sigmas=[])


_ARM_AND_LEG_LIMBS = (
    ('right_ankle', 'right_knee'), ('right_knee', 'right_hip'),
    ('left_hip', 'left_knee'), ('left_knee', 'left_ankle'),
    ('right_wrist', 'right_elbow'), ('right_elbow', 'right_shoulder'),
    ('left_shoulder', 'left_elbow'), ('left_elbow', 'left_wrist'))

_BODY_COLUMNS = {
    'Shoulder': ('left_shoulder', 'right_shoulder'),
    'Elbow': ('left_elbow', 'right_elbow'),
    'Wrist': ('left_wrist', 'right_wrist'),
    'Hip': ('left_hip', 'right_hip'),
    'Knee': ('left_knee', 'right_knee'),
    'Ankle': ('left_ankle', 'right_ankle')}

# Andriluka et al., "2D Human Pose Estimation", CVPR 2014.
MPII = Skeleton(
    name='mpii',
    joints=('right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee',
            'left_ankle', 'pelvis', 'thorax', 'upper_neck', 'head_top',
            'right_wrist', 'right_elbow', 'right_shoulder', 'left_shoulder',
            'left_elbow', 'left_wrist'),
    limbs=_ARM_AND_LEG_LIMBS + (
        ('right_hip', 'pelvis'), ('left_hip', 'pelvis'), ('pelvis', 'thorax'),
        ('thorax', 'upper_neck'), ('upper_neck', 'head_top'),
        ('right_shoulder', 'thorax'), ('left_shoulder', 'thorax')),
    # Head is the head's top alone in the evaluation code behind the published
    # validation figures (HRNet, MMPose and the PyTorch ports).
    evaluated={'Head': ('head_top', ), **_BODY_COLUMNS},
    mean_excludes=('pelvis', 'thorax'),
    upper_body=('thorax', 'upper_neck', 'head_top', 'right_wrist',
                'right_elbow', 'right_shoulder', 'left_shoulder',
                'left_elbow', 'left_wrist'))

# Sapp and Taskar, "MODEC", CVPR 2013.
FLIC = Skeleton(
    name='flic',
    joints=('left_shoulder', 'left_elbow', 'left_wrist', 'right_shoulder',
            'right_elbow', 'right_wrist', 'left_hip', 'right_hip', 'left_eye',
            'right_eye', 'nose'),
    limbs=_ARM_AND_LEG_LIMBS[4:] + (
        ('left_shoulder', 'right_shoulder'), ('left_shoulder', 'left_hip'),
        ('right_shoulder', 'right_hip'), ('left_hip', 'right_hip'),
        ('left_eye', 'nose'), ('right_eye', 'nose')),
    evaluated={column: _BODY_COLUMNS[column]
               for column in ('Shoulder', 'Elbow', 'Wrist', 'Hip')},
    torso=('right_shoulder', 'left_hip'),
    upper_body=('left_shoulder', 'left_elbow', 'left_wrist', 'right_shoulder',
                'right_elbow', 'right_wrist', 'left_eye', 'right_eye',
                'nose'))

# Johnson and Everingham, "Clustered Pose and Nonlinear Appearance Models for
# Human Pose Estimation", BMVC 2010.
LSP = Skeleton(
    name='lsp',
    joints=('right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee',
            'left_ankle', 'right_wrist', 'right_elbow', 'right_shoulder',
            'left_shoulder', 'left_elbow', 'left_wrist', 'neck', 'head_top'),
    limbs=_ARM_AND_LEG_LIMBS + (
        ('right_shoulder', 'neck'), ('left_shoulder', 'neck'),
        ('neck', 'head_top'), ('right_shoulder', 'right_hip'),
        ('left_shoulder', 'left_hip'), ('right_hip', 'left_hip')),
    evaluated={'Head': ('head_top', ), 'Neck': ('neck', ), **_BODY_COLUMNS},
    torso=('right_shoulder', 'left_hip'),
    upper_body=('right_wrist', 'right_elbow', 'right_shoulder',
                'left_shoulder', 'left_elbow', 'left_wrist', 'neck',
                'head_top'))

#: By dataset name, as in MMPose's ``dataset_name``.
SKELETONS: dict[str, Skeleton] = {
    skeleton.name: skeleton for skeleton in (MPII, FLIC, LSP)}
