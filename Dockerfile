# The image of every process of Longshore; docs/docker.md describes it.
FROM python:3.13-slim AS packages
WORKDIR /opt/longshore
COPY requirements.txt .
RUN python3 -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt

FROM packages AS guide
COPY requirements-local.txt .
RUN .venv/bin/python -m pip install --no-cache-dir --require-hashes \
    -r requirements.txt -r requirements-local.txt
# Everything: docs/ has symbolic links to files of other folders.
COPY . .
RUN .venv/bin/zensical build --strict

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home longshore \
    && install --directory --owner longshore /var/lib/longshore
WORKDIR /opt/longshore
COPY --from=packages /opt/longshore/.venv .venv
COPY . .
COPY --from=guide /opt/longshore/exports_project/site exports_project/site
ENV PATH=/opt/longshore/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LOCAL_DIR=/var/lib/longshore \
    STATIC_ROOT=/opt/longshore/static
# The settings need addresses and a key, which collectstatic does not use.
RUN DATABASE_URL=postgres://build/build BROKER_URL=redis://build \
    SECRET_KEY=build-0123456789-0123456789-0123456789-0123456789-0123 \
    python3 manage.py collectstatic --no-input --verbosity 0 \
    && python3 -m compileall -q batches dialects exports exports_project longshore webhooks
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz')"]
CMD ["gunicorn", "-c", "python:exports_project.gunicorn", "--bind", "0.0.0.0:8000"]
