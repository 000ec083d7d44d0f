"""When somebody who decides for another heard what was open; those of before have heard in another way."""

from django.db import migrations, models
from django.db.models.functions import Now


def fill(apps, schema_editor):
    apps.get_model("approvals", "Delegation").objects.filter(starts_at__lte=Now()).update(told_at=Now())


class Migration(migrations.Migration):
    dependencies = [("approvals", "0016_accounts")]

    operations = [
        migrations.AddField(
            "delegation",
            "told_at",
            models.DateTimeField(blank=True, help_text="when `to` heard what was open as it began", null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
