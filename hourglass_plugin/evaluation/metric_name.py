"""Names of logged scores, such as ``lsp/stack_1/PCK@0.2/Head``."""
import re
from dataclasses import dataclass, replace

#: Dataset, stack, metric (also ``PCKh@0.5/visible``), joint.
_NAME = re.compile(r'(?:([^/]*)/)?(?:stack_(\d+)/)?'
                   r'([^/]*(?:/(?:visible|occluded))?)(?:/(.*))?')


@dataclass(frozen=True)
class MetricName:
    """``<dataset>/stack_<n>/<metric>/<joint>``; most parts are optional."""

    dataset: str  #: the prefix; '' for a row of a table, which has none
    stack: int | None  #: from 1; None for the model's prediction
    metric: str  #: ``PCKh@0.5``, ``AUC``, ``PCKh@0.5/visible``
    joint: str | None = None  #: column of the table; None for the mean

    @classmethod
    def parse(cls, name: str) -> 'MetricName':
        """Parse a logged name; ``str()`` of the result is the name again."""
        found = _NAME.fullmatch(name)
        dataset, stack, metric, joint = found.groups() if found else (
            None, None, name, None)
        return cls(dataset or '', int(stack) if stack else None, metric, joint)

    def __str__(self) -> str:
        """Return the name under which the score is logged."""
        stack = '' if self.stack is None else f'stack_{self.stack}'
        return '/'.join(
            filter(None, (self.dataset, stack, self.metric, self.joint)))

    @property
    def mean(self) -> 'MetricName':
        """Name of the mean in the same row of the table."""
        return replace(self, joint=None)

    @property
    def is_overall(self) -> bool:
        """True for a mean of all joints as the model predicts them."""
        return (self.stack is None and self.joint is None
                and '/' not in self.metric)
