"""Who started a run, for whom, and who published a definition, as account ids.

Rows of before get the account that has exactly that user name now, if it was there when the row was written. Where there
is none the id stays empty: whoever had the name then is barred from deciding by the name, and nobody has a right by it.
"""

from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

FILLED = (
    ("run", "created_by", "created_at"),
    ("run", "created_for", "created_at"),
    ("definition", "published_by", "published_at"),
)


def fill(apps, schema_editor):
    users = apps.get_model(settings.AUTH_USER_MODEL).objects
    for model, name, at in FILLED:
        same = users.filter(username=OuterRef(name), date_joined__lte=OuterRef(at)).values("pk")[:1]
        rows = apps.get_model("orchestration", model).objects.filter(**{f"{name}_id": None}).exclude(**{name: ""})
        rows.update(**{f"{name}_id": Subquery(same)})


class Migration(migrations.Migration):
    dependencies = [
        ("orchestration", "0012_seal_in_pages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("definition", "published_by_id", models.BigIntegerField(blank=True, help_text="the account", null=True)),
        migrations.AddField("run", "created_by_id", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("run", "created_for_id", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("run", "input_by", models.JSONField(blank=True, default=list)),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
