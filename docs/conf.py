"""The documentation site (Sphinx, Markdown through MyST): ``make docs`` renders it to ``site/``."""

from __future__ import annotations

from onetape import __version__

project = "onetape"
author = "the onetape authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.apidoc", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
html_theme = "furo"
html_title = f"onetape {__version__}"

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]

apidoc_modules = [
    {
        "path": "../src/onetape",
        "destination": "api",
        "separate_modules": True,
        "module_first": True,
        "automodule_options": {"members", "show-inheritance", "undoc-members"},
    }
]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
add_module_names = False
python_use_unqualified_type_names = True
# Fields of two classes may share a name with each other or with a built-in type.
suppress_warnings = ["ref.python"]
