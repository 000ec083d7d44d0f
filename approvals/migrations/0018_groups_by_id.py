"""Whom each name of a request's policy meant, and its groups, as ids. Open requests get the groups that have exactly
these names now; for people, those of before go by the names.
"""

from django.db import migrations, models

OPEN = ("pending", "changes_requested", "cooling_off", "rescue")


def fill(apps, schema_editor):
    groups = dict(apps.get_model("auth", "Group").objects.values_list("name", "pk"))
    rows = apps.get_model("approvals", "Request").objects.filter(status__in=OPEN)
    for row in rows.only("pk", "plan").iterator(chunk_size=500):
        names = {name for stage in row.plan.get("stages", ()) for name in stage.get("groups", ())}
        row.groups = {name: groups[name] for name in names if name in groups}
        if row.groups:
            row.save(update_fields=["groups"])


class Migration(migrations.Migration):
    dependencies = [("approvals", "0017_delegation_told_at"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.AddField(
            "request",
            "named",
            models.JSONField(blank=True, default=dict, help_text="what the policy names, no group: its person ids"),
        ),
        migrations.AddField(
            "request", "groups", models.JSONField(blank=True, default=dict, help_text="name then: id of the group")
        ),
        migrations.AddField(
            "request",
            "rescue_to_tell",
            models.DateTimeField(
                blank=True,
                help_text="since when administrators are to be told, with others, that it needs them",
                null=True,
            ),
        ),
        migrations.AddIndex(
            "request",
            models.Index(
                condition=models.Q(("rescue_to_tell__isnull", False)),
                fields=["rescue_to_tell"],
                name="request_rescue_to_tell",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
