from django.db import migrations, models


class Migration(migrations.Migration):
    """The content of an old version may come again, as a new one."""

    dependencies = [
        ("approvals", "0007_press_comment"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="policy", name="policy_hash"),
        migrations.AddIndex(
            model_name="policy",
            index=models.Index(fields=["name", "hash"], name="policy_by_content"),
        ),
    ]
