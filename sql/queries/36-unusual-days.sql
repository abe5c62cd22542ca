-- Question: On which days did far more or far fewer patients come than on days like it?
-- Technique: Anomalies by a moving average and standard deviation.
-- Notice: A Monday is compared with the twelve Mondays before it, so that the quiet of Sundays is
--   no anomaly. The frame ends before the current row: a day that took part in its own mean would
--   pull it towards itself and hide. Days without a visit come from the dimension of dates, or a
--   closed day could never be seen. The first weeks, with too little behind them, are left out.
with extent as (
  select
    min(v.visited_on) as first_day,
    max(v.visited_on) as last_day
  from warehouse.fact_visits as v
),
daily as (
  select
    d.date_key,
    d.weekday,
    count(v.visit_id) as visits
  from extent as e
  join warehouse.dim_date as d
    on d.date_key between e.first_day and e.last_day
  left join warehouse.fact_visits as v
    on v.visited_on = d.date_key
  group by d.date_key
),
compared as (
  select
    y.*,
    count(*) over alike as days_before,
    avg(y.visits) over alike as expected,
    stddev_samp(y.visits) over alike as deviation
  from daily as y
  window alike as (
    partition by y.weekday
    order by y.date_key
    rows between 12 preceding and 1 preceding
  )
)
select
  c.date_key as day,
  to_char(c.date_key, 'Dy') as weekday,
  c.visits,
  round(c.expected, 1) as expected,
  round((c.visits - c.expected) / nullif(c.deviation, 0), 1) as deviations_away
from compared as c
where c.days_before >= 8
  and abs(c.visits - c.expected) > 2 * c.deviation
order by
  abs(c.visits - c.expected) / nullif(c.deviation, 0) desc nulls first,
  c.date_key;
