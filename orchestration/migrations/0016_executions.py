from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0015_rules_of_a_run")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="execution",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="on Temporal: which one took the latest message",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="heard",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="on Temporal: how many messages it had taken by then"
            ),
        ),
    ]
