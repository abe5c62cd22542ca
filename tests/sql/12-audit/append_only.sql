-- What the audit holds is changed by nobody: not by the owner, not in one partition, not at all.
begin;
select no_plan();
select tests.patient('ann@example.test');
select audit.seal_entries();
select tests.be_owner();

select throws_ok($$update audit.entries set role = 'x'$$, 'PERMA', null, 'The owner changes no entry.');
select throws_ok($$delete from audit.entries$$, 'PERMA', null, 'Nor deletes one.');
select throws_ok($$truncate audit.entries$$, 'PERMA', null, 'Nor all.');
select throws_ok(format('delete from %s', p.relid), 'PERMA', null, format('Nor from the partition %s.', p.relid))
from pg_partition_tree('audit.entries') as p
where p.isleaf and exists (select from audit.entries as e where e.tableoid = p.relid);
select throws_ok(format('truncate %s', p.relid), 'PERMA', null, format('Nor empties %s.', p.relid))
from pg_partition_tree('audit.entries') as p
where p.isleaf;
select throws_ok(
  $$insert into audit.entries (transaction_id, sequence, recorded_at, table_name, operation, row_key, new_row_digest)
    overriding system value
    select e.transaction_id, e.sequence, e.recorded_at, 'x', 'insert', '1', '\x00' from audit.entries as e limit 1
    on conflict (transaction_id, sequence, recorded_at) do update set table_name = 'x'$$,
  'PERMA', null, 'An upsert is no way around.'
);
select throws_ok($$merge into audit.entries as e using (values (1)) as v (n) on true when matched then delete$$,
  'PERMA', null, 'Nor is a merge.');
select throws_ok($$update audit.seals set era = 1$$, 'PERMA', null, 'A seal is not changed.');
select throws_ok($$delete from audit.seals$$, 'PERMA', null, 'Nor deleted.');
select throws_ok($$truncate audit.seals$$, 'PERMA', null, 'Nor are all.');
select throws_ok($$update audit.eras set cluster = 1$$, 'PERMA', null, 'An era is not changed.');
select throws_ok($$delete from audit.key_fingerprints$$, 'PERMA', null, 'The fingerprint of the key is not forgotten.');
select lives_ok($$update audit.chart_accesses set purpose = 'payment'$$, 'Where there is nothing nothing is changed.');

-- No other role reaches any of it.
select tests.clear_authentication();
select is_empty(
  $$ select r.rolname, c.oid::regclass
     from pg_class as c, pg_roles as r
     where c.relnamespace = 'audit'::regnamespace
       and c.relkind in ('r', 'p', 'S')
       and r.rolname like 'hospital\_%'
       and r.rolname not in ('hospital_owner', 'hospital_backup')
       and case c.relkind
         when 'S' then has_sequence_privilege(r.oid, c.oid, 'usage, select, update')
         else has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger')
       end $$,
  'No role has any right on any table of the audit.'
);
select is_empty(
  $$ select r.rolname, f.oid::regprocedure
     from pg_proc as f, pg_roles as r
     where f.pronamespace = 'audit'::regnamespace
       and r.rolname like 'hospital\_%'
       and r.rolname <> 'hospital_owner'
       and has_function_privilege(r.oid, f.oid, 'execute') $$,
  'Nor on any of its functions.'
);
select * from finish();
rollback;
