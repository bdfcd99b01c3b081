"""Router of the API: every URL works with and without a slash at its end."""

from rest_framework.routers import SimpleRouter


class OptionalSlashRouter(SimpleRouter):
    """Route both forms of a URL to the view, without a redirect. Links have no slash.

    A redirect would lose the body of a POST.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
