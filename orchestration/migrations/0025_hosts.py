from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orchestration', '0024_reserved'),
    ]

    operations = [
        migrations.AddField(
            model_name='agentendpoint',
            name='hosts',
            field=models.JSONField(blank=True, db_default=[], default=list, help_text='that it may reach: host[:port]'),
        ),
        migrations.AlterField(
            model_name='agentendpoint',
            name='network',
            field=models.CharField(choices=[('host', 'host'), ('none', 'none'), ('hosts', 'hosts')], default='host', max_length=8),
        ),
    ]
