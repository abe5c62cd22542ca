-- Two records of one person: a link that every reader follows, that rewrites nothing, and that can be undone.
begin;
select no_plan();
select tests.world();

-- Bob's record turns out to be Ann's. Nothing of it may be in the way.
create temporary table who on commit drop as
select tests.id_of('ann') as ann, tests.id_of('bob') as bob, tests.id_of('dora') as dora, tests.id_of('dirk') as dirk, tests.patient('cy@example.test', 'Cyan') as cy;
update hospital.patient_proxies set proxy_id = (select cy from who);
update hospital.patients set date_of_birth = '1975-05-05' where id = (select bob from who);
grant select on who to public;

create function pg_temp.merge(duplicate bigint, survivor bigint, reason text default 'Same passport') returns text
language sql
as $$ select format('select hospital.merge_patients(%L, %L, %L)', duplicate, survivor, reason); $$;
create function pg_temp.as_(email text, statement text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as($1);
  return tests.constraint_of($2);
end;
$$;
-- A fingerprint of every row of every table with a patient's key, but for the link itself.
create function pg_temp.all_rows() returns text
language plpgsql
as $$
declare
  relation regclass;
  rows text;
  digest text := '';
begin
  for relation in
    select c.oid from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('hospital', 'hospital_private') and c.relname not in ('patient_merges', 'sessions', 'refresh_tokens', 'live_events')
    order by c.oid
  loop
    execute format($q$ select md5(coalesce(string_agg(md5((to_jsonb(t) - '{merged_into_id,person_id,updated_at}'::text[])::text), '' order by md5((to_jsonb(t) - '{merged_into_id,person_id,updated_at}'::text[])::text)), '')) from %s as t $q$, relation) into rows;
    digest := md5(digest || rows);
  end loop;
  return digest;
end;
$$;

-- ### what is refused
select is(pg_temp.as_('administrator@example.test', pg_temp.merge(bob, ann)), 'INWAY', 'A record with appointments to come is no duplicate yet.') from who;
select tests.clear_authentication();
update hospital.appointments as a set status = 'completed' from who where a.patient_id = bob and a.status = 'in_progress';
select is(pg_temp.as_('administrator@example.test', pg_temp.merge(bob, ann)), 'INWAY', 'Nor one that waits for some.') from who;
select tests.clear_authentication();
update hospital.waitlist_entries as w set status = 'withdrawn' from who where w.patient_id = bob;
select is(pg_temp.as_(e, pg_temp.merge(bob, ann)), '42501', format('%s merges nobody.', e))
from who, unnest(array['ann', 'bob', 'dora', 'nurse', 'reception', 'billing', 'auditor', 'analyst']) as n, lateral (select n || '@example.test' as e) as a;
select is(pg_temp.as_('administrator@example.test', pg_temp.merge(d, s, r)), code, said)
from who, lateral (
  values
    (bob, -1, 'x', 'NTFND', 'Nobody is merged into nobody.'),
    (-1, ann, 'x', 'NTFND', 'Nor nobody into somebody.'),
    (null, null, 'x', 'NTFND', 'Nor null into null.'),
    (bob, bob, 'x', 'patients_not_merged_into_self', 'Nor anybody into himself.'),
    (bob, ann, null, 'MISSA', 'It has a reason.'),
    (bob, ann, ' ', 'patient_merges_reason_not_blank', 'A blank is none.')
) as t (d, s, r, code, said);

-- ### what everybody sees, before, as one, and after
select tests.clear_authentication();
create temporary table readers on commit drop as
select r.name, tests.new_session(r.name || '@example.test') as session
from unnest(array['ann', 'bob', 'cy', 'dora', 'dirk', 'nurse', 'reception', 'administrator', 'billing', 'pharmacist', 'laboratory', 'auditor', 'analyst']) as r (name);
grant select on readers to public;
create temporary table tables on commit drop as
select c.oid::regclass as relation
from pg_catalog.pg_class as c
join pg_catalog.pg_attribute as a
  on a.attrelid = c.oid
  and a.attname = 'patient_id'
where c.relnamespace = 'hospital'::regnamespace
  and c.relkind in ('r', 'p');
create function pg_temp.seen(reader text, relation regclass, patient bigint) returns bigint
language plpgsql
as $$
declare
  rows bigint;
begin
  perform tests.claim(r.session) from readers as r where r.name = $1;
  begin
    execute format('select count(*) from %s where %I = %s', $2, case when $2 = 'hospital.patients'::regclass then 'id' else 'patient_id' end, $3) into rows;
  exception
    when insufficient_privilege then
      rows := -1;
  end;
  perform tests.clear_authentication();
  return rows;
end;
$$;
-- What a reader would see of one patient's rows of a table if they were another's: they are made so, looked at,
-- and all is undone. Where two rows of one patient are not allowed, the other's own make room.
create function pg_temp.seen_if(reader text, relation regclass, of_patient bigint, were_of bigint) returns bigint
language plpgsql
as $$
declare
  given text := format('update %s set patient_id = %s where patient_id = %s', $2, $4, $3);
  own bigint := pg_temp.seen($1, $2, $4);
begin
  if own < 0 then
    return own;
  end if;
  begin
    set local session_replication_role = replica;
    begin
      execute given;
    exception
      when unique_violation or exclusion_violation then
        execute format('delete from %s where patient_id = %s', $2, $4);
        execute given;
        own := 0;
    end;
    set local session_replication_role = origin;
    own := pg_temp.seen($1, $2, $4) - own;
    raise exception using errcode = 'UNDOA';
  exception
    when sqlstate 'UNDOA' then
      return own;
  end;
end;
$$;
create function pg_temp.open_own() returns void
language plpgsql
as $$
declare
  reader readers;
begin
  for reader in select * from readers as r where r.name in ('dora', 'dirk', 'nurse') loop
    perform tests.claim(reader.session);
    perform hospital.open_chart(case reader.name when 'dirk' then w.bob else w.ann end) from who as w;
    perform tests.clear_authentication();
  end loop;
end;
$$;
select pg_temp.open_own();

create function pg_temp.there(relation regclass, patient bigint) returns bigint
language plpgsql
as $$
declare
  rows bigint;
begin
  execute format('select count(*) from %s where patient_id = %s', $1, $2) into rows;
  return rows;
end;
$$;
select is(
  array(select t.relation::text from tables as t, who where least(pg_temp.there(t.relation, ann), pg_temp.there(t.relation, bob)) = 0),
  '{}', 'Both have rows in every table with a patient''s key.'
);
create temporary table before on commit drop as
select r.name, t.relation, pg_temp.seen(r.name, t.relation, ann) as of_ann, pg_temp.seen(r.name, t.relation, bob) as of_bob
from who, readers as r, (select relation from tables union all select 'hospital.patients') as t;
-- Of whom each reader knows: the other's rows should be as that one's own.
create temporary table expected on commit drop as
select r.name, t.relation, n.known, n.other, pg_temp.seen_if(r.name, t.relation, n.other, n.known) as rows
from who, readers as r, tables as t, lateral (values (ann, bob), (bob, ann)) as n (known, other);
select cmp_ok(count(*) filter (where e.rows > 0), '>', 5::bigint, format('There is something to be seen by %s.', e.name))
from expected as e where e.name in ('ann', 'bob', 'dora', 'dirk', 'nurse', 'reception') group by e.name;
create temporary table rows_before on commit drop as select pg_temp.all_rows() as digest;

select is(pg_temp.as_('administrator@example.test', pg_temp.merge(bob, ann)), 'accepted', 'An administrator merges.') from who;
select tests.clear_authentication();
select is(pg_temp.all_rows(), digest, 'Nothing is rewritten but the link.') from rows_before;
select is(
  array(
    select format('%s, %s of %s: %s, not %s', e.name, e.relation, e.other, s.rows, e.rows)
    from expected as e, lateral (select pg_temp.seen(e.name, e.relation, e.other) as rows) as s
    join before as b on true
    where b.name = e.name
      and b.relation = e.relation
      -- What was seen already is still seen; the rest is as the known one's own would be.
      and s.rows < greatest(e.rows, case e.other when (select ann from who) then b.of_ann else b.of_bob end)
  ),
  '{}', 'Whoever would see a row were it the one record''s, sees it of the other.'
);
select is(
  array(
    select format('%s: %s', b.name, b.relation)
    from before as b, who
    where b.name in ('cy', 'pharmacist', 'laboratory', 'auditor', 'analyst')
      and (pg_temp.seen(b.name, b.relation, ann), pg_temp.seen(b.name, b.relation, bob)) is distinct from (b.of_ann, b.of_bob)
  ),
  '{}', 'Whoever sees neither, sees neither.'
);
select is(
  array(
    select b.name from before as b, who where b.relation = 'hospital.patients'::regclass
      and (b.of_ann > 0 or b.of_bob > 0) and (pg_temp.seen(b.name, b.relation, ann) <> 1 or pg_temp.seen(b.name, b.relation, bob) <> 1)
  ),
  '{}', 'Whoever knows one of the two knows both.'
);

-- ### one person
select tests.authenticate_as('bob@example.test');
select is((hospital.current_account()).patient_id, ann, 'Who logs in to the duplicate is the one who goes on,') from who;
select is(tests.would_be(format('select hospital.book_appointment(%s, %s, tests.type_id(), %L)', ann, dora, tests.next_working_instant(dora, '16:00'))), 'accepted', 'books for that record') from who;
select is(tests.would_be(format('select hospital.book_appointment(%s, %s, tests.type_id(), %L)', bob, dora, tests.next_working_instant(dora, '16:00'))), 'NOTBK', 'and not for the closed one,') from who;
select is((hospital.update_patient(ann, phone => '+1 617 555 0177')).id, ann, 'whose contacts are that record''s.') from who;
select tests.clear_authentication();
select is(c.value, '+1 617 555 0100', 'The duplicate''s stay as they are.') from who, hospital.contact_points as c where c.patient_id = bob and c.kind = 'phone';
update hospital.contact_points as c set value = '+1 617 555 0100' from who where c.patient_id = ann and c.kind = 'phone';
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(array(select r.id from hospital.patients as p, hospital.patients_records(p) as r where p.id = bob), array[ann, bob], 'Either record leads to all, the one that goes on first.') from who;
select is(count(*), 2::bigint, 'The medicines in use are those of both.') from who, hospital.patients as p, hospital.patients_medications_in_use(p) where p.id = ann
having current_date between '2026-03-01' and '2026-03-30';
select tests.clear_authentication();
select tests.authenticate_as('reception@example.test');
select is(array(select p.id from hospital.search_patients(t) as p), array[ann], format('Looking for %s finds the record that goes on.', t))
from who, lateral (select unnest(array['Baker', 'Able', p.mrn]) as t from hospital.patients as p where p.id = bob) as s;
select is(tests.would_be(format('select hospital.book_appointment(%s, %s, tests.type_id(), %L)', bob, dora, tests.next_working_instant(dora, '16:00'))), 'NOTBK', 'The duplicate is not booked any more.') from who;
select tests.clear_authentication();
select tests.authenticate_as('dora@example.test');
select is(array(select p.id from hospital.search_patients('Baker') as p), array[ann], 'So does the doctor, on the roster.') from who;
select is((hospital.open_chart(bob)).id, bob, 'The duplicate''s chart opens, too.') from who;
select tests.clear_authentication();
select is(
  array(select c.patient_id from audit.chart_accesses as c join hospital_private.accounts as a on a.id = c.account_id where a.email = 'dora@example.test' order by c.id),
  array[ann, bob], 'Each is on record under the key that was asked for.'
) from who;
-- On no path does the duplicate get an appointment again.
select tests.be_owner();
select is(tests.would_be(format('update hospital.appointments set status = ''in_progress'', starts_at = %L where patient_id = %s', tests.next_working_instant(dirk, '16:00'), bob)), 'NOTBK', 'Not by bringing an old one back.') from who;
select is(tests.would_be(format('update hospital.appointments set patient_id = %s where patient_id = %s and status = ''scheduled''', bob, ann)), 'accepted', 'There is none to give.') from who;
select is(tests.would_be(format('insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) values (%s, %s, tests.type_id(), %L)', bob, dora, tests.next_working_instant(dora, '16:00'))), 'NOTBK', 'Not by the owner.') from who;

-- ### no chains and no circles, whoever writes
select is(tests.would_be(format('update hospital.appointments set status = ''completed'' where status = ''in_progress''; update hospital.patients set merged_into_id = %s where id = %s', b, a)), 'patients_merged_into_a_survivor', said)
from who, lateral (
  values (cy, bob, 'Nobody is merged into a duplicate.'), (ann, cy, 'Nor is who has one.'), (ann, bob, 'Nor the two into each other.')
) as t (a, b, said);
select is(tests.would_be(format('update hospital.patients set person_id = %s where id = %s', cy, bob)), '428C9', 'Who the person is, is not for the writer to say.') from who;
select is(pg_temp.as_('administrator@example.test', pg_temp.merge(a, b)), 'MERGD', said)
from who, lateral (
  values (cy, bob, 'An administrator is told so.'), (ann, cy, 'For each of them.'), (bob, cy, 'Also of who is merged already.')
) as t (a, b, said);

-- ### undone
select is(pg_temp.as_(e || '@example.test', format('select hospital.unmerge_patients(%s)', bob)), '42501', format('%s undoes nothing.', e))
from who, unnest(array['ann', 'dora', 'reception']) as e;
select is(pg_temp.as_('administrator@example.test', format('select hospital.unmerge_patients(%s)', cy)), 'NTFND', 'What was not merged is not undone.') from who;
select is(pg_temp.as_('administrator@example.test', format('select hospital.unmerge_patients(%s)', bob)), 'accepted', 'An administrator undoes it.') from who;
select tests.clear_authentication();
select is(pg_temp.all_rows(), digest, 'All rows are as they were.') from rows_before;
select is(
  array(select r.name from readers as r, hospital_private.sessions as s where s.id = (r.session).session_id and s.revoked_at is not null order by 1),
  array['dirk', 'dora', 'nurse'], 'Whoever had a chart of either open is logged out, since it may be the other''s.'
);
update readers as r set session = tests.new_session(r.name || '@example.test') where r.name in ('dora', 'dirk', 'nurse');
select pg_temp.open_own();
select is(
  array(
    select format('%s: %s', b.name, b.relation)
    from before as b, who
    where (pg_temp.seen(b.name, b.relation, ann), pg_temp.seen(b.name, b.relation, bob)) is distinct from (b.of_ann, b.of_bob)
  ),
  '{}', 'And everybody sees what he saw before.'
);
select results_eq(
  'select m.duplicate_id, m.survivor_id, m.reason, b.email, u.email, m.unmerged_at >= m.merged_at from hospital.patient_merges as m join hospital_private.accounts as b on b.id = m.merged_by join hospital_private.accounts as u on u.id = m.unmerged_by',
  $$ select bob, ann, 'Same passport', 'administrator@example.test', 'administrator@example.test', true from who $$,
  'The history keeps who, when and why.'
);
-- A link written past the functions is kept as well, and so is one that is turned.
select tests.be_owner();
update hospital.patients as p set merged_into_id = ann from who where p.id = bob;
update hospital.patients as p set merged_into_id = cy from who where p.id = bob;
select is(
  array(select (m.survivor_id, m.unmerged_at is null)::text from hospital.patient_merges as m where m.merged_by is null and m.merged_at > now() order by m.id),
  (select array[(ann, false)::text, (cy, true)::text] from who), 'What the owner writes is on the list.'
);
select tests.clear_authentication();
select * from finish();
rollback;
