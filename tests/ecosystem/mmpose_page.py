"""docs/mmpose.md, followed as its reader does."""
from page import page_text, pieces

# Of a training of one epoch.
PIECES = list(
    pieces(page_text('docs/mmpose.md').replace('epoch_12', 'epoch_1')))


def python_block(part, language='python'):
    """The page's one block of Python that has this part."""
    (found, ) = [text for other, text in PIECES
                 if other == language and part in text]
    return found


def shell_block(part):
    """The page's one block of shell commands that has this part."""
    return python_block(part, 'indented')
