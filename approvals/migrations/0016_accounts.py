"""Who asked for a request and who published a policy, as accounts; rows of before as in orchestration 0013."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat


def fill(apps, schema_editor):
    users = apps.get_model(settings.AUTH_USER_MODEL).objects
    published = users.filter(username=OuterRef("published_by"), date_joined__lte=OuterRef("published_at")).values("pk")[:1]
    policies = apps.get_model("approvals", "Policy").objects.filter(published_by_id=None)
    policies.exclude(published_by="").update(published_by_id=Subquery(published))
    asked = users.filter(username=OuterRef("requester"), date_joined__lte=OuterRef("created_at"))
    person = asked.annotate(person=Concat(Value("user:"), Cast("pk", CharField()))).values("person")[:1]
    requests = apps.get_model("approvals", "Request").objects.filter(requester_person="")
    requests.update(requester_person=Coalesce(Subquery(person), Value("")))


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0015_sequence_by_clock"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("policy", "published_by_id", models.BigIntegerField(blank=True, help_text="the account", null=True)),
        migrations.AlterField("request", "requester_person", models.CharField(blank=True, default="", help_text="user:7 of the account", max_length=300)),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
