from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

# Maintains the text by which the staff finds a job. Its arguments: the table of the texts, and
# optionally another column of the job that is searched.
_FUNCTION = """
CREATE FUNCTION longshore_jobs_update_search() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    document text;
    extra text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        EXECUTE format('DELETE FROM %I WHERE number = $1', TG_ARGV[0]) USING OLD.number;
        RETURN NULL;
    END IF;
    IF TG_NARGS > 1 THEN
        EXECUTE format('SELECT ($1).%I', TG_ARGV[1]) INTO extra USING NEW;
    END IF;
    document := lower(concat_ws(
        E'\\n', NEW.public_id, NEW.request ->> 'type', NEW.request ->> 'metadata',
        NEW.error ->> 'error', NEW.error ->> 'message', extra
    ));
    EXECUTE format(
        'INSERT INTO %I AS found (number, text) VALUES ($1, $2) ON CONFLICT (number) '
        'DO UPDATE SET text = excluded.text WHERE found.text <> excluded.text', TG_ARGV[0]
    ) USING NEW.number, document;
    RETURN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("longshore_jobs", "0001_initial")]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION longshore_jobs_update_search"),
    ]
