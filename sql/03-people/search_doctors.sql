create or replace function hospital.search_doctors(
  search text default null,
  department_id bigint default null,
  specialization text default null
)
returns setof hospital.doctors
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select d.*
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  where d.is_active
    and (
      search_doctors.search is null
      or m.given_name || ' ' || m.family_name ilike
        '%' || hospital_private.escape_like(search_doctors.search) || '%'
      or d.specialization ilike
        '%' || hospital_private.escape_like(search_doctors.search) || '%'
    )
    and (search_doctors.department_id is null or m.department_id = search_doctors.department_id)
    and (search_doctors.specialization is null or d.specialization = search_doctors.specialization)
  order by
    m.family_name,
    m.given_name,
    d.id;
$$;
comment on function hospital.search_doctors(text, bigint, text) is
  'The doctors who can be booked, by part of name or specialty, department and specialization, each optional.';
