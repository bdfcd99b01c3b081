"""What the dialects share.

A dialect is an app with a `DialectConfig` (`apps`). Its views are subclasses of `ApiView` and
`ApiViewSet` (`longshore.api.views`), whose policy holds: scopes, throttles, organizations,
idempotency. They translate a request to the body of the native API, parse it with the native parser
(`exports.request.parser`, `batches.request.parser`), and render the native representation in the
words of the vendor. Errors of a path are rendered by the function that the configuration names.
"""
