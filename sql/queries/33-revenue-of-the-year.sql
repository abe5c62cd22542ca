-- Question: What was earned each month, how much so far in the year, and how does the mean of three
--   months run?
-- Technique: Running totals and moving averages: window frames over sums of two facts.
-- Notice: Two facts of different grain are summed apart and then brought together by union all: a
--   join between them would count an appointment's price once for every treatment. With order by, a
--   frame runs from the first row to the current one unless it is told otherwise, which makes the
--   running total; 2 preceding makes the moving mean, shorter at the beginning. What is charged by
--   what exists: the price of completed appointments and the cost of treatments.
with earned as (
  select
    a.starts_on as day,
    t.price as amount,
    'appointments' as source
  from warehouse.fact_appointments as a
  join warehouse.dim_appointment_type as t
    on t.appointment_type_key = a.appointment_type_key
  where a.status = 'completed'
  union all
  select
    t.treated_on,
    t.cost,
    'treatments'
  from warehouse.fact_treatments as t
),
monthly as (
  select
    d.year,
    d.month_start,
    sum(e.amount) as revenue,
    sum(e.amount) filter (where e.source = 'treatments') as of_treatments
  from earned as e
  join warehouse.dim_date as d
    on d.date_key = e.day
  group by d.year, d.month_start
)
select
  to_char(m.month_start, 'YYYY-MM') as month,
  m.revenue,
  m.of_treatments,
  sum(m.revenue) over (partition by m.year order by m.month_start) as year_so_far,
  round(avg(m.revenue) over three_months, 2) as mean_of_three_months,
  round(100.0 * m.revenue / sum(m.revenue) over (partition by m.year), 1) as percent_of_year
from monthly as m
window three_months as (order by m.month_start rows between 2 preceding and current row)
order by m.month_start;
