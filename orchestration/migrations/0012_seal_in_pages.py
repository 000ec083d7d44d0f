import django.db.models.deletion
from django.db import migrations, models

from foundation.audit import triggers


def triggers_again(apps, schema_editor):
    """SQLite has copied the table of the heads, and lost its triggers with the old one."""
    for statement in triggers.create(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("orchestration", "0011_listed_definitions"),
    ]

    operations = [
        migrations.CreateModel(
            name="SealInHand",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("maker", models.CharField(max_length=32)),
                ("began_at", models.DateTimeField(help_text="all that was there by then is in the seal")),
                ("lease_until", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(migrations.RunPython.noop, triggers_again),
        migrations.AlterField(
            model_name="sealedhead",
            name="seal",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="heads",
                to="orchestration.auditseal",
            ),
        ),
        migrations.RunPython(triggers_again, migrations.RunPython.noop),
    ]
