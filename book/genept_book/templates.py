"""What is HTML, CSS or Markdown and not Python: the Jinja templates of the folder ``templates``."""

import jinja2

_FILES = jinja2.Environment(
    loader=jinja2.PackageLoader("genept_book"), undefined=jinja2.StrictUndefined,
    autoescape=jinja2.select_autoescape(["html.j2"]), trim_blocks=True, lstrip_blocks=True)


def render(name, **values):
    """A template filled in; what goes into HTML is escaped, unless it is ``markupsafe.Markup``."""
    return _FILES.get_template(name).render(values)
