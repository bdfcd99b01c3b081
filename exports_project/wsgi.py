"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from accounts.statements import limit_statements
from accounts.wsgi import measure_chunked_body

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")
application = measure_chunked_body(get_wsgi_application())
limit_statements()
