from django.db import migrations, models
from django.db.models import F


def as_it_was(apps, schema_editor):
    """Until now the edits were not in any hash."""
    apps.get_model("approvals", "Request").objects.update(shown_hash=F("content_hash"))


class Migration(migrations.Migration):

    dependencies = [
        ("approvals", "0009_seat_by_urgency"),
    ]

    operations = [
        migrations.AddField(
            model_name="request",
            name="shown_hash",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(as_it_was, migrations.RunPython.noop),
    ]
