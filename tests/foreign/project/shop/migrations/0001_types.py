from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL("CREATE TYPE shop_mood AS ENUM ('sad', 'ok', 'happy')"),
        migrations.RunSQL("CREATE SCHEMA legacy"),
    ]
