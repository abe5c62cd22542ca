-- Question: How do the visits of each month compare with those of the same month a year before?
-- Technique: A range frame over an interval of time.
-- Notice: lag(…, 12) would be the twelfth row before, which is another month as soon as one has no
--   visits and so no row. A range frame of exactly one year before finds the row by its value, or
--   finds none. The unfinished last month is marked, since comparing it with a whole one is how
--   panic is made.
with monthly as (
  select
    d.month_start,
    count(*) as visits,
    max(v.visited_on) as last_day
  from warehouse.fact_visits as v
  join warehouse.dim_date as d
    on d.date_key = v.visited_on
  group by d.month_start
)
select
  to_char(m.month_start, 'YYYY-MM') as month,
  m.visits,
  sum(m.visits) over a_year_before as a_year_before,
  round(
    100.0 * m.visits / nullif(sum(m.visits) over a_year_before, 0) - 100, 1
  ) as percent_change,
  m.month_start = max(m.month_start) over ()
    and m.last_day < (m.month_start + interval '1 month')::date - 1 as is_unfinished
from monthly as m
window a_year_before as (
  order by m.month_start::timestamp
  range between interval '1 year' preceding and interval '1 year' preceding
)
order by m.month_start;
