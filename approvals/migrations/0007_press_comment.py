from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0006_vote_answers"),
    ]

    operations = [
        migrations.AddField(
            model_name="press",
            name="comment",
            field=models.TextField(blank=True, default="", help_text="what they wrote with it"),
        ),
    ]
