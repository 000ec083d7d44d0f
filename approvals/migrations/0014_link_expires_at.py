from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone


def in_two_weeks():
    return timezone.now() + timedelta(days=14)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0013_levels_by_place")]
    operations = [
        migrations.AddField(
            model_name="link",
            name="expires_at",
            field=models.DateTimeField(default=in_two_weeks, help_text="a reminder renews it"),
            preserve_default=False,
        ),
    ]
