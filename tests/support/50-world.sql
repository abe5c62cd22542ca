-- A small hospital in which everybody has something to see and something not to see, and the
-- questions that are put to it once for each persona.

create table tests.people (name text primary key, id bigint not null);
grant select on tests.people to public;

-- Ann is a patient of the doctor Dora in one department, Bob of Dirk in the other. Each has one row
-- in every table that is about patients; and Cara, of Dora's colleague Dan, when she is asked for.
create function tests.world(with_colleague boolean default false)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ward bigint := tests.department(tests.facility());
  elsewhere bigint := tests.department(tests.facility());
  dora bigint := tests.doctor(ward, 'dora@example.test', tests.room(ward));
  dirk bigint := tests.doctor(elsewhere, 'dirk@example.test', tests.room(elsewhere));
  dan bigint := case when world.with_colleague then tests.doctor(ward, 'dan@example.test') end;
  person record;
  appointment bigint;
  visit bigint;
begin
  perform tests.staff('nurse', ward, 'nurse@example.test');
  perform tests.staff(r.role, ward, r.role || '@example.test')
  from unnest(
    array['reception', 'pharmacist', 'laboratory', 'billing', 'administrator', 'analyst', 'auditor']
  ) as r (role);
  insert into tests.people
  values
    ('ann', tests.patient('ann@example.test', 'Able')),
    ('bob', tests.patient('bob@example.test', 'Baker')),
    ('dora', dora),
    ('dirk', dirk);
  if world.with_colleague then
    insert into tests.people
    values ('cara', tests.patient('cara@example.test', 'Cole')), ('dan', dan);
  end if;
  insert into hospital.contact_points (staff_member_id, kind, value)
  select
    d.staff_member_id,
    'phone',
    '+1 617 555 0199'
  from hospital.doctors as d;
  -- Somebody waits for approval, something is closed: there is always a row that is not for all.
  insert into hospital.doctors (staff_member_id, specialization, licence, practising_since)
  values (tests.staff_member('doctor', ward), 'Neurology', 'L-waiting', date '2015-01-01');
  insert into hospital.departments (facility_id, name, is_active)
  values (tests.facility(), 'Closed ward', false);

  for person in
    select p.id, case p.name when 'ann' then dora when 'bob' then dirk else dan end as doctor
    from tests.people as p
    where p.name in ('ann', 'bob', 'cara')
  loop
    appointment := tests.appointment(person.doctor, person.id);
    visit := tests.visit(appointment);
    insert into hospital.contact_points (patient_id, kind, value)
    values (person.id, 'phone', '+1 617 555 0100');
    insert into hospital.patient_identifiers (patient_id, system, value)
    values (person.id, 'ssn', '999-00-' || person.id);
    insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
    values (person.doctor, '2026-01-05', '2026-01-06', 'illness');
    -- With a colleague the doctors are on duty, whatever the clock says: what duty opens is looked at.
    insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at)
    values (
      person.doctor,
      case when world.with_colleague then now() - interval '1 hour' else '2026-01-06' end,
      case when world.with_colleague then now() + interval '1 day' else '2026-01-07' end
    );
    insert into hospital.waitlist_entries (patient_id, appointment_type_id, doctor_id, starts_before)
    values (person.id, tests.type_id(), person.doctor, now() + interval '30 days');
    insert into hospital.appointment_staff (appointment_id, staff_member_id)
    select
      appointment,
      tests.staff_member('nurse', m.department_id)
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = person.doctor;
    insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
    values (person.doctor, person.id, tstzrange('2026-01-05', '2026-01-06'), 'urgent_need');
    insert into hospital.appointment_series
      (patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences)
    values (person.id, person.doctor, tests.type_id(), '2026-01-05', '10:00', 1, 4);
    update hospital.appointments as a
    set ends_at = a.ends_at + interval '15 minutes'
    where a.id = appointment;
    insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
    values (visit, person.id, tests.diagnosis_code(), 1);
    insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on)
    values (person.id, tests.diagnosis_code(), '2020-01-01');
    update hospital.visits as v
    set notes = 'Corrected.',
      amendment_reason = 'Typing error'
    where v.id = visit;
    perform tests.prescription(visit);
    perform tests.treatment(visit);
    perform tests.note(visit, is_signed => false);
    update hospital.clinical_notes as n
    set body = n.body || '{"plan": "No salt"}',
      signed_at = now()
    where n.patient_id = person.id;
    insert into hospital.sensitivity_grants
      (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
    select
      person.id,
      tests.staff_member('nurse', m.department_id),
      'hiv',
      tstzrange(now(), now() + interval '1 hour'),
      'Gives the medicine',
      m.id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = person.doctor;
    insert into hospital.notifications (reason, patient_id, appointment_id, subject, body)
    values ('test ' || person.id, person.id, appointment, 'Your appointment', 'See you.');
    -- Both long over, or about nobody in the house.
    insert into hospital.break_glass_grants
      (account_id, staff_member_id, role, patient_id, category, reason, granted, review_due_at)
    select
      a.id,
      a.staff_member_id,
      'doctor',
      person.id,
      'emergency',
      'Collapsed in the lobby',
      tstzrange('2026-01-05', '2026-01-06'),
      '2026-01-08'
    from hospital_private.accounts as a
    where a.email = tests.email_of_doctor(person.doctor);
    insert into hospital.consents (patient_id, scope, granted, evidence)
    values (person.id, 'no_quality_review', tstzrange('2026-01-05', null), 'Signed form');
    -- A hold that has ended: a live one would forbid what other tests do.
    insert into hospital.legal_holds
      (patient_id, matter, reason, held, released_at, release_reason)
    values (
      person.id, 'Docket 7', 'A suit', tstzrange('2026-01-01', '2026-01-02'), '2026-01-02', 'Settled'
    );
  end loop;
  -- Each was the other's proxy once, and for a while the two were held for one person.
  insert into hospital.patient_proxies
    (patient_id, proxy_id, relationship, is_guardian, scope, granted, revoked_at)
  select a.id, b.id, 'spouse', false, 'read_and_book', tstzrange('2026-01-01', null), '2026-01-02'
  from tests.people as a
  join tests.people as b
    on b.id <> a.id
  where a.name in ('ann', 'bob', 'cara')
    and b.name in ('ann', 'bob')
    and (a.name, b.name) <> ('cara', 'bob');
  insert into hospital.patient_merges (duplicate_id, survivor_id, merged_at, unmerged_at)
  values (tests.id_of('bob'), tests.id_of('ann'), '2026-01-01', '2026-01-02');
  -- The certificate of somebody who is nobody here.
  with erased as (
    insert into hospital.erasures (subject, record_uuids, reason, is_complete)
    select u.subject, array[u.subject], 'person_asked', true
    from (select gen_random_uuid() as subject) as u
    returning id
  )
  insert into hospital.erasure_lines
    (erasure_id, relation, data_class, outcome, column_names, row_count, explanation)
  select e.id, 'hospital.patients', 'identity', 'erased', '{given_name}', 1, 'It named the person.'
  from erased as e;
end;
$$;
comment on function tests.world(boolean) is
  'Ann and Bob with a doctor each, perhaps Cara with a colleague, staff of every role, and one row for each patient in every table about patients.';

create function tests.id_of(name text)
returns bigint
language sql
stable
as $$
  select p.id
  from tests.people as p
  where p.name = id_of.name;
$$;

-- Whose a row is, where the table does not say it itself.
create function tests.rows_of(relation regclass, patient_id bigint)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select case
    when rows_of.relation = 'hospital.patients'::regclass
      then format('id = %s', rows_of.patient_id)
    when rows_of.relation = 'hospital.appointment_status_history'::regclass
      then format(
        'appointment_id = any (%L::bigint[])',
        array(select a.id from hospital.appointments as a where a.patient_id = rows_of.patient_id)
      )
    when exists (
      select
      from pg_catalog.pg_attribute as a
      where a.attrelid = rows_of.relation
        and a.attname = 'patient_id'
    )
      then format('patient_id = %s', rows_of.patient_id)
  end;
$$;

create function tests.row_count(relation regclass)
returns bigint
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  rows bigint;
begin
  execute format('select count(*) from %s', row_count.relation) into rows;
  return rows;
end;
$$;

create function tests.sees()
returns table (relation text, rows text)
language plpgsql
volatile
security invoker
as $$
declare
  seen bigint;
  of_ann bigint;
  of_bob bigint;
begin
  for relation in
    select c.relname
    from pg_catalog.pg_class as c
    where c.relnamespace = 'hospital'::regnamespace
      and c.relkind in ('r', 'p', 'v', 'm')
    order by c.relname collate "C"
  loop
    begin
      execute format('select count(*) from hospital.%I', relation) into seen;
      if tests.rows_of(('hospital.' || relation)::regclass, 0) is null then
        rows := case
          when seen = 0 then 'none'
          when seen = tests.row_count(('hospital.' || relation)::regclass) then 'all'
          else 'some'
        end;
      else
        execute format('select count(*) from hospital.%I where %s', relation,
          tests.rows_of(('hospital.' || relation)::regclass, tests.id_of('ann'))) into of_ann;
        execute format('select count(*) from hospital.%I where %s', relation,
          tests.rows_of(('hospital.' || relation)::regclass, tests.id_of('bob'))) into of_bob;
        rows := concat_ws(
          ', ',
          case when of_ann > 0 then 'Ann' end,
          case when of_bob > 0 then 'Bob' end,
          case when seen > of_ann + of_bob then 'others' end
        );
        rows := coalesce(nullif(rows, ''), 'none');
      end if;
    exception
      when insufficient_privilege then
        rows := 'denied';
    end;
    return next;
  end loop;
end;
$$;
comment on function tests.sees() is
  'What whoever is played sees of every table: whose rows, or all, some or none of them, or that he is denied.';

create function tests.may_write()
returns table (relation text, command text, columns text)
language sql
stable
security invoker
as $$
  select w.*
  from (
    select
      c.relname::text collate "default",
      k.command,
      string_agg(a.attname, ', ' order by a.attname) collate "default"
    from pg_catalog.pg_class as c
    cross join (values ('insert'), ('update'), ('references')) as k (command)
    join pg_catalog.pg_attribute as a
      on a.attrelid = c.oid
      and a.attnum > 0
      and not a.attisdropped
      and has_column_privilege(c.oid, a.attnum, k.command)
    where c.relnamespace = 'hospital'::regnamespace
      and c.relkind in ('r', 'p', 'v', 'm')
    group by
      c.relname,
      k.command
    union all
    select
      c.relname::text collate "default",
      k.command,
      null
    from pg_catalog.pg_class as c
    cross join (values ('delete'), ('truncate'), ('trigger')) as k (command)
    where c.relnamespace = 'hospital'::regnamespace
      and c.relkind in ('r', 'p', 'v', 'm')
      and has_table_privilege(c.oid, k.command)
  ) as w (relation, command, columns)
  order by
    w.relation collate "C",
    w.command;
$$;
comment on function tests.may_write() is
  'Which columns of which tables whoever is played may write, by the grants.';

create function tests.may_execute()
returns setof text
language sql
stable
security invoker
as $$
  select (n.nspname || '.' || f.proname) collate "default"
  from pg_catalog.pg_proc as f
  join pg_catalog.pg_namespace as n
    on n.oid = f.pronamespace
  where n.nspname in (
      'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
    )
    and has_schema_privilege(n.oid, 'usage')
    and has_function_privilege(f.oid, 'execute')
  order by (n.nspname || '.' || f.proname) collate "C";
$$;
comment on function tests.may_execute() is
  'Which functions and procedures of ours whoever is played may call.';
