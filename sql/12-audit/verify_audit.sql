-- The whole proof in one question, asked of one snapshot: the chain link by link, the recorders, and
-- every live row against the newest digest of it. The first finding is the first bad link.
create or replace function audit.verify(heads jsonb default '[]')
returns setof audit.finding
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass;
begin
  return query select * from audit.verify_chain(verify.heads);
  return query select * from audit.verify_recorders();
  for relation in select audit.audited_tables() loop
    return query select * from audit.verify_rows(relation);
  end loop;
end;
$$;
comment on function audit.verify(jsonb) is
  'Everything that does not hold in the audit, in the order of the chain, then recorders that are off, then rows that were changed past it. Heads are blocks and hashes exported before.';

create or replace function ops.verify_audit_chain()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from audit.verify()) then
    raise exception using
      errcode = 'VERIF',
      message = 'The audit does not hold.',
      hint = 'Run infirmary audit verify: it names the first bad link.';
  end if;
  return 0::bigint;
end;
$$;
comment on function ops.verify_audit_chain() is
  'Job: verifies the audit, writes nothing and returns 0; raises VERIF, so that the run is recorded as failed. Lends the worker the owner''s right to read the audit.';
