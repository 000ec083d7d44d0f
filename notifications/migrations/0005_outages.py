from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_one_contact_per_slack_id")]
    operations = [
        migrations.AddField(
            model_name="delivery",
            name="until",
            field=models.DateTimeField(
                blank=True, help_text="an answer is wanted by then: no night is waited for", null=True
            ),
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(db_index=True)),
            ],
            options={"ordering": ["until"]},
        ),
    ]
