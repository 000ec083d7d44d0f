from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0014_turns")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="rules",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, help_text="the rules for keys and templates that it was started under"
            ),
        ),
    ]
