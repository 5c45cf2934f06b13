"""Command line of the package: one module for each command.

A command's module has its description as docstring, ``add_arguments(parser)``
and ``main(args)``; :func:`hourglass_plugin.cli.errors.run_command` runs it.
Importing one imports neither torch nor MMPose, so that ``--help`` answers at
once. The scripts in ``tools/`` call these modules; the rest of the package
never imports them.
"""
