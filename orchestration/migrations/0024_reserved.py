from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orchestration', '0023_agents'),
    ]

    operations = [
        migrations.AddField(
            model_name='agentattempt',
            name='reserved',
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True),
        ),
    ]
