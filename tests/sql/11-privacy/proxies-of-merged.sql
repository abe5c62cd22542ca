-- Where two records are one person's, a grant counts for the person: for the ward, and for who acts.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.child() as kim,
  tests.child('2000-01-01') as kims_other,
  tests.patient('mum@example.test') as mum,
  tests.patient('mums.other@example.test') as mums_other,
  tests.staff('administrator', email => 'administrator@example.test') as administrator;
grant select on who to public;
create function pg_temp.seen_by(email text) returns text[]
language plpgsql
as $$
declare
  seen text[];
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as($1);
  seen := array(
    select n.name
    from who as w
    cross join lateral (
      values (1, 'kim', w.kim), (2, 'kims other', w.kims_other), (3, 'mum', w.mum), (4, 'mums other', w.mums_other)
    ) as n (rank, name, id)
    join hospital.patients as p
      on p.id = n.id
    order by n.rank
  );
  perform tests.clear_authentication();
  return seen;
end;
$$;
create function pg_temp.administer(statement text) returns void
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as('administrator@example.test');
  execute statement;
  perform tests.clear_authentication();
end;
$$;

-- ### the ward's records
select tests.proxy(kims_other, mum) from who;
select is(pg_temp.seen_by('mum@example.test'), array['mum'], 'Whose record says he is of age has no guardian.');
select pg_temp.administer(format('select hospital.merge_patients(%s, %s, ''Same child'')', kims_other, kim)) from who;
select is(pg_temp.seen_by('mum@example.test'), array['kim', 'kims other', 'mum'], 'Of several records, the one that goes on says how old the child is, and all are read.');
update hospital.patients set deceased_on = current_date from who where id = kims_other;
select is(pg_temp.seen_by('mum@example.test'), array['mum'], 'A death that either record knows of ends it.');
update hospital.patients set deceased_on = null from who where id = kims_other;

-- ### the proxy's
select pg_temp.administer(format('select hospital.merge_patients(%s, %s, ''Same mother'')', mum, mums_other)) from who;
select is(pg_temp.seen_by(e || '@example.test'), array['kim', 'kims other', 'mum', 'mums other'], format('Logged in as %s she reads for the child.', e))
from unnest(array['mum', 'mums.other']) as e;
select tests.authenticate_as('mums.other@example.test');
select is((hospital.revoke_proxy(x.id)).revoked_at is not null, true, 'And steps back as either.') from hospital.patient_proxies as x;
select is(pg_temp.seen_by('mum@example.test'), array['mum', 'mums other'], 'Which ends it for both.');

-- ### separated
update hospital.patient_proxies set revoked_at = null;
select pg_temp.administer(format('select hospital.unmerge_patients(%s)', mum)) from who;
select is(pg_temp.seen_by('mums.other@example.test'), array['mums other'], 'Separated, the grant is hers again whose it was.');
select is(pg_temp.seen_by('mum@example.test'), array['kim', 'kims other', 'mum'], 'And not the other''s.');
select pg_temp.administer(format('select hospital.unmerge_patients(%s)', kims_other)) from who;
select is(pg_temp.seen_by('mum@example.test'), array['mum'], 'So is the child''s.');

-- Nobody is made a proxy of himself through another record.
select pg_temp.administer(format('select hospital.merge_patients(%s, %s, ''Same mother'')', mum, mums_other)) from who;
select tests.authenticate_as('mum@example.test');
select is(
  tests.would_be(format('select hospital.grant_proxy(%s, %L, ''other'')', p.id, p.public_uuid)), 'NTFND', 'Nobody acts for himself.'
) from hospital.patients as p;
select tests.clear_authentication();
select * from finish();
rollback;
