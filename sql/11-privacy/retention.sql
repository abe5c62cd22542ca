-- How long anything of a person must be kept: per rule, from the last contact that its tables know of,
-- and for whoever was a minor until an age. Days are those of UTC, whoever asks from wherever.
create or replace function hospital_private.retention_of(patient_ids bigint[])
returns table (rule text, name text, is_separable boolean, last_contact_on date, kept_until date)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  contact hospital_private.person_tables;
  newest date;
  contacts jsonb := '{}'::jsonb;
begin
  for contact in
    select t.*
    from hospital_private.person_tables as t
    where t.last_contact is not null
  loop
    execute format(
      'select max((%s)::timestamptz)::date from %s as t where %s',
      contact.last_contact, contact.relation, contact.rows_of
    )
    into newest
    using retention_of.patient_ids;
    contacts := contacts || jsonb_build_object(
      contact.retention_rule,
      greatest((contacts ->> contact.retention_rule)::date, newest)
    );
  end loop;
  return query
  select
    r.code,
    r.name,
    r.is_separable,
    (contacts ->> r.code)::date,
    greatest(
      (contacts ->> r.code)::date + r.kept_for,
      case
        when contacts ->> r.code is not null
          then p.born_on + make_interval(years => r.minors_until_age)
      end
    )::date
  from hospital.retention_rules as r
  cross join (
    select max(o.date_of_birth) as born_on
    from hospital.patients as o
    where o.id = any (retention_of.patient_ids)
  ) as p;
end;
$$;
comment on function hospital_private.retention_of(bigint[]) is
  'For each rule the last contact of the person of these records and the day until which what it is about must be kept, null where there is nothing. Lends the owner''s right to read the record.';

create or replace function hospital.retention_due(as_of date default null)
returns setof hospital.due_erasure
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  contacts text;
begin
  perform hospital_private.require_role('administrator');
  select string_agg(
    format(
      'select t.%I, %L, max((%s)::timestamptz)::date from %s as t group by 1',
      case t.relation when 'hospital.patients' then 'id' else 'patient_id' end,
      t.retention_rule,
      t.last_contact,
      t.relation
    ),
    ' union all '
  )
  into contacts
  from hospital_private.person_tables as t
  where t.last_contact is not null;
  return query execute format(
    $query$
      with recursive
      persons (record_id, id) as (
        select p.id, p.id
        from hospital.patients as p
        where p.merged_into_id is null
          and p.erased_at is null
        union all
        select p.id, r.id
        from hospital.patients as p
        join persons as r
          on r.record_id = p.merged_into_id
      ),
      contacts (record_id, rule, day) as (%s),
      due as (
        select
          n.id,
          max(c.day) as last_contact_on,
          max(
            greatest(
              c.day + r.due_after,
              p.date_of_birth + make_interval(years => r.minors_until_age)
            )
          )::date as due_on
        from persons as n
        join contacts as c
          on c.record_id = n.record_id
        join hospital.patients as p
          on p.id = n.record_id
        join hospital.retention_rules as r
          on r.code = c.rule
        group by n.id
      )
      select
        d.id,
        d.last_contact_on,
        d.due_on,
        hospital_private.is_held(hospital_private.records_of_person(d.id))
      from due as d
      where d.due_on <= $1
      order by
        d.due_on,
        d.id
    $query$,
    contacts
  )
  using coalesce(retention_due.as_of, current_date);
end;
$$;
comment on function hospital.retention_due(date) is
  'The patients whose whole record is due for erasure by the retention rules on a day, by default today, those due longest first; nothing is erased by it. For administrators. Raises UNAUT, PRMSN. Lends the owner''s right to read when each patient was last seen.';
