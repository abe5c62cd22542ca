-- Of all records of the person who asks, and of nobody's for whom he acts.
create or replace function hospital.who_viewed_my_chart()
returns setof hospital.chart_view
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    c.opened_at,
    -- The first of what closed it: its window, its ground, or the last of its sessions.
    greatest(
      c.opened_at,
      least(upper(c.covers), upper(g.in_force), upper(p.in_force), seen.until)
    ),
    seen.sessions,
    concat_ws(' ', m.given_name, m.family_name),
    c.role,
    m.id,
    d.id,
    d.name,
    c.purpose,
    c.tag,
    t.name,
    g.category
  from audit.chart_accesses as c
  join audit.access_tags as t
    on t.code = c.tag
  join hospital_private.accounts as a
    on a.id = c.account_id
  left join hospital.staff_members as m
    on m.id = a.staff_member_id
  left join hospital.departments as d
    on d.id = c.department_id
  left join hospital.break_glass_grants as g
    on g.id = c.break_glass_grant_id
  left join hospital.consents as p
    on p.id = c.consent_id
  cross join lateral (
    select
      count(*)::integer as sessions,
      -- A session that is no longer on record may have read until the window's end.
      case
        when bool_and(s.id is not null)
          then max(coalesce(s.revoked_at, s.access_expires_at))
      end as until
    from audit.chart_openings as o
    left join hospital_private.sessions as s
      on s.id = o.session_id
    where o.access_id = c.id
      and o.patient_id = c.patient_id
  ) as seen
  where c.patient_id = any (array(select hospital_private.current_patient_ids()))
  order by
    c.opened_at desc,
    c.id desc;
$$;
comment on function hospital.who_viewed_my_chart() is
  'Who looked at the chart of the patient who asks, when, why and on what ground, the latest first. Lends the owner''s right to read the access log to the one it is about.';
