-- Enrolment by the catalogue, safe to repeat. A migration that adds or changes a table calls it once
-- more; until then a lint names the table.
-- Rows that are there already are written down as a baseline, so that verify can answer for them too.
create or replace procedure audit.enrol_tables()
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass;
  event record;
begin
  for relation in select audit.audited_tables() loop
    execute format(
      -- Plans are kept, and one made for a single row would pair 100,000 by trying each with each.
      'create or replace function audit.%I() returns trigger language plpgsql volatile '
        'security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off as %L',
      audit.recorder_name(relation),
      audit.recorder_body(relation)
    );
    execute format(
      'comment on function audit.%I() is %L',
      audit.recorder_name(relation),
      format(
        'Trigger: records the changes of %s. Lends the owner''s right to write the audit.',
        audit.name_of(relation)
      )
    );
    for event in
      select *
      from (values
        ('insert', 'referencing new table as new_rows'),
        ('update', 'referencing old table as old_rows new table as new_rows'),
        ('delete', 'referencing old table as old_rows'),
        ('truncate', '')
      ) as e (name, transition)
    loop
      execute format(
        'create or replace trigger %I after %s on %s %s '
          'for each statement execute function audit.%I()',
        '_900_audit_' || event.name,
        event.name,
        relation,
        event.transition,
        audit.recorder_name(relation)
      );
    end loop;
    call audit.take_baseline(relation);
  end loop;
end;
$$;
comment on procedure audit.enrol_tables() is
  'Gives every table that must be recorded its trigger function and triggers, and writes its rows down when it is new here or has other columns than before.';

create or replace procedure audit.take_baseline(relation regclass)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  columns text[] := audit.audited_columns(take_baseline.relation);
begin
  insert into audit.enrolments as e (table_name, columns)
  values (audit.name_of(take_baseline.relation), columns)
  on conflict (table_name) do update
    set columns = excluded.columns,
      enrolled_at = excluded.enrolled_at
    where e.columns <> excluded.columns;
  if not found then
    return;
  end if;
  execute format(
    'insert into audit.entries (table_name, operation, row_key, patient_id, new_row_digest) '
      'select %L, ''baseline'', %s, %s, %s from %s as n',
    audit.name_of(take_baseline.relation),
    audit.key_expression(take_baseline.relation, 'n'),
    coalesce('n.' || quote_ident(audit.patient_column(take_baseline.relation)), 'null'),
    audit.digest_expression(take_baseline.relation, 'n'),
    take_baseline.relation
  );
end;
$$;
comment on procedure audit.take_baseline(regclass) is
  'Writes every row of a table down as it is, where the table was not enrolled with these columns before.';
