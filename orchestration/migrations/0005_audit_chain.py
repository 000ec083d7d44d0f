import django.db.models.deletion
from django.db import migrations, models

from foundation.audit import triggers
from foundation.canonical_json import Link

BATCH = 1000


def chain_what_is_there(apps, schema_editor):
    """The rows written before there were chains, in the order of their ids."""
    rows = apps.get_model("orchestration", "AuditEvent").objects.using(schema_editor.connection.alias)
    chain, seq, prev_hash, ready = None, 0, "", []
    for row in list_of(rows):
        if row.workflow_id != chain:
            chain, seq, prev_hash = row.workflow_id, 0, ""
        seq += 1
        row.seq, row.prev_hash = seq, prev_hash
        row.hash = prev_hash = Link(
            chain=chain,
            seq=seq,
            at=row.at,
            actor=row.actor,
            door=row.door,
            action=row.action,
            note=row.note,
            data=row.data,
            prev_hash=prev_hash,
        ).hash()
        ready.append(row)
        if len(ready) == BATCH:
            rows.bulk_update(ready, ["seq", "prev_hash", "hash"], batch_size=100)
            ready = []
    rows.bulk_update(ready, ["seq", "prev_hash", "hash"], batch_size=100)


def list_of(rows):
    """All rows, chain by chain, in pages: an open cursor would meet our own updates."""
    chain, last = "", 0
    while True:
        after = models.Q(workflow_id=chain, pk__gt=last) | models.Q(workflow_id__gt=chain)
        page = list(rows.filter(after).order_by("workflow_id", "pk")[:BATCH])
        yield from page
        if len(page) < BATCH:
            return
        chain, last = page[-1].workflow_id, page[-1].pk


def run_all(statements):
    def run(apps, schema_editor):
        for statement in statements(schema_editor.connection.vendor):
            schema_editor.execute(statement, params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [
        ("orchestration", "0004_lean_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="seq",
            field=models.PositiveIntegerField(default=0, help_text="its number in its chain, from 1"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="auditevent",
            name="prev_hash",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="auditevent",
            name="hash",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(chain_what_is_there, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.UniqueConstraint(fields=("workflow_id", "seq"), name="one_audit_row_per_seq"),
        ),
        # the constraint begins with it, so its own index goes
        migrations.AlterField(
            model_name="auditevent",
            name="workflow_id",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("rows", models.PositiveBigIntegerField(help_text="audit rows there were, all chains together")),
                ("chains", models.PositiveBigIntegerField(help_text="chains there were")),
                (
                    "moved",
                    models.PositiveBigIntegerField(help_text="chains that grew since the seal before: its heads"),
                ),
                ("digest", models.CharField(max_length=64)),
                ("prev_hash", models.CharField(blank=True, max_length=64)),
                ("key_id", models.CharField(max_length=16)),
                ("hash", models.CharField(max_length=64)),
                ("signature", models.CharField(max_length=100)),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="SealedHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", models.CharField(blank=True, max_length=200)),
                ("seq", models.PositiveIntegerField()),
                ("hash", models.CharField(max_length=64)),
                (
                    "seal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="heads",
                        to="orchestration.auditseal",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="sealedhead",
            index=models.Index(fields=["seal"], name="heads_of_a_seal"),
        ),
        migrations.AddConstraint(
            model_name="sealedhead",
            constraint=models.UniqueConstraint(fields=("chain", "seal"), name="one_head_per_chain_and_seal"),
        ),
        migrations.RunPython(run_all(triggers.create), run_all(triggers.drop)),
    ]
