-- Question: Are appointments that were booked long ago missed more often?
-- Technique: Regression aggregates, beside the groups they summarise.
-- Notice: corr and regr_slope are aggregates like any other: a missed appointment is 1, a kept one
--   0, and the slope is how much the share grows with each day of waiting. One number hides a bend,
--   so the groups stand beside it: grouping sets answers both from one pass. A correlation near 0
--   says that there is no straight line, not that there is nothing.
select
  case
    when grouping(g.weeks) = 1 then 'all'
    when g.weeks = 8 then '8 weeks or more'
    else format('%s to %s weeks', g.weeks, g.weeks + 1)
  end as booked_before,
  count(*) as appointments,
  round(100.0 * avg(g.is_missed), 1) as percent_missed,
  case
    when grouping(g.weeks) = 1
      then round((100 * regr_slope(g.is_missed, a.lead_days))::numeric, 3)
  end as percent_more_per_day,
  case
    when grouping(g.weeks) = 1
      then round(corr(g.is_missed, a.lead_days)::numeric, 3)
  end as correlation
from warehouse.fact_appointments as a
cross join lateral (
  select
    least(a.lead_days / 7, 8) as weeks,
    (a.status = 'no_show')::integer as is_missed
) as g
where a.status in ('completed', 'no_show')
group by grouping sets ((g.weeks), ())
order by
  grouping(g.weeks),
  g.weeks;
