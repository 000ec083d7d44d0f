import logging

from django.db import migrations, models

log = logging.getLogger("orchestration")
SCOPED_DOORS = ("api", "engine")
"""The doors through which a definition could come in with a run without anybody's right to publish."""


def unlist_what_nobody_published(apps, schema_editor):
    """A version without an audit row of its publishing came in with a run.

    Where that was through the API or with a parent's step, the right to publish was not asked for: the version keeps
    its number and its runs, and no name leads to it any more. Publishing its content again lists it.
    """
    alias = schema_editor.connection.alias
    audit = apps.get_model("orchestration", "AuditEvent").objects.using(alias)
    definitions = apps.get_model("orchestration", "Definition").objects.using(alias)
    runs = apps.get_model("orchestration", "Run").objects.using(alias)
    published = {data.get("definition") for data in audit.filter(action="definition.publish").values_list("data", flat=True)}
    for row in definitions.order_by("pk").only("pk", "saga_id", "version"):
        name = f"{row.saga_id} v{row.version}"
        if name in published:
            continue
        first = runs.filter(definition_id=row.pk, kind="saga").order_by("pk").values_list("workflow_id", flat=True).first()
        start = first and audit.filter(workflow_id=first, action="run.start", door__in=SCOPED_DOORS).first()
        if start:
            definitions.filter(pk=row.pk).update(listed=False)
            log.warning("%s was never published; it came in with the run %s and is unlisted now", name, first)


def list_all(apps, schema_editor):
    """Back: every row is a version again; one whose content is published as well gives its runs to that."""
    alias = schema_editor.connection.alias
    definitions = apps.get_model("orchestration", "Definition").objects.using(alias)
    runs = apps.get_model("orchestration", "Run").objects.using(alias)
    for row in definitions.filter(listed=False).order_by("pk"):
        same = definitions.filter(saga_id=row.saga_id, hash=row.hash, listed=True).first()
        if same is not None:
            runs.filter(definition_id=row.pk).update(definition_id=same.pk)
            row.delete()
            continue
        latest = definitions.filter(saga_id=row.saga_id).order_by("-version").values_list("version", flat=True).first()
        definitions.filter(pk=row.pk).update(listed=True, version=row.version or latest + 1)
    if schema_editor.connection.vendor == "postgresql":  # no table is altered while its keys wait to be checked
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("orchestration", "0010_queues"),
    ]

    operations = [
        migrations.AddField(
            model_name="definition",
            name="listed",
            field=models.BooleanField(default=True, help_text="published: a start or a child may name it"),
        ),
        migrations.AlterField(
            model_name="definition",
            name="version",
            field=models.PositiveIntegerField(help_text="0: it came in with a run"),
        ),
        migrations.RemoveConstraint(model_name="definition", name="definition_version"),
        migrations.RemoveConstraint(model_name="definition", name="definition_hash"),
        migrations.RunPython(unlist_what_nobody_published, list_all),
        migrations.AddConstraint(
            model_name="definition",
            constraint=models.UniqueConstraint(
                condition=models.Q(("version__gt", 0)), fields=("saga_id", "version"), name="definition_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="definition",
            constraint=models.UniqueConstraint(fields=("saga_id", "hash", "listed"), name="definition_hash"),
        ),
    ]
