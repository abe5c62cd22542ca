-- The only way out of the audit: a whole month, sealed to its last entry, of an audit that holds. Rows
-- that have not changed since are written down once more, so that they can be answered for afterwards.
create or replace function audit.retire_month(month date)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  partition regclass := to_regclass('audit.entries_' || to_char(retire_month.month, 'YYYY_MM'));
  ends_at timestamptz := (retire_month.month + interval '1 month') at time zone 'UTC';
  relation regclass;
  held bigint;
begin
  if partition is null or ends_at > now() then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such month that has passed in the audit.',
      hint = 'Name the first day of the month.';
  end if;
  -- Nobody seals meanwhile.
  perform pg_advisory_xact_lock(hashtext('audit.seal_entries'));
  execute format('select count(*) from %s', partition) into held;
  if held <> (
    select coalesce(sum(cardinality(s.sequences)), 0)
    from audit.seals as s
    where s.month = retire_month.month
  ) or exists (select from audit.verify()) then
    raise exception using
      errcode = 'VERIF',
      message = 'The month is not sealed as a whole, or the audit does not hold.',
      hint = 'Run infirmary audit verify: it names the first bad link.';
  end if;
  for relation in select audit.audited_tables() loop
    execute format(
      'insert into audit.entries (table_name, operation, row_key, patient_id, new_row_digest) '
        'select %1$L, ''baseline'', %2$s, %3$s, %4$s from %5$s as n '
        'where not exists (select from audit.entries as e '
        'where e.table_name = %1$L and e.row_key = %2$s and e.recorded_at >= $1)',
      audit.name_of(relation),
      audit.key_expression(relation, 'n'),
      coalesce('n.' || quote_ident(audit.patient_column(relation)), 'null'),
      audit.digest_expression(relation, 'n'),
      relation
    )
    using ends_at;
  end loop;
  insert into audit.retired_months (month, entries)
  values (retire_month.month, held);
  execute format('alter table audit.entries detach partition %s', partition);
  -- Out of the record, and of what an erasure must have classified: its ciphertext is shredded all the same.
  execute format('alter table %s set schema archive', partition);
  call audit.keep_retired(partition);
  return held;
end;
$$;
comment on function audit.retire_month(date) is
  'Detaches a past month from the audit into schema archive, to be exported and dropped (infirmary archive), and returns how many entries it held. Raises NTFND, and VERIF when it is not wholly sealed or the audit does not hold.';
