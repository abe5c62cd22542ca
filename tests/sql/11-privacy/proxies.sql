-- Who acts for a patient: from the moment it is granted until the moment it ends, and not a row further.
begin;
select no_plan();
select tests.world();

create temporary table who on commit drop as
select
  tests.child() as kim,
  tests.patient('mum@example.test') as mum,
  tests.patient('eve@example.test') as eve,
  tests.id_of('ann') as ann,
  tests.id_of('bob') as bob,
  tests.id_of('dora') as dora;
alter table who add uuid_of_mum uuid, add uuid_of_eve uuid, add kims text;
update who set
  uuid_of_mum = (select p.public_uuid from hospital.patients as p where p.id = mum),
  uuid_of_eve = (select p.public_uuid from hospital.patients as p where p.id = eve),
  kims = tests.email_of_patient(kim);
select tests.prescription(tests.visit(tests.appointment(dora, kim, tests.next_working_instant(dora, '14:00')))) from who;
insert into hospital.patient_identifiers (patient_id, system, value) select kim, 'ssn', '999-00-1111' from who;
insert into hospital.contact_points (patient_id, kind, value) select kim, 'phone', '+1 617 555 0123' from who;
grant select on who to public;

create function pg_temp.as_(email text, statement text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as($1);
  return tests.constraint_of($2);
end;
$$;
-- What Mum sees of Kim: rows of these, in this order.
create function pg_temp.mum_sees() returns text
language plpgsql
as $$
declare
  kim bigint := (select w.kim from who as w);
  seen text;
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as('mum@example.test');
  select concat_ws(
    ' ',
    (select count(*) from hospital.patients as p where p.id = kim),
    (select count(*) from hospital.appointments as a where a.patient_id = kim),
    (select count(*) from hospital.visits as v where v.patient_id = kim),
    (select count(*) from hospital.prescriptions as r where r.patient_id = kim)
  ) into seen;
  perform tests.clear_authentication();
  return seen;
end;
$$;
create function pg_temp.grant_(patient bigint, proxy uuid, relationship text, scope text default 'read', evidence text default 'Certificate of birth', ends_at timestamptz default null) returns text
language sql
as $$ select format('select hospital.grant_proxy(%L, %L, %L, %L, %L, %L)', patient, proxy, relationship, scope, evidence, ends_at); $$;

-- ### who grants
select is(pg_temp.mum_sees(), '0 0 0 0', 'Nobody sees a child''s record for being its mother.');
select is(pg_temp.as_('mum@example.test', pg_temp.grant_(kim, uuid_of_mum, 'parent')), 'NTFND', 'Nobody makes himself a proxy of somebody else.') from who;
select is(pg_temp.as_('eve@example.test', pg_temp.grant_(ann, uuid_of_eve, 'spouse')), 'NTFND', 'Not of a grown-up either.') from who;
select is(pg_temp.as_(kims, pg_temp.grant_(kim, uuid_of_mum, 'parent')), 'PROXY', 'A child grants nothing.') from who;
select is(pg_temp.as_(kims, pg_temp.grant_(kim, uuid_of_eve, 'other')), 'PROXY', 'To nobody.') from who;
select is(pg_temp.as_('reception@example.test', pg_temp.grant_(kim, uuid_of_eve, 'other')), 'PROXY', 'Reception enters no friends of children.') from who;
select is(pg_temp.as_('reception@example.test', pg_temp.grant_(kim, uuid_of_mum, 'parent', evidence => null)), 'patient_proxies_guardian_has_evidence', 'Nor parents without a document.') from who;
select is(pg_temp.as_('reception@example.test', pg_temp.grant_(kim, uuid_of_mum, 'parent', evidence => ' ')), 'patient_proxies_evidence_not_blank', 'A blank is none.') from who;
select is(pg_temp.as_('reception@example.test', pg_temp.grant_(ann, uuid_of_mum, 'parent')), 'PROXY', 'Who is of age has no guardian.') from who;
select is(pg_temp.as_('administrator@example.test', pg_temp.grant_(ann, uuid_of_mum, 'power_of_attorney')), 'PROXY', 'And names a proxy himself.') from who;
select is(pg_temp.as_('ann@example.test', pg_temp.grant_(ann, uuid_of_mum, 'parent')), 'PROXY', 'But no guardian.') from who;
select is(pg_temp.as_('ann@example.test', pg_temp.grant_(ann, gen_random_uuid(), 'other')), 'NTFND', 'A made-up identifier is nobody''s.') from who;
select is(pg_temp.as_('ann@example.test', pg_temp.grant_(ann, null, 'other')), 'NTFND', 'Nor is none.') from who;
select is(pg_temp.as_('ann@example.test', pg_temp.grant_(ann, (select p.public_uuid from hospital.patients as p where p.id = ann), 'other')), 'NTFND', 'Nobody is a proxy of himself.') from who;
select is(pg_temp.as_('ann@example.test', pg_temp.grant_(ann, uuid_of_mum, 'friend')), 'UNKWN', 'The relationship is one of the list.') from who;
select is(pg_temp.as_('ann@example.test', pg_temp.grant_(ann, uuid_of_mum, 'other', 'everything')), 'patient_proxies_scope_fkey', 'So is the scope.') from who;
select is(pg_temp.as_('ann@example.test', pg_temp.grant_(ann, uuid_of_mum, 'other', ends_at => now() - interval '1 second')), 'PASTT', 'An end lies ahead.') from who;
select is(pg_temp.as_(e, pg_temp.grant_(kim, uuid_of_mum, 'parent')), '42501', format('%s grants nothing.', e))
from who, unnest(array['dora', 'nurse', 'billing', 'pharmacist', 'laboratory', 'analyst', 'auditor']) as n, lateral (select n || '@example.test' as e) as a;
select is(pg_temp.as_(e, 'insert into hospital.patient_proxies default values'), '42501', format('%s writes no grant past the function.', e))
from unnest(array['ann', 'reception', 'administrator', 'dora']) as n, lateral (select n || '@example.test' as e) as a;
select tests.be_owner();
select is(
  tests.would_be(format('insert into hospital.patient_proxies (patient_id, proxy_id, relationship, is_guardian, scope, granted) values (%s, %s, ''parent'', false, ''read'', ''[2026-01-01,)'')', kim, mum)),
  'patient_proxies_of_a_known_kind', 'A parent is a guardian, whoever writes it.'
) from who;
select is(
  tests.would_be(format('insert into hospital.patient_proxies (patient_id, proxy_id, relationship, is_guardian, scope, granted) values (%s, %s, ''other'', false, ''read'', %L)', kim, mum, span)),
  'patient_proxies_granted_from_a_time', format('The span %s is no grant.', span)
) from who, unnest(array['empty', '(,)', '(,2026-01-01)']) as span;

-- ### a guardian
select is(pg_temp.as_('reception@example.test', pg_temp.grant_(kim, uuid_of_mum, 'parent')), 'accepted', 'Reception enters a parent against a document.') from who;
select is(pg_temp.mum_sees(), '1 1 1 1', 'She reads the child''s record at once.');
select is(pg_temp.as_('reception@example.test', pg_temp.grant_(kim, uuid_of_mum, 'parent', 'read_and_book')), 'patient_proxies_one_grant_at_a_time', 'Nobody is the same proxy twice at once.') from who;
select tests.authenticate_as('mum@example.test');
select results_eq(
  'select x.proxy_name, x.is_live, x.ends_at > now() from (select hospital.patient_proxies_proxy_name(p) as proxy_name, hospital.patient_proxies_is_live(p) as is_live, hospital.patient_proxies_ends_at(p) as ends_at from hospital.patient_proxies as p) as x',
  $$ select p.given_name || ' ' || p.family_name, true, true from hospital.patients as p, who where p.id = mum $$,
  'She sees her grant, that it counts, and until when.'
);
select is_empty('select from hospital.patient_identifiers', 'The child''s numbers stay the child''s.');
select isnt_empty(format('select from hospital.contact_points where patient_id = %s', kim), 'She reads how to reach the child') from who;
select is(tests.would_be(format('select hospital.update_patient(%s, phone => ''+1 617 555 0188'')', kim)), 'NTFND', 'and does not change it.') from who;
select is(tests.would_be(format('insert into hospital.contact_points (patient_id, kind, value) values (%s, ''email'', ''m@example.test'')', kim)), '42501', 'Nor adds to it.') from who;
select is(tests.would_be(format('do $x$ declare n bigint; begin update hospital.patients set time_zone = ''UTC'' where id = %s; get diagnostics n = row_count; if n > 0 then raise unique_violation; end if; end $x$', kim)), 'accepted', 'Nor anything about the child.') from who;
select is(tests.would_be(pg_temp.grant_(kim, uuid_of_eve, 'legal_guardian')), 'NTFND', 'She makes nobody else a proxy.') from who;
select is(tests.would_be(format('select hospital.book_appointment(%s, %s, tests.type_id(), %L)', kim, dora, tests.next_working_instant(dora, '16:00'))), '42501', 'Who reads does not book.') from who;
select is(tests.would_be(format('select hospital.join_waitlist(%s, tests.type_id(), doctor_id => %s, starts_before => now() + interval ''30 days'')', kim, dora)), '42501', 'Nor waits.') from who;
select tests.clear_authentication();
select is_empty('select from hospital.appointments as a, who where a.patient_id = kim and a.status = ''scheduled''', 'Nothing of it was done.');
-- A proxy of a proxy is nobody.
select tests.proxy(mum, eve, 'other', 'read_and_book') from who;
select tests.authenticate_as('eve@example.test');
select is(array(select p.id from hospital.patients as p order by 1), (select array[mum, eve] from who), 'Nobody acts through somebody else''s grant.');
select is(
  array(select n from generate_series(1, 100) as n where hospital.patient_proxies_proxy_name(jsonb_populate_record(null::hospital.patient_proxies, jsonb_build_object('id', n))) is not null),
  array(select x.id::integer from hospital.patient_proxies as x), 'Nor hears of a grant that is not her own.'
);

-- ### booking
select tests.clear_authentication();
update hospital.patient_proxies as x set scope = 'read_and_book' from who where x.patient_id = kim;
create temporary table booked (id bigint);
grant select, insert on booked to public;
select tests.authenticate_as('mum@example.test');
insert into booked select (hospital.book_appointment(kim, dora, tests.type_id(), tests.next_working_instant(dora, '16:00'))).id from who;
select is(a.patient_id, kim, 'Who may book, books for the child,') from who, hospital.appointments as a, booked as b where a.id = b.id;
select is((hospital.reschedule_appointment(b.id, tests.next_working_instant(dora, '17:00'))).starts_at, tests.next_working_instant(dora, '17:00'), 'moves') from who, booked as b;
select is((hospital.cancel_appointment(b.id, 'patient_request')).status, 'cancelled', 'and calls off.') from booked as b;
select is((hospital.join_waitlist(kim, tests.type_id(), doctor_id => dora, starts_before => now() + interval '30 days')).patient_id, kim, 'And waits for it.') from who;
select is(tests.would_be(format('select hospital.book_appointment(%s, %s, tests.type_id(), %L)', bob, dora, tests.next_working_instant(dora, '16:00'))), 'NTFND', 'For nobody else.') from who;

-- ### the end
select is(pg_temp.as_(kims, format('select hospital.revoke_proxy(%s)', x.id)), 'PROXY', 'A child does not send the parents away.') from who, hospital.patient_proxies as x where x.patient_id = kim;
select tests.clear_authentication();
select is(pg_temp.as_(e || '@example.test', format('select hospital.revoke_proxy(%s)', id)), 'NTFND', format('Nor does %s.', initcap(e)))
from unnest(array['eve', 'ann']) as e, (select x.id from hospital.patient_proxies as x, who where x.patient_id = kim) as x;
select tests.clear_authentication();
select is(pg_temp.as_('mum@example.test', format('select hospital.revoke_proxy(%s)', x.id)), 'accepted', 'A proxy steps back.') from who, hospital.patient_proxies as x where x.patient_id = kim;
select is(pg_temp.mum_sees(), '0 0 0 0', 'From then on she sees nothing.');
select is(pg_temp.as_('mum@example.test', format('do $x$ begin perform hospital.cancel_appointment(%s); end $x$', b.id)), 'NTFND', 'And does nothing.') from booked as b;
select tests.clear_authentication();
create temporary table ended on commit drop as select x.* from hospital.patient_proxies as x, who where x.patient_id = kim;
grant select on ended to public;
select tests.authenticate_as('reception@example.test');
select is((hospital.revoke_proxy(e.id)).revoked_at, e.revoked_at, 'Revoking what is revoked is no error') from ended as e;
select tests.clear_authentication();
select is(x.revoked_at, e.revoked_at, 'and changes nothing.') from hospital.patient_proxies as x join ended as e on e.id = x.id;

-- ### the clock
update hospital.appointments as a set status = 'completed' from who where a.patient_id = kim and a.status = 'in_progress';
select tests.proxy(kim, mum, granted => tstzrange(clock_timestamp() + interval '1 hour', null)) from who;
select is(pg_temp.mum_sees(), '0 0 0 0', 'A grant that has not begun shows nothing.');
create function pg_temp.granted(lasting interval) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  update hospital.patient_proxies as x
  set granted = tstzrange(clock_timestamp(), clock_timestamp() + lasting)
  from who where x.patient_id = kim and x.revoked_at is null;
  perform pg_sleep(0.05);
  return pg_temp.mum_sees();
end;
$$;
select is(pg_temp.granted('1 hour'), '1 2 1 1', 'While it lasts it shows everything,');
select is(pg_temp.granted('50 milliseconds'), '0 0 0 0', 'and by the clock nothing more, in the same transaction.');
select is(pg_temp.granted('1 hour'), '1 2 1 1', 'It counts again');
update hospital.patients set deceased_on = current_date from who where id = mum;
select is(pg_temp.mum_sees(), '0 0 0 0', 'for the living only,');
update hospital.patients set deceased_on = null from who where id = mum;
update hospital.patients set deactivated_at = now(), deactivation_reason = 'Moved' from who where id = kim;
select is(pg_temp.mum_sees(), '1 2 1 1', 'also of a record that is closed,');
update hospital.patients set deceased_on = current_date from who where id = kim;
select is(pg_temp.mum_sees(), '0 0 0 0', 'but not beyond the patient''s life.');
update hospital.patients set deceased_on = null from who where id = kim;

-- ### everything, by the catalogue
-- Whoever reads for somebody reads what that patient reads, table by table. A table added tomorrow is either read
-- by proxies, too, or is named here.
create function pg_temp.rows_as(email text, relation regclass, patient bigint) returns bigint
language plpgsql
as $$
declare
  rows bigint := 0;
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as($1);
  begin
    execute format('select count(*) from %s where patient_id = %s', $2, $3) into rows;
  exception
    when insufficient_privilege then
      null;
  end;
  perform tests.clear_authentication();
  return rows;
end;
$$;
create temporary table read_by_ann on commit drop as
select c.oid::regclass as relation, pg_temp.rows_as('ann@example.test', c.oid, ann) as rows
from who, pg_catalog.pg_class as c
join pg_catalog.pg_attribute as a
  on a.attrelid = c.oid
  and a.attname = 'patient_id'
where c.relnamespace = 'hospital'::regnamespace
  and c.relkind in ('r', 'p');
select cmp_ok(count(*), '>', 10::bigint, 'A patient reads much.') from read_by_ann as r where r.rows > 0;
select tests.proxy(ann, bob, 'spouse') from who;
select is(
  array(select r.relation::text from who, read_by_ann as r where pg_temp.rows_as('bob@example.test', r.relation, ann) <> r.rows order by 1),
  array['hospital.consents', 'hospital.patient_identifiers', 'hospital.patient_proxies', 'hospital.sensitivity_grants'],
  'A proxy reads all of it but the numbers other systems gave, what the patient consents to, and who else may read or act.'
);
update hospital.patient_proxies set revoked_at = clock_timestamp() where revoked_at is null and patient_id = (select ann from who);
select is(
  array(select r.relation::text from who, read_by_ann as r where pg_temp.rows_as('bob@example.test', r.relation, ann) > 0),
  array['hospital.patient_proxies'],
  'And nothing afterwards but that it was granted.'
);

-- ### coming of age
select is(pg_temp.mum_sees(), '1 2 1 1', 'A child has guardians');
create function pg_temp.born(years integer, days_from_today integer, zone text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  update hospital.patients as p
  set time_zone = zone,
    date_of_birth = ((now() at time zone zone)::date + days_from_today - make_interval(years => years))::date
  from who where p.id = kim;
  return pg_temp.mum_sees();
end;
$$;
select is(pg_temp.born(18, 2, z), '1 2 1 1', format('until the eighteenth birthday in %s,', z)),
  is(pg_temp.born(18, 0, z), '0 0 0 0', 'on which it has none any more,'),
  is(pg_temp.born(17, 0, z), '1 2 1 1', 'as soon as its date of birth is corrected.')
from unnest(array['Pacific/Kiritimati', 'America/New_York', 'Asia/Kolkata', 'Pacific/Pago_Pago']) as z;
select tests.clear_authentication();
select is(pg_temp.born(18, 0, 'UTC'), '0 0 0 0', 'Of age,');
select is(pg_temp.as_(kims, pg_temp.grant_(kim, uuid_of_mum, 'other', 'read', null)), 'accepted', 'he may name her himself.') from who;
select is(pg_temp.mum_sees(), '1 2 1 1', 'And she reads again.');
select is(pg_temp.as_(kims, format('select hospital.revoke_proxy(%s)', x.id)), 'accepted', 'Until he revokes it.')
from who, hospital.patient_proxies as x where x.patient_id = kim and not x.is_guardian;
select is(pg_temp.mum_sees(), '0 0 0 0', 'At once.');

select tests.clear_authentication();
select is(
  hospital_private.comes_of_age_at(jsonb_populate_record(null::hospital.patients, jsonb_build_object('date_of_birth', born, 'time_zone', zone))),
  at::timestamptz, format('Born on %s in %s: %s.', born, zone, at)
)
from (
  values
    ('2008-05-10', 'Pacific/Kiritimati', '2026-05-09 10:00Z'),
    ('2008-05-10', 'Pacific/Pago_Pago', '2026-05-10 11:00Z'),
    ('2008-05-10', 'Asia/Kathmandu', '2026-05-09 18:15Z'),
    -- In the year 2026 there is no 29 February, in 2028 there is.
    ('2008-02-29', 'America/New_York', '2026-03-01 05:00Z'),
    ('2008-02-28', 'America/New_York', '2026-02-28 05:00Z'),
    ('2008-03-01', 'America/New_York', '2026-03-01 05:00Z'),
    ('2010-02-28', 'America/New_York', '2028-02-28 05:00Z'),
    -- Cuba's clocks change at midnight: one day begins twice, another has no midnight.
    ('2008-11-01', 'America/Havana', '2026-11-01 04:00Z'),
    ('2008-03-08', 'America/Havana', '2026-03-08 05:00Z')
) as b (born, zone, at);
select is(
  extract(year from age((d.born + 18 * interval '1 year')::date, d.born))::integer = 18,
  hospital_private.comes_of_age_at(jsonb_populate_record(null::hospital.patients, jsonb_build_object('date_of_birth', d.born, 'time_zone', 'UTC')))
    = (d.born + 18 * interval '1 year') at time zone 'UTC',
  format('Whoever is born on %s comes of age when the age says so.', d.born)
)
from (select ('2008-02-25'::date + n) as born from generate_series(0, 8) as n) as d;
select tests.facility('Asia/Tokyo'), tests.facility('America/Los_Angeles');
select is(
  hospital_private.comes_of_age_at(jsonb_populate_record(null::hospital.patients, '{"date_of_birth": "2008-05-10"}')),
  '2026-05-09 15:00Z'::timestamptz, 'Where the patient''s zone is not known, it is the earliest of the facilities''.'
);

select tests.clear_authentication();
select * from finish();
rollback;
