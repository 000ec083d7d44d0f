from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0014_link_expires_at")]
    operations = [
        migrations.AlterField(
            model_name="callback",
            name="sequence",
            field=models.PositiveBigIntegerField(
                help_text="rising with each callback about the subject: "
                "microseconds since 1970, or the last one and one more"
            ),
        ),
    ]
