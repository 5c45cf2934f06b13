"""docs/mmpose.md, followed as its reader does."""
from page import page_text, pieces

# Of a training of one epoch.
PIECES = list(
    pieces(page_text('docs/mmpose.md').replace('epoch_12', 'epoch_1')))


def _block(language, part):
    (found, ) = [
        text for other, text in PIECES if other == language and part in text
    ]
    return found


def python_block(part):
    """The page's one block of Python that has this part."""
    return _block('python', part)


def shell_block(part):
    """The page's one block of shell commands that has this part."""
    return _block('indented', part)
