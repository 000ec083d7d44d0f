from django.db import migrations, models

# Not AddField: on SQLite it copies the table, and so loses the triggers that protect it.
COLUMN = "hash_version smallint DEFAULT 1 NOT NULL CHECK (hash_version >= 0)"


class Migration(migrations.Migration):

    dependencies = [
        ('orchestration', '0017_defaults_for_older_workers'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"ALTER TABLE orchestration_auditevent ADD COLUMN {COLUMN}",
                    "ALTER TABLE orchestration_auditevent DROP COLUMN hash_version",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name='auditevent',
                    name='hash_version',
                    field=models.PositiveSmallIntegerField(
                        db_default=1, default=1, help_text="1: Zen's own canonical JSON, 2: RFC 8785"
                    ),
                ),
            ],
        ),
    ]
