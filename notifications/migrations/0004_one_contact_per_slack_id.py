import logging

from django.conf import settings
from django.db import migrations, models
from django.db.models import Count

log = logging.getLogger(__name__)


def empty_the_shared(apps, schema_editor):
    """Whose it is nobody can tell here, and a press must not count as somebody else's word: an administrator enters it
    again.
    """
    contacts = apps.get_model('notifications', 'Contact').objects.using(schema_editor.connection.alias)
    given = contacts.exclude(slack_id='').order_by()
    shared = given.values('slack_id').annotate(times=Count('pk')).filter(times__gt=1).values_list('slack_id', flat=True)
    for slack_id in list(shared):
        held = contacts.filter(slack_id=slack_id)
        names = ', '.join(held.order_by('pk').values_list('user__username', flat=True))
        log.warning('the Slack id %s was in the contacts of %s; it is emptied in each, enter it again', slack_id, names)
        held.update(slack_id='')


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0003_delivery_changes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(empty_the_shared, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.UniqueConstraint(condition=models.Q(('slack_id', ''), _negated=True), fields=('slack_id',), name='one_contact_per_slack_id'),
        ),
    ]
