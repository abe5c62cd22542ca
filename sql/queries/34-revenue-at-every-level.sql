-- Question: What did completed appointments earn by department and kind, with all the subtotals?
-- Technique: Grouping sets by rollup, and grouping() to tell a total from a gap.
-- Notice: rollup (a, b) groups by (a, b), by (a) and by nothing, in one pass. In a total the column
--   is null, as it is where a value is missing: grouping() tells them apart. The keys ride along in
--   the groups, since departments of two facilities may share a name. Each level adds up to the one
--   above it, which is what the test of this query checks.
select
  case when grouping(p.department_id) = 1 then 'all departments' else min(p.name) end as department,
  case
    when grouping(p.department_id) = 1 then null
    when grouping(t.code) = 1 then 'all kinds'
    else min(t.name)
  end as appointment_type,
  grouping(p.department_id, t.code) as level,
  count(*) as appointments,
  sum(t.price) as revenue
from warehouse.fact_appointments as a
join warehouse.dim_department as p
  on p.department_key = a.department_key
join warehouse.dim_appointment_type as t
  on t.appointment_type_key = a.appointment_type_key
where a.status = 'completed'
group by rollup (p.department_id, t.code)
order by
  grouping(p.department_id),
  sum(sum(t.price)) over (partition by p.department_id, grouping(p.department_id)) desc,
  p.department_id,
  grouping(t.code) desc,
  revenue desc,
  t.code;
