-- The view holds the sums that are asked for: of a department or all (0), of a doctor or all (0).
create or replace function analytics.revenue(
  from_date date default null,
  until_date date default null,
  department_id bigint default null,
  doctor_id bigint default null
)
returns setof analytics.revenue_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  reader constant warehouse.reader :=
    warehouse.current_reader('administrator', 'billing', 'doctor');
begin
  if not reader.sees_all and revenue.doctor_id <> reader.doctor_id then
    return;
  end if;
  return query
  select
    date_trunc('month', m.first_day::timestamp)::date,
    sum(m.appointments)::bigint,
    sum(m.appointment_revenue)::numeric(14,2),
    sum(m.treatments)::bigint,
    sum(m.treatment_revenue)::numeric(14,2),
    sum(m.appointment_revenue + m.treatment_revenue)::numeric(14,2),
    s.data_as_of
  from warehouse.pieces(revenue.from_date, revenue.until_date) as p
  join warehouse.mv_revenue as m
    on m.grain = case p.grain when 'all' then 'month' else p.grain end
    and m.first_day >= p.first_day
    and m.first_day < p.end_day
  join warehouse.view_states as s
    on s.view_name = 'mv_revenue'
  where m.department_id = coalesce(revenue.department_id, 0)
    and m.doctor_id = case
      when reader.sees_all then coalesce(revenue.doctor_id, 0)
      else reader.doctor_id
    end
  group by
    date_trunc('month', m.first_day::timestamp),
    s.data_as_of
  order by 1;
end;
$$;
comment on function analytics.revenue(date, date, bigint, bigint) is
  'What was charged in each month from from_date and before until_date: to an administrator and to billing all, to a doctor what he earned. Lends the owner''s right to read the warehouse. Raises UNAUT or PRMSN.';
