-- Question: Does who missed appointments before miss the next one, and by how much more?
-- Technique: A person's history as of each moment: a window that ends before the current row.
-- Notice: Only what was known on the day may be looked at: counting all the missed appointments of
--   a person, the one that is to be foretold included, would foretell anything. The frame ends at 1
--   preceding, so it is the history a receptionist would have seen. Each group is measured against
--   the rate of all by a window over the groups.
with history as (
  select
    (a.status = 'no_show')::integer as is_missed,
    count(*) over before as earlier,
    count(*) filter (where a.status = 'no_show') over before as earlier_missed
  from warehouse.fact_appointments as a
  join warehouse.dim_patient as p
    on p.patient_key = a.patient_key
  where a.status in ('completed', 'no_show')
  window before as (
    partition by p.person_id
    order by a.starts_at, a.appointment_id
    rows between unbounded preceding and 1 preceding
  )
)
select
  case
    when r.risk = 0 then 'first appointment'
    when r.risk = 1 then 'never missed one'
    when r.risk = 2 then 'missed one'
    else 'missed two or more'
  end as history,
  count(*) as appointments,
  sum(h.is_missed) as missed,
  round(100.0 * avg(h.is_missed), 1) as percent_missed,
  round(
    avg(h.is_missed) / nullif(sum(sum(h.is_missed)) over () / sum(count(*)) over (), 0), 2
  ) as times_the_average
from history as h
cross join lateral (
  select
    case
      when h.earlier = 0 then 0
      else least(h.earlier_missed, 2) + 1
    end as risk
) as r
group by r.risk
order by r.risk;
